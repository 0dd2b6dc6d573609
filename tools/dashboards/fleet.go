package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// fleet returns the board about everything: is the data fresh, what fires, how does
// every DaemonSet and zone stand.
func fleet() *board {
	b := newBoard(fleetBoard, "DaemonSets: fleet",
		"All DaemonSets and nodes: what is expected, what is covered, and why not. Follow a DaemonSet or a node to its own board.",
		clusters(true))
	b.line(4, dataAge(4, inCluster), fleetCoverage(), fleetReadyGaps(), fleetFailedGaps(), fleetBroken(), fleetNotReady(), fleetNodes())
	b.line(7, firingAlerts([]column{clusterColumn(), namespaceColumn(), daemonSetColumn(), nodeColumn(), zoneColumn()}, inCluster))
	b.line(9, fleetDaemonSets())
	b.line(10, fleetMatrix())
	b.section("Over time", false)
	b.line(8, fleetZones(), fleetCoverageHistory())
	b.line(9, fleetNodeTimeline())
	b.line(8, fleetReasons(), fleetStatuses())
	b.line(8, fleetFailures(), fleetOutages())
	b.section("Error budget of 30 days", false)
	b.line(8, fleetBudget(), fleetBurn())
	b.section("Detection and startup", true)
	b.line(7, fleetDetection(), fleetStartup())
	b.section("Exclusion", true)
	b.line(8, fleetExclusion())
	b.line(8, fleetTaints())
	b.annotate(criticalAlerts(inCluster), nodeFailures(inCluster))
	return b
}

// Counts of every DaemonSet, by cluster, namespace and daemonset.
func expectedNodes(matchers string) string {
	return nodes(workload, "lifecycle", series("daemonset_expected_nodes", matchers, settled))
}

func coveredNodes(matchers string) string {
	return nodes(workload, "lifecycle", series("daemonset_covered_nodes", matchers, settled))
}

// readyGaps are gaps on Ready nodes that are to be mended: a pod that waits for
// minReadySeconds works.
func readyGaps(matchers string) string {
	return nodes(workload, "lifecycle, cause, reason", series("daemonset_gap_nodes", matchers, settled, `cause!="node"`, `reason!="min_ready_seconds"`))
}

func failedGaps(matchers string) string {
	return nodes(workload, "lifecycle, cause, reason", series("daemonset_gap_nodes", matchers, settled, `cause="node"`))
}

// allNodes are the nodes by status, lifecycle and zone.
func allNodes(matchers ...string) string {
	return replicas("cluster, status, lifecycle, zone", series("daemonset_cluster_nodes", append([]string{inCluster}, matchers...)...))
}

func fleetCoverage() *dashboard.Panel {
	p := share(newStat(about{
		title: "Coverage", unit: "percentunit", width: 4,
		counts:    "Share of the expected (DaemonSet, node) pairs that have an available pod on a Ready node.",
		leavesOut: "nodes that join or leave",
	}, "sum("+coveredNodes(inCluster)+") / (sum("+expectedNodes(inCluster)+") > 0)", "coverage"))
	defaults(p).Decimals = new(1.0)
	return p
}

func fleetReadyGaps() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Gaps, node Ready", unit: "none", width: 4,
		counts:    "Pairs whose node is Ready and whose pod is missing or broken: what can be mended without mending a node.",
		leavesOut: "pods that only wait for minReadySeconds, and nodes that join or leave",
	}, "sum("+readyGaps(inCluster)+")", "gaps"), step{1, red})
}

func fleetFailedGaps() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Gaps, node failed", unit: "none", width: 3,
		counts:    "Pairs that are not covered because of their node: it is not Ready, or a condition taint keeps the pod away.",
		leavesOut: "nodes that join or leave",
	}, "sum("+failedGaps(inCluster)+")", "gaps"), step{1, orange})
}

func fleetBroken() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Broken", unit: "none", width: 3,
		counts:    "DaemonSets with a gap on at least one Ready node.",
		leavesOut: "DaemonSets that lack pods on failed nodes only; the table below has them all",
	}, ever("count("+readyGaps(inCluster)+" > 0)", "sum("+expectedNodes(inCluster)+")"), "DaemonSets"), step{1, red})
}

