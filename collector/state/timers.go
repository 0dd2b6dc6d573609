package state

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
)

// timed is implemented by what can change by the passing of time alone. Each has at
// most one timer.
type timed interface {
	due(c *Cluster, now time.Time)
}

// Advance makes the changes that are due by now.
func (c *Cluster) Advance(now time.Time) {
	if !c.started {
		return
	}
	for target, ok := c.timers.PopDue(now); ok; target, ok = c.timers.PopDue(now) {
		target.due(c, now)
	}
}

// NextWake returns when Advance must be called, if nothing else happens; the zero
// time for never.
func (c *Cluster) NextWake() time.Time { return c.timers.Next() }

// setTimer makes a target due at a time, or never if that is the zero time.
func (c *Cluster) setTimer(target timed, at time.Time) {
	if at.IsZero() {
		c.timers.Remove(target)
		return
	}
	c.timers.Set(target, at)
}

// due re-evaluates a cell whose minReadySeconds are over.
func (cl *cell) due(c *Cluster, now time.Time) {
	c.updateCell(cl.ds, cl.node, event{kind: rescheduling.EventTimePassed}, now, nil)
}

// due re-evaluates a node whose join grace or startup grace is over.
func (n *node) due(c *Cluster, now time.Time) {
	c.updateNode(n, event{kind: rescheduling.EventTimePassed}, now, func() (moved bool) {
		n.state.Tick(&c.rules, now)
		return false
	})
}

// due counts a termination as overdue.
func (t *termination) due(c *Cluster, now time.Time) { c.updateTermination(t, now) }

// setNodeTimer sets the timer for the end of a node's join grace or startup grace.
func (c *Cluster) setNodeTimer(n *node, now time.Time) {
	if joined := n.state.JoinedAt(&c.rules); joined.After(now) {
		c.setTimer(n, joined)
	} else {
		c.timers.Remove(n)
	}
}
