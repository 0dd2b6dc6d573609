package collector

import (
	"maps"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func TestTerminationOutcome(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		run  func(s *scenario)
		want samples
	}{
		"all containers ended in time": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.at(14).pod("a-1", objects.Finished(0, 14))
			s.pod("a-1", objects.Terminating(14, 0))
		}, terminations("graceful", 4)},
		"an exit code of its own": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.at(14).pod("a-1", objects.Finished(143, 14))
		}, terminations("graceful", 4)},
		"a preStop hook that overran, and a container that ended with 0 within the extra time": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 5))
			s.at(16).pod("a-1", objects.Finished(0, 16))
			s.pod("a-1", objects.Terminating(16, 0))
		}, terminations("grace_exceeded", 6)},
		"a preStop hook that was cut off": {func(s *scenario) {
			s.at(10.850).pod("a-1", objects.Terminating(10, 5))
			s.at(16.113).pod("a-1", objects.Finished(0, 15))
			s.at(16.344)
		}, terminations("grace_exceeded", 5.494)},
		"a finalizer that holds a pod whose containers ended in time": {func(s *scenario) {
			s.at(10.2).pod("a-1", objects.Terminating(10, 5))
			s.at(10.8).pod("a-1", objects.Finished(0, 10))
			s.at(23)
		}, terminations("graceful", 12.8)},
		"out of memory after the request": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.at(14).pod("a-1", objects.Finished(137, 14), objects.OOMKilled(14))
		}, terminations("oom_killed", 4)},
		"an evicted pod that its controller cleans up in the same second": {func(s *scenario) {
			s.at(10.489).pod("a-1", objects.Finished(137, 10), objects.Evicted())
			s.at(10.507).pod("a-1", objects.Terminating(10, 0))
			s.expect("a clean-up is no termination that anybody waits for", "daemonset_pods_terminating")
			s.at(10.514)
		}, terminationsTotal("not_running", 1)},
		"killed at the end of the grace period": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 5))
			s.at(15).pod("a-1", objects.Finished(137, 15))
			s.pod("a-1", objects.Terminating(15, 0))
		}, terminations("grace_exceeded", 5)},
		"removed more than 2 s after the grace period": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 5))
			s.at(17.5).pod("a-1", objects.Finished(0, 17))
		}, terminations("grace_exceeded", 7.5)},
		"a second request that shortens the grace period": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.at(14).pod("a-1", objects.Terminating(10, 4))
			s.at(17).pod("a-1", objects.Finished(0, 17))
		}, terminations("grace_exceeded", 7)},
		"forced: no grace at all while its containers run": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 0))
		}, terminations("forced", 0)},
		"the node failed in between, and came back": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 5))
			s.at(12).node("a", objects.ReadyUnknown(12))
			s.at(40).node("a", objects.Ready(40))
			s.at(44).pod("a-1", objects.Finished(0, 44))
		}, terminations("node_lost", 34)},
		"forced on a node that was lost: the first deletion seen had its grace": {func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.at(12).pod("a-1", objects.Terminating(12, 5))
			s.at(40).pod("a-1", objects.Terminating(40, 0))
		}, terminations("node_lost", 28)},
		"collected with its node": {func(s *scenario) {
			s.at(10).deleteNode("a")
			s.at(50).pod("a-1", objects.Disrupted("DeletionByPodGC", 50), objects.Phase(corev1.PodFailed))
			s.pod("a-1", objects.Terminating(50, 0))
		}, terminations("node_lost", 0)},
		"in crash back-off, with the exit code of an old crash": {func(s *scenario) {
			s.at(5).pod("a-1", objects.Exited(137, 5))
			s.at(7).pod("a-1", objects.Restarted(1, 137, "Error", 7), objects.CrashLooping(7))
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.at(12).pod("a-1", objects.Finished(137, 12), objects.Exited(137, 5))
		}, terminations("not_running", 2)},
		"OOMKilled before, deleted in back-off": {func(s *scenario) {
			s.at(5).pod("a-1", objects.OOMKilled(5))
			s.at(10).pod("a-1", objects.Terminating(10, 30))
		}, terminations("not_running", 0)},
		"failed long before it was asked": {func(s *scenario) {
			s.at(5).pod("a-1", objects.Finished(1, 5))
			s.at(10).pod("a-1", objects.Terminating(10, 0))
		}, terminationsTotal("not_running", 1)},
		"never bound": {func(s *scenario) {
			s.missPod("a-1")
			s.deleteDaemonSet("agent") // forget that one
			s.daemonSet("agent")
			s.at(5).pod("a-1", objects.Unbound())
			s.at(10).pod("a-1", objects.Terminating(10, 0))
		}, terminations("not_running", 0)},
		"137 ContainerStatusUnknown: the end of one that ran, and nobody saw it": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.at(12).pod("a-1", objects.Finished(0, 12), objects.ExitedBecause("ContainerStatusUnknown", 137, 12), objects.Change(func(p *corev1.Pod) { p.Status.ContainerStatuses[0].State.Terminated.FinishedAt.Reset() }))
		}, terminations("unknown", 2)},
		"a kubelet that removes at once and reports nothing": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.pod("a-1", objects.Terminating(10, 0))
		}, terminations("unknown", 0)},
		"only the end was seen: what ran when that was asked for is not known": {func(s *scenario) {
			s.at(20).pods["a-1"] = objects.Updated(s.pods["a-1"], objects.Finished(0, 20), objects.Terminating(20, 0))
		}, terminationsTotal("unknown", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, "a").synced()
			test.run(s)
			s.deletePod("a-1")
			s.expect("one termination", "daemonset_pod_terminations daemonset_pod_termination_duration daemonset_pods_terminating", test.want)
		})
	}
}

