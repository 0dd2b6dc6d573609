package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// theExporter returns the board of the exporter itself, with all its replicas.
func theExporter() *board {
	b := newBoard(exporterBoard, "DaemonSets: the exporter",
		"The exporter itself: is what it says fresh, what does it cost, what fails. Every replica shows by itself.",
		clusters(true),
		withAll(variable("instance", "Instance", "The exporters that were scraped in the time shown.", `label_values(daemonset_exporter_build_info{cluster=~"$cluster"}, instance)`)))
	b.line(4, dataAge(6, ofExporter), exporterCount(), exporterNotSynced(), exporterFailedScrapes(), exporterDropped(), exporterErrorsShown(), exporterInferred())
	b.line(6, firingAlerts([]column{clusterColumn(), {name: "instance"}}, inCluster+`, scope="exporter"`))
	b.line(6, exporterTable())
	b.section("Fresh", false)
	b.line(8, exporterAge(), exporterErrors())
	b.section("Cost", false)
	b.line(8, exporterObjects(), exporterScrape())
	b.line(8, exporterMemory(), exporterCPU())
	b.section("Left out", false)
	b.line(8, exporterSeries(), exporterSkew())
	b.annotate(criticalAlerts(inCluster + `, scope="exporter"`))
	return b
}

// self returns a metric of the exporter about itself.
func self(metric string) string { return series(metric, ofExporter) }

// exporters is how many are scraped.
const exporters = "count(daemonset_exporter_build_info{" + ofExporter + "})"

func exporterCount() *dashboard.Panel {
	return byThreshold(newStat(about{
		title: "Exporters", unit: "none", width: 3,
		counts:    "Exporters that are scraped, replicas counted one by one.",
		leavesOut: "exporters that cannot be reached",
	}, exporters, "exporters"), red, step{1, neutral})
}

func exporterNotSynced() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Not synced", unit: "none", width: 3,
		counts:    "Resources whose first list is not complete, over all replicas. Until then an exporter says nothing about DaemonSets and nodes.",
		leavesOut: "exporters that cannot be reached",
	}, ever("count("+self("daemonset_exporter_informer_synced")+" == 0)", exporters), "resources"), step{1, red})
}

// exporterFailedScrapes compares the counter over the whole range: the scrapes that it
// counts left no samples.
func exporterFailedScrapes() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Failed scrapes", unit: "none", width: 3,
		counts:    "Scrapes that failed as a whole and gave no metrics, over all replicas. This is a defect of the exporter, which its log describes.",
		leavesOut: "exporters of which every scrape fails",
	}, fmt.Sprintf("sum(max_over_time(%[1]s[$__range]) - min_over_time(%[1]s[$__range]))", self("daemonset_exporter_scrape_failures_total")), "scrapes"), step{1, red})
}

func exporterDropped() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Left out", unit: "none", width: 3,
		counts:    "Series that --coverage.max-gap-series leaves out, of the replica of each cluster that leaves out most. Counts of nodes stay exact.",
		leavesOut: "nothing",
	}, "sum("+maxBy("cluster", "sum without (family) ("+self("daemonset_exporter_series_dropped")+")")+")", "series"), step{1, orange})
}

func exporterErrorsShown() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Failed requests", unit: "none", width: 3,
		counts:    "Lists and watches that failed, over all replicas.",
		leavesOut: "watches that the API server closes when their time is over",
	}, "sum_over_time(sum("+newEvents("daemonset_exporter_informer_watch_errors_total", ofExporter)+")[$__range:$__interval])", "requests"), step{1, orange})
}

func exporterInferred() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Revisions guessed", unit: "none", width: 3,
		counts:    "DaemonSets whose current revision is inferred from pods, because their ControllerRevisions were not read, of the replica of each cluster that infers most. More than moments of it is a missing permission.",
		leavesOut: "nothing",
	}, "sum("+maxBy("cluster", self("daemonset_exporter_revision_inferred"))+")", "DaemonSets"), step{1, yellow})
}

// exporterTable has one row for each replica.
func exporterTable() *dashboard.Panel {
	by := "cluster, instance, pod"
	of := func(expr string) string { return maxBy(by, expr) }
	withUnit := func(title, unit string, decimals int) column {
		return column{title: title, width: 100, look: []property{
			{Id: "unit", Value: unit}, {Id: "decimals", Value: decimals}, {Id: "noValue", Value: "-"},
		}}
	}
	yesOrNo := func(title string) column {
		return column{title: title, width: 70, look: []property{
			{Id: "mappings", Value: named(palette{{"0", "no", red}, {"1", "yes", green}})}, inColour(nil)[0], {Id: "noValue", Value: "-"},
		}}
	}
	return newTable(about{
		title: "Replicas", unit: "none", width: 24,
		counts:    "One row for each exporter that is scraped: the age of its data, whether what it says of every resource is what the API server has, whether it has synced, requests that failed within the last hour, objects it holds, and what it costs.",
		leavesOut: "exporters that cannot be reached",
	}, "", []column{
		clusterColumn(),
		{name: "instance", width: 170},
		{name: "pod"},
		{name: "version", width: 90},
		{title: "data age", width: 100, look: []property{
			{Id: "unit", Value: "s"}, inColour(nil)[0], {Id: "thresholds", Value: thresholds(neutral, step{0, green}, step{120, orange}, step{300, red})}, {Id: "noValue", Value: "-"},
		}},
		yesOrNo("fresh"), yesOrNo("synced"),
		countColumn("errors, 1 h", orange), withUnit("objects", "none", 0), withUnit("a scrape", "s", 1), withUnit("memory", "bytes", 0), withUnit("CPU", "none", 3),
	},
		query{maxBy(by+", version", self("daemonset_exporter_build_info")) + " * on (cluster, instance, pod) group_left () " +
			of("time() - ("+self("daemonset_exporter_informer_last_event_timestamp_seconds")+" > 0)"), "data age"},
		query{minBy(by, self("daemonset_exporter_informer_fresh")), "fresh"},
		query{minBy(by, self("daemonset_exporter_informer_synced")), "synced"},
		query{"sum by (" + by + ") (" + events("daemonset_exporter_informer_watch_errors_total", "1h", "3600", ofExporter) + ")", "errors"},
		query{"sum by (" + by + ") (" + self("daemonset_exporter_informer_objects") + ")", "objects"},
		query{"sum by (" + by + ") (" + self("daemonset_exporter_collector_duration_seconds") + ")", "a scrape"},
		query{of(ofProcess("process_resident_memory_bytes")), "memory"},
		query{of(ofProcess("process_cpu_seconds_total", "[$__rate_interval]")), "CPU"},
	)
}

