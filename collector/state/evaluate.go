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
		ds.tally(n, -1, now)
	}
	moved := change()
	var view coverage.View
	if moved {
		view.Show(n.state.Object(), &c.rules.Taints)
	}
	for _, ds := range c.daemonSets {
		if moved && ds.object != nil {
			c.decide(ds, n, &view, why)
		}
		c.evaluate(ds, n, why, now)
		ds.tally(n, 1, now)
	}
	maps.DeleteFunc(c.daemonSets, func(_ slim.UID, ds *daemonSet) bool { return ds.unused() })
	c.tallyGroup(n, 1)
	c.noteTrouble(n)
	c.recordStartup(n)
}

// updateDaemonSet decides the placement of one DaemonSet anew and brings all its cells up to
// date.
func (c *Cluster) updateDaemonSet(ds *daemonSet, why event, now time.Time) {
	ds.totals = Totals{}
	ds.seconds.restart(now)
	if ds.object != nil {
		ds.undecided = nil
		ds.current = rollout.Current(ds.object, ds.knownHash(), ds.revisions)
		ds.placement = coverage.NewPlacement(&ds.object.Template, c.selectors[ds.object.Namespace])
	}
	var view coverage.View
	for _, n := range c.slots {
		if n == nil {
			continue
		}
		if ds.object != nil && n.state != nil {
			view.Show(n.state.Object(), &c.rules.Taints)
			c.decide(ds, n, &view, why)
		}
		c.evaluate(ds, n, why, now)
		ds.tally(n, 1, now)
		c.removeNodeIfUnused(n)
		if why.kind != rescheduling.EventStarted {
			c.recordStartup(n) // at the start only when all have been evaluated
		}
	}
}

// decide brings the placement of one DaemonSet on the node in view up to date, and
// records a node that is still there and turned from expected to excluded. A node that
// is leaving is no loss.
func (c *Cluster) decide(ds *daemonSet, n *node, view *coverage.View, why event) {
	expected := ds.expects(n)
	ds.decisions[n.slot] = ds.placement.Decide(view)
	exclusion := ds.decisions[n.slot].Exclusion
	changed := why.kind == rescheduling.EventNodeChanged || why.kind == rescheduling.EventDaemonSetChanged
	if changed && expected && exclusion != coverage.NotExcluded && n.state.Lifecycle() != readiness.LifecycleLeaving {
		c.recorder.NodeLost(ds.object, exclusion)
	}
}

// updateRevision brings all cells of a DaemonSet up to date if another revision has
// become the current one.
func (c *Cluster) updateRevision(ds *daemonSet, now time.Time) {
	if ds.object == nil || rollout.Current(ds.object, ds.knownHash(), ds.revisions) == ds.current {
		return
	}
	ds.current = rollout.Current(ds.object, ds.knownHash(), ds.revisions)
	// Only those with pods have a revision.
	for _, cl := range ds.cells {
		if cl.pod != nil {
			ds.tally(cl.node, -1, now)
			c.evaluate(ds, cl.node, event{kind: rescheduling.EventRevisionChanged, born: unixNanoOf(now)}, now)
			ds.tally(cl.node, 1, now)
		}
	}
}

// maxEnded bounds how many cells end at once: as much work as maxEvaluated evaluations,
// since the gap and the rescheduling of a cell end with it.
const maxEnded = 42

// endCells ends some cells of a DaemonSet whose object is gone: the others are due at once.
// What it does is what any other event of theirs would do.
func (c *Cluster) endCells(ds *daemonSet, now time.Time) (evaluated int) {
	for ended := 0; int(ds.ended) < len(c.slots) && ended < c.maxEnded; ds.ended++ {
		n := c.slots[ds.ended]
		if n == nil || ds.cells[n.slot] == nil {
			continue
		}
		c.evaluate(ds, n, event{kind: rescheduling.EventDaemonSetDeleted}, now)
		c.removeNodeIfUnused(n)
		c.recordStartup(n)
		ended++
	}
	if int(ds.ended) < len(c.slots) {
		c.ending[ds] = struct{}{}
		c.timers.Set(ds, now)
	} else {
		delete(c.ending, ds)
		c.timers.Remove(ds)
		c.removeDaemonSetIfUnused(ds)
	}
	return maxEvaluated // so much is all that is done at once
}