func TestTermination(t *testing.T) {
	runScenarios(t, map[string]func(s *scenario){
		"a deletion that was missed is unknown": func(s *scenario) {
			s.at(300).missPod("a-1")
			s.expect("nobody saw it asked to end", "daemonset_pod_terminations daemonset_pod_termination_duration daemonset_pods_terminating", terminationsTotal("unknown", 1))
		},
		"a missed deletion of a terminating pod has no duration": func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.at(300).missPod("a-1")
			s.expect("the relist comes long after the grace period, which says nothing", "daemonset_pod_terminations daemonset_pod_termination_duration daemonset_pods_terminating", terminationsTotal("unknown", 1))
		},
		"the state of a terminating pod": func(s *scenario) {
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.at(39.9).expect("deletionTimestamp is the end of the grace period, not its beginning", "daemonset_pods_", podsTerminating("within_grace", 1))
			s.at(40).expect("by a timer, not by an event", "daemonset_pods_", podsTerminating("overdue", 1))
			s.node("a", objects.ReadyUnknown(40))
			s.expect("nobody can tell", "daemonset_pods_", podsTerminating("node_lost", 1))
			s.node("a", objects.Ready(40))
			s.expect("the node is back", "daemonset_pods_", podsTerminating("overdue", 1))
			s.deleteNode("a")
			s.expect("gone for ever", "daemonset_pods_", podsTerminating("node_lost", 1))
			s.deletePod("a-1")
			s.expect("and so is the pod", "daemonset_pods_")
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
			s.at(300).expect("also after a restart of the exporter", "daemonset_pods_terminating", podsTerminating("overdue", 1))
			s.restarted().expect("also after a restart of the exporter", "daemonset_pods_terminating", podsTerminating("overdue", 1))
		},
		"restarts of containers are counted by differences": func(s *scenario) {
			s.at(10).pod("a-1", objects.Restarted(1, 3, "Error", 10))
			s.at(20).pod("a-1", objects.Restarted(1, 137, "OOMKilled", 20))
			s.at(30).pod("a-1", objects.Restarted(1, 0, "Completed", 30))
			s.at(40).pod("a-1", objects.Restarted(1, 255, "Unknown", 40))
			s.at(45).pod("a-1", objects.Restarted(1, 128, "StartError", 45))
			s.at(50).pod("a-1", objects.Restarted(3, 1, "Error", 50))
			want := exposition(`
				daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="Error"} 4
				daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="OOMKilled"} 1
				daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="Completed"} 1
				daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="StartError"} 1
				daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="other"} 1
			`)
			s.expect("by differences: three between two versions are three", "daemonset_container_restarts_total", want)
			s.pod("a-1", objects.Started(50))
			s.expect("and no restart is none", "daemonset_container_restarts_total", want)
			s.at(60).deletePod("a-1")
			s.pod("a-1", objects.Ready(60), objects.Restarted(2, 1, "Error", 60))
			s.expect("another pod of the same name begins anew: what was before it was seen is not counted", "daemonset_container_restarts_total", want)
			s.pod("a-1", objects.Restarted(1, 1, "Error", 60))
			maps.Copy(want, containerRestarts("Error", 5))
			s.expect("what comes after is", "daemonset_container_restarts_total", want)
			s = s.restarted()
			s.expect("an exporter that starts counts nothing of what was before", "daemonset_container_restarts_total")
		},
	})
}
