package remediation

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Decision is what the receiver does about a node, and why.
type Decision string

// The decisions, in the order in which they are considered.
const (
	// DecisionGone is for a node that does not exist.
	DecisionGone Decision = "nothing: the node is gone"
	// DecisionReports is for a node whose kubelet says something, be it NotReady. Its
	// containers may run.
	DecisionReports Decision = "nothing: the kubelet reports"
	// DecisionDeclared is for a node that has the taint.
	DecisionDeclared Decision = "nothing: the node is out of service already"
	// DecisionNotNeeded is for a node that no pod waits for.
	DecisionNotNeeded Decision = "nothing: no pod is stuck on the node"
	// DecisionTooMany is where so many nodes fail that the fault is hardly theirs.
	DecisionTooMany Decision = "nothing: too many nodes fail"
	// DecisionMayRun is for a node that nobody else says is off.
	DecisionMayRun Decision = "nothing: nobody else says that the machine is off"
	// DecisionDeclare is for a node that is declared out of service.
	DecisionDeclare Decision = "declared out of service"
	// DecisionRelease is for a node that is back.
	DecisionRelease Decision = "released"
)

// situation is all that is known when an alert about a node arrives.
type situation struct {
	node *corev1.Node // nil if it does not exist
	// nodes counts all nodes, failed those that are not Ready.
	nodes, failed int
	pods          []corev1.Pod // of the node
	off           bool         // by the second source
}

// decide decides whether a node is declared out of service. One failed node is never
// too many.
func (s situation) decide(maxFailedShare float64, now time.Time) Decision {
	switch {
	case s.node == nil:
		return DecisionGone
	case ready(s.node) != corev1.ConditionUnknown:
		return DecisionReports
	case taintOf(s.node) >= 0:
		return DecisionDeclared
	case !stuck(s.pods, now):
		return DecisionNotNeeded
	case s.failed > 1 && float64(s.failed) > maxFailedShare*float64(s.nodes):
		return DecisionTooMany
	case !s.off:
		return DecisionMayRun
	default:
		return DecisionDeclare
	}
}

// ready returns the status of the condition Ready. A node without it never reported.
func ready(node *corev1.Node) corev1.ConditionStatus {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status
		}
	}
	return corev1.ConditionFalse
}

// taintOf returns the index of the taint out-of-service, or -1.
func taintOf(node *corev1.Node) int {
	for i, taint := range node.Spec.Taints {
		if taint.Key == corev1.TaintNodeOutOfService {
			return i
		}
	}
	return -1
}

// stuck reports whether a pod should have been removed by now: its deletion timestamp
// is the end of its grace period.
func stuck(pods []corev1.Pod, now time.Time) bool {
	for _, pod := range pods {
		if pod.DeletionTimestamp != nil && pod.DeletionTimestamp.Time.Before(now) {
			return true
		}
	}
	return false
}

// ShutDown reports whether the cloud provider says that the machine of a node is off:
// its controller has set a taint.
func ShutDown(node *corev1.Node) bool {
	for _, taint := range node.Spec.Taints {
		if taint.Key == "node.cloudprovider.kubernetes.io/shutdown" {
			return true
		}
	}
	return false
}
