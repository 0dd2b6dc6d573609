package objects

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Node returns a Node that was created long before Noon and has been Ready
// since.
func Node(name string, options ...Option) *corev1.Node {
	return with(&corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID("node-" + name), CreationTimestamp: Stamp(-9000), Labels: map[string]string{},
		},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
			{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastTransitionTime: Stamp(-8990)},
		}},
	}, options)
}

func setNodeCondition(node *corev1.Node, condition corev1.NodeCondition) {
	for i := range node.Status.Conditions {
		if node.Status.Conditions[i].Type == condition.Type {
			node.Status.Conditions[i] = condition
			return
		}
	}
	node.Status.Conditions = append(node.Status.Conditions, condition)
}

// NodeCondition sets a condition other than Ready.
func NodeCondition(kind corev1.NodeConditionType, status corev1.ConditionStatus) Option {
	return Change(func(n *corev1.Node) { setNodeCondition(n, corev1.NodeCondition{Type: kind, Status: status}) })
}

// Tainted adds a taint without a value.
func Tainted(key string, effect corev1.TaintEffect) Option { return Taint(key, "", effect) }

// Taint adds a taint.
func Taint(key, value string, effect corev1.TaintEffect) Option {
	return Change(func(n *corev1.Node) {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Value: value, Effect: effect})
	})
}

// Unreachable sets what the node lifecycle controller sets on a Node with a silent
// kubelet: Ready=Unknown and two taints.
func Unreachable(at float64) Option {
	return func(o metav1.Object) {
		ReadyUnknown(at)(o)
		Tainted(corev1.TaintNodeUnreachable, corev1.TaintEffectNoSchedule)(o)
		Tainted(corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute)(o)
	}
}

// NeverUpdated sets what the node lifecycle controller sets on a Node whose kubelet has
// never posted a status.
func NeverUpdated(at float64) Option {
	return Change(func(n *corev1.Node) {
		setNodeCondition(n, corev1.NodeCondition{
			Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Reason: "NodeStatusNeverUpdated", LastTransitionTime: Stamp(at),
		})
	})
}

// Cordoned makes the Node unschedulable, with the taint that goes with it.
func Cordoned() Option {
	return Change(func(n *corev1.Node) {
		n.Spec.Unschedulable = true
		Tainted(corev1.TaintNodeUnschedulable, corev1.TaintEffectNoSchedule)(n)
	})
}
