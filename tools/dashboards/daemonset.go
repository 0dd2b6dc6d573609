package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// oneDaemonSet returns the board of one DaemonSet of one cluster.
func oneDaemonSet() *board {
	b := newBoard(daemonSetBoard, "DaemonSets: one DaemonSet",
		"One DaemonSet: which nodes lack a working pod and why, how long pods take to come, and how its rollout goes.",
		clusters(false),
		variable("namespace", "Namespace", "Those that have DaemonSets.", `label_values(daemonset_expected_nodes{cluster=~"$cluster"}, namespace)`),
		variable("daemonset", "DaemonSet", "Those that have nodes to run on, or had in the time shown.", `label_values(daemonset_expected_nodes{cluster=~"$cluster", namespace="$namespace"}, daemonset)`))
	b.line(4, dataAge(3, inCluster), daemonSetCoverage(), daemonSetExpected(), daemonSetReadyGaps(), daemonSetFailedGaps(), daemonSetOutdated(), daemonSetWaitingNow(), daemonSetRestartsShown())
	b.line(6, firingAlerts([]column{nodeColumn(), zoneColumn()}, ofDaemonSet))
	b.line(9, daemonSetTimeline())
	b.line(8, daemonSetGaps())
	b.line(8, daemonSetNodes(), daemonSetReasons())
	b.section("What excludes it", false)
	b.line(7, daemonSetExclusion(), daemonSetTaints())
	b.section("Rescheduling", false)
	b.line(8, reschedulingStages(), reschedulingDurations())
	b.line(7, reschedulingTriggers(), reschedulingWaiting(), reschedulingSlow())
	b.section("Rollout and error budget", false)
	b.line(8, rollout(), gapDurations())
	b.line(7, daemonSetBudget(), daemonSetBurn())
	b.section("Terminations and restarts", true)
	b.line(8, terminationOutcomes(), terminationDurations(), terminatingNow())
	b.line(8, restarts(), restartingPods())
	b.section("Difference of .status", true)
	b.line(7, statusDifference())
	b.annotate(criticalAlerts(ofDaemonSet), nodeFailures(inCluster), rolloutStarts(ofDaemonSet))
	return b
}

func daemonSetCoverage() *dashboard.Panel {
	p := share(newStat(about{
		title: "Coverage", unit: "percentunit", width: 3,
		counts:    "Share of the expected nodes that are Ready and run an available pod.",
		leavesOut: "nodes that join or leave",
	}, coveredNodes(ofDaemonSet)+" / ("+expectedNodes(ofDaemonSet)+" > 0)", "coverage"))
	defaults(p).Decimals = new(1.0)
	return p
}

func daemonSetExpected() *dashboard.Panel {
	return newStat(about{
		title: "Expected", unit: "none", width: 3,
		counts:    "Nodes that should run an available pod: placement fits, whatever the state of the node.",
		leavesOut: "nodes that join or leave",
	}, expectedNodes(ofDaemonSet), "nodes")
}

func daemonSetReadyGaps() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Gaps, Ready", unit: "none", width: 3,
		counts:    "Nodes that are Ready and whose pod is missing or broken.",
		leavesOut: "pods that only wait for minReadySeconds, and nodes that join or leave",
	}, readyGaps(ofDaemonSet), "gaps"), step{1, red})
}

func daemonSetFailedGaps() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Gaps, failed", unit: "none", width: 3,
		counts:    "Nodes that are not covered because of the node: it is not Ready, or a condition taint keeps the pod away.",
		leavesOut: "nodes that join or leave",
	}, failedGaps(ofDaemonSet), "gaps"), step{1, orange})
}

func daemonSetOutdated() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "To update", unit: "none", width: 3,
		counts:    "Nodes whose pod is not of the current revision, covered or not.",
		leavesOut: "nodes without a pod",
	}, replicas(workload, series("daemonset_rollout_outdated_nodes", ofDaemonSet)), "nodes"), step{1, blue})
}

func daemonSetWaitingNow() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Waiting", unit: "none", width: 3,
		counts:    "Ready nodes that need a pod and have none that is available; those that join are among them.",
		leavesOut: "pods that lost Ready in place",
	}, ever("sum("+replicas("trigger", series("daemonset_pod_rescheduling_pending", ofDaemonSet))+")", "sum("+expectedNodes(ofDaemonSet)+")"), "nodes"), step{1, yellow})
}

