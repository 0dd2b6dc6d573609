// Package coveragetest makes up random DaemonSets and nodes for tests of
// placement: dense in taints and tolerations, selectors and affinity, with much
// in them that an API server would refuse. The choices are few, so that rules
// and nodes meet often.
package coveragetest

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Dice make the choices.
type Dice interface {
	// Roll gives a number from 0 to n-1.
	Roll(n int) int
}

// Bytes are dice that read their numbers from a fuzzer's bytes; 0 once those are
// used up.
type Bytes struct{ Left []byte }

// Roll implements Dice.
func (b *Bytes) Roll(n int) int {
	if len(b.Left) == 0 {
		return 0
	}
	first := b.Left[0]
	b.Left = b.Left[1:]
	return int(first) % n
}

func choose[T any](d Dice, from ...T) T { return from[d.Roll(len(from))] }

// some gives up to most things.
func some[T any](d Dice, most int, make func(Dice) T) (things []T) {
	for range d.Roll(most + 1) {
		things = append(things, make(d))
	}
	return things
}

// NodeConditionTaints are the keys of the taints that report a node's condition.
var NodeConditionTaints = []string{
	"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable",
	"node.kubernetes.io/disk-pressure", "node.kubernetes.io/memory-pressure", "node.kubernetes.io/pid-pressure",
	"node.kubernetes.io/network-unavailable", "node.kubernetes.io/unschedulable",
}

func value(d Dice) string { return choose(d, "", "a", "b", "5", "10", "-3", "not a label!", "07") }

func taintKey(d Dice) string {
	if d.Roll(3) == 0 {
		return choose(d, NodeConditionTaints...)
	}
	return choose(d, "gpu", "gpu", "spot", "", "node.kubernetes.io/out-of-service")
}

func effect(d Dice) corev1.TaintEffect {
	return choose[corev1.TaintEffect](d, "NoSchedule", "NoSchedule", "NoExecute", "NoExecute", "PreferNoSchedule", "", "Nonsense")
}

func taint(d Dice) corev1.Taint {
	return corev1.Taint{Key: taintKey(d), Value: value(d), Effect: effect(d)}
}

// Node makes up a node.
func Node(d Dice) *corev1.Node {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: nodeName(d), UID: "node", Labels: map[string]string{}},
		Spec:       corev1.NodeSpec{Taints: some(d, 4, taint), Unschedulable: d.Roll(2) == 0},
	}
	for range d.Roll(5) {
		node.Labels[labelKey(d)] = value(d)
	}
	return node
}

func nodeName(d Dice) string {
	if d.Roll(40) == 39 {
		return ""
	}
	return choose(d, "a", "b")
}

func labelKey(d Dice) string { return choose(d, "zone", "type", "cores", "not a key!", "") }

// DaemonSet makes up a DaemonSet.
func DaemonSet(d Dice) *appsv1.DaemonSet {
	ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "agent", UID: "daemonset"}}
	spec := &ds.Spec.Template.Spec
	if d.Roll(5) == 4 {
		spec.NodeName = choose(d, "a", "b")
	}
	if d.Roll(4) == 3 {
		spec.NodeSelector = map[string]string{}
		for range d.Roll(3) {
			spec.NodeSelector[labelKey(d)] = value(d)
		}
	}
	if d.Roll(5) > 2 {
		spec.Affinity = affinity(d)
	}
	spec.HostNetwork = d.Roll(3) == 2
	spec.Tolerations = some(d, 4, toleration)
	return ds
}

func toleration(d Dice) corev1.Toleration {
	t := corev1.Toleration{
		Key:      taintKey(d),
		Operator: choose[corev1.TolerationOperator](d, "Exists", "Exists", "Equal", "", "Lt", "Gt", "Like"),
		Effect:   effect(d),
	}
	if t.Operator != corev1.TolerationOpExists || d.Roll(4) == 3 {
		t.Value = value(d)
	}
	if d.Roll(4) == 3 {
		seconds := int64(d.Roll(3)) * 30
		t.TolerationSeconds = &seconds
	}
	return t
}

func affinity(d Dice) *corev1.Affinity {
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

func term(d Dice) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchExpressions: some(d, 2, expression), MatchFields: some(d, 1, fieldRule)}
}

func expression(d Dice) corev1.NodeSelectorRequirement {
	rule := corev1.NodeSelectorRequirement{
		Key:      labelKey(d),
		Operator: choose[corev1.NodeSelectorOperator](d, "In", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Roughly", ""),
	}
	switch rule.Operator {
	case corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt:
		rule.Values = []string{choose(d, "4", "7", "-5", "7", "seven")}
	case corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn:
		rule.Values = append(some(d, 2, value), "a")
	}
	if d.Roll(12) == 11 {
		rule.Values = some(d, 3, value) // as many as there may or may not be
	}
	return rule
}

func fieldRule(d Dice) corev1.NodeSelectorRequirement {
	rule := corev1.NodeSelectorRequirement{
		Key: "metadata.name", Operator: choose[corev1.NodeSelectorOperator](d, "In", "In", "NotIn"), Values: []string{choose(d, "a", "b")},
	}
	switch d.Roll(12) {
	case 9:
		rule.Key = choose(d, "metadata.uid", "")
	case 10:
		rule.Operator = choose[corev1.NodeSelectorOperator](d, "Exists", "Gt", "")
	case 11:
		rule.Values = choose(d, nil, []string{"a", "b"}, []string{""})
	}
	return rule
}

// WithoutConditions is the node without the taints that report its condition.
func WithoutConditions(node *corev1.Node) *corev1.Node {
	bare := node.DeepCopy()
	bare.Spec.Taints = nil
	for _, taint := range node.Spec.Taints {
		condition := false
		for _, key := range NodeConditionTaints {
			condition = condition || taint.Key == key
		}
		if !condition {
			bare.Spec.Taints = append(bare.Spec.Taints, taint)
		}
	}
	return bare
}