// ofProcess returns a metric of the exporters' processes, or its rate over a window.
// Other processes have it, too.
func ofProcess(metric string, window ...string) string {
	expr := self(metric)
	if window != nil {
		expr = "rate(" + expr + window[0] + ")"
	}
	return expr + " and on (cluster, instance, pod) " + self("daemonset_exporter_build_info")
}

// replica is the name of a replica in legends.
const replica = "{{cluster}} {{instance}}"

func exporterAge() *dashboard.Panel {
	p := newGraph(about{
		title: "Time since the API server was heard of", unit: "s", width: 12,
		counts:    "Time since the last event, bookmark or list, by resource. Teeth of a minute are a quiet cluster; a line that rises is a watch that hangs or an API server that is away.",
		leavesOut: "resources of which nothing has come yet",
	}, query{"time() - (" + self("daemonset_exporter_informer_last_event_timestamp_seconds") + " > 0)", replica + " {{resource}}"})
	return besides(p, "max", "lastNotNull")
}

func exporterErrors() *dashboard.Panel {
	return bars(newGraph(about{
		title: "Failed requests over time", unit: "none", width: 12,
		counts:    "Lists and watches that failed, over all replicas.",
		leavesOut: "watches that the API server closes when their time is over",
	}, query{"sum by (cluster, instance, resource, reason) (" + newEvents("daemonset_exporter_informer_watch_errors_total", ofExporter) + ") > 0", replica + " {{resource}} {{reason}}"}), "sum")
}

func exporterObjects() *dashboard.Panel {
	return besides(newGraph(about{
		title: "Objects in memory", unit: "none", width: 12,
		counts:    "Objects that each exporter holds, by resource.",
		leavesOut: "pods that --pods.selector does not match",
	}, query{self("daemonset_exporter_informer_objects"), replica + " {{resource}}"}), "lastNotNull")
}

func exporterScrape() *dashboard.Panel {
	return besides(stacked(newGraph(about{
		title: "Time of a scrape", unit: "s", width: 12,
		counts:    "How long each part of a scrape took, stacked.",
		leavesOut: "transport and compression",
	}, query{self("daemonset_exporter_collector_duration_seconds"), replica + " {{part}}"})), "mean", "max")
}

func exporterMemory() *dashboard.Panel {
	return newGraph(about{
		title: "Memory", unit: "bytes", width: 12,
		counts:    "Resident memory of each process.",
		leavesOut: "the page cache",
	}, query{ofProcess("process_resident_memory_bytes"), replica})
}

func exporterCPU() *dashboard.Panel {
	p := newGraph(about{
		title: "CPU", unit: "none", width: 12,
		counts:    "Cores that each process used, user and system.",
		leavesOut: "time for which it was throttled",
	}, query{ofProcess("process_cpu_seconds_total", "[$__rate_interval]"), replica})
	defaults(p).Decimals = new(3.0)
	field(p).LineInterpolation, field(p).AxisSoftMax = nil, nil
	return p
}

func exporterSeries() *dashboard.Panel {
	p := newGraph(about{
		title: "Series of gaps, and left out", unit: "none", width: 12,
		counts:    "Open gaps with a series of their own, and the series that --coverage.max-gap-series leaves out, by family. Counts of nodes stay exact.",
		leavesOut: "nothing",
	},
		query{"count by (cluster, instance) (" + self("daemonset_gap_start_timestamp_seconds") + ")", replica + " gaps"},
		query{self("daemonset_exporter_series_dropped") + " > 0", replica + " left out of {{family}}"})
	return noValue(p, "No open gap, or no data.")
}

func exporterSkew() *dashboard.Panel {
	return bars(newGraph(about{
		title: "Negative durations", unit: "none", width: 12,
		counts:    "Durations that came out negative within each interval, because clocks disagree or were set back; they are in no other panel.",
		leavesOut: "nothing",
	}, query{"sum by (cluster, instance) (" + newEvents("daemonset_exporter_negative_durations_total", ofExporter) + ")", replica}), "sum")
}