func fleetNotReady() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Not Ready", unit: "none", width: 3,
		counts:    "Nodes that are not_ready, unreachable or never_ready.",
		leavesOut: "nodes that join or leave",
	}, ever("sum("+allNodes(`status!="ready"`, settled)+")", "sum("+allNodes()+")"), "nodes"), step{1, orange})
}

func fleetNodes() *dashboard.Panel {
	return newStat(about{
		title: "Nodes", unit: "none", width: 3,
		counts:    "All nodes, whatever their status and lifecycle.",
		leavesOut: "nothing",
	}, "sum("+allNodes()+")", "nodes")
}

func fleetDaemonSets() *dashboard.Panel {
	return newTable(about{
		title: "DaemonSets", unit: "none", width: 24,
		counts:    "All DaemonSets, healthy ones too. The oldest gap is that on a Ready node. Restarts are those of containers.",
		leavesOut: "nodes that join or leave; pods that only wait for minReadySeconds, in gaps on Ready nodes and their age",
	}, "gaps, Ready", []column{
		clusterColumn(), namespaceColumn(), daemonSetColumn(),
		{title: "coverage", width: 170, look: asBar(shareSteps()...)},
		plainColumn("expected"), plainColumn("covered"),
		{title: "gaps, Ready", width: 100, look: []property{
			onColour(), {Id: "thresholds", Value: thresholds(noBackdrop, step{1, red})}, {Id: "noValue", Value: "-"},
		}},
		countColumn("gaps, failed", orange),
		sinceColumn("oldest gap"),
		countColumn("to update", blue),
		countColumn("restarts, 1 h", orange),
	},
		query{coveredNodes(inCluster) + " / (" + expectedNodes(inCluster) + " > 0)", "coverage"},
		query{expectedNodes(inCluster), "expected"},
		query{coveredNodes(inCluster), "covered"},
		query{readyGaps(inCluster), "gaps on Ready nodes"},
		query{failedGaps(inCluster), "gaps on failed nodes"},
		query{"1000 * " + earliest(workload, series("daemonset_gap_start_timestamp_seconds", inCluster, settled, `cause!="node"`, `reason!="min_ready_seconds"`)), "oldest gap"},
		query{replicas(workload, series("daemonset_rollout_outdated_nodes", inCluster)), "to update"},
		query{"round(sum by (" + workload + ") (" + once("increase("+series("daemonset_container_restarts_total", inCluster)+"[1h])") + "))", "restarts"},
	)
}

// matrixCells is the most cells that the matrix shows.
const matrixCells = "500"

func fleetMatrix() *dashboard.Panel {
	cells := coded(reasons(), reasons(), workload+", node", "daemonset_gap_start_timestamp_seconds", "reason", inCluster)
	p := newPanel("table", about{
		title: "Which node lacks what", unit: "none", width: 24,
		counts:    "Open gaps by node and DaemonSet, with their reasons. Nodes that join or leave are here, too.",
		leavesOut: "nodes and DaemonSets without a gap, and all above " + matrixCells + " gaps, first those that a node causes",
	}, instant, query{
		"topk(" + matrixCells + ", max by (cluster, node, workload) (label_join(" + cells + `, "workload", " / ", "namespace", "daemonset")))`, "{{workload}}",
	})
	p.Options = newTable(about{}, "", nil).Options
	byThreshold(p, noBackdrop)
	defaults(p).Mappings = mapped(reasons())
	defaults(p).Custom = map[string]any{"cellOptions": onColour().Value, "align": "center", "inspect": false, "minWidth": 130}
	p.Transformations = []dashboard.DataTransformerConfig{
		{Id: "labelsToFields", Options: map[string]any{"mode": "columns", "valueLabel": "workload"}},
		{Id: "merge", Options: map[string]any{}},
		{Id: "organize", Options: map[string]any{
			"excludeByName": map[string]bool{"Time": true}, "indexByName": map[string]int{"cluster": 0, "node": 1},
			"renameByName": map[string]string{}, "includeByName": map[string]bool{},
		}},
	}
	plain := []property{
		{Id: "custom.align", Value: "left"}, {Id: "custom.cellOptions", Value: map[string]string{"type": "auto"}}, {Id: "noValue", Value: "-"},
	}
	override(p, "cluster", append(plain, property{Id: "custom.width", Value: 90})...)
	override(p, "node", append(plain, property{Id: "custom.width", Value: 290}, links(nodeLink()))...)
	return ascending(noValue(p, " "), "node")
}

