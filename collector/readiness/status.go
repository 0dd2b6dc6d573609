package readiness

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Status is the value of a node's Ready condition, with whether it was ever Ready.
type Status uint8

// The statuses of a node. Statuses is their number.
const (
	// StatusReady is Ready=True.
	StatusReady Status = iota
	// StatusNotReady is Ready=False, or a Ready condition that has gone.
	StatusNotReady
	// StatusUnreachable is Ready=Unknown: the kubelet stopped posting.
	StatusUnreachable
	// StatusNeverReady is a node that has not been Ready since it was created.
	StatusNeverReady
	Statuses
)

var statusNames = [Statuses]string{"ready", "not_ready", "unreachable", "never_ready"}

// String returns the value of the label status.
func (s Status) String() string { return statusNames[s] }

// statusOf returns the status of a node now, given whether it was ever Ready.
func statusOf(node *slim.Node, wasReady bool) Status {
	switch {
	case node.Ready.Status == slim.ConditionTrue:
		return StatusReady
	case !wasReady:
		return StatusNeverReady
	case node.Ready.Status == slim.ConditionUnknown:
		return StatusUnreachable
	default:
		return StatusNotReady
	}
}

// sinceCreation is how soon after its creation a node must be seen for the
// watch to know its whole life.
const sinceCreation = 10 * time.Second

// wasReady reports whether a node that is seen for the first time has been Ready
// before. A node that is seen as it is created has not. An older one, or one that
// is found, has, unless its Ready condition says otherwise: there is none, no kubelet
// ever posted, or it has stood still since the creation (give or take the second that
// the kubelet's clock and the API server's may lie apart).
func wasReady(node *slim.Node, found bool, now time.Time) bool {
	if node.Ready.Status == slim.ConditionTrue {
		return true
	}
	age := now.Sub(node.CreationTimestamp.Time())
	if !found && !node.CreationTimestamp.IsZero() && age < sinceCreation {
		return false
	}
	return node.Ready.Status != slim.ConditionAbsent && !node.NeverUpdated &&
		node.Ready.LastTransitionTime > node.CreationTimestamp.Add(1)
}
