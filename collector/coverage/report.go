package coverage

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Summary is what the ledger says of one DaemonSet. It is valid until the next
// event and must not be changed.
type Summary struct {
	DaemonSet *slim.DaemonSet
	Totals    *Totals
}

// Summaries yields one Summary for each DaemonSet, in no order.
func (l *Ledger) Summaries() iter.Seq[Summary] {
	return func(yield func(Summary) bool) {
		for _, set := range l.sets {
			if l.running && set.object != nil && !yield(Summary{set.object, &set.totals}) {
				return
			}
		}
	}
}

// MaxUnavailable is the budget of a rolling update, in nodes, as
// updatedDesiredNodeCounts of pkg/controller/daemon (v1.37) has it. It is 0 for
// OnDelete, and for updates that surge, which may make no node unavailable.
func (s Summary) MaxUnavailable() int {
	ds, desired := s.DaemonSet, int(s.Totals.Upstream.Desired)
	if !ds.RollingUpdate || surges(ds) {
		return 0
	}
	if ds.MaxUnavailable == nil {
		return min(1, desired)
	}
	budget, err := intstr.GetScaledValueFromIntOrPercent(ds.MaxUnavailable, desired, true)
	if err != nil || budget < 0 {
		return 0
	}
	if budget == 0 && desired > 0 {
		return 1
	}
	return budget
}

// StatusDifference is one count of .status and how much it exceeds what the
// controller's rules give on the same objects.
type StatusDifference struct {
	Field string
	Nodes int32
}

// StatusDifferences compares all counts of .status, in a fixed order.
func (s Summary) StatusDifferences() [7]StatusDifference {
	status, counts := s.DaemonSet.Status, s.Totals.Upstream
	return [7]StatusDifference{
		{"desired", status.DesiredNumberScheduled - counts.Desired},
		{"current", status.CurrentNumberScheduled - counts.Current},
		{"ready", status.NumberReady - counts.Ready},
		{"available", status.NumberAvailable - counts.Available},
		{"unavailable", status.NumberUnavailable - (counts.Desired - counts.Available)},
		{"updated", status.UpdatedNumberScheduled - counts.Updated},
		{"misscheduled", status.NumberMisscheduled - counts.Misscheduled},
	}
}

// Gap is one open gap.
type Gap struct {
	DaemonSet *slim.DaemonSet
	Node      *slim.Node
	Labels    NodeLabels
	Lifecycle readiness.Lifecycle
	Reason    Reason
	// Opened is when the cell ceased to be covered, or should first have been.
	Opened time.Time
}

// Gaps gives the open gaps, at most limit of them, and how many that leaves
// out. Gaps that a node causes are left out first: the node itself is reported.
// Among equals the oldest stay, so that the same ones stay from call to call.
func (l *Ledger) Gaps(limit int) (gaps []Gap, dropped int) {
	open := l.gaps
	if len(open) > limit {
		open = slices.SortedFunc(slices.Values(open), byImportance)[:max(0, limit)]
	}
	gaps = make([]Gap, 0, len(open))
	for _, c := range open {
		gaps = append(gaps, Gap{
			DaemonSet: c.set.object,
			Node:      c.node.state.Record(),
			Labels:    c.node.labels,
			Lifecycle: c.node.state.Lifecycle(),
			Reason:    c.state.reason,
			Opened:    c.opened.time(),
		})
	}
	return gaps, len(l.gaps) - len(open)
}

func byImportance(a, b *cell) int {
	return cmp.Or(
		cmp.Compare(rankCause(a), rankCause(b)),
		cmp.Compare(a.opened, b.opened),
		strings.Compare(a.node.name.Value(), b.node.name.Value()),
		strings.Compare(a.set.object.Namespace.Value(), b.set.object.Namespace.Value()),
		strings.Compare(a.set.object.Name, b.set.object.Name),
	)
}

func rankCause(c *cell) int {
	if c.state.reason.Cause() == CauseNode {
		return 1
	}
	return 0
}

// NodeReport is what the ledger says of one node in trouble.
type NodeReport struct {
	State  *readiness.Node
	Labels NodeLabels
	// Gaps is how many DaemonSets do not cover it.
	Gaps int
}

// TroubledNodes yields the nodes that are not ready or have gaps, in no order.
func (l *Ledger) TroubledNodes() iter.Seq[NodeReport] {
	return func(yield func(NodeReport) bool) {
		for n := range l.troubled {
			if !yield(NodeReport{n.state, n.labels, int(n.gaps)}) {
				return
			}
		}
	}
}

// NodeGroups yields how many nodes of the cluster there are of each group.
func (l *Ledger) NodeGroups() iter.Seq2[NodeGroup, int] { return maps.All(l.groups) }

// Running tells whether the ledger has been started.
func (l *Ledger) Running() bool { return l.running }

// NextWake is when Advance must be called, if nothing else happens; the zero
// time for never.
func (l *Ledger) NextWake() time.Time { return l.queue.Next() }

// NodeReady tells whether there is a node of that name, and whether it is
// Ready.
func (l *Ledger) NodeReady(name slim.Text) (exists, ready bool) {
	n := l.nodes[name]
	if n == nil || n.state == nil {
		return false, false
	}
	return true, n.state.Status() == readiness.StatusReady
}

// NodeSince is when that node turned Ready, or ceased to be; the zero time where
// there is none.
func (l *Ledger) NodeSince(name slim.Text) time.Time {
	n := l.nodes[name]
	if n == nil || n.state == nil {
		return time.Time{}
	}
	return n.state.Since()
}

// DaemonSet is the DaemonSet of that UID, or nil.
func (l *Ledger) DaemonSet(uid slim.UID) *slim.DaemonSet {
	if set := l.sets[uid]; set != nil {
		return set.object
	}
	return nil
}
