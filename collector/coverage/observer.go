package coverage

import (
	"iter"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Observer is told what happens over time, as it happens. It must not call back
// into the ledger's events.
type Observer interface {
	// CellSettled comes after every judgement of a cell, whether the verdict
	// changed or not: a pod may have come a step further.
	CellSettled(change *Change, now time.Time)
	// GapClosed comes when an episode ends: the cell is covered, is no longer
	// expected, or has lost its node. It does not come for a DaemonSet that has
	// gone.
	GapClosed(ds *slim.DaemonSet, first Cause, duration time.Duration)
	// NodeTurned comes when a node ceases to be Ready or becomes it again, and
	// when one way of not being Ready turns into another.
	NodeTurned(node *slim.Node, labels NodeLabels, turn readiness.Transition)
	// NodeReady comes when a node is Ready for the first time, with the time
	// since its creation.
	NodeReady(startup time.Duration)
	// NodeCovered comes when all expected DaemonSets cover a node for the first
	// time, with the time since its creation.
	NodeCovered(startup time.Duration)
	// NodeDeleted comes when a Node object is gone.
	NodeDeleted(node *slim.Node)
	// DaemonSetDeleted comes when a DaemonSet object is gone.
	DaemonSetDeleted(ds *slim.DaemonSet)
}

// Event is what made the ledger judge a cell.
type Event uint8

// The events.
const (
	// Started: the ledger began to judge; everything may be older.
	EventStarted Event = iota
	EventNodeAdded
	// NodeChanged: status, lifecycle, labels or taints.
	EventNodeChanged
	EventNodeDeleted
	EventDaemonSetCreated
	// DaemonSetChanged: its spec.
	EventDaemonSetChanged
	EventDaemonSetDeleted
	// RevisionChanged: which revision is current became known.
	EventRevisionChanged
	EventPodChanged
	EventTimePassed
)

// occasion is an event with what it brings along.
type occasion struct {
	event Event
	// born dates cells that the event makes: before it, nothing was expected of
	// them. Zero for cells that are older than the exporter.
	born moment
	// changed is the pod that is new or has changed; removed is the pod that is
	// gone, in its last version.
	changed, removed *slim.Pod
}

// Key names a cell.
type Key struct {
	DaemonSet slim.UID
	Node      slim.Text
}

// Change is a cell that has just been judged. It is valid during the call.
type Change struct {
	cell     *cell
	before   cellState
	occasion occasion
}

// Key names the cell.
func (c *Change) Key() Key { return Key{c.cell.set.uid, c.cell.node.name} }

// DaemonSet is the cell's; nil if it is gone.
func (c *Change) DaemonSet() *slim.DaemonSet { return c.cell.set.object }

// Node is the cell's; nil if it is gone.
func (c *Change) Node() *readiness.Node { return c.cell.node.state }

// Event is what made the ledger judge.
func (c *Change) Event() Event { return c.occasion.event }

// Removed is the pod that is gone with this event, in its last version, or nil.
func (c *Change) Removed() *slim.Pod { return c.occasion.removed }

// Pods yields the pods of the cell.
func (c *Change) Pods() iter.Seq[*slim.Pod] { return c.cell.pods() }

// Expected tells whether the cell is expected now, WasExpected whether it was.
func (c *Change) Expected() bool { return c.cell.state.expected }

// WasExpected tells whether the cell was expected before.
func (c *Change) WasExpected() bool { return c.before.expected }

// Reason is why the cell is not covered now; Covered if it is or need not be.
func (c *Change) Reason() Reason { return c.cell.state.reason }

// Was is why the cell was not covered before.
func (c *Change) Was() Reason { return c.before.reason }

// ChangedAt is the date of the cell's present verdict.
func (c *Change) ChangedAt() time.Time { return c.cell.changed.time() }

// Updated tells whether a pod of the cell is of the current revision.
func (c *Change) Updated(pod *slim.Pod) bool { return c.cell.set.updated(pod) }

// noteTurn tells the observer that a node turned.
func (l *Ledger) noteTurn(n *node, turn readiness.Transition) {
	if turn.From == turn.To {
		return
	}
	l.observer.NodeTurned(n.state.Record(), n.labels, turn)
	if turn.From == readiness.StatusNeverReady && turn.To == readiness.StatusReady {
		l.observer.NodeReady(turn.At.Sub(n.state.Record().CreationTimestamp.Time()))
	}
}

// noteStartup tells the observer when a node that was starting is covered.
func (l *Ledger) noteStartup(n *node, now time.Time) {
	if !n.starting || n.gaps > 0 || n.state == nil || n.state.Status() != readiness.StatusReady {
		return
	}
	n.starting = false
	l.observer.NodeCovered(now.Sub(n.state.Record().CreationTimestamp.Time()))
}

// nobody observes nothing.
type nobody struct{}

func (nobody) CellSettled(*Change, time.Time)                          {}
func (nobody) GapClosed(*slim.DaemonSet, Cause, time.Duration)         {}
func (nobody) NodeTurned(*slim.Node, NodeLabels, readiness.Transition) {}
func (nobody) NodeReady(time.Duration)                                 {}
func (nobody) NodeCovered(time.Duration)                               {}
func (nobody) NodeDeleted(*slim.Node)                                  {}
func (nobody) DaemonSetDeleted(*slim.DaemonSet)                        {}
