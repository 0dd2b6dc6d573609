package collector

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

const (
	shutdown      = "node.cloudprovider.kubernetes.io/shutdown"
	agentNotReady = "node.cilium.io/agent-not-ready"
)

// untainted takes all taints from a Node.
func untainted() objects.Option {
	return objects.Change(func(n *corev1.Node) { n.Spec.Taints = nil })
}

// sinceNoon is a time as a sample's value.
func sinceNoon(seconds float64) float64 { return float64(objects.At(seconds).Unix()) }

// A cloud provider taints a node that is not Ready because its machine is off. That
// makes it no less expected: the outage would vanish 5 s after it began.
func TestMachineSwitchedOff(t *testing.T) {
	t.Parallel()
	s := newScenario(t, "a", "b", "c").synced()
	const all = "daemonset_expected daemonset_covered daemonset_gap_ daemonset_excluded daemonset_repelled daemonset_withheld " +
		"daemonset_misplaced daemonset_nodes_lost daemonset_cluster_nodes daemonset_node_gaps daemonset_node_not_ready daemonset_node_lifecycle"
	off := merge(expectedNodes(3), coveredNodes(2), clusterNodes("ready", 2), clusterNodes("unreachable", 1), nodeGaps("a", 1),
		gapNodes("node_unreachable", 1), gapStart("a", "node_unreachable", sinceNoon(10)), nodeNotReadyStart("a", "unreachable", sinceNoon(10)))

	s.at(10).node("a", objects.Unreachable(10))
	s.pod("a-1", objects.NotReady(10))
	s.expect("the node fails", all, off)
	s.at(15).node("a", objects.Tainted(shutdown, corev1.TaintEffectNoSchedule))
	s.expect("the taint says why, and changes nothing", all, off)
	s.at(10800).expect("nor does it in three hours", all, off)
	s.restarted().expect("nor for an exporter that begins then", all, off)

	// Out of service: the pod garbage collector deletes the pods by force.
	s.at(10900).node("a", objects.Tainted(corev1.TaintNodeOutOfService, corev1.TaintEffectNoExecute))
	s.expect("given up by its operator, and still down", all, off)
	s.at(10901).pod("a-1", objects.Terminating(10901, 0))
	s.deletePod("a-1")
	off = merge(off, withheldNodes("NoSchedule", shutdown, 1))
	s.expect("the same gap without a pod, which no new one follows", all, off)
	s.restarted().expect("so for an exporter that begins then", all, off)

	s.at(11000).node("a", objects.Ready(11000), untainted(), objects.Tainted(corev1.TaintNodeOutOfService, corev1.TaintEffectNoExecute))
	s.expect("back, but its operator has not said so", all, expectedNodes(3), coveredNodes(2), clusterNodes("ready", 3), nodeGaps("a", 1),
		gapNodes("node_tainted", 1), gapStart("a", "node_tainted", sinceNoon(10)), withheldNodes("NoExecute", corev1.TaintNodeOutOfService, 1))
	s.at(11100).node("a", untainted())
	s.expect("now a pod can be made", all, expectedNodes(3), coveredNodes(2), clusterNodes("ready", 3), nodeGaps("a", 1),
		gapNodes("pod_missing", 1), gapStart("a", "pod_missing", sinceNoon(10)))
	s.at(11101).pod("a-2")
	s.at(11104).pod("a-2", objects.Ready(11104))
	s.expect("one gap, as long as it took", all, expectedNodes(3), coveredNodes(3), clusterNodes("ready", 3), gapDurations("node", 11094))
	s.expect("one failure of one outage; the pod was needed when it could be made", "daemonset_node_failures daemonset_node_outage daemonset_pod_rescheduling_duration",
		nodeFailures("unreachable", 1), nodeOutages("unreachable", 10990), reschedulings("node_eligible", 4))
}

