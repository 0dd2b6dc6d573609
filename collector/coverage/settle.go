package coverage

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
)

// changeNode makes a change to one node and brings its cells up to date. change
// tells whether placement must be decided anew.
func (l *Ledger) changeNode(n *node, why occasion, now time.Time, change func() (moved bool)) {
	l.tallyGroup(n, -1)
	for _, set := range l.sets {
		set.tally(n, -1)
	}
	moved := change()
	var view View
	if moved {
		view.Show(n.state.Record())
	}
	for _, set := range l.sets {
		if moved && set.object != nil {
			set.decisions[n.slot] = set.placement.Decide(&view)
		}
		l.settle(set, n, why, now)
		set.tally(n, 1)
		l.release(set, nil)
	}
	l.tallyGroup(n, 1)
	l.noteTrouble(n)
	l.noteStartup(n, now)
}

// recompute brings all cells of one DaemonSet up to date. decide tells whether
// its placement must be parsed and decided anew.
func (l *Ledger) recompute(set *daemonSet, decide bool, why occasion, now time.Time) {
	set.totals = Totals{}
	if set.object != nil {
		set.current = currentRevision(set.object, set.revisions)
		if decide {
			set.placement = NewPlacement(&set.object.Template)
		}
	}
	var view View
	for _, n := range l.slots {
		if n == nil {
			continue
		}
		if decide && set.object != nil && n.state != nil {
			view.Show(n.state.Record())
			set.decisions[n.slot] = set.placement.Decide(&view)
		}
		l.settle(set, n, why, now)
		set.tally(n, 1)
		l.release(nil, n)
		l.noteStartup(n, now)
	}
}

// changeCell makes a change to the pods of one cell and brings it up to date,
// and all of its DaemonSet's where the change tells which revision is current.
func (l *Ledger) changeCell(set *daemonSet, n *node, why occasion, now time.Time, change func(*cell)) {
	c := set.cells[n.slot]
	if c == nil {
		born := momentOf(now)
		if !l.running {
			born = 0 // it began before the exporter looked
		}
		c = l.newCell(set, n, born)
	}
	if !l.running {
		change(c)
		l.discard(c)
		return
	}
	set.tally(n, -1)
	change(c)
	l.settle(set, n, why, now)
	set.tally(n, 1)
	if set.object != nil && currentRevision(set.object, set.revisions) != set.current {
		l.recompute(set, false, occasion{event: EventRevisionChanged, born: momentOf(now)}, now)
	}
	l.noteStartup(n, now)
	l.release(set, n)
}

// settle judges one cell anew. It makes a cell where one is expected and drops
// one that is neither expected nor occupied. The cell must not be tallied.
func (l *Ledger) settle(set *daemonSet, n *node, why occasion, now time.Time) {
	c := set.cells[n.slot]
	if c == nil {
		if set.object == nil || n.state == nil || set.decisions[n.slot].Exclusion != NotExcluded {
			return
		}
		c = l.newCell(set, n, why.born)
	}
	next, wake := c.assess(now)
	before := c.state
	if next.expected && !before.expected {
		c.changed = why.born // whatever its pods went through before, nothing was expected of them
	}
	l.turn(c, next, why, now)
	if at := momentOf(wake); at != 0 && (c.wake == 0 || at < c.wake) {
		c.wake = at
		l.queue.Push(wake, c)
	}
	l.observer.CellSettled(&Change{cell: c, before: before, occasion: why}, now)
	l.discard(c)
}

func (l *Ledger) newCell(set *daemonSet, n *node, born moment) *cell {
	c := &cell{set: set, node: n, index: -1, changed: born}
	set.cells[n.slot] = c
	n.cells++
	return c
}

// discard drops a cell that is neither expected nor occupied.
func (l *Ledger) discard(c *cell) {
	if c.state.expected || c.pod != nil {
		return
	}
	delete(c.set.cells, c.node.slot)
	c.node.cells--
	l.release(c.set, c.node)
}

// turn takes a cell from one verdict to the next and dates the change.
func (l *Ledger) turn(c *cell, next cellState, why occasion, now time.Time) {
	before := c.state
	c.state = next
	if before.expected == next.expected && before.reason == next.reason {
		return
	}
	at := momentOf(c.date(why, now))
	switch {
	case !before.gap() && next.gap():
		c.opened, c.first = at, next.reason
		c.index = int32(len(l.gaps))
		l.gaps = append(l.gaps, c)
		c.node.gaps++
	case before.gap() && !next.gap():
		if c.set.object != nil {
			l.observer.GapClosed(c.set.object, c.first.Cause(), at.time().Sub(c.opened.time()))
		}
		l.closeGap(c)
	}
	c.changed = at
	l.noteTrouble(c.node)
}

// closeGap takes a cell out of the list of open gaps.
func (l *Ledger) closeGap(c *cell) {
	last := l.gaps[len(l.gaps)-1]
	l.gaps[c.index], last.index = last, c.index
	l.gaps[len(l.gaps)-1] = nil
	l.gaps = l.gaps[:len(l.gaps)-1]
	c.index, c.opened = -1, 0
	c.node.gaps--
}

// noteTrouble keeps the list of nodes that are not ready or have gaps.
func (l *Ledger) noteTrouble(n *node) {
	if n.state != nil && (n.state.Status() != readiness.StatusReady || n.gaps > 0) {
		l.troubled[n] = struct{}{}
	} else {
		delete(l.troubled, n)
	}
}

// tallyGroup adds or takes away a node among the nodes of the cluster.
func (l *Ledger) tallyGroup(n *node, sign int) {
	if n.state == nil {
		return
	}
	group := NodeGroup{n.state.Status(), n.state.Lifecycle(), n.labels}
	if l.groups[group] += sign; l.groups[group] == 0 {
		delete(l.groups, group)
	}
}
