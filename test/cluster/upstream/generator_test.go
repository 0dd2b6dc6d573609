package upstream

import (
	"fmt"
	"math/rand/v2"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// generator makes random objects, dense in everything that placement asks for
// and in what an API server would not let pass.
type generator struct{ *rand.Rand }

func (g *generator) pick(from ...string) string { return from[g.IntN(len(from))] }

// chance is true in so many cases of a hundred.
func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func (g *generator) labelKey() string { return g.pick("zone", "type", "gpu", "tier") }

func (g *generator) value() string {
	return g.pick("", "a", "b", "c", "1", "2", "10", "-3", "1.5", "not a value!")
}

func (g *generator) labels(most int) map[string]string {
	labels := map[string]string{}
	for range g.IntN(most + 1) {
		labels[g.labelKey()] = g.pick("a", "b", "1", "2", "10")
	}
	return labels
}

func (g *generator) taintKey() string {
	return g.pick("gpu", "team", "",
		"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable",
		"node.kubernetes.io/disk-pressure", "node.kubernetes.io/memory-pressure",
		"node.kubernetes.io/pid-pressure", "node.kubernetes.io/network-unavailable",
		"node.kubernetes.io/unschedulable", "node.kubernetes.io/out-of-service")
}

func (g *generator) taintEffect() corev1.TaintEffect {
	return corev1.TaintEffect(g.pick("NoSchedule", "NoSchedule", "NoExecute", "PreferNoSchedule", "", "Nonsense"))
}

func (g *generator) node() *corev1.Node {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: fmt.Sprintf("node-%d", g.IntN(4)), Labels: g.labels(3),
	}}
	for range g.IntN(4) {
		node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{
			Key: g.taintKey(), Value: g.pick("", "a", "1", "5"), Effect: g.taintEffect(),
		})
	}
	return node
}

func (g *generator) daemonSet() *appsv1.DaemonSet {
	spec := corev1.PodSpec{HostNetwork: g.chance(30)}
	if g.chance(10) {
		spec.NodeName = fmt.Sprintf("node-%d", g.IntN(4))
	}
	if g.chance(30) {
		spec.NodeSelector = g.labels(2)
	}
	if g.chance(40) {
		spec.Affinity = g.affinity()
	}
	for range g.IntN(4) {
		spec.Tolerations = append(spec.Tolerations, g.toleration())
	}
	return &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Template: corev1.PodTemplateSpec{Spec: spec}}}
}

func (g *generator) toleration() corev1.Toleration {
	toleration := corev1.Toleration{
		Key:      g.taintKey(),
		Operator: corev1.TolerationOperator(g.pick("", "Equal", "Exists", "Exists", "Lt", "Gt", "Nonsense")),
		Value:    g.pick("", "a", "1", "5", "many"),
		Effect:   g.taintEffect(),
	}
	if g.chance(20) {
		seconds := g.Int64N(300)
		toleration.TolerationSeconds = &seconds
	}
	return toleration
}

func (g *generator) affinity() *corev1.Affinity {
	if g.chance(10) {
		return &corev1.Affinity{PodAffinity: &corev1.PodAffinity{}}
	}
	node := &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{
		{Weight: 1, Preference: g.term()}, // asks for nothing
	}}
	if g.chance(95) {
		node.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{}
		for range g.IntN(4) {
			required := node.RequiredDuringSchedulingIgnoredDuringExecution
			required.NodeSelectorTerms = append(required.NodeSelectorTerms, g.term())
		}
	}
	return &corev1.Affinity{NodeAffinity: node}
}

// term may be empty, which matches nothing.
func (g *generator) term() corev1.NodeSelectorTerm {
	var term corev1.NodeSelectorTerm
	for range g.IntN(3) {
		term.MatchExpressions = append(term.MatchExpressions, g.requirement(g.labelKey()))
	}
	if g.chance(30) {
		requirement := corev1.NodeSelectorRequirement{
			Key:      g.pick("metadata.name", "metadata.name", "metadata.namespace", "spec.unschedulable"),
			Operator: corev1.NodeSelectorOperator(g.pick("In", "In", "NotIn", "Exists", "Gt")),
		}
		for range g.IntN(3) {
			requirement.Values = append(requirement.Values, fmt.Sprintf("node-%d", g.IntN(4)))
		}
		term.MatchFields = append(term.MatchFields, requirement)
	}
	return term
}

func (g *generator) requirement(key string) corev1.NodeSelectorRequirement {
	requirement := corev1.NodeSelectorRequirement{
		Key:      key,
		Operator: corev1.NodeSelectorOperator(g.pick("In", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Nonsense")),
	}
	for range g.IntN(4) {
		requirement.Values = append(requirement.Values, g.value())
	}
	return requirement
}
