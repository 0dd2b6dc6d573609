package readiness

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Lifecycle is a node's place in its life.
type Lifecycle uint8

// The lifecycles of a node. Where several hold, the later constant wins.
// Lifecycles is their number.
const (
	// LifecycleActive: at work.
	LifecycleActive Lifecycle = iota
	// LifecycleJoining: created, or Ready for the first time, less
	// than the join grace ago.
	LifecycleJoining
	// LifecycleCordoned: spec.unschedulable.
	LifecycleCordoned
	// LifecycleLeaving: its end is announced.
	LifecycleLeaving
	Lifecycles
)

var lifecycleNames = [Lifecycles]string{"active", "joining", "cordoned", "leaving"}

// String returns the value of the label lifecycle.
func (l Lifecycle) String() string { return lifecycleNames[l] }

// Dated reports whether it is of interest since when a node has been there: drains hang
// and cordons are forgotten.
func (l Lifecycle) Dated() bool { return l == LifecycleCordoned || l == LifecycleLeaving }

// Rules say which nodes are joining and which are leaving.
type Rules struct {
	// JoinGrace is how long a node counts as joining.
	JoinGrace time.Duration
	// StartupGrace is how long a node with a startup taint counts as joining, from its
	// creation.
	StartupGrace time.Duration
	// Taints are those that users add to the well-known ones.
	Taints TaintRules
}

// leaving reports whether a deletion timestamp, a taint or a condition announces the
// node's end, and since when by their stamps; zero where none says so.
func (r *Rules) leaving(node *slim.Node) (since slim.Stamp, leaving bool) {
	if !node.DeletionTimestamp.IsZero() {
		since, leaving = node.DeletionTimestamp, true
	}
	if node.EndAnnounced {
		since, leaving = earliest(since, node.EndAnnouncedAt), true
	}
	for i := range node.Taints {
		if taint := &node.Taints[i]; r.Taints.Class(taint.Key) == TaintLeaving {
			since, leaving = earliest(since, slim.StampOf(taint.TimeAdded)), true
		}
	}
	return since, leaving
}

// cordonedSince returns when a node was cordoned: the node lifecycle controller
// stamps the taint that it derives from spec.unschedulable. Zero where it does not
// say.
func cordonedSince(node *slim.Node) slim.Stamp {
	for i := range node.Taints {
		if taint := &node.Taints[i]; taint.Key == corev1.TaintNodeUnschedulable {
			return slim.StampOf(taint.TimeAdded)
		}
	}
	return 0
}

// starting reports whether a node still carries a startup taint.
func (r *Rules) starting(node *slim.Node) bool {
	return slices.ContainsFunc(node.Taints, func(taint corev1.Taint) bool {
		return r.Taints.Class(taint.Key) == TaintStartup
	})
}

// earliest returns the earlier of two stamps that are there.
func earliest(a, b slim.Stamp) slim.Stamp {
	if a.IsZero() || !b.IsZero() && b < a {
		return b
	}
	return a
}
