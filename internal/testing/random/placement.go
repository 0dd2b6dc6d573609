package random

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// nodeConditionTaints are the keys of the taints that say how a node is.
var nodeConditionTaints = []string{
	"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable",
	"node.kubernetes.io/disk-pressure", "node.kubernetes.io/memory-pressure", "node.kubernetes.io/pid-pressure",
	"node.kubernetes.io/network-unavailable", "node.kubernetes.io/unschedulable",
	"node.kubernetes.io/out-of-service", "node.cloudprovider.kubernetes.io/shutdown",
	"node.cloudprovider.kubernetes.io/uninitialized", "readiness.k8s.io/gpu", "ebs.csi.aws.com/agent-not-ready",
}

func value(d *Dice) string { return Choose(d, "", "a", "b", "5", "10", "-3", "not a label!", "07") }

func taintKey(d *Dice) string {
	if d.Roll(3) == 0 {
		return Choose(d, nodeConditionTaints...)
	}
	return Choose(d, "gpu", "gpu", "spot", "", "ToBeDeletedByClusterAutoscaler")
}

func effect(d *Dice) corev1.TaintEffect {
	return Choose[corev1.TaintEffect](d, "NoSchedule", "NoSchedule", "NoExecute", "NoExecute", "PreferNoSchedule", "", "Nonsense")
}

func taint(d *Dice) corev1.Taint {
	return corev1.Taint{Key: taintKey(d), Value: value(d), Effect: effect(d)}
}

// Node returns a random Node.
func Node(d *Dice) *corev1.Node {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: nodeName(d), UID: "node", Labels: map[string]string{}},
		Spec:       corev1.NodeSpec{Taints: some(d, 4, taint), Unschedulable: d.Roll(2) == 0},
	}
	for range d.Roll(5) {
		node.Labels[labelKey(d)] = value(d)
	}
	return node
}

func nodeName(d *Dice) string {
	if d.OneIn(40) {
		return ""
	}
	return Choose(d, "a", "b")
}

func labelKey(d *Dice) string { return Choose(d, "zone", "type", "cores", "not a key!", "") }

// DaemonSet returns a random DaemonSet.
func DaemonSet(d *Dice) *appsv1.DaemonSet {
	ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "agent", UID: "daemonset"}}
	spec := &ds.Spec.Template.Spec
	if d.OneIn(5) {
		spec.NodeName = Choose(d, "a", "b")
	}
	if d.OneIn(4) {
		spec.NodeSelector = map[string]string{}
		for range d.Roll(3) {
			spec.NodeSelector[labelKey(d)] = value(d)
		}
	}
	if d.Roll(5) > 2 {
		spec.Affinity = affinity(d)
	}
	spec.HostNetwork = d.OneIn(3)
	spec.Tolerations = some(d, 4, toleration)
	return ds
}

func toleration(d *Dice) corev1.Toleration {
	t := corev1.Toleration{
		Key:      taintKey(d),
		Operator: Choose[corev1.TolerationOperator](d, "Exists", "Exists", "Equal", "", "Lt", "Gt", "Like"),
		Effect:   effect(d),
	}
	if t.Operator != corev1.TolerationOpExists || d.OneIn(4) {
		t.Value = value(d)
	}
	if d.OneIn(4) {
		seconds := int64(d.Roll(3)) * 30
		t.TolerationSeconds = &seconds
	}
	return t
}

func affinity(d *Dice) *corev1.Affinity {
	switch d.Roll(16) {
	case 13:
		return &corev1.Affinity{}
	case 14:
		return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}}
	case 15:
		return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 1, Preference: term(d)}},
		}}
	default:
		return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: some(d, 3, term)},
		}}
	}
}

func term(d *Dice) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchExpressions: some(d, 2, expression), MatchFields: some(d, 1, fieldRule)}
}

func expression(d *Dice) corev1.NodeSelectorRequirement {
	rule := corev1.NodeSelectorRequirement{
		Key:      labelKey(d),
		Operator: Choose[corev1.NodeSelectorOperator](d, "In", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Roughly", ""),
	}
	switch rule.Operator {
	case corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt:
		rule.Values = []string{Choose(d, "4", "7", "-5", "7", "seven")}
	case corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn:
		rule.Values = append(some(d, 2, value), "a")
	}
	if d.OneIn(12) {
		rule.Values = some(d, 3, value) // as many as there may or may not be
	}
	return rule
}

func fieldRule(d *Dice) corev1.NodeSelectorRequirement {
	rule := corev1.NodeSelectorRequirement{
		Key: "metadata.name", Operator: Choose[corev1.NodeSelectorOperator](d, "In", "In", "NotIn"), Values: []string{Choose(d, "a", "b")},
	}
	switch d.Roll(12) {
	case 9:
		rule.Key = Choose(d, "metadata.uid", "")
	case 10:
		rule.Operator = Choose[corev1.NodeSelectorOperator](d, "Exists", "Gt", "")
	case 11:
		rule.Values = Choose(d, nil, []string{"a", "b"}, []string{""})
	}
	return rule
}

// WithoutConditions returns the Node without the taints that report its condition.
func WithoutConditions(node *corev1.Node) *corev1.Node {
	bare := node.DeepCopy()
	bare.Spec.Taints = nil
	for _, taint := range node.Spec.Taints {
		if !slices.Contains(nodeConditionTaints, taint.Key) {
			bare.Spec.Taints = append(bare.Spec.Taints, taint)
		}
	}
	return bare
}
