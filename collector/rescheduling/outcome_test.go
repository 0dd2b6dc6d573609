package rescheduling_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// with adds a container.
func with(name string, state corev1.ContainerState) objects.Option {
	return objects.Change(func(p *corev1.Pod) {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{Name: name, State: state})
	})
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	withoutEnd := objects.Change(func(p *corev1.Pod) { p.Status.ContainerStatuses[0].State.Terminated.FinishedAt.Reset() })
	withoutStatus := objects.Change(func(p *corev1.Pod) { p.Status.ContainerStatuses = nil })
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	terminated := func(code int32, reason string, at float64) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, FinishedAt: objects.Stamp(at)}}
	}
	sidecar := func(state corev1.ContainerState) objects.Option {
		return objects.Change(func(p *corev1.Pod) {
			always := corev1.ContainerRestartPolicyAlways
			p.Spec.InitContainers = []corev1.Container{{Name: "proxy", RestartPolicy: &always}}
			p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "proxy", State: state}}
		})
	}
	second := with("second", running)
	ended := func(code int32, reason string, at float64) objects.Option {
		return objects.Change(func(p *corev1.Pod) { p.Status.ContainerStatuses[1].State = terminated(code, reason, at) })
	}
	for name, test := range map[string]struct {
		versions versions // it is removed when the last of them is seen
		want     string
	}{
		"all containers ended in time":                                 {versions{asked(10, 30), finished(14, 0), asked(14, 0)}, "graceful 4s"},
		"an exit code of its own":                                      {versions{asked(10, 30), finished(14, 143)}, "graceful 4s"},
		"an end in the second of the request":                          {versions{is(10.2, objects.Terminating(10, 30)), is(10.9, objects.Finished(0, 10))}, "graceful 0.7s"},
		"a request that is seen late is dated by its stamp":            {versions{is(13, objects.Terminating(10, 30), objects.Late()), finished(14, 0)}, "graceful 4s"},
		"two containers, of which both ended":                          {versions{is(5, second), asked(10, 30), is(12, ended(0, "Completed", 12)), finished(14, 0)}, "graceful 4s"},
		"an end that is seen with the request":                         {versions{is(14, objects.Terminating(10, 30), objects.Finished(0, 14), objects.Late()), is(14)}, "graceful 4s"},
		"a container that ran out of memory was not killed at the end": {versions{asked(10, 30), finished(14, 137, objects.OOMKilled(14))}, "oom_killed 4s"},
		"of two containers one ran out of memory, and one was killed at the end": {
			versions{is(5, second), asked(10, 5), is(12, ended(137, "OOMKilled", 12)), finished(15, 137)}, "oom_killed 5s",
		},
		"a preStop hook that overran, and an end within the extra time": {versions{asked(10, 5), finished(16, 0), asked(16, 0)}, "grace_exceeded 6s"},
		"a preStop hook that was cut off at the end of the grace period": {
			versions{is(10.85, objects.Terminating(10, 5)), is(16.113, objects.Finished(0, 15)), is(16.344)}, "grace_exceeded 5.494s",
		},
		"an end in the second in which the grace period ended, where clocks agree": {
			versions{is(10.9, objects.Terminating(10, 5)), is(15.3, objects.Finished(0, 15))}, "grace_exceeded 4.4s",
		},
		"where they do not, a moment early is in time":            {versions{is(10.9, objects.Terminating(10, 5)), is(15.3, objects.Finished(0, 25))}, "graceful 4.4s"},
		"stamps cannot tell of a grace period of one second":      {versions{is(10.9, objects.Terminating(10, 1)), is(11.1, objects.Finished(0, 11))}, "graceful 0.2s"},
		"an object that stays for a finalizer or a slow volume":   {versions{is(10.2, objects.Terminating(10, 5)), is(10.8, objects.Finished(0, 10)), is(23)}, "graceful 12.8s"},
		"an object that stays, of which one end was not seen":     {versions{is(5, second), asked(10, 5), finished(12, 0), is(23)}, "grace_exceeded 13s"},
		"an object that stays, and an end of which only the time": {versions{asked(10, 5), finished(12, 0, objects.ExitedBecause("Unknown", 255, 12)), is(23)}, "unknown 13s"},
		"a sidecar is killed last, and decides nothing": {
			versions{is(5, sidecar(running)), asked(10, 30), is(37, objects.Exited(0, 37)), is(40, sidecar(terminated(137, "Error", 40)), objects.Phase(corev1.PodSucceeded)), is(40.5)}, "graceful 30.5s",
		},
		"a sidecar that runs out of memory decides nothing": {
			versions{is(5, sidecar(running)), asked(10, 30), is(12, sidecar(terminated(137, "OOMKilled", 12)), objects.Finished(0, 12))}, "graceful 2s",
		},
		"a sidecar alone is nothing that runs": {
			versions{is(5, sidecar(running), objects.Restarted(1, 1, "Error", 5), objects.CrashLooping(5)), asked(10, 0)}, "not_running 0s",
		},
		"killed on a node whose clock is 10 s behind":    {versions{asked(10, 5), is(15.3, objects.Finished(137, 5)), is(15.9)}, "grace_exceeded 5.9s"},
		"ended in time on such a node":                   {versions{asked(10, 5), is(11, objects.Finished(0, 1))}, "graceful 1s"},
		"an end that arrives late is dated by its stamp": {versions{asked(10, 5), is(60, objects.Finished(0, 14), objects.Late()), is(60)}, "graceful 50s"},
		"a cut-off that arrives late":                    {versions{asked(10, 5), is(60, objects.Finished(0, 15), objects.Late()), is(60)}, "grace_exceeded 50s"},
		"an end that arrives late and says that it is older than the request": {
			versions{asked(10, 5), is(60, objects.Finished(0, 9), objects.Late()), is(60)}, "unknown 50s",
		},
		"such an end that arrives within the grace period": {versions{asked(10, 60), is(60, objects.Finished(0, 9), objects.Late()), is(60)}, "graceful 50s"},
		"a kill that arrives late and says when, in the future": {
			versions{asked(10, 5), is(60, objects.Finished(137, 900), objects.Late()), is(60)}, "grace_exceeded 50s",
		},
		"a removal that arrives late is dated by the kubelet's last request": {
			versions{asked(10, 5), is(60, objects.Finished(0, 12), objects.Terminating(13, 0), objects.Late())}, "graceful 3s",
		},
		"a removal that arrives late, and nobody knows when it was": {versions{asked(10, 5), is(60, objects.Late())}, "unknown"},
		"killed at the end of the grace period":                     {versions{asked(10, 5), finished(15, 137), asked(15, 0)}, "grace_exceeded 5s"},
		"two containers, of which one was killed":                   {versions{is(5, second), asked(10, 5), is(12, ended(0, "Completed", 12)), finished(15, 137)}, "grace_exceeded 5s"},
		"two containers, of which the first was killed":             {versions{is(5, second), asked(10, 5), is(15, ended(137, "Error", 15)), finished(15, 0)}, "grace_exceeded 5s"},
		"removed more than 2 s after the grace period":              {versions{asked(10, 5), is(17.5, objects.Finished(0, 17))}, "grace_exceeded 7.5s"},
		"removed 2 s after it, and nobody knows the end":            {versions{asked(10, 5), is(17, objects.Terminating(10, 5))}, "unknown 7s"},
		"removed later, and nobody knows the end":                   {versions{asked(10, 5), is(17.1, objects.Terminating(10, 5))}, "grace_exceeded 7.1s"},
		"a second request that shortens the grace period":           {versions{asked(10, 30), is(14, objects.Terminating(10, 4)), finished(17, 0)}, "grace_exceeded 7s"},
		"a second request cannot lengthen it":                       {versions{asked(10, 5), asked(12, 30), finished(18, 0)}, "grace_exceeded 8s"},
		"a second request of a clock that was set back is no overrun": {
			versions{asked(10, 30), is(11, objects.Terminating(0, 5)), is(11.5, objects.Finished(0, 11))}, "graceful 1.5s",
		},
		"the kubelet's last version is no request": {
			versions{asked(10, 30), finished(14, 0, objects.Terminating(14, 0)), is(20, objects.Label("a", "b"))}, "graceful 10s",
		},
		"forced: no grace at all while its containers run":             {versions{asked(10, 0)}, "forced 0s"},
		"forced: even if its node is lost then":                        {versions{asked(10, 0), nodeIs(12, lost)}, "forced 2s"},
		"the node failed in between, and came back":                    {versions{asked(10, 5), nodeIs(12, lost), nodeIs(40, back), finished(44, 0)}, "node_lost 34s"},
		"the node was away when the deletion was requested":            {versions{nodeIs(10, lost), asked(12, 5), nodeIs(40, back), finished(44, 0)}, "node_lost 32s"},
		"the node was away in between, and nobody looked":              {versions{nodeIs(40, back), is(42, objects.Terminating(10, 60), objects.Late()), finished(44, 0)}, "node_lost 34s"},
		"forced on a lost node: the first deletion seen had its grace": {versions{nodeIs(10, lost), asked(12, 5), asked(40, 0)}, "node_lost 28s"},
		"collected with its node": {
			versions{nodeIs(10, nodeGone), is(50, objects.Disrupted("DeletionByPodGC", 50), objects.Phase(corev1.PodFailed)), asked(50, 0)}, "node_lost 0s",
		},
		"collected, on a node that is there again": {versions{asked(10, 30), is(14, objects.Disrupted("DeletionByPodGC", 14))}, "node_lost 4s"},
		"in crash back-off, with the exit code of an old crash": {
			versions{is(5, objects.Exited(137, 5)), is(7, objects.Restarted(1, 137, "Error", 7), objects.CrashLooping(7)), asked(10, 30), finished(12, 137, objects.Exited(137, 5))}, "not_running 2s",
		},
		"OOMKilled before, deleted in back-off": {versions{is(5, objects.OOMKilled(5)), asked(10, 30)}, "not_running 0s"},
		"failed long before it was asked":       {versions{finished(5, 1), asked(10, 0)}, "not_running"},
		"ended in the second in which its controller cleans it up": {
			versions{is(10.489, objects.Finished(0, 10)), is(10.507, objects.Terminating(10, 0)), is(10.514)}, "not_running",
		},
		"killed in that second":                                    {versions{is(10.489, objects.Finished(137, 10)), is(10.507, objects.Terminating(10, 0)), is(10.514)}, "not_running"},
		"evicted in that second":                                   {versions{is(10.489, objects.Finished(137, 10), objects.Evicted()), is(10.507, objects.Terminating(10, 0)), is(10.514)}, "not_running"},
		"ended before, of which the watch brings only the removal": {versions{is(10.489, objects.Finished(0, 10)), is(10.514, objects.Terminating(10, 0))}, "not_running"},
		"ended before, and its node was lost":                      {versions{is(10.4, objects.Finished(0, 10)), nodeIs(12, lost), asked(14, 0)}, "node_lost"},
		"deleted by force in crash back-off":                       {versions{is(5, objects.Restarted(1, 1, "Error", 5), objects.Exited(1, 5)), asked(10, 0)}, "not_running 0s"},
		"in crash back-off, of which only the removal was seen": {
			versions{is(5, objects.Exited(3, 5)), is(7, objects.Restarted(1, 3, "Error", 5), objects.CrashLooping(7)), finished(12, 3, objects.Exited(3, 5), objects.Terminating(12, 0))}, "not_running",
		},
		"in crash back-off, and killed while nobody watched": {
			versions{is(5, objects.Exited(3, 5)), is(40, objects.Terminating(10, 30), objects.Finished(137, 39), objects.Late()), is(40)}, "grace_exceeded 30s",
		},
		"ended before the request while nobody watched": {versions{is(40, objects.Terminating(10, 60), objects.Exited(3, 5), objects.Late()), is(41)}, "not_running 31s"},
		"nobody watched, and nobody saw the end": {
			versions{is(40, objects.Terminating(10, 60), objects.ExitedBecause("Unknown", 255, 5), objects.Late()), is(41)}, "unknown 31s",
		},
		"never bound": {versions{is(5, objects.Unbound()), asked(10, 0)}, "not_running 0s"},
		"never started, and reported as 137 without an end": {
			versions{is(5, objects.Starting(5)), asked(10, 30), finished(12, 137, objects.ExitedBecause("ContainerStatusUnknown", 137, 12), withoutEnd)}, "not_running 2s",
		},
		"137 ContainerStatusUnknown: the end of one that ran, and was unseen": {
			versions{asked(10, 30), finished(12, 0, objects.ExitedBecause("ContainerStatusUnknown", 137, 12), withoutEnd)}, "unknown 2s",
		},
		"an end without a time, which was seen":                   {versions{asked(10, 30), finished(12, 137, withoutEnd)}, "grace_exceeded 2s"},
		"an end that says that it is older than the request":      {versions{asked(10, 30), is(12, objects.Finished(137, 9))}, "grace_exceeded 2s"},
		"a pod that never ran, of which only the removal is seen": {versions{first(20, objects.WithoutConditions(), objects.Finished(0, 20), withoutStatus, objects.Terminating(20, 0))}, "not_running"},
		"a pod of which nobody knows whether it ran":              {versions{first(20, objects.Terminating(10, 30), objects.ExitedBecause("ContainerStatusUnknown", 137, 12), withoutEnd)}, "unknown 0s"},
		"an end of which only half is known": {
			versions{is(5, second), asked(10, 30), finished(14, 0, objects.ExitedBecause("Unknown", 255, 14), ended(0, "Completed", 14))}, "unknown 4s",
		},
		"a status that went with the pod":                             {versions{asked(10, 30), is(12, withoutStatus)}, "unknown 2s"},
		"a kubelet that removes at once and reports nothing":          {versions{asked(10, 30), asked(10, 0)}, "unknown 0s"},
		"only the end was seen: what ran at the request is not known": {versions{finished(20, 0, objects.Terminating(20, 0))}, "unknown"},
		"nothing but the end was seen":                                {versions{first(20, objects.Finished(0, 20), objects.Terminating(20, 0))}, "unknown"},
		"a pod that had failed long since is seen for the first time": {versions{first(20, objects.Finished(1, 5), objects.Terminating(10, 0))}, "not_running"},
		"a pod that had failed just so is seen for the first time":    {versions{first(20, objects.Finished(1, 19), objects.Terminating(20, 0))}, "unknown"},
		"a pod that is terminating when it is adopted":                {versions{asked(10, 30, objects.Orphaned()), is(12, objects.OwnedBy(objects.DaemonSet("agent"))), finished(14, 0)}, "graceful 4s"},
		"a pod that runs is seen for the first time":                  {versions{first(13, objects.Terminating(10, 30), objects.Late()), finished(14, 0)}, "graceful 4s"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, times := range []int{1, 2} {
				p := newTerminating()
				at := 0.0
				for _, version := range test.versions {
					for range times {
						p.see(version)
					}
					at = version.at
				}
				check.Equal(t, p.end(at, slim.FromPod(p.pod)), test.want, "each version", times, "times")
			}
		})
	}
	t.Run("names", func(t *testing.T) {
		want := []string{"forced", "node_lost", "not_running", "oom_killed", "grace_exceeded", "graceful", "unknown"}
		check.Equal(t, label(rescheduling.Outcomes), want)
	})
}

// A removal that was missed tells nothing of the end.
func TestOutcomeMissed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		versions versions
		want     string
	}{
		"nobody saw it asked to end":                   {nil, "unknown"},
		"nobody saw it bound, either":                  {versions{is(5, objects.Unbound())}, "not_running"},
		"the relist comes long after the grace period": {versions{asked(10, 30)}, "unknown"},
		"its containers had ended":                     {versions{asked(10, 30), finished(14, 0)}, "graceful"},
		"it had ended":                                 {versions{finished(5, 1)}, "not_running"},
		"its node was lost":                            {versions{asked(10, 30), nodeIs(12, lost)}, "node_lost"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newTerminating()
			for _, version := range test.versions {
				p.see(version)
			}
			missed := slim.MissedPod(slim.FromPod(p.pod))
			got := rescheduling.UnobservedOutcome(missed).String()
			if p.Termination != nil {
				got = p.end(300, missed)
			}
			check.Equal(t, got, test.want)
		})
	}
}
