package slim

import corev1 "k8s.io/api/core/v1"

// Status is a condition's status. The zero value means that the object does
// not carry the condition.
type ConditionStatus uint8

// The statuses of a condition.
const (
	ConditionAbsent ConditionStatus = iota
	ConditionTrue
	ConditionFalse
	ConditionUnknown
)

// Condition is what a record keeps of one of its object's conditions.
type Condition struct {
	Status ConditionStatus
	// Since is the last transition time. A kubelet may write one that is older
	// than the transition (it repeats the stamp from before an outage).
	LastTransitionTime Stamp
}

func statusOf(status corev1.ConditionStatus) ConditionStatus {
	switch status {
	case corev1.ConditionTrue:
		return ConditionTrue
	case corev1.ConditionFalse:
		return ConditionFalse
	case corev1.ConditionUnknown:
		return ConditionUnknown
	default:
		return ConditionUnknown
	}
}
