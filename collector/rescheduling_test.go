package collector

import (
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func TestRescheduling(t *testing.T) {
	runScenarios(t, map[string]func(s *scenario){
		"a pod that is available when its node turns Ready needed none": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.at(70).node("a", objects.Ready(70))
			s.at(71).expect("the pod was Ready all along", "daemonset_pod_rescheduling daemonset_node_outage", nodeOutages("unreachable", 60))
		},
		"a node that flaps twice in one rescheduling is one rescheduling": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.pod("a-1", objects.Started(10))
			s.at(20).node("a", objects.Ready(20))
			s.at(24).node("a", objects.NotReady(24))
			s.at(25).expect("it waits for the node", "daemonset_pod_rescheduling_pending")
			s.at(30).node("a", objects.Ready(30))
			s.at(33).node("a", objects.NotReady(33))
			s.at(40).node("a", objects.Ready(40))
			s.expect("it waits for the pod", "daemonset_pod_rescheduling_pending", pending("node_recovered", 1))
			s.at(45).pod("a-1", objects.Ready(45))
			s.expect("4 s, 3 s and 5 s of a Ready node; waiting for the node is the outage's time", "daemonset_pod_rescheduling_duration daemonset_pod_rescheduling_pending", reschedulings("node_recovered", 12))
			s.expect("every turn was counted", "daemonset_node_", exposition(`
				daemonset_node_failures_total{lifecycle="active",status="unreachable",zone=""} 1
				daemonset_node_failures_total{lifecycle="active",status="not_ready",zone=""} 2
				daemonset_node_transitions_total{node="a"} 6
				daemonset_node_outage_duration_seconds_count{status="unreachable",zone=""} 1
				daemonset_node_outage_duration_seconds_sum{status="unreachable",zone=""} 10
				daemonset_node_outage_duration_seconds_count{status="not_ready",zone=""} 2
				daemonset_node_outage_duration_seconds_sum{status="not_ready",zone=""} 13
			`))
		},
		"a pod that comes back while its node is away was waited for before": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.pod("a-1", objects.Started(10))
			s.at(20).node("a", objects.Ready(20))
			s.at(24).node("a", objects.NotReady(24))
			s.at(26).pod("a-1", objects.Ready(26))
			s.at(30).node("a", objects.Ready(30))
			s.expect("it ends when the node is back, and has lasted 4 s", "daemonset_pod_rescheduling_duration daemonset_pod_rescheduling_pending", reschedulings("node_recovered", 4))
		},
		"a pod that loses and regains Ready in place is a gap and no rescheduling": func(s *scenario) {
			s.at(10).pod("a-1", objects.Started(10))
			s.at(15).expect("no pod is needed, this one may regain it", "daemonset_pod_rescheduling_pending")
			s.at(20).pod("a-1", objects.Ready(20))
			s.expect("a gap of 10 s", "daemonset_pod_rescheduling daemonset_gap_duration", gapDurations("pod", 10))
		},
		"a DaemonSet that is deleted meanwhile ends it": func(s *scenario) {
			s.at(10).deletePod("a-1")
			s.expect("needed", "daemonset_pod_rescheduling_pending", pending("pod_deleted", 1))
			s.at(12).pod("a-2")
			s.at(15).deleteDaemonSet("agent")
			s.expect("nobody waits", "daemonset_pod_ daemonset_gap_ daemonset_expected_")
			s.at(16).pod("a-2", objects.Ready(16))
			s.at(17).deletePod("a-2")
			s.expect("and its pods bring nothing back", "daemonset_pod_ daemonset_gap_ daemonset_pods_")
		},
		"a node that is deleted for ever ends it, and its transitions": func(s *scenario) {
			s = newScenario(s.t, "a", "b").synced()
			s.at(10).deletePod("a-1")
			s.at(11).node("a", objects.NotReady(11))
			s.at(12).node("a", objects.Ready(12))
			s.at(20).deleteNode("a")
			s.expect("the gap has closed, the rescheduling is dropped", "daemonset_pod_rescheduling daemonset_node_transitions daemonset_gap_", gapDurations("scheduling", 10))
			s.deletePod("b-1")
			s.deleteNode("b")
		},
		"a pod that is replaced twice is one rescheduling": func(s *scenario) {
			s.at(10).deletePod("a-1")
			s.at(11).pod("a-2", objects.Unbound())
			s.at(13).deletePod("a-2")
			s.at(15).pod("a-3", objects.Unbound())
			s.at(16).pod("a-3", objects.On("a"))
			s.at(18).pod("a-3", objects.Scheduled(16), objects.Started(18))
			s.at(21).pod("a-3", objects.Ready(21))
			s.expect("its stages are those of the pod that came to work, and add up", "daemonset_pod_rescheduling", reschedulings("pod_deleted", 11),
				stages("create", 5), stages("schedule", 1), stages("start", 2), stages("ready", 3))
		},
		"a pod stamped while its node was away does not backdate the need": func(s *scenario) {
			s.at(9.9).node("a", objects.ReadyUnknown(9))
			// The controller manager takes Ready away in the next second.
			s.at(10.1).pod("a-1", objects.Started(10))
			s.at(70).node("a", objects.Ready(70))
			s.at(73).pod("a-1", objects.Ready(73))
			s.expect("3 s, not 63", "daemonset_pod_rescheduling_duration", reschedulings("node_recovered", 3))
		},
		"an interrupted watch dates stages by their stamps": func(s *scenario) {
			s.at(10).deletePod("a-1")
			// Everything that happened from 12 to 20 arrives at 40.
			s.at(40).pod("a-2", objects.Created(12), objects.Scheduled(13), objects.StartTime(13), objects.Started(16), objects.Ready(20), objects.Late())
			s.expect("10 s in their parts", "daemonset_pod_rescheduling", reschedulings("pod_deleted", 10),
				stages("create", 2), stages("schedule", 1), stages("start", 3), stages("ready", 4))
		},
		"a negative duration is clock skew and not observed": func(s *scenario) {
			s.at(10).deletePod("a-1")
			s.at(10).pod("a-2")
			s.clock.SetTime(objects.At(5))
			s.pod("a-2", objects.Ready(10))
			s.expect("the gap's and the rescheduling's", "daemonset_pod_rescheduling daemonset_gap_duration daemonset_exporter_clock_skew", exposition(`daemonset_exporter_clock_skew_total 2`))
		},
		"a rollout that surges needs none": func(s *scenario) {
			s.at(10).pod("a-2", objects.Revision("second", 2))
			s.at(15).pod("a-2", objects.Ready(15))
			s.pod("a-1", objects.Terminating(15, 30))
			s.at(17).pod("a-1", objects.Finished(0, 17))
			s.at(18).deletePod("a-1")
			s.expect("there was a working pod all the time", "daemonset_pod_ daemonset_gap_ daemonset_covered_nodes", terminations("graceful", 3), exposition(`daemonset_covered_nodes{daemonset="agent",lifecycle="active",namespace="default"} 1`))
		},
		"the old containers of a rebooted node are no start": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.pod("a-1", objects.Started(10))
			s.at(40).node("a", objects.Ready(40))
			s.at(41).pod("a-1", objects.ExitedBecause("Unknown", 255, 41))
			s.at(43).pod("a-1", objects.Restarted(1, 255, "Unknown", 43))
			s.at(44).pod("a-1", objects.Ready(44))
			s.expect("3 s to start, 1 s to be Ready", "daemonset_pod_rescheduling_stage_duration_seconds_sum", exposition(`
				daemonset_pod_rescheduling_stage_duration_seconds_sum{daemonset="agent",namespace="default",stage="start"} 3
				daemonset_pod_rescheduling_stage_duration_seconds_sum{daemonset="agent",namespace="default",stage="ready"} 1
			`))
		},
	})
}

