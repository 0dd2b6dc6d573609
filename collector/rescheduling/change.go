package rescheduling

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Event is why a cell was re-evaluated.
type Event uint8

// The events.
const (
	// EventStarted: the exporter began to evaluate; everything may be older.
	EventStarted Event = iota
	EventNodeAdded
	// EventNodeChanged: status, lifecycle, labels or taints.
	EventNodeChanged
	EventNodeDeleted
	EventDaemonSetCreated
	// EventDaemonSetChanged: its spec.
	EventDaemonSetChanged
	EventDaemonSetDeleted
	// EventRevisionChanged: which revision is current became known.
	EventRevisionChanged
	EventPodChanged
	EventTimePassed
)

// Change is one re-evaluation of a cell, whether its state changed or not: a pod
// may have come a step further.
type Change struct {
	Event Event
	// DaemonSet is the cell's, and Revision its current one.
	DaemonSet *slim.DaemonSet
	Revision  rollout.Revision
	Node      Node
	// Pods are the pods of the cell. They are valid during the call.
	Pods []*slim.Pod
	// Removed is the pod that is gone with this event, in its last version, or nil.
	Removed *slim.Pod
	// Expected reports whether the cell is expected now, WasExpected whether it was
	// before.
	Expected, WasExpected bool
	// Reason is why the cell is not covered now, Was why it was not before.
	Reason, Was coverage.Reason
	// HeldBack reports whether the controller makes no pod now because of a condition
	// taint that does more than repeat the node's Ready condition; WasHeldBack whether
	// that was so before.
	HeldBack, WasHeldBack bool
	// ChangedAt is when the cell came to its present state.
	ChangedAt time.Time
}

// late reports whether what a pod shows may be older than the change: the exporter has
// just begun to look, or nobody watched when it came about.
func (c *Change) late(pod *slim.Pod) bool { return c.Event == EventStarted || pod.Late }

// Node is what a rescheduling needs to know of its node.
type Node struct {
	// Ready reports whether the node is Ready, Joining whether it is new.
	Ready, Joining bool
	CreatedAt      time.Time
	// StatusSince is when the node turned Ready, or ceased to be.
	StatusSince time.Time
}
