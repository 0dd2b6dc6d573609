package informers

import "maps"

// fieldSet holds the numbers of the fields of a protobuf message that are read; nil for
// all. The value is what is read of the message in the field.
type fieldSet map[uint64]fieldSet

// whole returns fields that are read as they are.
func whole(numbers ...uint64) fieldSet {
	all := fieldSet{}
	for _, number := range numbers {
		all[number] = nil
	}
	return all
}

// and returns f with the further fields.
func (f fieldSet) and(further fieldSet) fieldSet {
	all := maps.Clone(f)
	maps.Copy(all, further)
	return all
}

// readFields returns what package slim reads of each kind of the core group, by the
// field numbers of k8s.io/api/core/v1/generated.proto and
// k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto (v0.37). Numbers never change.
// TestCutter compares what becomes of objects with and without the other fields: one
// that is missing here fails it.
func readFields() map[string]fieldSet {
	const (
		// ObjectMeta
		name, namespace, selfLink, uid, resourceVersion   = 1, 3, 4, 5, 6
		created, deleted, gracePeriod, labels, references = 8, 9, 10, 11, 13
		// PodSpec
		nodeName, affinity, initContainers = 10, 18, 20
		// Affinity, NodeAffinity
		nodeAffinity, required = 1, 1
		// Container
		restartPolicy = 24
		// PodStatus
		phase, podConditions, podReason, startTime = 1, 2, 4, 7
		containerStatuses, initContainerStatuses   = 8, 10
		// PodCondition, NodeCondition
		conditionType, status, lastTransition, reason, message = 1, 2, 4, 5, 6
		// ContainerStatus
		state, lastState, ready, restartCount = 2, 3, 4, 5
		// ContainerState, ContainerStateWaiting, ContainerStateTerminated
		waiting, running, terminated                   = 1, 2, 3
		waitingReason                                  = 1
		exitCode, terminatedReason, terminatedFinished = 1, 3, 6
		// NodeSpec, NodeStatus
		unschedulable, taints, nodeConditions = 4, 5, 4
	)
	metadata := whole(name, namespace, selfLink, uid, resourceVersion, created, deleted, gracePeriod, labels, references)
	condition := whole(conditionType, status, lastTransition, reason)
	containerState := fieldSet{
		waiting:    whole(waitingReason),
		running:    nil,
		terminated: whole(exitCode, terminatedReason, terminatedFinished),
	}
	containerStatus := whole(name, ready, restartCount).and(fieldSet{state: containerState, lastState: containerState})
	return map[string]fieldSet{
		"Pod": object(
			metadata,
			whole(nodeName).and(fieldSet{
				affinity:       {nodeAffinity: whole(required)},
				initContainers: whole(name, restartPolicy),
			}),
			whole(phase, podReason, startTime).and(fieldSet{
				podConditions:         condition.and(whole(message)),
				containerStatuses:     containerStatus,
				initContainerStatuses: containerStatus,
			}),
		),
		"Node": object(
			metadata,
			whole(unschedulable, taints),
			fieldSet{nodeConditions: condition},
		),
	}
}

// object returns the fields of an object with metadata, spec and status.
func object(metadata, spec, status fieldSet) fieldSet {
	return fieldSet{1: metadata, 2: spec, 3: status}
}
