package state

import (
	"maps"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// updateNode makes a change to one node and brings its cells up to date. change
// reports whether placement must be decided anew.
func (c *Cluster) updateNode(n *node, why event, now time.Time, change func() (moved bool)) {
	c.tallyGroup(n, -1)
	for _, ds := range c.daemonSets {
		ds.tally(n, -1)
	}
	moved := change()
	var view coverage.View
	if moved {
		view.Show(n.state.Object())
	}
	for _, ds := range c.daemonSets {
		if moved && ds.object != nil {
			ds.decisions[n.slot] = ds.placement.Decide(&view)
		}
		c.evaluate(ds, n, why, now)
		ds.tally(n, 1)
	}
	maps.DeleteFunc(c.daemonSets, func(_ slim.UID, ds *daemonSet) bool { return ds.unused() })
	c.tallyGroup(n, 1)
	c.noteTrouble(n)
	c.recordStartup(n, now)
}

// updateDaemonSet brings all cells of one DaemonSet up to date. decide says that its
// placement must be parsed and decided anew.
func (c *Cluster) updateDaemonSet(ds *daemonSet, decide bool, why event, now time.Time) {
	ds.totals = Totals{}
	if ds.object != nil {
		ds.current = rollout.Current(ds.object, ds.revisions)
		if decide {
			ds.placement = coverage.NewPlacement(&ds.object.Template)
		}
	}
	var view coverage.View
	for _, n := range c.slots {
		if n == nil {
			continue
		}
		if decide && ds.object != nil && n.state != nil {
			view.Show(n.state.Object())
			ds.decisions[n.slot] = ds.placement.Decide(&view)
		}
		c.evaluate(ds, n, why, now)
		ds.tally(n, 1)
		c.removeNodeIfUnused(n)
		c.recordStartup(n, now)
	}
}

// updateRevision brings all cells of a DaemonSet up to date if another revision has
// become the current one.
func (c *Cluster) updateRevision(ds *daemonSet, now time.Time) {
	if ds.object == nil || rollout.Current(ds.object, ds.revisions) == ds.current {
		return
	}
	c.updateDaemonSet(ds, false, event{kind: rescheduling.EventRevisionChanged, born: unixNanoOf(now)}, now)
}

// updateCell makes a change to the pods of one cell, nil for none, and brings it up
// to date, and all of its DaemonSet's where the change says which revision is
// current.
func (c *Cluster) updateCell(ds *daemonSet, n *node, why event, now time.Time, change func(*cell)) {
	cl := ds.cells[n.slot]
	if cl == nil {
		born := unixNanoOf(now)
		if !c.started {
			born = 0 // it began before the exporter looked
		}
		cl = c.addCell(ds, n, born)
	}
	if c.started {
		ds.tally(n, -1)
		if change != nil {
			change(cl)
		}
		c.evaluate(ds, n, why, now)
		ds.tally(n, 1)
		c.updateRevision(ds, now)
		c.recordStartup(n, now)
	} else {
		change(cl)
		c.removeCellIfUnused(cl)
	}
	c.removeNodeIfUnused(n)
	c.removeDaemonSetIfUnused(ds)
}

// evaluate re-evaluates one cell. It adds a cell where one is expected and removes
// one that is neither expected nor occupied. The cell must not be in the tally.
func (c *Cluster) evaluate(ds *daemonSet, n *node, why event, now time.Time) {
	cl := ds.cells[n.slot]
	if cl == nil {
		if ds.object == nil || n.state == nil || ds.decisions[n.slot].Exclusion != coverage.NotExcluded {
			return
		}
		cl = c.addCell(ds, n, why.born)
	}
	c.pods = cl.appendPods(c.pods[:0])
	before := cl.state
	next, wake := cl.evaluate(c.pods, now)
	if next.expected && !before.expected {
		cl.changed = why.born // whatever its pods went through before, nothing was expected of them
	}
	c.apply(cl, next, why, now)
	c.setTimer(cl, wake)
	c.stepRescheduling(cl, before, why, now)
	c.removeCellIfUnused(cl)
}

// apply takes a cell from one state to the next and dates the change.
func (c *Cluster) apply(cl *cell, next cellState, why event, now time.Time) {
	before := cl.state
	cl.state = next
	if before.expected == next.expected && before.reason == next.reason {
		return
	}
	at := unixNanoOf(cl.date(c.pods, why, now))
	switch {
	case !before.gap() && next.gap():
		cl.opened, cl.first = at, next.reason
		cl.index = int32(len(c.gaps))
		c.gaps = append(c.gaps, cl)
		cl.node.gaps++
	case before.gap() && !next.gap():
		if cl.ds.object != nil {
			c.recorder.GapClosed(cl.ds.object, cl.first.Cause(), at.time().Sub(cl.opened.time()))
		}
		c.closeGap(cl)
	}
	cl.changed = at
	c.noteTrouble(cl.node)
}

// closeGap takes a cell out of the list of open gaps.
func (c *Cluster) closeGap(cl *cell) {
	last := c.gaps[len(c.gaps)-1]
	c.gaps[cl.index], last.index = last, cl.index
	c.gaps[len(c.gaps)-1] = nil
	c.gaps = c.gaps[:len(c.gaps)-1]
	cl.index, cl.opened = -1, 0
	cl.node.gaps--
}

func (c *Cluster) addCell(ds *daemonSet, n *node, born unixNano) *cell {
	cl := &cell{ds: ds, node: n, index: -1, changed: born}
	ds.cells[n.slot] = cl
	n.cells++
	return cl
}

// removeCellIfUnused drops a cell that is neither expected nor occupied.
func (c *Cluster) removeCellIfUnused(cl *cell) {
	if cl.state.expected || cl.pod != nil {
		return
	}
	c.timers.Remove(cl)
	delete(cl.ds.cells, cl.node.slot)
	cl.node.cells--
}

// noteTrouble keeps the list of nodes that are not ready or have gaps.
func (c *Cluster) noteTrouble(n *node) {
	if n.state != nil && (n.state.Status() != readiness.StatusReady || n.gaps > 0) {
		c.troubled[n] = struct{}{}
	} else {
		delete(c.troubled, n)
	}
}
