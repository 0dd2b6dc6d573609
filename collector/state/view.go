package state

import (
	"iter"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Cell is one DaemonSet on one node of the cluster, with what is known of it.
type Cell struct {
	DaemonSet *slim.DaemonSet
	Node      *readiness.Node
	Labels    NodeLabels
	Decision  coverage.Decision
	// Expected reports whether the node should hold a working pod, Misplaced whether it
	// has one and should not.
	Expected, Misplaced bool
	// Reason is why an expected cell is not covered.
	Reason coverage.Reason
	// Outdated reports whether the pod is not of the current revision.
	Outdated bool
	// Since is when the cell came to its present state, Opened when the gap opened. Both
	// are zero where that is not known, as of a cell that is neither expected nor
	// occupied.
	Since, Opened time.Time
	Pods          []*slim.Pod
}

// Gap reports whether the cell is expected and not covered.
func (c *Cell) Gap() bool { return c.Expected && c.Reason != coverage.ReasonNone }

// DaemonSets returns the DaemonSets, sorted by namespace and name.
func (c *Cluster) DaemonSets() []*slim.DaemonSet {
	var all []*slim.DaemonSet
	for _, ds := range c.daemonSets {
		if ds.object != nil {
			all = append(all, ds.object)
		}
	}
	slices.SortFunc(all, compareNames)
	return all
}

// Nodes returns the nodes of the cluster, sorted by name.
func (c *Cluster) Nodes() []NodeReport {
	var all []NodeReport
	for _, n := range c.slots {
		if n != nil && n.state != nil {
			all = append(all, NodeReport{n.state, n.labels, int(n.gaps)})
		}
	}
	slices.SortFunc(all, func(a, b NodeReport) int { return strings.Compare(a.State.Object().Name, b.State.Object().Name) })
	return all
}

// Cells yields a DaemonSet's cell on each node of the cluster, in no order.
func (c *Cluster) Cells(uid slim.UID) iter.Seq[Cell] {
	return func(yield func(Cell) bool) {
		ds := c.daemonSets[uid]
		if ds == nil || ds.object == nil || !c.started {
			return
		}
		for _, n := range c.slots {
			if n != nil && n.state != nil && !yield(viewOf(ds, n)) {
				return
			}
		}
	}
}

// Exclusions yields the names of the nodes on which a DaemonSet is not expected, with the
// reason, in no order. A DaemonSet that is being deleted has none.
func (c *Cluster) Exclusions(uid slim.UID) iter.Seq2[string, coverage.Exclusion] {
	return func(yield func(string, coverage.Exclusion) bool) {
		ds := c.daemonSets[uid]
		if ds == nil || ds.object == nil || !ds.object.DeletionTimestamp.IsZero() || !c.started {
			return
		}
		for _, n := range c.slots {
			if n == nil || n.state == nil {
				continue
			}
			if exclusion := ds.decisions[n.slot].Exclusion; exclusion != coverage.NotExcluded && !yield(n.state.Object().Name, exclusion) {
				return
			}
		}
	}
}

// CellOn returns a DaemonSet's cell on a node, and whether there are both.
func (c *Cluster) CellOn(uid slim.UID, node string) (Cell, bool) {
	ds, n := c.daemonSets[uid], c.nodes[slim.Intern(node)]
	if ds == nil || ds.object == nil || n == nil || n.state == nil || !c.started {
		return Cell{}, false
	}
	return viewOf(ds, n), true
}

func viewOf(ds *daemonSet, n *node) Cell {
	view := Cell{DaemonSet: ds.object, Node: n.state, Labels: n.labels, Decision: ds.decisions[n.slot]}
	cl := ds.cells[n.slot]
	if cl == nil {
		return view
	}
	view.Expected, view.Misplaced = cl.state.expected, cl.state.misplaced
	view.Reason, view.Outdated = cl.state.reason, cl.state.outdated
	if cl.changed != 0 {
		view.Since = cl.changed.time()
	}
	if cl.gap != nil {
		view.Opened = cl.gap.opened.time()
	}
	view.Pods = cl.appendPods(nil)
	return view
}

// NamespaceSelector returns the node selector of a namespace; nil if none was set.
func (c *Cluster) NamespaceSelector(namespace string) labels.Selector {
	return c.selectors[slim.Intern(namespace)]
}

// Explain returns why a DaemonSet is expected on the node of the cell, or why not.
func (c *Cluster) Explain(cell *Cell) coverage.Explanation {
	return coverage.Explain(&cell.DaemonSet.Template, c.selectors[cell.DaemonSet.Namespace], cell.Node.Object(), &c.rules.Taints)
}