func TestConditionTaint(t *testing.T) {
	const all = "daemonset_expected daemonset_covered daemonset_gap_ daemonset_excluded daemonset_repelled daemonset_withheld daemonset_misplaced daemonset_nodes_lost"
	runScenarios(t, map[string]func(s *scenario){
		"a startup taint that stays is a gap of its node": func(s *scenario) {
			others := merge(expectedNodes(1), coveredNodes(1))
			s.at(10).node("b", objects.NotReady(10), objects.Tainted(agentNotReady, corev1.TaintEffectNoExecute))
			s.at(15).node("b", objects.Ready(15))
			stuck := merge(expectedNodes(1), gapNodes("node_tainted", 1), gapStart("b", "node_tainted", sinceNoon(10)), withheldNodes("NoExecute", agentNotReady, 1))
			s.at(189).expect("joining for the startup grace of 180 s, not just the join grace of 60", all, others, on("joining", stuck))
			s.at(190).expect("then it is a node like any other", all, merge(stuck, expectedNodes(2), coveredNodes(1)))
			s.at(200).node("b", untainted())
			s.at(201).pod("b-1")
			s.at(206).pod("b-1", objects.Ready(206))
			s.expect("190 s of 196 were the node's, which was joining", all, expectedNodes(2), coveredNodes(2), on("joining", gapDurations("node", 196)))
			s.expect("the pod could be made since 200; the node was not covered before", "daemonset_pod_rescheduling_duration daemonset_node_startup",
				reschedulings("node_eligible", 6), nodeStartups("ready", 5), nodeStartups("covered", 196))
		},
		"it does not end a pod that is there": func(s *scenario) {
			s.at(10).node("a", objects.Tainted("readiness.k8s.io/gpu", corev1.TaintEffectNoSchedule))
			s.expect("it works, and stays", all, expectedNodes(1), coveredNodes(1))
			s.at(20).deletePod("a-1")
			s.expect("but nothing follows it", all, expectedNodes(1), gapNodes("node_tainted", 1), gapStart("a", "node_tainted", sinceNoon(20)),
				withheldNodes("NoSchedule", "readiness.k8s.io/gpu", 1))
			s.at(25).daemonSet("agent", objects.Tolerating(objects.Tolerate("readiness.k8s.io/gpu")))
			s.expect("a toleration ends that", all, expectedNodes(1), gapNodes("pod_missing", 1), gapStart("a", "pod_missing", sinceNoon(20)))
		},
		"the effect PreferNoSchedule withholds nothing": func(s *scenario) {
			s.at(10).node("a", objects.Tainted(agentNotReady, corev1.TaintEffectPreferNoSchedule))
			s.deletePod("a-1")
			s.expect("missing", all, expectedNodes(1), gapNodes("pod_missing", 1), gapStart("a", "pod_missing", sinceNoon(10)))
		},
		"beside a taint of placement it changes nothing": func(s *scenario) {
			s.at(10).node("a", objects.Tainted(agentNotReady, corev1.TaintEffectNoSchedule), objects.Tainted("dedicated", corev1.TaintEffectNoSchedule))
			s.deletePod("a-1")
			s.expect("excluded by dedicated", all, excludedNodes("taint", 1), nodesLost("taint", 1),
				exposition(`daemonset_repelled_nodes{daemonset="agent",lifecycle="active",namespace="default",taint_effect="NoSchedule",taint_key="dedicated"} 1`))
		},
	})
}

// A gap is counted once, under the cause that held for the longest part of it.
func TestGapCause(t *testing.T) {
	// unbound replaces the pod at 10 by one that is bound at some time.
	unbound := func(s *scenario, until float64) {
		s.at(10).deletePod("a-1")
		s.at(10.02).pod("a-2", objects.Unbound())
		s.at(until).pod("a-2", objects.On("a"), objects.JustCreated(10))
	}
	const gaps = "daemonset_gap_duration"
	runScenarios(t, map[string]func(s *scenario){
		"the watch of nodes is first": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.at(10.031).pod("a-1", objects.NotReady(10))
			s.at(70).pod("a-1", objects.Ready(70))
			s.at(80).node("a", objects.Ready(80))
			s.expect("the node's outage", gaps, gapDurations("node", 70))
		},
		"the watch of pods is first": func(s *scenario) {
			s.at(10).pod("a-1", objects.NotReady(10))
			s.at(10.031).node("a", objects.ReadyUnknown(10))
			s.at(70).pod("a-1", objects.Ready(70))
			s.at(80).node("a", objects.Ready(80))
			s.expect("the same outage, told the same", gaps, gapDurations("node", 70))
		},
		"a readiness gate is no scheduling problem": func(s *scenario) {
			unbound(s, 10.05)
			s.at(11).pod("a-2", objects.Started(11), objects.ReadinessGatesNotReady(11))
			s.at(60.9).expect("the gate", "daemonset_gap_nodes", gapNodes("readiness_gate", 1))
			s.pod("a-2", objects.Ready(60))
			s.expect("0.05 s of scheduling, 50.85 s of the pod", gaps, gapDurations("pod", 50.9))
		},
		"nor is an init container": func(s *scenario) {
			unbound(s, 10.05)
			s.at(31.75).pod("a-2", objects.Ready(31))
			s.expect("21.7 s of its start", gaps, gapDurations("pod", 21.75))
		},
		"a scheduler that is slow is one": func(s *scenario) {
			unbound(s, 50)
			s.at(53).pod("a-2", objects.Ready(53))
			s.expect("40 s and 3 s", gaps, gapDurations("scheduling", 43))
		},
		"of equals the first in the order of causes": func(s *scenario) {
			unbound(s, 20)
			s.at(30).pod("a-2", objects.Ready(30))
			s.expect("10 s each", gaps, gapDurations("scheduling", 20))
		},
		"the parts of a cause add up": func(s *scenario) {
			s.at(10).pod("a-1", objects.Started(10))
			s.at(14).node("a", objects.NotReady(14))
			s.at(20).node("a", objects.Ready(20))
			s.at(24).pod("a-1", objects.Ready(24))
			s.expect("4 s and 4 s of the pod, 6 s of the node", gaps, gapDurations("pod", 14))
		},
		"a node that is deleted closes it": func(s *scenario) {
			s.at(10).node("a", objects.Unreachable(10))
			s.at(40).deletePod("a-1")
			s.at(100).deleteNode("a")
			s.expect("90 s", gaps, gapDurations("node", 90))
		},
		"the lifecycle is the one at its opening": func(s *scenario) {
			s.at(10).node("a", objects.Cordoned())
			s.at(20).pod("a-1", objects.Started(20))
			s.at(25).node("a", untainted(), objects.Change(func(n *corev1.Node) { n.Spec.Unschedulable = false }))
			s.at(30).pod("a-1", objects.Ready(30))
			s.expect("it was cordoned", gaps, on("cordoned", gapDurations("pod", 10)))
		},
		"a DaemonSet that is being deleted counts none": func(s *scenario) {
			s.at(10).deletePod("a-1")
			s.at(15).daemonSet("agent", objects.Deleted(15))
			s.expect("nothing is expected any more", "daemonset_gap_ daemonset_expected daemonset_excluded daemonset_misplaced daemonset_nodes_lost daemonset_node_gaps daemonset_pod_rescheduling daemonset_status_difference")
		},
	})
}

