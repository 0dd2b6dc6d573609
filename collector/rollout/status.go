package rollout

import (
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Counts are the counts of a DaemonSet's .status, in nodes, as the DaemonSet
// controller's own rules give them on the objects that we see.
type Counts struct {
	Desired, Current, Ready, Available, Updated, Misscheduled int32
}

// Node is what one node adds to those counts, and to what a rolling update counts
// as unavailable.
type Node struct {
	Desired, Current, Ready, Available, Updated, Misscheduled bool
	// Unavailable reports whether the node spends the budget of a rolling update.
	Unavailable bool
}

// Count follows updateDaemonSetStatus and rollingUpdate of pkg/controller/daemon
// (v1.37) for one node. run is the controller's verdict: whether a pod should be
// there. Pods that have ended and are terminating do not count; of several pods
// the oldest bound one does.
func Count(ds *slim.DaemonSet, current Revision, run bool, pods []*slim.Pod, now time.Time) Node {
	oldest := oldestCounted(pods)
	scheduled := oldest != nil
	node := Node{
		Desired:      run,
		Current:      run && scheduled,
		Misscheduled: !run && scheduled,
		Unavailable:  (run || scheduled) && ds.RollingUpdate && !surges(ds) && unavailable(ds, pods, now),
	}
	if node.Current {
		node.Ready = oldest.Ready.Status == slim.ConditionTrue
		node.Available = oldest.CountsAsAvailable(ds.MinReadySeconds, now)
		node.Updated = current.CountsAsUpdated(oldest)
	}
	return node
}

func oldestCounted(pods []*slim.Pod) (oldest *slim.Pod) {
	for _, pod := range pods {
		if pod.Terminal() && pod.Terminating() {
			continue
		}
		if oldest == nil || byBindingAndAge(pod, oldest) < 0 {
			oldest = pod
		}
	}
	return oldest
}

// Add adds a node to the counts (sign 1) or takes it away (sign -1).
func (c *Counts) Add(node Node, sign int32) {
	for _, count := range [...]struct {
		holds bool
		sum   *int32
	}{
		{node.Desired, &c.Desired},
		{node.Current, &c.Current},
		{node.Ready, &c.Ready},
		{node.Available, &c.Available},
		{node.Updated, &c.Updated},
		{node.Misscheduled, &c.Misscheduled},
	} {
		if count.holds {
			*count.sum += sign
		}
	}
}

// byBindingAndAge is podByCreationTimestampAndPhase: bound pods first, then the
// oldest, then by name.
func byBindingAndAge(a, b *slim.Pod) int {
	switch {
	case a.Bound != b.Bound && a.Bound:
		return -1
	case a.Bound != b.Bound:
		return 1
	case a.CreationTimestamp != b.CreationTimestamp && a.CreationTimestamp < b.CreationTimestamp:
		return -1
	case a.CreationTimestamp != b.CreationTimestamp:
		return 1
	default:
		return strings.Compare(a.Name, b.Name)
	}
}

// Difference is one count of .status and by how much it exceeds what the
// controller's rules give on the same objects.
type Difference struct {
	// Field is the value of the label field.
	Field string
	Nodes int32
}

// Fields returns the values of the label field, in the order of Differences.
func Fields() []string {
	differences := Differences(&slim.DaemonSet{}, Counts{})
	fields := make([]string, len(differences))
	for i := range differences {
		fields[i] = differences[i].Field
	}
	return fields
}

// Differences compares all counts of .status, in a fixed order. The status of a
// DaemonSet that is being deleted is frozen, and compared with nothing.
func Differences(ds *slim.DaemonSet, counts Counts) [7]Difference {
	status := ds.Status
	if !ds.DeletionTimestamp.IsZero() {
		status, counts = slim.DaemonSetStatus{}, Counts{}
	}
	return [7]Difference{
		{"desired", status.DesiredNumberScheduled - counts.Desired},
		{"current", status.CurrentNumberScheduled - counts.Current},
		{"ready", status.NumberReady - counts.Ready},
		{"available", status.NumberAvailable - counts.Available},
		{"unavailable", status.NumberUnavailable - (counts.Desired - counts.Available)},
		{"updated", status.UpdatedNumberScheduled - counts.Updated},
		{"misscheduled", status.NumberMisscheduled - counts.Misscheduled},
	}
}
