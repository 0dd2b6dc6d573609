package readiness

import (
	"slices"
	"strings"
	"time"

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

// Rules define which nodes are joining and which are leaving.
type Rules struct {
	// JoinGrace is how long a node counts as joining.
	JoinGrace time.Duration
	// LeavingTaints are keys of taints that announce a node's end, beside those
	// that are known. A key that ends in "/*" stands for all with that prefix.
	LeavingTaints []string
}

// leavingTaints are put on nodes that are about to go. The autoscaler's
// DeletionCandidateOfClusterAutoscaler is left out: it comes and goes on nodes
// that stay.
var leavingTaints = []string{
	"ToBeDeletedByClusterAutoscaler",
	"karpenter.sh/disrupted",
	"karpenter.sh/disruption",
	"cloud.google.com/impending-node-termination",
	"aws-node-termination-handler/*",
	"node.kubernetes.io/out-of-service",
	"node.cloudprovider.kubernetes.io/shutdown",
}

// leaving reports whether a deletion timestamp, a taint or a condition announces
// the node's end.
func (r *Rules) leaving(node *slim.Node) bool {
	if !node.DeletionTimestamp.IsZero() || node.EndAnnounced {
		return true
	}
	for i := range node.Taints {
		key := node.Taints[i].Key
		if matchesAny(leavingTaints, key) || matchesAny(r.LeavingTaints, key) {
			return true
		}
	}
	return false
}

func matchesAny(patterns []string, key string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
			return strings.HasPrefix(key, prefix)
		}
		return pattern == key
	})
}
