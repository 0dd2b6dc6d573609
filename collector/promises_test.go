package collector

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// ofDaemonSets are all families that have the labels of a DaemonSet, but for its budget
// and its node-seconds.
const ofDaemonSets = "daemonset_expected_nodes daemonset_covered_nodes daemonset_gap_nodes daemonset_gap_start daemonset_gap_duration " +
	"daemonset_excluded daemonset_repelled daemonset_withheld daemonset_nodes_lost daemonset_misplaced daemonset_rollout_outdated daemonset_rollout_unavailable daemonset_status_difference " +
	"daemonset_node_gaps daemonset_node_suspect daemonset_pod daemonset_container"

// A DaemonSet that is being deleted promises nothing. In foreground deletion it stays
// until its last pod is gone, and a dead node holds that for hours.
func TestForegroundDeletion(t *testing.T) {
	t.Parallel()
	s := newScenario(t, "a", "b", "c").synced()
	s.at(1).node("c", objects.Unreachable(1))
	s.pod("c-1", objects.NotReady(1))
	s.at(5).pod("b-1", objects.CrashLooping(5))
	s.expect("two gaps", "daemonset_gap_nodes daemonset_expected_nodes daemonset_covered_nodes", expectedNodes(3), coveredNodes(1), gapNodes("node_unreachable", 1), gapNodes("crash_loop", 1))

	s.at(10).daemonSet("agent", objects.Deleted(10))
	s.expect("both close, uncounted", ofDaemonSets)
	s.at(11).pod("a-1", objects.Terminating(11, 30))
	s.pod("b-1", objects.Terminating(11, 30))
	s.pod("c-1", objects.Terminating(11, 30))
	terminating := merge(podsTerminating("within_grace", 2), podsTerminating("node_lost", 1))
	s.expect("terminating where they are, and nothing else", ofDaemonSets, terminating)
	s.restarted().expect("so for an exporter that begins then", ofDaemonSets, terminating)

	s.at(15).pod("a-1", objects.Finished(0, 15))
	s.pod("b-1", objects.Finished(1, 5))
	s.deletePod("a-1")
	s.deletePod("b-1")
	held := merge(podsTerminating("node_lost", 1), terminationsTotal("graceful", 1), terminationsTotal("not_running", 1), terminationDurations("default", 4, 4))
	s.at(600).expect("the last waits for its node", ofDaemonSets, held)
	s.at(7200).node("b", objects.Unreachable(7200))
	s.node("d")
	s.expect("and whatever nodes do", ofDaemonSets, held)
	s.at(7300).deletePod("c-1")
	s.deleteDaemonSet("agent")
	s.expect("gone", ofDaemonSets)
}

// OpenKruise has a kind DaemonSet of its own. Its pods are not ours, though one's owner
// should have the UID of ours.
func TestDaemonSetsOfOthers(t *testing.T) {
	t.Parallel()
	for group, ours := range map[string]bool{
		"apps/v1": true, "apps/v2": true, "apps.kruise.io/v1alpha1": false, "apps.kruise.io/v1beta1": false, "extensions/v1beta1": false, "v1": false,
	} {
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, "a").synced()
			s.at(10).pod("a-1", objects.NotReady(10))
			s.pod("a-2", objects.Ready(10), objects.OwnedBy(s.daemonSets["agent"]), objects.Change(func(p *corev1.Pod) { p.OwnerReferences[0].APIVersion = group }))
			want := merge(expectedNodes(1), gapNodes("pod_not_ready", 1))
			if ours {
				want = merge(expectedNodes(1), coveredNodes(1))
			}
			s.expect("covered by a pod of our own only", "daemonset_expected_nodes daemonset_covered daemonset_gap_nodes", want)
			s.at(20).pod("a-2", objects.Restarted(3, 1, "Error", 20), objects.Terminating(20, 30))
			if !ours {
				s.expect("nor does it restart, or end", "daemonset_pod daemonset_container")
			}
		})
	}
}
