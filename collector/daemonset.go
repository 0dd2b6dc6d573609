package collector

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// DaemonSetState is how a DaemonSet stands on all nodes.
type DaemonSetState struct {
	// Deleting reports whether its deletion was requested.
	Deleting bool
	// Observed reports whether its controller has seen its present template.
	Observed bool
	// RevisionInferred reports whether the current revision is inferred from the pods.
	RevisionInferred bool
	// Nodes are the nodes on which it is expected, sorted by name.
	Nodes []ExpectedNode
}

// ExpectedNode is a node on which a DaemonSet is expected.
type ExpectedNode struct {
	Node      string
	Status    readiness.Status
	Lifecycle readiness.Lifecycle
	// Reason is why it is not covered; ReasonNone if it is.
	Reason coverage.Reason
	// Since is when that came about.
	Since time.Time
	// Outdated reports whether its pod is not of the current revision.
	Outdated bool
}

// DaemonSetState returns how a DaemonSet stands on all nodes, and whether there is one of that
// name.
func (c *Collector) DaemonSetState(namespace, name string) (DaemonSetState, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cluster.Advance(c.config.Clock.Now())
	c.cluster.Settle(c.config.Clock.Now())
	ds := c.daemonSetNamed(namespace, name)
	if ds == nil {
		return DaemonSetState{}, false
	}
	s := DaemonSetState{Deleting: !ds.DeletionTimestamp.IsZero(), Observed: ds.ObservedGeneration >= ds.Generation}
	for summary := range c.cluster.Summaries() {
		if summary.DaemonSet == ds {
			s.RevisionInferred = summary.RevisionInferred
		}
	}
	for cell := range c.cluster.Cells(ds.UID) {
		if cell.Expected {
			s.Nodes = append(s.Nodes, ExpectedNode{
				Node: cell.Node.Object().Name, Status: cell.Node.Status(), Lifecycle: cell.Node.Lifecycle(),
				Reason: cell.Reason, Since: cell.Since, Outdated: cell.Outdated,
			})
		}
	}
	slices.SortFunc(s.Nodes, func(a, b ExpectedNode) int { return strings.Compare(a.Node, b.Node) })
	return s, true
}

// Objects are the objects of a cluster. They are shared and must not be changed.
type Objects struct {
	Nodes      []*slim.Node
	DaemonSets []*slim.DaemonSet
	// Occupied has how many pods of a DaemonSet are on a node, by the DaemonSet's UID and
	// the node's name.
	Occupied map[slim.UID]map[string]int
	// Selectors are the node selectors of the namespaces that have one.
	Selectors map[string]labels.Selector
	Taints    readiness.TaintRules
}

// Objects returns all objects.
func (c *Collector) Objects() Objects {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := Objects{
		DaemonSets: c.cluster.DaemonSets(), Occupied: map[slim.UID]map[string]int{}, Selectors: map[string]labels.Selector{},
		Taints: c.rules.Taints,
	}
	for _, node := range c.cluster.Nodes() {
		all.Nodes = append(all.Nodes, node.State.Object())
	}
	for _, ds := range all.DaemonSets {
		occupied := map[string]int{}
		for cell := range c.cluster.Cells(ds.UID) {
			if len(cell.Pods) > 0 {
				occupied[cell.Node.Object().Name] = len(cell.Pods)
			}
		}
		all.Occupied[ds.UID] = occupied
		if selector := c.cluster.NamespaceSelector(ds.Namespace.Value()); selector != nil {
			all.Selectors[ds.Namespace.Value()] = selector
		}
	}
	return all
}
