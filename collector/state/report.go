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

// Summary is what there is to report of one DaemonSet. It is valid until the next
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

// Summaries yields one Summary for each DaemonSet, in no order.
func (c *Cluster) Summaries() iter.Seq[Summary] {
	return func(yield func(Summary) bool) {
		for uid, ds := range c.daemonSets {
			if !c.started || ds.object == nil {
				continue
			}
			summary := Summary{
				DaemonSet: ds.object, Totals: &ds.totals,
				RevisionInferred: ds.infersRevision(), seconds: &ds.seconds,
			}
			for trigger := range rescheduling.Triggers {
				summary.Pending[trigger] = c.reschedulings.pending[pendingKey{uid, trigger}]
			}
			for state := range rescheduling.States {
				summary.Terminating[state] = c.terminations.counts[terminatingKey{uid, state}]
			}
			if !yield(summary) {
				return
			}
		}
	}
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
	open := c.gaps
	if len(open) > limit {
		open = slices.SortedFunc(slices.Values(open), byImportance)[:max(0, limit)]
	}
	gaps = make([]Gap, 0, len(open))
	for _, cl := range open {
		gaps = append(gaps, Gap{
			DaemonSet: cl.ds.object,
			Node:      cl.node.state.Object(),
			Labels:    cl.node.labels,
			Lifecycle: cl.node.state.Lifecycle(),
			Reason:    cl.state.reason,
			Opened:    cl.gap.opened.time(),
		})
	}
	return gaps, len(c.gaps) - len(open)
}

func byImportance(a, b *cell) int {
	return cmp.Or(
		cmp.Compare(rankCause(a), rankCause(b)),
		cmp.Compare(a.gap.opened, b.gap.opened),
		strings.Compare(a.node.name.Value(), b.node.name.Value()),
		compareNames(a.ds.object, b.ds.object),
	)
}

func rankCause(cl *cell) int {
	if cl.state.reason.Cause() == coverage.CauseNode {
		return 1
	}
	return 0
}

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
	for cl := range c.suspects {
		suspects = append(suspects, Suspect{cl.ds.object, cl.node.state.Object(), cl.node.labels, cl.state.suspect})
	}
	return atMost(limit, suspects, func(a, b Suspect) int {
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
	for key, counted := range c.restarts {
		ds, n := c.daemonSetObject(key.daemonSet), c.nodes[key.node]
		if counted.times < minRestarts || ds == nil || n == nil || n.state == nil {
			continue
		}
		pods = append(pods, PodRestarts{ds, key.node.Value(), n.labels, counted.times})
	}
	return atMost(limit, pods, func(a, b PodRestarts) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), strings.Compare(a.Node, b.Node), compareNames(a.DaemonSet, b.DaemonSet))
	})
}

// atMost cuts a list off, and returns how many that leaves out: the same ones from call
// to call.
func atMost[T any](limit int, all []T, compare func(a, b T) int) (kept []T, dropped int) {
	if len(all) <= limit {
		return all, 0
	}
	slices.SortFunc(all, compare)
	return all[:limit], len(all) - limit
}

func compareNames(a, b *slim.DaemonSet) int {
	return cmp.Or(strings.Compare(a.Namespace.Value(), b.Namespace.Value()), strings.Compare(a.Name, b.Name))
}

// Unreachable reports whether a node is unreachable now.
func (c *Cluster) Unreachable(name string) bool {
	n := c.nodes[slim.Intern(name)]
	return n != nil && n.state != nil && n.state.Status() == readiness.StatusUnreachable
}

// NodeReport is what there is to report of one node in trouble.
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