func fleetZones() *dashboard.Panel {
	by := "cluster, zone"
	down := "sum by (" + by + ") (" + allNodes(`status!="ready"`, settled) + ")"
	all := "sum by (" + by + ") (" + allNodes(settled) + ")"
	notReady := "(" + ever(down, all) + ") / " + all
	return newHistory(about{
		title: "Nodes not Ready, by zone", unit: "percentunit", width: 12,
		counts:    "Share of the nodes of each zone that are not Ready: the worst moment of each interval. Several zones at once are no zone's fault.",
		leavesOut: "nodes that join or leave",
	}, "max_over_time(("+notReady+")[$__interval:1m])", "{{cluster}} {{zone}}", green, step{0.001, yellow}, step{0.1, orange}, step{0.3, red})
}

func fleetCoverageHistory() *dashboard.Panel {
	covered := coveredNodes(inCluster) + " / (" + expectedNodes(inCluster) + " > 0)"
	return leads(newHistory(about{
		title: "Coverage by DaemonSet", unit: "percentunit", width: 12,
		counts:    "Share of the expected nodes that are covered: the worst moment of each interval, for the 15 DaemonSets that were lowest in the time shown.",
		leavesOut: "all other DaemonSets, and nodes that join or leave",
	}, lowest(15, workload, "min_over_time(("+covered+")[$__interval:1m])"), "{{cluster}} {{namespace}}/{{daemonset}}", red, step{0.5, orange}, step{0.9, yellow}, step{1, green}), ofSeries(daemonSetLink()))
}

func fleetNodeTimeline() *dashboard.Panel {
	by := "cluster, zone, node"
	states := coded(statuses(), statuses()[1:], by, "daemonset_node_not_ready_start_timestamp_seconds", "status", inCluster)
	return leads(newTimeline(about{
		title: "Nodes that were not Ready", unit: "none", width: 24,
		counts:    "One row for each node that was not Ready in the time shown, by its status: the 25 with the longest time.",
		leavesOut: "nodes that were Ready all the time",
	}, mapped(statuses()), query{
		"(" + states + ") and on (" + by + ") topk(25, count_over_time((" + states + ")[$__range:$__interval] @ end()))", "{{cluster}} {{zone}} {{node}}",
	}), ofSeries(nodeLink()))
}

func fleetReasons() *dashboard.Panel {
	return colours(stacked(newGraph(about{
		title: "Gaps by reason", unit: "none", width: 12,
		counts:    "Pairs that are not covered, by the first matching reason. Pods that wait for minReadySeconds are among them.",
		leavesOut: "nodes that join or leave",
	}, query{
		"sum by (reason) (" + nodes(workload+", reason", "lifecycle, cause", series("daemonset_gap_nodes", inCluster, settled)) + ")", "{{reason}}",
	})), reasons())
}

func fleetStatuses() *dashboard.Panel {
	return colours(stacked(newGraph(about{
		title: "Nodes by status", unit: "none", width: 12,
		counts:    "All nodes by status, whatever their lifecycle.",
		leavesOut: "nothing",
	}, query{"sum by (status) (" + allNodes() + ")", "{{status}}"})), statuses())
}

func fleetFailures() *dashboard.Panel {
	return bars(newGraph(about{
		title: "Node failures", unit: "none", width: 12,
		counts:    "How often nodes turned from Ready to not Ready, by zone, within each interval. A node that goes from one such status to another fails once.",
		leavesOut: "planned removals, of nodes that leave",
	}, query{newCounts("cluster, zone", "daemonset_node_failures_total", inCluster, `lifecycle!="leaving"`), "{{cluster}} {{zone}}"}), "sum")
}

func fleetOutages() *dashboard.Panel {
	return newHeatmap(about{
		title: "How long outages lasted", unit: "none", width: 12,
		counts:    "Outages of nodes by length, counted when the node is Ready again.",
		leavesOut: "open outages, nodes that were never Ready, and nodes that were deleted before they returned",
	}, newBuckets("daemonset_node_outage_duration_seconds", inCluster))
}