func TestNodesLost(t *testing.T) {
	const lost = "daemonset_nodes_lost daemonset_excluded daemonset_node_lifecycle"
	ssd := func(s *scenario, seconds float64) {
		s.at(seconds).node("a", objects.Label("disk", "ssd"))
		s.daemonSet("agent", objects.NodeSelector("disk", "ssd"))
	}
	runScenarios(t, map[string]func(s *scenario){
		"a label that changes away": func(s *scenario) {
			ssd(s, 10)
			s.at(20).node("b", objects.Label("disk", "hdd"))
			s.expect("a new node that never was expected is no loss", lost, excludedNodes("node_selector", 0), on("joining", excludedNodes("node_selector", 1)))
			s.at(100).node("a", objects.Label("disk", "hdd"))
			s.node("b", objects.Label("disk", "ssd"))
			s.expect("one lost, though as many are expected as before", lost+" daemonset_expected", nodesLost("node_selector", 1), excludedNodes("node_selector", 1), expectedNodes(1))
			s.at(110).node("a", objects.Label("disk", "ssd"))
			s.at(120).node("a", objects.Label("disk", "hdd"))
			s.expect("and once more", lost, nodesLost("node_selector", 2), excludedNodes("node_selector", 1))
		},
		"a DaemonSet that changes its mind": func(s *scenario) {
			s.at(10).daemonSet("agent", objects.NodeName("b"))
			s.expect("lost by name", lost, nodesLost("node_name", 1), excludedNodes("node_name", 1))
		},
		"a drain that announces the end": func(s *scenario) {
			s.at(10).node("a", objects.Cordoned())
			s.expect("cordoned", lost, on("cordoned", lifecycleStart("a", sinceNoon(10))))
			s.at(20).node("a", objects.Tainted("karpenter.sh/disrupted", corev1.TaintEffectNoSchedule))
			s.expect("excluded, and no loss", lost, on("leaving", excludedNodes("taint", 1), lifecycleStart("a", sinceNoon(20))))
			s.at(30).node("a", objects.Unreachable(30))
			s.at(40).deleteNode("a")
			s.expect("nor is the end", lost)
		},
		"a node that is created anew": func(s *scenario) {
			ssd(s, 10)
			s.deleteNode("a")
			s.at(20).node("a")
			s.expect("is another one", lost, on("joining", excludedNodes("node_selector", 1)))
		},
	})
}

// The taint says since when a node has been cordoned, where a late version brings it.
func TestLifecycleStart(t *testing.T) {
	t.Parallel()
	s := newScenario(t, "a").synced()
	at := objects.Stamp(10)
	s.at(60).node("a", objects.Cordoned(), objects.Late(), objects.Change(func(n *corev1.Node) { n.Spec.Taints[0].TimeAdded = &at }))
	s.expect("by its stamp", "daemonset_node_lifecycle", on("cordoned", lifecycleStart("a", sinceNoon(10))))
	s.at(70).restarted().expect("so after a restart", "daemonset_node_lifecycle", on("cordoned", lifecycleStart("a", sinceNoon(10))))
}
