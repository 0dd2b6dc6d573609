package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// The panels of one DaemonSet about pods that come and go.

func reschedulingStages() *dashboard.Panel {
	return colours(bars(newGraph(about{
		title: "Where the time goes", unit: "s", width: 12,
		counts:    "Mean time in each stage of the reschedulings that ended within each interval: until the pod was created, bound, its containers started, and it was available. The means add up to that of the whole.",
		leavesOut: "what still waits, and time for which the node was not Ready",
	}, query{newMeans("stage", "daemonset_pod_rescheduling_stage_duration_seconds", ofDaemonSet), "{{stage}}"}), "mean", "max"), stages())
}

func reschedulingDurations() *dashboard.Panel {
	return newHeatmap(about{
		title: "From needed to available", unit: "none", width: 12,
		counts:    "Reschedulings by length: from when a Ready node needed a pod until one was available there, counted when they end.",
		leavesOut: "what still waits, and pods that lost and regained Ready in place",
	}, newBuckets("daemonset_pod_rescheduling_duration_seconds", ofDaemonSet))
}

func reschedulingTriggers() *dashboard.Panel {
	return colours(bars(newGraph(about{
		title: "What made pods needed", unit: "none", width: 8,
		counts:    "Reschedulings that ended within each interval, by what made the pod needed last.",
		leavesOut: "what still waits",
	}, query{newObservations("trigger", "daemonset_pod_rescheduling_duration_seconds", ofDaemonSet), "{{trigger}}"}), "sum"), triggers())
}

func reschedulingWaiting() *dashboard.Panel {
	p := colours(stacked(newGraph(about{
		title: "Waiting, by trigger", unit: "none", width: 8,
		counts:    "Ready nodes that need a pod and have none that is available, by what made it needed. Nodes that join are among them.",
		leavesOut: "pods that lost Ready in place",
	}, query{replicas("trigger", series("daemonset_pod_rescheduling_pending", ofDaemonSet)), "{{trigger}}"})), triggers())
	return noValue(p, "No node waits, or no data.")
}

// reschedulingObjective is the share of reschedulings that should not be slow.
const reschedulingObjective = "max(daemonset_exporter:rescheduling_objective:ratio)"

func reschedulingSlow() *dashboard.Panel {
	p := newGraph(about{
		title: "Slower than 2 minutes", unit: "percentunit", width: 8,
		counts:    "Share of the reschedulings that ended within the hour before and took longer than 2 minutes; the dashed line is what the objective allows. Needs the shipped rules.",
		leavesOut: "what still waits",
	}, query{maxBy(workload, series("daemonset:rescheduling_slow:ratio_rate1h", ofDaemonSet)), "slow"}, query{"1 - " + reschedulingObjective, "objective"})
	defaults(p).Max = new(1.0)
	override(p, "slow", property{Id: "color", Value: fixed(orange)}, property{Id: "custom.fillOpacity", Value: 20})
	return dashed(p, "objective", red)
}

func terminationOutcomes() *dashboard.Panel {
	return colours(bars(newGraph(about{
		title: "How pods ended", unit: "none", width: 8,
		counts:    "Pods that were removed within each interval, by the first matching outcome.",
		leavesOut: "pods that had ended before their deletion was requested",
	}, query{newCounts("outcome", "daemonset_pod_terminations_total", ofDaemonSet), "{{outcome}}"}), "sum"), outcomes())
}

func terminationDurations() *dashboard.Panel {
	return newHeatmap(about{
		title: "Time to end", unit: "none", width: 8,
		counts:    "Terminations by length, from the deletion request until the pod was removed.",
		leavesOut: "those of which the exporter missed an end, and pods that had ended before",
	}, newBuckets("daemonset_pod_termination_duration_seconds", ofDaemonSet))
}

func terminatingNow() *dashboard.Panel {
	return colours(stacked(newGraph(about{
		title: "Terminating", unit: "none", width: 8,
		counts:    "Pods that are terminating: within their grace period, overdue, or on a node that is lost.",
		leavesOut: "pods that had ended before their deletion was requested",
	}, query{replicas("state", series("daemonset_pods_terminating", ofDaemonSet)), "{{state}}"})), terminationStates())
}

func restarts() *dashboard.Panel {
	return colours(bars(newGraph(about{
		title: "Container restarts", unit: "none", width: 12,
		counts:    "Restarts within each interval, by how the run before ended.",
		leavesOut: "restarts before the exporter first saw the pod",
	}, query{newCounts("reason", "daemonset_container_restarts_total", ofDaemonSet), "{{reason}}"}), "sum"), restartReasons())
}

func restartingPods() *dashboard.Panel {
	p := newTable(about{
		title: "Pods that restart", unit: "none", width: 12,
		counts:    "Restarts of the containers of each pod since the exporter first saw it.",
		leavesOut: "pods that it saw restart less than twice",
	}, "restarts", []column{nodeColumn(), zoneColumn(), countColumn("restarts", orange)},
		query{replicas("cluster, node, zone", series("daemonset_pod_restarts_total", ofDaemonSet)), "restarts"})
	return noValue(p, "No pod has restarted twice, or no data.")
}
