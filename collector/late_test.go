package collector

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// What comes late, after a watch that was lost, is dated by its stamps.
func TestLate(t *testing.T) {
	const durations = "daemonset_gap_duration daemonset_node_startup daemonset_exporter_clock"
	runScenarios(t, map[string]func(s *scenario){
		"a crash and a restart in one stamped second take no time": func(s *scenario) {
			s.at(60).pod("a-1", objects.Exited(137, 35), objects.Late())
			s.at(60.007).pod("a-1", objects.Restarted(1, 137, "Error", 35), objects.Ready(35), objects.Late())
			s.expect("one gap, and not the 25 s until it was heard of", durations, gapDurations("pod", 0))
			s.at(100.928).pod("a-1", objects.Exited(137, 80), objects.Late())
			s.at(100.935).pod("a-1", objects.Restarted(1, 137, "Error", 80), objects.Ready(81), objects.Late())
			s.expect("in the next second: one second", durations, gapDurations("pod", 0, 1))
		},
		"a crash and a restart that are seen as they happen take what they take": func(s *scenario) {
			s.at(35.1).pod("a-1", objects.Exited(137, 35))
			s.at(35.7).pod("a-1", objects.Restarted(1, 137, "Error", 35), objects.Ready(35))
			s.expect("0.6 s", durations, gapDurations("pod", 0.6))
		},
		"a node is covered since the latest change of its cells": func(s *scenario) {
			s.at(700).node("b", objects.Created(100), objects.Ready(120), objects.Late())
			s.pod("b-1", objects.Created(121), objects.StartTime(121), objects.Started(130), objects.Ready(140), objects.Late())
			s.expect("20 s and 40 s; no pod for the 20 s between", durations, nodeStartups("ready", 20), nodeStartups("covered", 40), gapDurations("scheduling", 20))
		},
		"or since it was seen, where nothing comes late": func(s *scenario) {
			s.at(700).node("b", objects.Created(100), objects.Ready(120))
			s.at(705).pod("b-1", objects.Created(121), objects.StartTime(121), objects.Started(130), objects.Ready(140))
			s.expect("600 s and 605 s after the creation", durations, nodeStartups("ready", 600), nodeStartups("covered", 605), gapDurations("scheduling", 5))
		},
		"a pod that is missing on a node that comes late has been so since the node was Ready": func(s *scenario) {
			s.at(700).node("b", objects.Created(100), objects.Ready(120), objects.Late())
			s.expect("since 120", "daemonset_gap_start", gapStart("b", "pod_missing", sinceNoon(120)))
		},
		"so has that of a DaemonSet that comes late, since it was created": func(s *scenario) {
			s.deleteDaemonSet("agent")
			s.deletePod("a-1")
			s.at(700).daemonSet("agent", objects.Created(300), objects.Late())
			s.expect("since 300", "daemonset_gap_start", gapStart("a", "pod_missing", sinceNoon(300)))
		},
		"so it is if the watch of pods is first": func(s *scenario) {
			s.at(700).pod("b-1", objects.Created(121), objects.StartTime(121), objects.Started(130), objects.Ready(140), objects.Late())
			s.node("b", objects.Created(100), objects.Ready(120), objects.Late())
			s.expect("20 s and 40 s", durations, nodeStartups("ready", 20), nodeStartups("covered", 40))
		},
	})
}

