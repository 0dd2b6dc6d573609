package state

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// reschedulings are those that are open. An entry ends with the rescheduling, or
// with its cell, which is not expected any more by then.
type reschedulings struct {
	open    map[*cell]*rescheduling.Rescheduling
	pending map[pendingKey]int
}

// pendingKey is what pending reschedulings are counted by.
type pendingKey struct {
	daemonSet slim.UID
	trigger   rescheduling.Trigger
}

// stepRescheduling updates the cell's rescheduling after the cell was re-evaluated.
func (c *Cluster) stepRescheduling(cl *cell, before cellState, why event, now time.Time) {
	open := c.reschedulings.open[cl]
	if open == nil && !cl.state.gap() {
		return
	}
	c.reschedulings.count(cl, open, -1)
	change := cl.change(c.pods, before, why)
	next, result, finished := rescheduling.Step(open, &change, now)
	if finished {
		c.recorder.Rescheduled(cl.ds.object, &result)
	}
	c.reschedulings.count(cl, next, 1)
	switch {
	case next == nil && open != nil:
		delete(c.reschedulings.open, cl)
	case next != open:
		c.reschedulings.open[cl] = next
	}
}

// change returns the cell's re-evaluation as package rescheduling sees it.
func (cl *cell) change(pods []*slim.Pod, before cellState, why event) rescheduling.Change {
	change := rescheduling.Change{
		Event:       why.kind,
		DaemonSet:   cl.ds.object,
		Revision:    cl.ds.current,
		Pods:        pods,
		Removed:     why.removed,
		Expected:    cl.state.expected,
		WasExpected: before.expected,
		Reason:      cl.state.reason,
		Was:         before.reason,
		HeldBack:    cl.state.heldBack,
		WasHeldBack: before.heldBack,
		ChangedAt:   cl.changed.time(),
	}
	if state := cl.node.state; state != nil {
		change.Node = rescheduling.Node{
			Ready:       state.Status() == readiness.StatusReady,
			Joining:     state.Lifecycle() == readiness.LifecycleJoining,
			CreatedAt:   state.Object().CreationTimestamp.Time(),
			StatusSince: state.Since(),
		}
	}
	return change
}

func (r *reschedulings) count(cl *cell, open *rescheduling.Rescheduling, sign int) {
	if open == nil || !open.Pending() {
		return
	}
	key := pendingKey{cl.ds.uid, open.Trigger()}
	if r.pending[key] += sign; r.pending[key] == 0 {
		delete(r.pending, key)
	}
}
