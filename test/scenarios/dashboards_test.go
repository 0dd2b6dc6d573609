package scenarios

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// checkDashboards runs every query of every dashboard. Each panel must show
// something for at least one DaemonSet, or node.
func checkDashboards(t *testing.T, f *fixture, begun time.Time) {
	t.Helper()
	dashboards := check.Must(shipped.ReadDashboards(f.root))(t)
	queries, window := 0, shipped.Window{Interval: 15 * time.Second, Range: time.Since(begun)}
	for file, dashboard := range dashboards {
		for _, panel := range dashboard.AllPanels() {
			shown := 0
			for _, target := range panel.Targets {
				for _, values := range fillings(t, f, file) {
					query := shipped.Fill(target.Expr, values, window)
					series, err := f.prometheus.query(t.Context(), query, begun, begun.Add(window.Range), 5*time.Second)
					if err != nil {
						t.Errorf("%s, %q: %v\n%s", file, panel.Title, err, query)
					}
					queries++
					shown += len(series)
				}
			}
			name := fmt.Sprintf("%s: %s", file, panel.Title)
			check.That(t, shown != 0 || len(panel.Targets) == 0, "%s shows nothing in any scenario", name)
		}
		checkVariables(t, f, file, dashboard, window)
	}
	t.Logf("%d queries of dashboards were answered", queries)
	checkTotals(t, f, dashboards["fleet.json"])
}

// checkTotals compares numbers of the fleet board with the single series that they
// count. Replicas are scraped one after the other, and nodes flap: the numbers must
// agree at some moment, all at once.
func checkTotals(t *testing.T, f *fixture, fleet *shipped.Dashboard) {
	t.Helper()
	const settled = `lifecycle!~"joining|leaving"`
	// The replica that has lost the API server still has what was then.
	const fresh = ` unless on (cluster, instance) ` + shipped.Superseded
	gaps := func(matchers string) string {
		return `count(count by (namespace, daemonset, node) (daemonset_gap_start_timestamp_seconds{` + matchers + `}` + fresh + `))`
	}
	want := map[string]string{
		"Gaps, node Ready":  gaps(settled + `, cause!="node", reason!="min_ready_seconds"`),
		"Gaps, node failed": gaps(settled + `, cause="node"`),
		"Not Ready":         `count(count by (node) (daemonset_node_not_ready_start_timestamp_seconds{` + settled + `}` + fresh + `))`,
		"Broken":            `count(count by (namespace, daemonset) (daemonset_gap_start_timestamp_seconds{` + settled + `, cause!="node", reason!="min_ready_seconds"}` + fresh + `))`,
	}
	values, window := map[string]string{"cluster": ".*"}, shipped.Window{Interval: 15 * time.Second, Range: time.Minute}
	var diff string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		diff = ""
		at := time.Now()
		for _, q := range queries(fleet) {
			if want[q.title] == "" {
				continue
			}
			shown := check.Must(f.prometheus.query(t.Context(), shipped.Fill(q.expr, values, window), at, at, time.Second))(t)
			single := check.Must(f.prometheus.query(t.Context(), want[q.title], at, at, time.Second))(t)
			diff += difference(single, shown)
		}
		if diff == "" {
			return
		}
		check.NoError(t, pause(t.Context(), time.Second))
	}
	t.Errorf("the totals of the fleet board are not those of single series:\n%s", diff)
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// checkVariables checks that every variable has values. cluster is left out: only
// exporters that fail have that label, and they have no metrics about nodes.
func checkVariables(t *testing.T, f *fixture, file string, dashboard *shipped.Dashboard, window shipped.Window) {
	t.Helper()
	for _, variable := range dashboard.Templating.List {
		if variable.Type != "query" || variable.Name == "cluster" {
			continue
		}
		parts := labelValues.FindStringSubmatch(variable.Definition)
		if parts == nil {
			t.Errorf("%s, variable %s: %s", file, variable.Name, variable.Definition)
			continue
		}
		selector := shipped.Fill(parts[1], map[string]string{"cluster": anyOf(file), "namespace": "default"}, window)
		values, err := f.prometheus.labelValues(t.Context(), selector, parts[2])
		check.That(t, err == nil && len(values) != 0, "%s, variable %s has %d values: %v", file, variable.Name, len(values), err)
	}
}

// fillings returns sets of values for the variables of a dashboard.
func fillings(t *testing.T, f *fixture, file string) []map[string]string {
	t.Helper()
	var fillings []map[string]string
	switch file {
	case "daemonset.json":
		for _, s := range all() {
			if s.agent.present {
				fillings = append(fillings, map[string]string{"cluster": anyOf(file), "namespace": s.agent.space(), "daemonset": s.name})
			}
		}
	case "node.json":
		for _, node := range check.Must(f.prometheus.labelValues(t.Context(), "daemonset_node_gaps", "node"))(t) {
			fillings = append(fillings, map[string]string{"cluster": anyOf(file), "node": node})
		}
	default:
		fillings = append(fillings, map[string]string{"cluster": anyOf(file), "instance": ".*"})
	}
	return fillings
}
