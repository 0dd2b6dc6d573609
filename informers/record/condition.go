package record

import corev1 "k8s.io/api/core/v1"

// Status is a condition's status. The zero value means that the object does
// not carry the condition.
type Status uint8

// The statuses of a condition.
const (
	Absent Status = iota
	True
	False
	Unknown
)

// Condition is what a record keeps of one of its object's conditions.
type Condition struct {
	Status Status
	// Since is the last transition time. A kubelet may write one that is older
	// than the transition (it repeats the stamp from before an outage).
	Since Stamp
}

func statusOf(status corev1.ConditionStatus) Status {
	switch status {
	case corev1.ConditionTrue:
		return True
	case corev1.ConditionFalse:
		return False
	case corev1.ConditionUnknown:
		return Unknown
	default:
		return Unknown
	}
}