// Settle ends the cells of all DaemonSets whose object is gone. It is called before the
// Cluster is read, so that what is read agrees.
func (c *Cluster) Settle(now time.Time) {
	for len(c.ending) > 0 {
		for ds := range c.ending {
			c.endCells(ds, now)
		}
	}
}

// due continues what is too much for one event: it ends cells if the DaemonSet is gone, or
// decides its placement anew.
func (ds *daemonSet) due(c *Cluster, now time.Time) (evaluated int) {
	switch {
	case ds.object == nil:
		if _, ending := c.ending[ds]; ending {
			return c.endCells(ds, now)
		}
	case ds.undecided != nil:
		c.updateDaemonSet(ds, *ds.undecided, now)
		return len(c.slots)
	}
	return 0
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
		ds.tally(n, -1, now)
		if change != nil {
			change(cl)
		}
		c.evaluate(ds, n, why, now)
		ds.tally(n, 1, now)
		c.updateRevision(ds, now)
		c.recordStartup(n)
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
		if !ds.expects(n) {
			return
		}
		cl = c.addCell(ds, n, why.born)
	}
	c.pods = cl.appendPods(c.pods[:0])
	before := cl.state
	if now.After(c.latest) {
		c.latest = now
	}
	next, wake := cl.evaluate(c.pods, c.latest)
	if next.expected && !before.expected {
		cl.changed = why.born // whatever its pods went through before, nothing was expected of them
	}
	c.apply(cl, next, why, now)
	c.setTimer(cl, wake)
	c.stepRescheduling(cl, before, why, now)
	c.removeCellIfUnused(cl)
}

// apply changes the state of a cell and dates the change.
func (c *Cluster) apply(cl *cell, next cellState, why event, now time.Time) {
	before := cl.state
	cl.state = next
	c.noteSuspect(cl)
	if before.expected == next.expected && before.reason == next.reason {
		return
	}
	at := unixNanoOf(cl.date(c.pods, why, now))
	if before.gap() {
		cl.gap.last = before.reason.Cause()
		cl.gap.held[cl.gap.last] += at.time().Sub(max(cl.changed, cl.gap.opened).time())
	}
	switch {
	case !before.gap() && next.gap():
		c.openGap(cl, at)
	case before.gap() && !next.gap():
		if ds := cl.ds.object; ds != nil && ds.DeletionTimestamp.IsZero() {
			c.recorder.GapClosed(ds, cl.gap.cause(), cl.gap.lifecycle, at.time().Sub(cl.gap.opened.time()))
		}
		c.closeGap(cl)
	case next.gap():
		c.gaps.update(cl)
	}
	if why.kind != rescheduling.EventStarted {
		cl.ds.seconds.correct(before, next, now.Sub(at.time()))
	}
	cl.changed = at
	c.noteTrouble(cl.node)
}

// openGap opens the gap of a cell.
func (c *Cluster) openGap(cl *cell, at unixNano) {
	cl.gap = &openGap{opened: at, lifecycle: cl.node.state.Lifecycle()}
	c.gaps.add(cl)
	cl.node.gaps++
}

// closeGap closes it.
func (c *Cluster) closeGap(cl *cell) {
	c.gaps.remove(cl)
	cl.gap = nil
	cl.node.gaps--
}

func (c *Cluster) addCell(ds *daemonSet, n *node, born unixNano) *cell {
	cl := &cell{ds: ds, node: n, changed: born}
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
	delete(c.suspects, cl)
	delete(cl.ds.cells, cl.node.slot)
	cl.node.cells--
}

// noteSuspect keeps the list of cells whose pod may have broken its node.
func (c *Cluster) noteSuspect(cl *cell) {
	if cl.state.suspect != coverage.ReasonNone {
		c.suspects[cl] = struct{}{}
	} else if len(c.suspects) > 0 {
		delete(c.suspects, cl)
	}
}

// noteTrouble keeps the list of nodes that are not ready, have gaps, or are cordoned or
// leaving.
func (c *Cluster) noteTrouble(n *node) {
	if n.state != nil && (n.state.Status() != readiness.StatusReady || n.gaps > 0 || n.state.Lifecycle().Dated()) {
		c.troubled[n] = struct{}{}
	} else {
		delete(c.troubled, n)
	}
}
