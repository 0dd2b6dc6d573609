package coverage

import "time"

// Due judges a cell anew whose minReadySeconds are over (schedule.Target).
func (c *cell) Due(now time.Time) {
	c.wake = 0
	if c.set.cells[c.node.slot] != c {
		return
	}
	l := c.set.ledger
	c.set.tally(c.node, -1)
	l.settle(c.set, c.node, occasion{event: EventTimePassed}, now)
	c.set.tally(c.node, 1)
	l.noteStartup(c.node, now)
}

// Due ends a node's join grace (schedule.Target).
func (n *node) Due(now time.Time) {
	if n.state == nil {
		return
	}
	n.ledger.changeNode(n, occasion{event: EventTimePassed}, now, func() (moved bool) {
		n.state.Tick(&n.ledger.rules, now)
		return false
	})
}

func (l *Ledger) wakeNode(n *node, now time.Time) {
	if joined := n.state.JoinedAt(&l.rules); joined.After(now) {
		l.queue.Push(joined, n)
	}
}
