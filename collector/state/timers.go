package state

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
)

// timed is implemented by what can change by the passing of time alone. Each has at
// most one timer. due returns how many cells or terminations were evaluated.
type timed interface {
	due(c *Cluster, now time.Time) (evaluated int)
}

// maxEvaluated bounds what Advance does at once: a quarter of a millisecond. Time comes
// for many at once when a fleet is scaled up, or terminates, in one go.
const maxEvaluated = 256

// Advance makes changes that are due by now, in their order. Where many are due it makes
// only the first of them, and NextWake stays in the past.
func (c *Cluster) Advance(now time.Time) {
	if !c.started {
		return
	}
	for evaluated := 0; evaluated < maxEvaluated; {
		target, ok := c.timers.PopDue(now)
		if !ok {
			return
		}
		evaluated += target.due(c, now)
	}
}

// NextWake returns when Advance must be called, if nothing else happens; the zero
// time for never, and a time in the past for at once.
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
func (cl *cell) due(c *Cluster, now time.Time) (evaluated int) {
	c.updateCell(cl.ds, cl.node, event{kind: rescheduling.EventTimePassed}, now, nil)
	return 1
}

// due re-evaluates a node whose join grace or startup grace is over.
func (n *node) due(c *Cluster, now time.Time) (evaluated int) {
	c.updateNode(n, event{kind: rescheduling.EventTimePassed}, now, func() (moved bool) {
		n.state.Tick(&c.rules, now)
		return false
	})
	return max(1, len(c.daemonSets))
}

// due counts a termination as overdue.
func (t *termination) due(c *Cluster, now time.Time) (evaluated int) {
	c.updateTermination(t, now)
	return 1
}

// setNodeTimer sets the timer for the end of a node's join grace or startup grace.
func (c *Cluster) setNodeTimer(n *node, now time.Time) {
	if joined := n.state.JoinedAt(&c.rules); joined.After(now) {
		c.setTimer(n, joined)
	} else {
		c.timers.Remove(n)
	}
}
