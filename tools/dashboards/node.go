package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/text"
)

// oneNode returns the board of one node of one cluster.
func oneNode() *board {
	b := newBoard(nodeBoard, "DaemonSets: one node",
		"One node: whether it is Ready, which DaemonSets it lacks, and its outages.",
		clusters(false),
		variable("node", "Node", "Nodes that were in trouble in the time shown. A node that is not among them had no trouble, or is gone: type its name.",
			`label_values({__name__=~"daemonset_gap_start_timestamp_seconds|daemonset_node_not_ready_start_timestamp_seconds|daemonset_node_transitions_total|daemonset_node_lifecycle_start_timestamp_seconds", cluster=~"$cluster"}, node)`))
	b.line(4, dataAge(3, inCluster), nodeStatus(), nodeNotReadyFor(), nodeLacks(), nodeOldestGap(), nodeOutagesShown(), nodeLifecycle(), nodeZone())
	b.line(5, firingAlerts([]column{namespaceColumn(), daemonSetColumn(), zoneColumn()}, ofNode))
	b.line(9, nodeTimeline())
	b.line(8, nodeGaps(), nodeNext())
	b.section("Outages and flaps", false)
	b.line(7, nodeOutages(), nodeTransitions(), nodeDetection())
	b.section("Pods that fail for a reason of their own", true)
	b.line(7, nodeSuspects(), nodeRestarts())
	b.annotate(criticalAlerts(ofNode), nodeFailures(ofNode))
	return b
}

// The metrics that only nodes in trouble have, with the labels zone and lifecycle.
func nodeMetrics() []string {
	return []string{"daemonset_node_not_ready_start_timestamp_seconds", "daemonset_node_gaps", "daemonset_node_lifecycle_start_timestamp_seconds"}
}

// nodeExists has a value where something shows that the node is there now.
func nodeExists() string {
	var all []string
	for _, metric := range append(nodeMetrics(), "daemonset_node_transitions_total") {
		all = append(all, replicas("", "0 * "+series(metric, ofNode)))
	}
	return either(all...)
}

// nodeState returns the number of what the node is, in all. Without data about the
// cluster it has none.
func nodeState(all palette) string {
	return either(
		coded(all, statuses()[1:], "", "daemonset_node_not_ready_start_timestamp_seconds", "status", ofNode),
		"("+nodeExists()+") + "+all.number("ready"),
		replicas("", "0 * "+series("daemonset_cluster_nodes", inCluster)+" + "+all.number("none")))
}

func nodeStatus() *dashboard.Panel {
	p := filled(newStat(about{
		title: "Status", unit: "none", width: 3,
		counts:    "What the node is now. Only nodes in trouble have metrics of their own: of a node without any it is not known whether it is Ready, was deleted, or never was.",
		leavesOut: "nothing",
	}, nodeState(nodeStates()), "status"))
	defaults(p).Mappings = mapped(nodeStates())
	return p
}

func nodeNotReadyFor() *dashboard.Panel {
	return byThreshold(noValue(newStat(about{
		title: "Not Ready for", unit: "s", width: 3,
		counts:    "Time since the node stopped being Ready; for one that never was, since it was created.",
		leavesOut: "outages that are over",
	}, "time() - "+earliest("", series("daemonset_node_not_ready_start_timestamp_seconds", ofNode)), "not Ready for"), "-"), neutral, step{0, red})
}

func nodeLacks() *dashboard.Panel {
	return noValue(badFrom(newStat(about{
		title: "Lacks", unit: "none", width: 3,
		counts:    "DaemonSets that are expected to cover the node and do not.",
		leavesOut: "DaemonSets that exclude the node",
	}, either(replicas("", series("daemonset_node_gaps", ofNode)), nodeExists()), "DaemonSets"), step{1, orange}), "none known")
}

func nodeOldestGap() *dashboard.Panel {
	return byThreshold(noValue(newStat(about{
		title: "Oldest gap", unit: "s", width: 3,
		counts:    "Time since the oldest open gap on the node began.",
		leavesOut: "gaps that are closed, and DaemonSets that exclude the node",
	}, "time() - "+earliest("", series("daemonset_gap_start_timestamp_seconds", ofNode)), "oldest gap"), "-"), neutral, step{0, orange})
}

// nodeOutagesShown counts half the transitions, rounded up, and at least the outage that
// goes on, which may have begun before.
func nodeOutagesShown() *dashboard.Panel {
	past := `label_replace(ceil(` + eventsShown("", "daemonset_node_transitions_total", ofNode) + ` / 2), "when", "past", "", "")`
	present := current("0 * " + series("daemonset_node_not_ready_start_timestamp_seconds", ofNode, `status=~"not_ready|unreachable"`) + " + 1")
	return noValue(badFrom(newStat(about{
		title: "Outages", unit: "none", width: 3,
		counts:    "How many outages the node had in the time shown, with the one that goes on.",
		leavesOut: "outages while the exporter was not scraped, nodes that were never Ready, and what was before the node was deleted",
	}, "max("+either(past, present)+")", "outages"), step{1, yellow}, step{3, red}), "none known")
}

func nodeLifecycle() *dashboard.Panel {
	var all []string
	for _, metric := range nodeMetrics() {
		all = append(all, coded(lifecycles(), lifecycles(), "", metric, "lifecycle", ofNode))
	}
	p := noValue(newStat(about{
		title: "Lifecycle", unit: "none", width: 3,
		counts:    "Whether the node joins, is active, cordoned or leaves.",
		leavesOut: "nodes in no trouble, of which it is not known",
	}, either(all...), "lifecycle"), "not known")
	defaults(p).Mappings = mapped(lifecycles())
	return p
}