func TestReschedulingTrigger(t *testing.T) {
	t.Parallel()
	replace := func(s *scenario, changes ...objects.Option) {
		s.at(20).pod("a-2", changes...)
		s.at(25).pod("a-2", objects.Ready(25))
	}
	for name, test := range map[string]struct {
		run     func(s *scenario)
		trigger string
		seconds float64
	}{
		"deleted": {func(s *scenario) {
			s.at(5).pod("a-1", objects.Terminating(5, 30))
			s.at(10).pod("a-1", objects.Finished(0, 10))
			replace(s)
		}, "pod_deleted", 15},
		"evicted through the API": {func(s *scenario) {
			s.at(5).pod("a-1", objects.Disrupted("EvictionByEvictionAPI", 5), objects.Terminating(5, 30))
			s.at(10).pod("a-1", objects.Finished(0, 10))
			replace(s)
		}, "pod_evicted", 15},
		"evicted by node pressure": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Disrupted("TerminationByKubelet", 10), objects.Finished(137, 10), objects.Evicted())
			s.at(12).pod("a-1", objects.Terminating(12, 0))
			s.deletePod("a-1")
			replace(s)
		}, "pod_evicted", 15},
		"failed": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Finished(1, 10))
			s.at(12).pod("a-1", objects.Terminating(12, 0))
			s.deletePod("a-1")
			replace(s)
		}, "pod_failed", 15},
		"an older revision": {func(s *scenario) {
			s.at(5).daemonSet("agent", objects.TemplateGeneration(2))
			s.pod("a-1", objects.Terminating(5, 30))
			s.at(10).pod("a-1", objects.Finished(0, 10))
			replace(s, objects.Revision("second", 2))
		}, "rollout", 15},
		"a rollout that is rolled back": {func(s *scenario) {
			s.at(5).daemonSet("agent", objects.TemplateGeneration(2))
			s.at(6).pod("a-1", objects.Terminating(6, 30))
			s.at(10).pod("a-1", objects.Finished(0, 10))
			s.at(10.1).pod("a-2", objects.Revision("second", 2), objects.Waiting("ErrImagePull", 10))
			s.at(10.5).deletePod("a-1")
			s.expect("it waits", "daemonset_pod_rescheduling_pending", pending("rollout", 1))
			s.at(50).daemonSet("agent", objects.TemplateGeneration(3))
			s.at(51).pod("a-2", objects.Terminating(51, 30))
			s.at(51.5).deletePod("a-2")
			s.at(52).pod("a-3", objects.Revision("first", 3))
			s.at(59).pod("a-3", objects.Ready(59))
		}, "rollout", 49},
		"an older revision, with a new pod that was surged beside it": {func(s *scenario) {
			s.at(5).daemonSet("agent", objects.TemplateGeneration(2))
			s.at(6).pod("a-2", objects.Revision("second", 2))
			s.at(7).pod("a-1", objects.Terminating(7, 30))
			s.at(10).pod("a-1", objects.Finished(0, 10))
			s.at(12).deletePod("a-1")
			s.at(25).pod("a-2", objects.Ready(25))
		}, "rollout", 15},
		"surged in the place of one that was not Ready": {func(s *scenario) {
			s.at(4).pod("a-1", objects.Started(4))
			s.at(5).daemonSet("agent", objects.TemplateGeneration(2))
			s.at(6).pod("a-2", objects.Revision("second", 2))
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.at(25).pod("a-2", objects.Ready(25))
		}, "rollout", 15},
		"deleted in crash back-off": {func(s *scenario) {
			s.at(5).pod("a-1", objects.Restarted(1, 3, "Error", 5), objects.CrashLooping(5))
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.at(11).pod("a-1", objects.Finished(3, 11))
			replace(s)
		}, "pod_deleted", 15},
		"a node that turned Ready": {func(s *scenario) {
			s.at(5).node("a", objects.ReadyUnknown(5))
			s.pod("a-1", objects.Started(5))
			s.at(10).node("a", objects.Ready(10))
			s.at(25).pod("a-1", objects.Ready(25))
		}, "node_recovered", 15},
		"a pod that was deleted while its node was away": {func(s *scenario) {
			s.at(5).node("a", objects.ReadyUnknown(5))
			s.at(6).pod("a-1", objects.Started(6), objects.Terminating(6, 30))
			s.at(10).node("a", objects.Ready(10))
			s.at(11).pod("a-1", objects.Finished(0, 11))
			replace(s)
		}, "node_recovered", 15},
		"a label that the node did not have": {func(s *scenario) {
			s.deletePod("a-1")
			s.daemonSet("agent", objects.NodeSelector("disk", "ssd"))
			s.at(10).node("a", objects.Label("disk", "ssd"))
			replace(s)
		}, "node_eligible", 15},
		"a node that is new": {func(s *scenario) {
			s.at(8).node("b", objects.NotReady(8))
			s.at(10).node("b", objects.Ready(10))
			s.at(20).pod("b-1")
			s.at(25).pod("b-1", objects.Ready(25))
		}, "node_added", 15},
		"a DaemonSet that is new": {func(s *scenario) {
			s.deletePod("a-1")
			s.deleteDaemonSet("agent")
			s.at(10).daemonSet("agent")
			replace(s)
		}, "daemonset_created", 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, "a").synced()
			test.run(s)
			s.expect("one rescheduling", "daemonset_pod_rescheduling_duration daemonset_pod_rescheduling_pending", reschedulings(test.trigger, test.seconds))
		})
	}
}
