package readiness

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Node is what one Node object has been through. It lives as long as the
// object: a node that is deleted and created again is a new one.
type Node struct {
	object    *slim.Node
	status    Status
	lifecycle Lifecycle
	wasReady  bool
	// failure is the status in which the node ceased to be Ready.
	failure Status
	// silent reports whether the node has been unreachable since it was Ready.
	silent bool
	// since is when the node turned ready, or when it ceased to be. It stays
	// while the way of not being ready changes.
	since time.Time
	// firstReady is when a node that never was Ready became so; zero where
	// that was not seen.
	firstReady time.Time
}

// NewNode returns the state of a node that has not been seen before. What began
// before now is dated by its stamps.
func NewNode(node *slim.Node, rules *Rules, now time.Time) *Node {
	n := &Node{object: node, wasReady: wasReady(node, now)}
	n.status = statusOf(node, n.wasReady)
	n.failure, n.silent = n.status, n.status == StatusUnreachable
	stamp := node.Ready.LastTransitionTime
	if n.status == StatusNeverReady || stamp.IsZero() {
		stamp = node.CreationTimestamp
	}
	n.since = Begun(now, stamp.Time())
	n.lifecycle = n.lifecycleAt(rules, now)
	return n
}

// Transition is a change of a node's status; From and To are equal where there was
// none.
type Transition struct {
	From, To Status
	// At is when the status changed.
	At time.Time
	// Outage is how long the node was not Ready, when it becomes Ready again,
	// and Failure how that began. Both mean nothing for one that never was.
	Outage  time.Duration
	Failure Status
	// Silenced reports whether the node is unreachable for the first time since it
	// was Ready: its Lease keeps the last sign of life.
	Silenced bool
}

// Update takes the next version of the node and returns the change of its status.
func (n *Node) Update(node *slim.Node, rules *Rules, now time.Time) Transition {
	n.object = node
	transition := Transition{From: n.status, At: now, Failure: n.failure}
	n.wasReady = n.wasReady || node.Ready.Status == slim.ConditionTrue
	n.status = statusOf(node, n.wasReady)
	transition.To = n.status
	transition.Silenced = n.status == StatusUnreachable && !n.silent
	n.silent = n.status != StatusReady && (n.silent || n.status == StatusUnreachable)
	if (transition.From == StatusReady) != (transition.To == StatusReady) {
		at := Date(now, n.since, node.Ready.LastTransitionTime.Time())
		transition.At, transition.Outage = at, at.Sub(n.since)
		n.since, n.failure = at, transition.To
		if transition.From == StatusNeverReady {
			n.firstReady = at
		}
	}
	n.lifecycle = n.lifecycleAt(rules, now)
	return transition
}

// Replace takes a version of the node that is the Same as the present one.
func (n *Node) Replace(node *slim.Node) { n.object = node }

// Tick lets time pass: a joining node may become active.
func (n *Node) Tick(rules *Rules, now time.Time) { n.lifecycle = n.lifecycleAt(rules, now) }

// JoinedAt returns when the node stops being joining, if nothing else happens to it.
func (n *Node) JoinedAt(rules *Rules) time.Time {
	joined := n.object.CreationTimestamp.Time()
	if n.firstReady.After(joined) {
		joined = n.firstReady
	}
	return joined.Add(rules.JoinGrace)
}

func (n *Node) lifecycleAt(rules *Rules, now time.Time) Lifecycle {
	switch {
	case rules.leaving(n.object):
		return LifecycleLeaving
	case n.object.Unschedulable:
		return LifecycleCordoned
	case now.Before(n.JoinedAt(rules)):
		return LifecycleJoining
	default:
		return LifecycleActive
	}
}

// Object returns the present version of the object.
func (n *Node) Object() *slim.Node { return n.object }

// Status returns the node's status.
func (n *Node) Status() Status { return n.status }

// Lifecycle returns the node's lifecycle as of the last event or Tick.
func (n *Node) Lifecycle() Lifecycle { return n.lifecycle }

// Since returns when the node turned ready, or when it ceased to be.
func (n *Node) Since() time.Time { return n.since }
