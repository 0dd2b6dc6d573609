package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// Panels that several boards have.

// The special values of dataAge.
const (
	notScraped = "-1"
	notSynced  = "-2"
)

// dataAge tells how old the data is that a board shows: the time since the API server
// was last heard of, for the resource for which that is longest, by the freshest
// replica of each cluster.
func dataAge(width uint32, matchers string) *dashboard.Panel {
	age := minBy("cluster", "max without (resource) (time() - ("+series("daemonset_exporter_informer_last_event_timestamp_seconds", matchers)+" > 0))")
	starting := notSynced + " + 0 * (" + maxBy("cluster", "min without (resource) ("+series("daemonset_exporter_informer_synced", matchers)+")") + " == 0)"
	gone := notScraped + " + 0 * " + maxBy("cluster", "max_over_time("+series("daemonset_exporter_build_info", matchers)+"[$__range])")
	p := withNames(newStat(about{
		title: "Data age", unit: "s", width: width,
		counts:    "Time since the API server was last heard of: how old everything on this board is. The worst resource of the freshest replica, for each cluster. A quiet API server is heard of about once a minute. A cluster whose exporter was scraped in the time shown, and no longer is, says so.",
		leavesOut: "clusters that were not scraped in the time shown",
	}, starting+" or "+age+" or "+gone, "{{cluster}}"))
	byThreshold(p, red, step{0, green}, step{120, orange}, step{300, red})
	defaults(p).Decimals = new(0.0)
	defaults(p).Mappings = []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{
		Type: dashboard.MappingTypeValueToText,
		Options: map[string]dashboard.ValueMappingResult{
			notScraped: result(meaning{text: "not scraped", colour: red}, 0),
			notSynced:  result(meaning{text: "not synced", colour: orange}, 1),
		},
	}}}
	return leads(noValue(p, "not scraped"), ofSeries(exporterLink()))
}

// firingAlerts lists the alerts that fire, with age and runbook.
func firingAlerts(columns []column, matchers string) *dashboard.Panel {
	by := "alertname, severity"
	for _, c := range columns {
		by = c.name + ", " + by
	}
	all := append([]column{
		{name: "severity", width: 80, look: inColour(severities())},
		{name: "alertname", title: "alert", width: 250, look: []property{links(runbookLink())}},
	}, columns...)
	p := newTable(about{
		title: "Firing alerts", unit: "none", width: 24,
		counts:    "Alerts of the shipped rules that fire, and since when their condition holds. A name leads to its runbook.",
		leavesOut: "pending alerts. Silences and inhibitions are not known here. It is empty, too, while the rules are not loaded",
	}, "", append(all, sinceColumn("since")), query{
		"1000 * " + minBy(by, series("ALERTS_FOR_STATE", `alertname=~"DaemonSet.+"`, matchers)+` and ignoring (alertstate) `+series("ALERTS", `alertname=~"DaemonSet.+"`, `alertstate="firing"`, matchers)),
		"since",
	})
	return ascending(noValue(p, "No alert fires, or the rules are not loaded."), "severity")
}

// objective is the share of time for which a Ready node should be covered.
const objective = "scalar(max(daemonset_exporter:coverage_objective:ratio) or vector(0.99))"

// burnRate returns how many times faster than the objective allows the budget is used
// up, by windows of six hours.
func burnRate(matchers string) string {
	return maxBy(workload, series("daemonset:ready_node_gap:ratio_rate6h", matchers)) + " / (1 - " + objective + ")"
}

// gapShare returns the share of the last 30 days for which Ready nodes were not
// covered. The windows of the recorded series tile the time, hour by hour: raw counters
// of a month would be too much to read. Before the first full hour there is one window.
func gapShare(matchers string) string {
	hour := series("daemonset:ready_node_gap:ratio_rate1h", matchers)
	return maxBy(workload, either("avg_over_time("+hour+"[30d:1h])", hour))
}

// budgetLeft returns the share of the error budget of 30 days that is left; below 0 it
// is overdrawn.
func budgetLeft(matchers string) string {
	return "1 - " + gapShare(matchers) + " / (1 - " + objective + ")"
}

// budgetSteps colour what is left of a budget.
func budgetSteps() []step { return []step{{-1e6, red}, {0.000001, orange}, {0.25, green}} }
