package readiness_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// at is so many seconds after noon. Stamps have whole seconds; what the exporter
// sees has not.
func at(seconds float64) time.Time {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.Local)
	return noon.Add(time.Duration(seconds * float64(time.Second)))
}

func stamp(seconds float64) metav1.Time { return metav1.NewTime(at(seconds).Truncate(time.Second)) }

// option changes a node that was created an hour before noon and has been Ready
// since ten seconds later.
type option func(*corev1.Node)

func node(options ...option) *slim.Node {
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "a", CreationTimestamp: stamp(-3600)}}
	ready("True", -3590)(object)
	for _, change := range options {
		change(object)
	}
	return slim.FromNode(object)
}

// ready sets the Ready condition and when it says that it turned.
func ready(status corev1.ConditionStatus, since float64) option {
	return func(n *corev1.Node) {
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status, LastTransitionTime: stamp(since)}}
	}
}

// neverPosted is what the node lifecycle controller writes of a kubelet that
// has never posted a status.
func neverPosted(since float64) option {
	return func(n *corev1.Node) {
		ready("Unknown", since)(n)
		n.Status.Conditions[0].Reason = "NodeStatusNeverUpdated"
	}
}

func withoutConditions(n *corev1.Node) { n.Status.Conditions = nil }

func created(seconds float64) option {
	return func(n *corev1.Node) { n.CreationTimestamp = stamp(seconds) }
}

func cordoned(n *corev1.Node) { n.Spec.Unschedulable = true }

func tainted(keys ...string) option {
	return func(n *corev1.Node) {
		for _, key := range keys {
			n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Effect: corev1.TaintEffectNoSchedule})
		}
	}
}

func deleted(n *corev1.Node) {
	end := stamp(0)
	n.DeletionTimestamp = &end
}

func announced(condition corev1.NodeConditionType, status corev1.ConditionStatus) option {
	return func(n *corev1.Node) {
		n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: condition, Status: status})
	}
}

// rules have a join grace of five minutes, and an own leaving taint.
func rules() *readiness.Rules {
	return &readiness.Rules{JoinGrace: 5 * time.Minute, LeavingTaints: []string{"example.com/retired", "example.com/drain/*"}}
}
