package rescheduling_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func TestRestarts(t *testing.T) {
	t.Parallel()
	type restarts = map[slim.TerminationReason]int32
	running := []objects.Option{}
	untaken := []objects.Option{objects.Change(func(p *corev1.Pod) { p.Status = corev1.PodStatus{} })}
	withoutStatus := objects.Change(func(p *corev1.Pod) { p.Status.ContainerStatuses = nil })
	reversed := objects.Change(func(p *corev1.Pod) {
		statuses := p.Status.ContainerStatuses
		p.Status.ContainerStatuses = []corev1.ContainerStatus{statuses[1], statuses[0]}
	})
	second := objects.Change(func(p *corev1.Pod) {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{Name: "second", RestartCount: 7, LastTerminationState: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137},
		}})
	})
	for name, test := range map[string]struct {
		before, now []objects.Option
		want        restarts
	}{
		"none":                          {running, []objects.Option{objects.Started(10)}, restarts{}},
		"one, by how the run ended":     {running, []objects.Option{objects.Restarted(1, 3, "Error", 10)}, restarts{slim.TerminationError: 1}},
		"out of memory":                 {running, []objects.Option{objects.Restarted(1, 137, "OOMKilled", 10)}, restarts{slim.TerminationOOMKilled: 1}},
		"of its own will":               {running, []objects.Option{objects.Restarted(1, 0, "Completed", 10)}, restarts{slim.TerminationCompleted: 1}},
		"after a power cut":             {running, []objects.Option{objects.Restarted(1, 255, "Unknown", 10)}, restarts{slim.TerminationUnknown: 1}},
		"several count under the last":  {running, []objects.Option{objects.Restarted(2, 1, "Error", 10), objects.Restarted(1, 137, "OOMKilled", 10)}, restarts{slim.TerminationOOMKilled: 3}},
		"only those since then":         {[]objects.Option{objects.RestartCount(4)}, []objects.Option{objects.Restarted(1, 1, "Error", 10)}, restarts{slim.TerminationError: 1}},
		"a count that goes back":        {[]objects.Option{objects.RestartCount(4)}, []objects.Option{objects.RestartCount(2)}, restarts{}},
		"before its kubelet took it: 0": {untaken, []objects.Option{objects.StartTime(5), objects.Restarted(2, 1, "Error", 10)}, restarts{slim.TerminationError: 2}},
		"a container that was not reported before": {
			[]objects.Option{withoutStatus}, []objects.Option{objects.Ready(5), objects.Restarted(2, 1, "Error", 10)}, restarts{},
		},
		"each container has its own": {[]objects.Option{second}, []objects.Option{
			objects.Restarted(1, 1, "Error", 10), objects.Change(func(p *corev1.Pod) { p.Status.ContainerStatuses[1].RestartCount += 2 }),
		}, restarts{slim.TerminationError: 1, slim.TerminationOOMKilled: 2}},
		"containers may change their places": {[]objects.Option{second}, []objects.Option{objects.Restarted(1, 1, "Error", 10), reversed}, restarts{slim.TerminationError: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			before := objects.PodOf("agent", "a", test.before...)
			pod := objects.Updated(before, test.now...)
			got := restarts{}
			for reason, times := range rescheduling.Restarts(slim.FromPod(before), slim.FromPod(pod)) {
				got[reason] += times
			}
			check.Equal(t, got, test.want)
			check.Equal(t, firstOf(before, pod), min(1, len(test.want)), "a loop that breaks")
		})
	}
}

// firstOf counts what a loop gets that breaks at the first.
func firstOf(before, pod *corev1.Pod) (count int) {
	for range rescheduling.Restarts(slim.FromPod(before), slim.FromPod(pod)) {
		count++
		break
	}
	return count
}