func fleetBudget() *dashboard.Panel {
	p := newTable(about{
		title: "Error budget", unit: "percentunit", width: 12,
		counts:    "Share of the last 30 days for which Ready nodes that should have had an available pod had one, and what is left of the time that the objective allows them to lack it; below 0 it is overdrawn. Needs the shipped rules, and shows as much of 30 days as Prometheus keeps.",
		leavesOut: "time on failed nodes",
	}, "", []column{
		clusterColumn(), namespaceColumn(), daemonSetColumn(),
		{title: "covered", width: 90, look: []property{{Id: "decimals", Value: 2}, {Id: "noValue", Value: "-"}}},
		{title: "budget left", width: 150, look: append(asBar(budgetSteps()...), property{Id: "decimals", Value: 0})},
	}, query{"1 - " + gapShare(inCluster), "covered"}, query{budgetLeft(inCluster), "budget left"})
	return ascending(p, "budget left")
}

func fleetBurn() *dashboard.Panel {
	p := newGraph(about{
		title: "Burn rate", unit: "none", width: 12,
		counts:    "How many times faster than the objective allows the budget of 30 days is used up, by windows of 6 hours, for the 10 DaemonSets that were fastest. 1 uses it up in 30 days; 6 is where DaemonSetCoverageBudgetBurn begins. Needs the shipped rules.",
		leavesOut: "time on failed nodes",
	}, query{worst(10, workload, burnRate(inCluster)), "{{cluster}} {{namespace}}/{{daemonset}}"}, query{"vector(6)", "alert"})
	defaults(p).Decimals = new(1.0)
	p.TimeFrom, p.Interval = new("30d"), new("1h")
	return dashed(p, "alert", red)
}

func fleetDetection() *dashboard.Panel {
	return newStat(about{
		title: "Time to detection", unit: "s", width: 8,
		counts:    "Mean time from the last renewal of a node's Lease until Kubernetes called the node unreachable, in the time shown.",
		leavesOut: "failures whose Lease could not be read",
	}, meanShown("cluster", "daemonset_node_detection_duration_seconds", inCluster), "{{cluster}}")
}

func fleetStartup() *dashboard.Panel {
	return withNames(newStat(about{
		title: "Startup of nodes", unit: "s", width: 16,
		counts:    "Mean time from the creation of a node until it was Ready, and until every DaemonSet expected on it covered it, in the time shown.",
		leavesOut: "nodes that were Ready before the exporter started",
	}, meanShown("cluster, stage", "daemonset_node_startup_duration_seconds", inCluster), "{{cluster}} {{stage}}"))
}

// changed adds to a count what it was an hour ago, and the difference. What is not
// there counts as 0.
func changed(by, drop, selector string) []query {
	now, past := nodes(by, drop, selector), anHourAgo(by, drop, selector)
	return []query{
		{now + " > 0", "now"},
		{past + " > 0", "an hour ago"},
		{"(" + ever(now, past) + ") - (" + ever(past, now) + ") != 0", "change"},
	}
}

func changeColumns() []column {
	return []column{plainColumn("nodes"), plainColumn("1 h ago"), countColumn("change", orange)}
}

func fleetExclusion() *dashboard.Panel {
	return newTable(about{
		title: "Excluded nodes", unit: "none", width: 24,
		counts:    "Nodes that are not expected to run a pod, by the first matching reason, and an hour ago. A change that nobody made is drift of labels or taints.",
		leavesOut: "nodes that join or leave",
	}, "change", append([]column{
		clusterColumn(), namespaceColumn(), daemonSetColumn(), {name: "reason", width: 130, look: inColour(exclusions())},
	}, changeColumns()...), changed(workload+", reason", "lifecycle", series("daemonset_excluded_nodes", inCluster, settled))...)
}

func fleetTaints() *dashboard.Panel {
	return newTable(about{
		title: "Taints that exclude nodes", unit: "none", width: 24,
		counts:    "Nodes that only this taint excludes, and an hour ago.",
		leavesOut: "nodes with two such taints, or with another reason as well, and nodes that join or leave",
	}, "change", append([]column{
		clusterColumn(), namespaceColumn(), daemonSetColumn(), {name: "taint_key", title: "taint"}, {name: "taint_effect", title: "effect", width: 100},
	}, changeColumns()...), changed(workload+", taint_key, taint_effect", "lifecycle", series("daemonset_repelled_nodes", inCluster, settled))...)
}
