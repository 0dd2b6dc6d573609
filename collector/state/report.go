package state

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Summary holds what is reported of one DaemonSet. It is valid until the next
// event and must not be changed.
type Summary struct {
	DaemonSet *slim.DaemonSet
	Totals    *Totals
	// RevisionInferred reports whether the current revision is inferred, as it could not
	// be read or has not been read yet. It is false for a DaemonSet that is being deleted.
	RevisionInferred bool
	// Pending is how many reschedulings wait on a Ready node, by trigger.
	Pending [rescheduling.Triggers]int
	// Terminating is how many pods are terminating, by state.
	Terminating [rescheduling.States]int

	seconds *nodeSeconds
}

// NodeSeconds returns the node-seconds of the DaemonSet up to now.
func (s Summary) NodeSeconds(now time.Time) NodeSeconds {
	seconds := s.seconds.upTo(now)
	return NodeSeconds{seconds.expected, seconds.gaps}
}

// MaxUnavailable returns the budget of a rolling update, in nodes.
func (s Summary) MaxUnavailable() int {
	return rollout.MaxUnavailable(s.DaemonSet, int(s.Totals.Upstream.Desired))
}

// MaxSurge returns on how many nodes a rolling update may surge.
func (s Summary) MaxSurge() int {
	return rollout.MaxSurge(s.DaemonSet, int(s.Totals.Upstream.Desired))
}

// StatusDifferences compares the counts of .status with upstream's rules.
func (s Summary) StatusDifferences() [7]rollout.Difference {
	return rollout.Differences(s.DaemonSet, s.Totals.Upstream)
}

// Summaries yields one Summary for each DaemonSet, in the order of their names; none
// before the start.
func (c *Cluster) Summaries() iter.Seq[Summary] {
	return func(yield func(Summary) bool) {
		if !c.started {
			return
		}
		for _, ds := range c.inOrder() {
			summary := Summary{
				DaemonSet: ds.object, Totals: &ds.totals,
				RevisionInferred: ds.infersRevision(), seconds: &ds.seconds,
			}
			for trigger := range rescheduling.Triggers {
				summary.Pending[trigger] = c.reschedulings.pending[pendingKey{ds.uid, trigger}]
			}
			for state := range rescheduling.States {
				summary.Terminating[state] = c.terminations.counts[terminatingKey{ds.uid, state}]
			}
			if !yield(summary) {
				return
			}
		}
	}
}

// inOrder returns the DaemonSets with an object, in the order of their names.
func (c *Cluster) inOrder() []*daemonSet {
	if c.sorted == nil {
		for _, ds := range c.daemonSets {
			if ds.object != nil {
				c.sorted = append(c.sorted, ds)
			}
		}
		slices.SortFunc(c.sorted, func(a, b *daemonSet) int { return compareNames(a.object, b.object) })
	}
	return c.sorted
}

// Gap is one open gap.
type Gap struct {
	DaemonSet *slim.DaemonSet
	Node      *slim.Node
	Labels    NodeLabels
	Lifecycle readiness.Lifecycle
	Reason    coverage.Reason
	// Opened is when the cell ceased to be covered, or should first have been.
	Opened time.Time
}

// Gaps returns the open gaps, at most limit of them, and how many that leaves
// out. Gaps that a node causes are left out first: the node itself is reported.
// Among equals the oldest stay, so that the same ones stay from call to call.
func (c *Cluster) Gaps(limit int) (gaps []Gap, dropped int) {
	c.gaps.setLimit(limit)
	gaps = make([]Gap, 0, c.gaps.kept.Len())
	for _, cl := range c.gaps.kept.cells {
		gaps = append(gaps, Gap{
			DaemonSet: cl.ds.object,
			Node:      cl.node.state.Object(),
			Labels:    cl.node.labels,
			Lifecycle: cl.node.state.Lifecycle(),
			Reason:    cl.state.reason,
			Opened:    cl.gap.opened.time(),
		})
	}
	return gaps, c.gaps.spare.Len()
}

// LimitGaps says how many gaps will be asked for, so that they are chosen as they open.
func (c *Cluster) LimitGaps(limit int) { c.gaps.setLimit(limit) }

// Suspect is a pod that may have broken its node.
type Suspect struct {
	DaemonSet *slim.DaemonSet
	Node      *slim.Node
	Labels    NodeLabels
	Reason    coverage.Reason
}