func nodeZone() *dashboard.Panel {
	var all []string
	for _, metric := range nodeMetrics() {
		all = append(all, replicas("zone", series(metric, ofNode)))
	}
	return noValue(onlyNames(newStat(about{
		title: "Zone", unit: "none", width: 3,
		counts:    "The label topology.kubernetes.io/zone of the node.",
		leavesOut: "nodes in no trouble, of which it is not known",
	}, `label_replace(`+either(all...)+`, "zone", "no zone", "zone", "")`, "{{zone}}")), "not known")
}

// nodeTimeline has the status of the node as its first row, which is there as long as
// the exporter is scraped.
func nodeTimeline() *dashboard.Panel {
	all := append(reasons(), nodeStates()...)
	p := newTimeline(about{
		title: "Status and gaps", unit: "none", width: 24,
		counts:    "The node, and below it one row for each DaemonSet that did not cover it in the time shown, by reason. Nothing is drawn for times without data.",
		leavesOut: "DaemonSets that covered it all the time, or exclude it",
	}, mapped(all),
		query{nodeState(all), "node"},
		query{coded(all, reasons(), "namespace, daemonset", "daemonset_gap_start_timestamp_seconds", "reason", ofNode), "{{namespace}}/{{daemonset}}"})
	overrideWhere(p, dashboard.MatcherConfig{Id: "byFrameRefID", Options: "B"}, links(ofSeries(daemonSetLink())))
	return p
}

func nodeGaps() *dashboard.Panel {
	p := newTable(about{
		title: "What it lacks", unit: "none", width: 16,
		counts:    "DaemonSets that are expected to cover the node and do not, why, and since when.",
		leavesOut: "DaemonSets that exclude it",
	}, "", []column{
		namespaceColumn(), daemonSetColumn(), reasonColumn(), sinceColumn("since"),
	}, query{
		"1000 * " + earliest(workload+", reason", series("daemonset_gap_start_timestamp_seconds", ofNode)), "since",
	})
	return ascending(noValue(p, "No open gap, or no data."), "since")
}

// nodeNext is the shortest way on: a gap has no pod whose name could be shown.
func nodeNext() *dashboard.Panel {
	p := newPanel("text", about{
		title: "Next", unit: "none", width: 8,
		counts:    "Commands that show more of the node and its pods.",
		leavesOut: "everything: nothing is counted here",
	}, instant)
	p.Options = &text.Options{Mode: text.TextModeMarkdown, Content: "```sh\nkubectl describe node \\\n  ${node}\nkubectl get pods -A -o wide \\\n  --field-selector spec.nodeName=${node}\n```"}
	return p
}

func nodeOutages() *dashboard.Panel {
	p := newGraph(about{
		title: "Length of outages", unit: "s", width: 10,
		counts:    "Time for which the node had not been Ready at each moment: a tooth for each outage, as high as it is long.",
		leavesOut: "outages between two scrapes",
	}, query{"time() - " + earliest("", series("daemonset_node_not_ready_start_timestamp_seconds", ofNode)), "not Ready for"})
	override(p, "not Ready for", property{Id: "color", Value: fixed(darkRed)})
	field(p).FillOpacity = new(30.0)
	return noValue(p, "Not known to have been out.")
}

func nodeTransitions() *dashboard.Panel {
	p := newGraph(about{
		title: "Transitions within an hour", unit: "none", width: 10,
		counts:    "How often the node became Ready or stopped being so within the hour before, also between two scrapes. DaemonSetNodeFlapping begins above the dashed line, which needs the shipped rules.",
		leavesOut: "the first time that a new node is Ready",
	}, query{replicas("", events("daemonset_node_transitions_total", "1h", "3600", ofNode)), "transitions"}, query{"2 * max(daemonset_exporter:node_flapping_limit:outages) - 2", "limit"})
	override(p, "transitions", property{Id: "color", Value: fixed(orange)})
	return dashed(p, "limit", red)
}

func nodeDetection() *dashboard.Panel {
	return newStat(about{
		title: "Detection, all nodes", unit: "s", width: 4,
		counts:    "Mean time from the last renewal of a Lease until the node was called unreachable, over all nodes of the cluster and the time shown. There is no such number for one node.",
		leavesOut: "failures whose Lease could not be read",
	}, meanShown("", "daemonset_node_detection_duration_seconds", inCluster), "detection")
}

func nodeSuspects() *dashboard.Panel {
	p := newTable(about{
		title: "Suspects", unit: "none", width: 12,
		counts:    "Pods that fail for a reason of their own while the kubelet says that the node is not Ready: the agent that may have broken it.",
		leavesOut: "pods that only cannot start there",
	}, "", []column{namespaceColumn(), daemonSetColumn(), reasonColumn(), plainColumn("pods")},
		query{replicas(workload+", reason", series("daemonset_node_suspect_pods", ofNode)), "pods"})
	return noValue(p, "No suspect, or no data.")
}

func nodeRestarts() *dashboard.Panel {
	p := newTable(about{
		title: "Pods that restart", unit: "none", width: 12,
		counts:    "Restarts of the containers of each pod since the exporter first saw it.",
		leavesOut: "pods that it saw restart less than twice",
	}, "restarts", []column{namespaceColumn(), daemonSetColumn(), countColumn("restarts", orange)},
		query{replicas(workload, series("daemonset_pod_restarts_total", ofNode)), "restarts"})
	return noValue(p, "No pod has restarted twice, or no data.")
}
