package readiness

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// TaintClass is what a taint's key says about its node.
type TaintClass uint8

// The classes of taints. TaintClasses is their number.
const (
	// TaintPlacement: whom the node is for. It excludes what does not tolerate it.
	TaintPlacement TaintClass = iota
	// TaintCondition: how the node is. It excludes nothing: a node that fails is no
	// change of placement.
	TaintCondition
	// TaintStartup: the node is not ready for use yet, or not any more. It excludes
	// nothing, and a new node that carries it is joining.
	TaintStartup
	// TaintLeaving: the node's end is announced. It excludes what does not tolerate
	// it.
	TaintLeaving
	TaintClasses
)

var taintClassNames = [TaintClasses]string{"placement", "condition", "startup", "leaving"}

// String returns the class in one word.
func (c TaintClass) String() string { return taintClassNames[c] }

// wellKnownTaints has one row for each taint that says something about its node; a
// key that ends in "*" stands for all with that prefix. Any other taint is for
// placement, also the autoscaler's DeletionCandidateOfClusterAutoscaler: it comes and
// goes on nodes that stay (a PreferNoSchedule).
var wellKnownTaints = []struct {
	key    string
	class  TaintClass
	source string
}{
	// Set by the node lifecycle controller from conditions and spec.unschedulable.
	{corev1.TaintNodeNotReady, TaintCondition, "kubernetes pkg/controller/nodelifecycle v1.37"},
	{corev1.TaintNodeUnreachable, TaintCondition, "kubernetes pkg/controller/nodelifecycle v1.37"},
	{corev1.TaintNodeDiskPressure, TaintCondition, "kubernetes pkg/controller/nodelifecycle v1.37"},
	{corev1.TaintNodeMemoryPressure, TaintCondition, "kubernetes pkg/controller/nodelifecycle v1.37"},
	{corev1.TaintNodePIDPressure, TaintCondition, "kubernetes pkg/controller/nodelifecycle v1.37"},
	{corev1.TaintNodeNetworkUnavailable, TaintCondition, "kubernetes pkg/controller/nodelifecycle v1.37"},
	{corev1.TaintNodeUnschedulable, TaintCondition, "kubernetes pkg/controller/nodelifecycle v1.37"},
	// The cloud provider sets it within seconds on a node that is not Ready because
	// its machine is off, and removes it when the node is Ready. The node stays.
	{"node.cloudprovider.kubernetes.io/shutdown", TaintCondition, "kubernetes cloud-provider/controllers/nodelifecycle v1.37"},
	// A person or a remediator sets it on a dead node, to have its pods deleted. The
	// outage goes on until the node is back or deleted.
	{corev1.TaintNodeOutOfService, TaintCondition, "kubernetes pkg/controller/podgc v1.37"},

	{"node.cloudprovider.kubernetes.io/uninitialized", TaintStartup, "kubernetes cloud-provider/controllers/node v1.37"},
	{"karpenter.sh/unregistered", TaintStartup, "karpenter pkg/apis/v1 taints.go v1.15"},
	// Also comes back on a node that fails later.
	{"readiness.k8s.io/*", TaintStartup, "node-readiness-controller v0.5.0"},
	{"startup-taint.cluster-autoscaler.kubernetes.io/*", TaintStartup, "cluster-autoscaler utils/taints"},
	{"node.cilium.io/agent-not-ready", TaintStartup, "cilium Documentation/installation/taints.rst"},
	{"ebs.csi.aws.com/agent-not-ready", TaintStartup, "aws-ebs-csi-driver docs/install.md"},
	{"efs.csi.aws.com/agent-not-ready", TaintStartup, "aws-efs-csi-driver docs/README.md"},

	{"ToBeDeletedByClusterAutoscaler", TaintLeaving, "cluster-autoscaler utils/taints"},
	{"karpenter.sh/disrupted", TaintLeaving, "karpenter pkg/apis/v1 taints.go v1.15"},
	{"karpenter.sh/disruption", TaintLeaving, "karpenter pkg/apis/v1beta1 taints.go"},
	{"cloud.google.com/impending-node-termination", TaintLeaving, "GKE node termination handler"},
	{"aws-node-termination-handler/*", TaintLeaving, "aws-node-termination-handler pkg/node"},
}

// TaintRules are keys of taints that users add to the well-known ones. A key that
// ends in "*" stands for all with that prefix. They go before the well-known.
type TaintRules struct {
	Condition, Startup, Leaving []string
}

// Class returns the class of a taint's key.
func (r *TaintRules) Class(key string) TaintClass {
	switch {
	case matchesAny(r.Leaving, key):
		return TaintLeaving
	case matchesAny(r.Startup, key):
		return TaintStartup
	case matchesAny(r.Condition, key):
		return TaintCondition
	}
	for i := range wellKnownTaints {
		if matches(wellKnownTaints[i].key, key) {
			return wellKnownTaints[i].class
		}
	}
	return TaintPlacement
}

// Conditional reports whether a taint's key says how the node is, and so is left out
// of what is expected.
func (c TaintClass) Conditional() bool { return c == TaintCondition || c == TaintStartup }

func matchesAny(patterns []string, key string) bool {
	for _, pattern := range patterns {
		if matches(pattern, key) {
			return true
		}
	}
	return false
}

func matches(pattern, key string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(key, prefix)
	}
	return pattern == key
}
