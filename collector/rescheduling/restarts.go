package rescheduling

import (
	"iter"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Restarts yields the restarts of containers between two versions of one pod, by
// how the run before ended. Several between two versions leave only the last one's
// ending in the object: all count under it.
func Restarts(before, pod *slim.Pod) iter.Seq2[slim.TerminationReason, int32] {
	return func(yield func(slim.TerminationReason, int32) bool) {
		for i := range pod.Containers {
			c := &pod.Containers[i]
			if times := c.RestartCount - restartsBefore(before, c, i); times > 0 && !yield(c.LastTermination.Reason, times) {
				return
			}
		}
	}
}

// restartsBefore returns how often a container had been restarted in an earlier
// version of its pod. Before the kubelet took the pod that was never; if the
// version should know it and does not, nothing can be said, and nothing is
// counted.
func restartsBefore(before *slim.Pod, c *slim.Container, place int) int32 {
	if earlier := before.ContainerLike(c, place); earlier != nil {
		return earlier.RestartCount
	}
	if before.StartTime.IsZero() {
		return 0
	}
	return c.RestartCount
}