func daemonSetRestartsShown() *dashboard.Panel {
	return badFrom(newStat(about{
		title: "Restarts", unit: "none", width: 3,
		counts:    "Restarts of containers in the time shown. The row Terminations and restarts has the details.",
		leavesOut: "restarts while the exporter was not scraped",
	}, eventsShown("", "daemonset_container_restarts_total", ofDaemonSet), "restarts"), step{1, orange})
}

func daemonSetTimeline() *dashboard.Panel {
	states := coded(reasons(), reasons(), "node", "daemonset_gap_start_timestamp_seconds", "reason", ofDaemonSet)
	p := newTimeline(about{
		title: "Gaps by node", unit: "none", width: 24,
		counts:    "One row for each node that was not covered in the time shown, by reason: the 25 with the longest time. Nodes that join or leave are here, too.",
		leavesOut: "nodes that were covered all the time",
	}, mapped(reasons()), query{
		"(" + states + ") and on (node) topk(25, count_over_time((" + states + ")[$__range:$__interval] @ end()))", "{{node}}",
	})
	return leads(noValue(p, "No gap in the time shown, or no data."), ofSeries(nodeLink()))
}

func daemonSetGaps() *dashboard.Panel {
	p := newTable(about{
		title: "Which nodes, and why", unit: "none", width: 24,
		counts:    "Every open gap, its reason and since when it is open. Nodes that join or leave are here, too.",
		leavesOut: "gaps above --coverage.max-gap-series, over all DaemonSets",
	}, "", []column{
		nodeColumn(), zoneColumn(), reasonColumn(), causeColumn(), lifecycleColumn(), sinceColumn("since"),
	}, query{
		"1000 * " + earliest("cluster, node, zone, lifecycle, cause, reason", series("daemonset_gap_start_timestamp_seconds", ofDaemonSet)), "since",
	})
	return ascending(noValue(p, "No open gap, or no data."), "since")
}

func daemonSetNodes() *dashboard.Panel {
	p := newGraph(about{
		title: "Expected and covered nodes", unit: "none", width: 12,
		counts:    "Nodes that should run an available pod, and those that do. The red area is what is lacking.",
		leavesOut: "nodes that join or leave",
	}, query{expectedNodes(ofDaemonSet), "expected"}, query{coveredNodes(ofDaemonSet), "covered"})
	override(p, "expected", property{Id: "color", Value: fixed(red)}, property{Id: "custom.fillBelowTo", Value: "covered"}, property{Id: "custom.fillOpacity", Value: 30})
	override(p, "covered", property{Id: "color", Value: fixed(green)}, property{Id: "custom.lineWidth", Value: 2})
	return p
}

func daemonSetReasons() *dashboard.Panel {
	return colours(stacked(newGraph(about{
		title: "Gaps by reason", unit: "none", width: 12,
		counts:    "Nodes that are not covered, by the first matching reason; pods that wait for minReadySeconds are among them.",
		leavesOut: "nodes that join or leave",
	}, query{nodes("reason", "lifecycle, cause", series("daemonset_gap_nodes", ofDaemonSet, settled)), "{{reason}}"})), reasons())
}

func daemonSetExclusion() *dashboard.Panel {
	p := newTable(about{
		title: "Excluded nodes", unit: "none", width: 12,
		counts:    "Nodes that are not expected to run a pod, by the first matching reason, and an hour ago. Lost are nodes that are still there and turned from expected to excluded within the hour. A change that nobody made is drift of labels or taints.",
		leavesOut: "nodes that join or leave",
	}, "nodes", append([]column{{name: "reason", look: inColour(exclusions())}}, append(changeColumns(), countColumn("lost, 1 h", red))...),
		append(changed("reason", "lifecycle", series("daemonset_excluded_nodes", ofDaemonSet, settled)),
			query{replicas("reason", events("daemonset_nodes_lost_total", "1h", "3600", ofDaemonSet)) + " > 0", "lost"})...)
	return noValue(p, "No node is excluded, or no data.")
}

