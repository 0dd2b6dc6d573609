package rescheduling

import "github.com/daemonset-exporter/daemonset_exporter/informers/slim"

// countRestarts records the restarts between two versions of one pod. Several
// between two versions leave only the last one's ending in the object: all
// count under it.
func (t *Terminations) countRestarts(before, pod *slim.Pod) {
	for i := range pod.Containers {
		c := &pod.Containers[i]
		times := c.RestartCount - restartsBefore(before, c, i)
		if times <= 0 {
			continue
		}
		if ds := t.cluster.DaemonSet(pod.Owner); ds != nil {
			t.recorder.Restarted(ds, c.LastTermination.Reason, times)
		}
	}
}

// restartsBefore is how often a container had been restarted in an earlier
// version of its pod. Before the kubelet took the pod that was never; if the
// version should know it and does not, nothing can be said, and nothing is
// counted.
func restartsBefore(before *slim.Pod, c *slim.Container, place int) int32 {
	if earlier := containerNamed(before, c, place); earlier != nil {
		return earlier.RestartCount
	}
	if before.StartTime.IsZero() {
		return 0
	}
	return c.RestartCount
}

// containerNamed finds the same container in an earlier version, nearly always
// in the same place.
func containerNamed(pod *slim.Pod, c *slim.Container, place int) *slim.Container {
	if place < len(pod.Containers) && same(&pod.Containers[place], c) {
		return &pod.Containers[place]
	}
	for i := range pod.Containers {
		if same(&pod.Containers[i], c) {
			return &pod.Containers[i]
		}
	}
	return nil
}

func same(a, b *slim.Container) bool { return a.Name == b.Name && a.Init == b.Init }