// A kubelet's clock that is wrong changes no duration and no start of what is seen as it
// happens.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]float64{"right": 0, "a minute behind": -60, "a minute ahead": 60, "an hour behind": -3600} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, "a").synced()
			// The controller manager stamps the failure, the kubelet the return.
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.pod("a-1", objects.NotReady(10))
			s.at(310).node("a", objects.Ready(310+wrong))
			s.expect("the pod is waited for", "daemonset_gap_start daemonset_pod_rescheduling_pending", gapStart("a", "pod_not_ready", sinceNoon(10)), pending("node_recovered", 1))
			s.at(410).pod("a-1", objects.Ready(410+wrong))
			s.expect("an outage of 300 s; the pod came 100 s later", "daemonset_node_outage daemonset_gap_duration daemonset_pod_rescheduling_duration daemonset_exporter_clock",
				nodeOutages("unreachable", 300), gapDurations("node", 400), reschedulings("node_recovered", 100))
			s.at(500).deletePod("a-1")
			s.at(502).pod("a-2", objects.StartTime(502+wrong), objects.Starting(502+wrong))
			s.at(515).pod("a-2", objects.Started(515+wrong))
			s.at(530).pod("a-2", objects.Ready(530+wrong))
			s.expect("30 s, most of it the pod's", "daemonset_gap_duration daemonset_pod_rescheduling daemonset_exporter_clock",
				merge(gapDurations("node", 400), gapDurations("pod", 30), reschedulings("node_recovered", 100), reschedulings("pod_deleted", 30)),
				sum(stages("ready", 100), stages("create", 0), stages("schedule", 0), stages("start", 0)),
				merge(stages("create", 0, 2), stages("schedule", 0, 0), stages("start", 0, 13), stages("ready", 100, 15)))
		})
	}
}

// The exporter's own clock is set back: a pod that was available stays so.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *scenario){
		"the pod":       func(s *scenario) { s.pod("a-1", objects.RestartCount(1)) },
		"the node":      func(s *scenario) { s.node("a", objects.Label("pool", "blue")) },
		"the DaemonSet": func(s *scenario) { s.daemonSet("agent", objects.Tolerating(objects.TolerateAll())) },
		"nothing":       func(*scenario) {},
	} {
		t.Run(name+" changes", func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, "a")
			s.daemonSet("agent", objects.MinReadySeconds(30))
			s.synced().at(1).pod("a-1", objects.Started(1))
			s.at(60).pod("a-1", objects.Ready(60))
			covered := merge(expectedNodes(1), coveredNodes(1), gapDurations("pod", 89))
			s.at(90).expect("available 30 s after 60", "daemonset_expected_nodes daemonset_covered daemonset_gap_nodes daemonset_gap_start daemonset_gap_duration", covered)
			s.at(65)
			change(s)
			s.expect("25 s earlier", "daemonset_expected_nodes daemonset_covered daemonset_gap_nodes daemonset_gap_start daemonset_gap_duration", covered)
			s.at(80).pod("a-1", objects.Started(80))
			s.expect("a pod that ceases to be Ready is still seen", "daemonset_covered daemonset_gap_nodes daemonset_gap_start", gapNodes("pod_not_ready", 1), gapStart("a", "pod_not_ready", sinceNoon(80)))
		})
	}
}

// A pod on its way out works until its containers have ended. If its node fails before,
// it is needed again when the node is back, whichever watch was the first to tell.
func TestTerminatingPodOfAFailingNode(t *testing.T) {
	t.Parallel()
	node := func(s *scenario) { s.node("a", objects.ReadyUnknown(20)) }
	pod := func(s *scenario) { s.pod("a-1", objects.NotReady(20)) }
	for name, order := range map[string][2]func(s *scenario){"nodes": {node, pod}, "pods": {pod, node}} {
		t.Run(name+" first", func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, "a").synced()
			s.at(10).pod("a-1", objects.Terminating(10, 300))
			order[0](s.at(20))
			order[1](s.at(20.3))
			s.expect("it waits for the node", "daemonset_pod_rescheduling_pending")
			s.at(60).node("a", objects.Ready(60))
			s.expect("it waits for the pod", "daemonset_pod_rescheduling_pending", pending("node_recovered", 1))
			s.at(62).pod("a-1", objects.Finished(0, 62), objects.Phase(corev1.PodFailed))
			s.at(63).pod("a-2")
			s.at(70).pod("a-2", objects.Ready(70))
			s.expect("10 s on a Ready node", "daemonset_pod_rescheduling_duration daemonset_pod_rescheduling_pending daemonset_gap_duration", reschedulings("node_recovered", 10), gapDurations("node", 50))
		})
	}
}