func daemonSetTaints() *dashboard.Panel {
	kind := func(metric, at, kind string) string {
		return `label_replace(` + nodesAt("taint_key, taint_effect", "lifecycle", series(metric, ofDaemonSet, settled), at) + `, "does", "` + kind + `", "", "")`
	}
	both := func(at string) string {
		return kind("daemonset_repelled_nodes", at, "excludes the node") + " or " + kind("daemonset_withheld_nodes", at, "withholds the pod")
	}
	p := newTable(about{
		title: "Taints", unit: "none", width: 12,
		counts:    "Nodes that only this taint excludes, and expected nodes without a pod because of this condition taint; now and an hour ago.",
		leavesOut: "nodes with two excluding taints, or excluded for another reason as well, and nodes that join or leave",
	}, "nodes", append([]column{{name: "taint_key", title: "taint"}, {name: "taint_effect", title: "effect", width: 110}, {name: "does", width: 150}},
		plainColumn("nodes"), plainColumn("1 h ago")), query{both(""), "now"}, query{both(" offset 1h"), "an hour ago"})
	return noValue(p, "No taint keeps it off a node, or no data.")
}

// rollout shows what spends the budget of a rolling update beside the budget, and how
// much is to be done.
func rollout() *dashboard.Panel {
	p := colours(stacked(newGraph(about{
		title: "Rollout and its budget", unit: "none", width: 12,
		counts:    "Areas: nodes that count against maxUnavailable, by cause, by the rules of the DaemonSet controller. Lines: maxUnavailable or maxSurge, and the nodes that are still to be updated.",
		leavesOut: "the budget of OnDelete, which has none",
	},
		query{replicas("cause", series("daemonset_rollout_unavailable_nodes", ofDaemonSet)), "{{cause}}"},
		query{replicas("", series("daemonset_rollout_max_unavailable_nodes", ofDaemonSet)) + " > 0", "maxUnavailable"},
		query{replicas("", series("daemonset_rollout_max_surge_nodes", ofDaemonSet)) + " > 0", "maxSurge"},
		query{replicas("", series("daemonset_rollout_outdated_nodes", ofDaemonSet)), "to update"},
	)), causes())
	return line(dashed(dashed(p, "maxUnavailable", red), "maxSurge", purple), "to update", blue)
}

func gapDurations() *dashboard.Panel {
	return newHeatmap(about{
		title: "How long gaps lasted", unit: "none", width: 12,
		counts:    "Gaps by length, whatever their cause, counted when they close.",
		leavesOut: "open gaps",
	}, newBuckets("daemonset_gap_duration_seconds", ofDaemonSet))
}

func daemonSetBudget() *dashboard.Panel {
	p := byThreshold(newStat(about{
		title: "Budget left", unit: "percentunit", width: 4,
		counts:    "What is left of the time, in 30 days, for which the objective allows Ready nodes to lack an available pod; below 0 it is overdrawn. Needs the shipped rules, and shows as much of 30 days as Prometheus keeps.",
		leavesOut: "time on failed nodes",
	}, budgetLeft(ofDaemonSet), "left"), neutral, budgetSteps()...)
	defaults(p).Decimals = new(0.0)
	return p
}

func daemonSetBurn() *dashboard.Panel {
	p := newGraph(about{
		title: "Burn rate", unit: "none", width: 20,
		counts:    "How many times faster than the objective allows the budget of 30 days is used up, by windows of 6 hours. 1 uses it up in 30 days; 6 is where DaemonSetCoverageBudgetBurn begins. Needs the shipped rules.",
		leavesOut: "time on failed nodes",
	}, query{burnRate(ofDaemonSet), "burn rate"}, query{"vector(6)", "alert"})
	defaults(p).Decimals = new(1.0)
	p.TimeFrom, p.Interval = new("30d"), new("1h")
	override(p, "burn rate", property{Id: "color", Value: fixed(orange)}, property{Id: "custom.fillOpacity", Value: 20})
	return dashed(p, "alert", red)
}

func statusDifference() *dashboard.Panel {
	p := newGraph(about{
		title: "Difference of .status", unit: "none", width: 24,
		counts:    "A count in .status minus the same count by the rules of the DaemonSet controller on the objects as they are. It differs from 0 for moments; if it does for longer, .status is stale.",
		leavesOut: "nothing",
	}, query{replicas("field", series("daemonset_status_difference_nodes", ofDaemonSet)), "{{field}}"})
	defaults(p).Min = nil
	field(p).AxisSoftMin = new(-1.0)
	return p
}

// Columns about gaps.
func reasonColumn() column {
	return column{name: "reason", width: 170, look: []property{onColour(), {Id: "mappings", Value: named(reasons())}}}
}

func causeColumn() column { return column{name: "cause", width: 100, look: inColour(causes())} }
