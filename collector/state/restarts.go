package state

import (
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// cellKey names a cell that may not be there.
type cellKey struct {
	daemonSet slim.UID
	node      slim.Text
}

// podRestarts is how often the containers of a cell's pod were started again.
type podRestarts struct {
	pod   slim.UID
	times int32
}

// recordRestarts records the restarts between two versions of a pod, and counts them
// until it is gone.
func (c *Cluster) recordRestarts(before, pod *slim.Pod) {
	ds := c.daemonSetObject(pod.Owner)
	if ds == nil {
		return
	}
	for reason, times := range rescheduling.Restarts(before, pod) {
		c.recorder.ContainersRestarted(ds, reason, times)
		c.countRestarts(pod, times)
	}
}

func (c *Cluster) countRestarts(pod *slim.Pod, times int32) {
	key := cellKey{pod.Owner, pod.NodeName}
	counted := c.restarts[key]
	if counted == nil || counted.pod != pod.UID {
		counted = &podRestarts{pod: pod.UID}
		c.restarts[key] = counted
	}
	counted.times += times
}

// forgetRestarts drops what was counted of a pod that is gone.
func (c *Cluster) forgetRestarts(pod *slim.Pod) {
	key := cellKey{pod.Owner, pod.NodeName}
	if counted := c.restarts[key]; counted != nil && counted.pod == pod.UID {
		delete(c.restarts, key)
	}
}
