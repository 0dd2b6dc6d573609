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
	// downSince is when the last outage began; zero where that was not seen.
	downSince time.Time
	// lifecycleSince is when the lifecycle began, lifecycleStamped reports whether a
	// stamp says so.
	lifecycleSince   time.Time
	lifecycleStamped bool
	// firstReady is when a node that never was Ready became so; zero where
	// that was not seen.
	firstReady time.Time
}

// NewNode returns the state of a node that has not been seen before. Where it is found,
// what began before now is dated by its stamps; else it is seen as it is created.
func NewNode(node *slim.Node, rules *Rules, found bool, now time.Time) *Node {
	n := &Node{object: node, wasReady: wasReady(node, found, now)}
	n.status = statusOf(node, n.wasReady)
	n.failure, n.silent = n.status, n.status == StatusUnreachable
	stamp := node.Ready.LastTransitionTime
	if n.status == StatusNeverReady || stamp.IsZero() {
		stamp = node.CreationTimestamp
	}
	n.since = Begun(now, stamp.Time())
	if n.status == StatusReady && !found {
		n.since = now
	}
	n.updateLifecycle(rules, now)
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

// Update replaces the version of the node and returns the change of its status.
func (n *Node) Update(node *slim.Node, rules *Rules, now time.Time) Transition {
	n.object = node
	transition := Transition{From: n.status, At: now, Failure: n.failure}
	n.wasReady = n.wasReady || node.Ready.Status == slim.ConditionTrue
	n.status = statusOf(node, n.wasReady)
	transition.To = n.status
	transition.Silenced = n.status == StatusUnreachable && !n.silent
	n.silent = n.status != StatusReady && (n.silent || n.status == StatusUnreachable)
	if (transition.From == StatusReady) != (transition.To == StatusReady) {
		at := Date(now, n.since, node.Ready.LastTransitionTime.Time(), node.Late)
		transition.At, transition.Outage = at, at.Sub(n.since)
		if transition.To == StatusReady {
			n.downSince = n.since
		}
		n.since, n.failure = at, transition.To
		if transition.From == StatusNeverReady {
			n.firstReady = at
		}
	}
	n.updateLifecycle(rules, now)
	return transition
}

// Replace replaces the version of the node by one that is the Same.
func (n *Node) Replace(node *slim.Node) { n.object = node }

// Tick re-evaluates the lifecycle after time has passed: a joining node may become
// active.
func (n *Node) Tick(rules *Rules, now time.Time) { n.updateLifecycle(rules, now) }

// JoinedAt returns when the node stops being joining, if nothing else happens to it.
func (n *Node) JoinedAt(rules *Rules) time.Time {
	created := n.object.CreationTimestamp.Time()
	joined := created.Add(rules.JoinGrace)
	if at := n.firstReady.Add(rules.JoinGrace); at.After(joined) && !n.firstReady.IsZero() {
		joined = at
	}
	if at := created.Add(rules.StartupGrace); at.After(joined) && rules.starting(n.object) {
		joined = at
	}
	return joined
}

// updateLifecycle brings the lifecycle up to date. What its stamps do not date began
// when it was seen.
func (n *Node) updateLifecycle(rules *Rules, now time.Time) {
	before := n.lifecycle
	stamp, leaving := rules.leaving(n.object)
	switch {
	case leaving:
		n.lifecycle = LifecycleLeaving
	case n.object.Unschedulable:
		n.lifecycle, stamp = LifecycleCordoned, cordonedSince(n.object)
	case now.Before(n.JoinedAt(rules)):
		n.lifecycle = LifecycleJoining
	default:
		n.lifecycle = LifecycleActive
	}
	if n.lifecycle != before || n.lifecycleSince.IsZero() {
		n.lifecycleSince, n.lifecycleStamped = now, false
	}
	if at := stamp.Time(); !n.lifecycleStamped && !stamp.IsZero() {
		n.lifecycleStamped = true
		if !at.After(now) {
			n.lifecycleSince = at
		}
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

// DownSince returns when the last outage that is over began, zero where that was not
// seen.
func (n *Node) DownSince() time.Time { return n.downSince }

// LifecycleSince returns since when the node has been cordoned or leaving: what the
// stamps of its taint, condition or deletion say, else when that was seen. For other
// lifecycles it means nothing.
func (n *Node) LifecycleSince() time.Time { return n.lifecycleSince }
