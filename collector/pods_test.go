package collector

import (
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// What makes a pod needed, its stages, and nodes that flap meanwhile: package rescheduling.
// A DaemonSet that is deleted meanwhile: the end of every replay.
func TestRescheduling(t *testing.T) {
	runScenarios(t, map[string]func(s *scenario){
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
		"a negative duration is clock skew and not observed": func(s *scenario) {
			s.at(10).deletePod("a-1")
			s.at(10).pod("a-2")
			s.clock.SetTime(objects.At(5))
			s.pod("a-2", objects.Ready(10))
			s.expect("the gap's and the rescheduling's", "daemonset_pod_rescheduling daemonset_gap_duration daemonset_exporter_negative_durations", exposition(`daemonset_exporter_negative_durations_total 2`))
		},
		"a label that the node did not have makes a pod needed": func(s *scenario) {
			s.deletePod("a-1")
			s.daemonSet("agent", objects.NodeSelector("disk", "ssd"))
			s.at(10).node("a", objects.Label("disk", "ssd"))
			s.at(20).pod("a-2")
			s.at(25).pod("a-2", objects.Ready(25))
			s.expect("15 s", "daemonset_pod_rescheduling_duration daemonset_pod_rescheduling_pending", reschedulings("node_eligible", 15))
		},
	})
}

// How a pod ends, in all the ways that there are: package rescheduling. What it is until
// then, and a pod that is collected with its node: the replays.
func TestTermination(t *testing.T) {
	const ends = "daemonset_pod_terminations daemonset_pod_termination_duration daemonset_pods_terminating"
	runScenarios(t, map[string]func(s *scenario){
		"never bound": func(s *scenario) {
			s.at(5).pod("a-2", objects.Unbound())
			s.at(10).pod("a-2", objects.Terminating(10, 0))
			s.deletePod("a-2")
			s.expect("nothing ran", ends, terminations("not_running", 0))
		},
		"a deletion that was missed is unknown, and has no duration": func(s *scenario) {
			s = newScenario(s.t, "a", "b").synced()
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.at(300).missPod("a-1")
			s.missPod("b-1")
			s.expect("the one was asked to end long before the relist, the other nobody saw asked", ends, terminationsTotal("unknown", 2))
		},
		"a pod that had ended is not terminating, whatever becomes of its node": func(s *scenario) {
			s.at(10).pod("a-1", objects.Finished(1, 10))
			s.at(11).pod("a-1", objects.Terminating(11, 0))
			s.at(12).node("a", objects.ReadyUnknown(12))
			s.at(300).expect("held by a finalizer", "daemonset_pods_terminating")
			s.deletePod("a-1")
			s.expect("the node was lost before it was removed", "daemonset_pod_terminations daemonset_pod_termination_duration", terminationsTotal("node_lost", 1))
		},
		"a pod that was deleted is terminating while a finalizer holds it": func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.at(12).pod("a-1", objects.Finished(0, 12))
			s.at(13).pod("a-1", objects.Terminating(13, 0))
			s.at(300).expect("its containers have ended, and it is there", "daemonset_pods_terminating", podsTerminating("overdue", 1))
			s.restarted().expect("also after a restart of the exporter", "daemonset_pods_terminating", podsTerminating("overdue", 1))
		},
		"restarts of containers are counted by differences": func(s *scenario) {
			for i, reason := range []string{"Error", "OOMKilled", "Completed", "Unknown", "StartError"} {
				at := float64(10 + i)
				s.at(at).pod("a-1", objects.Restarted(1, 1, reason, at))
			}
			s.at(50).pod("a-1", objects.Restarted(3, 1, "Error", 50))
			others := merge(containerRestarts("OOMKilled", 1), containerRestarts("Completed", 1), containerRestarts("StartError", 1), containerRestarts("other", 1))
			s.expect("three between two versions are three", "daemonset_container_restarts_total", others, containerRestarts("Error", 4))
			s.at(60).deletePod("a-1")
			s.pod("a-1", objects.Ready(60), objects.Restarted(2, 1, "Error", 60))
			s.expect("another pod of the same name begins anew: what was before it was seen is not counted", "daemonset_container_restarts_total", others, containerRestarts("Error", 4))
			s.pod("a-1", objects.Restarted(1, 1, "Error", 60))
			s.expect("what comes after is", "daemonset_container_restarts_total", others, containerRestarts("Error", 5))
			s = s.restarted()
			s.expect("an exporter that starts counts nothing of what was before", "daemonset_container_restarts_total")
		},
	})
}