// Suspects returns, of nodes whose kubelets live and call them not ready, the
// DaemonSets whose pod does not work for a reason of its own, at most limit of them, and
// how many that leaves out.
func (c *Cluster) Suspects(limit int) (suspects []Suspect, dropped int) {
	all := func(yield func(Suspect) bool) {
		for cl := range c.suspects {
			if !yield(Suspect{cl.ds.object, cl.node.state.Object(), cl.node.labels, cl.state.suspect}) {
				return
			}
		}
	}
	return atMost(limit, all, func(a, b Suspect) int {
		return cmp.Or(strings.Compare(a.Node.Name, b.Node.Name), compareNames(a.DaemonSet, b.DaemonSet))
	})
}

// PodRestarts is how often the containers of one pod were started again.
type PodRestarts struct {
	DaemonSet *slim.DaemonSet
	Node      string
	Labels    NodeLabels
	Times     int32
}

// minRestarts is how often a pod must have been seen to restart to be reported: one
// restart is no loop.
const minRestarts = 2

// PodRestarts returns the pods that were seen to restart twice or more, at most limit
// of them, and how many that leaves out.
func (c *Cluster) PodRestarts(limit int) (pods []PodRestarts, dropped int) {
	all := func(yield func(PodRestarts) bool) {
		for key, counted := range c.restarts {
			ds, n := c.daemonSetObject(key.daemonSet), c.nodes[key.node]
			if counted.times < minRestarts || ds == nil || n == nil || n.state == nil {
				continue
			}
			if !yield(PodRestarts{ds, key.node.Value(), n.labels, counted.times}) {
				return
			}
		}
	}
	return atMost(limit, all, func(a, b PodRestarts) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), strings.Compare(a.Node, b.Node), compareNames(a.DaemonSet, b.DaemonSet))
	})
}

// TaintNodes is how many nodes of a DaemonSet a taint concerns.
type TaintNodes struct {
	DaemonSet *slim.DaemonSet
	Taint     NodeTaint
	Nodes     int32
}

// Repelled returns the nodes that one untolerated taint alone excludes, by taint, at
// most limit of them, and how many that leaves out. Keys of taints can be unique to a
// node: the taints of most nodes stay.
func (c *Cluster) Repelled(limit int) (taints []TaintNodes, dropped int) {
	return c.taints(limit, func(t *Totals) map[NodeTaint]int32 { return t.Repelled })
}

// Withheld returns the same of the nodes for which the controller makes no pod because
// of a condition taint.
func (c *Cluster) Withheld(limit int) (taints []TaintNodes, dropped int) {
	return c.taints(limit, func(t *Totals) map[NodeTaint]int32 { return t.Withheld })
}

func (c *Cluster) taints(limit int, of func(*Totals) map[NodeTaint]int32) (taints []TaintNodes, dropped int) {
	all := func(yield func(TaintNodes) bool) {
		for summary := range c.Summaries() {
			for taint, nodes := range of(summary.Totals) {
				if !yield(TaintNodes{summary.DaemonSet, taint, nodes}) {
					return
				}
			}
		}
	}
	return atMost(limit, all, func(a, b TaintNodes) int {
		return cmp.Or(
			cmp.Compare(b.Nodes, a.Nodes),
			compareNames(a.DaemonSet, b.DaemonSet),
			strings.Compare(a.Taint.Key, b.Taint.Key),
			strings.Compare(a.Taint.Effect, b.Taint.Effect),
			cmp.Compare(a.Taint.Lifecycle, b.Taint.Lifecycle),
		)
	})
}

func compareNames(a, b *slim.DaemonSet) int {
	return cmp.Or(strings.Compare(a.Namespace.Value(), b.Namespace.Value()), strings.Compare(a.Name, b.Name))
}

// Unreachable reports whether a node is unreachable now.
func (c *Cluster) Unreachable(name string) bool {
	n := c.nodes[slim.Intern(name)]
	return n != nil && n.state != nil && n.state.Status() == readiness.StatusUnreachable
}

// NodeReport holds what is reported of one node in trouble.
type NodeReport struct {
	State  *readiness.Node
	Labels NodeLabels
	// Gaps is how many DaemonSets do not cover it.
	Gaps int
}

// TroubledNodes yields the nodes that are not ready, have gaps, or are cordoned or
// leaving, in no order.
func (c *Cluster) TroubledNodes() iter.Seq[NodeReport] {
	return func(yield func(NodeReport) bool) {
		for n := range c.troubled {
			if !yield(NodeReport{n.state, n.labels, int(n.gaps)}) {
				return
			}
		}
	}
}

// NodeGroups yields how many nodes of the cluster there are of each group.
func (c *Cluster) NodeGroups() iter.Seq2[NodeGroup, int] { return maps.All(c.groups) }

// Started reports whether the Cluster has been started.
func (c *Cluster) Started() bool { return c.started }
