package slim

import corev1 "k8s.io/api/core/v1"

// ConditionStatus is the status of a condition. The zero value means that the
// object does not have the condition.
type ConditionStatus uint8

// The statuses of a condition.
const (
	ConditionAbsent ConditionStatus = iota
	ConditionTrue
	ConditionFalse
	ConditionUnknown
)

// Condition is a trimmed condition of a node or pod.
type Condition struct {
	Status ConditionStatus
	// LastTransitionTime may be older than the transition: a kubelet repeats the
	// timestamp from before an outage.
	LastTransitionTime Stamp
}

func statusOf(status corev1.ConditionStatus) ConditionStatus {
	switch status {
	case corev1.ConditionTrue:
		return ConditionTrue
	case corev1.ConditionFalse:
		return ConditionFalse
	default:
		return ConditionUnknown
	}
}
