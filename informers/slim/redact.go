package slim

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The functions below return copies of objects with nothing in them but what the
// functions of this package read, so that people can share them: no annotation but the
// template's generation, no environment, command, image or message of a container.

// RedactNode returns a copy of a node with only what FromNode reads.
func RedactNode(node *corev1.Node) *corev1.Node {
	redacted := &corev1.Node{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: redactMeta(&node.ObjectMeta),
		Spec:       corev1.NodeSpec{Taints: node.Spec.Taints, Unschedulable: node.Spec.Unschedulable},
	}
	redacted.Labels = node.Labels
	redacted.DeletionTimestamp = node.DeletionTimestamp
	for i := range node.Status.Conditions {
		condition := &node.Status.Conditions[i]
		kept := corev1.NodeCondition{Type: condition.Type, Status: condition.Status, LastTransitionTime: condition.LastTransitionTime}
		switch condition.Type {
		case corev1.NodeReady:
			if condition.Reason == reasonNeverUpdated {
				kept.Reason = condition.Reason
			}
		case corev1.NodeGracefulNodeShutdownInProgress, corev1.NodeDrainInProgress,
			corev1.NodeDrained, corev1.NodeMaintenanceInProgress:
		default:
			continue
		}
		redacted.Status.Conditions = append(redacted.Status.Conditions, kept)
	}
	return redacted
}

// RedactPod returns a copy of a pod with only what FromPod reads. The scheduler's
// message stays: it says which resource is missing.
func RedactPod(pod *corev1.Pod) *corev1.Pod {
	redacted := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: redactMeta(&pod.ObjectMeta),
		Spec: corev1.PodSpec{
			NodeName:       pod.Spec.NodeName,
			InitContainers: redactSidecars(pod.Spec.InitContainers),
		},
		Status: corev1.PodStatus{
			Phase:                 pod.Status.Phase,
			StartTime:             pod.Status.StartTime,
			InitContainerStatuses: redactStatuses(pod.Status.InitContainerStatuses),
			ContainerStatuses:     redactStatuses(pod.Status.ContainerStatuses),
		},
	}
	redacted.Labels = redactLabels(pod.Labels)
	redacted.OwnerReferences = redactOwner(pod)
	redacted.DeletionTimestamp, redacted.DeletionGracePeriodSeconds = pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds
	if pod.Spec.NodeName == "" {
		redacted.Spec.Affinity = redactTarget(pod)
	}
	if pod.Status.Reason == reasonEvicted {
		redacted.Status.Reason = reasonEvicted
	}
	for i := range pod.Status.Conditions {
		if kept, ok := redactPodCondition(&pod.Status.Conditions[i]); ok {
			redacted.Status.Conditions = append(redacted.Status.Conditions, kept)
		}
	}
	return redacted
}

// RedactDaemonSet returns a copy of a DaemonSet with only what FromDaemonSet reads.
func RedactDaemonSet(ds *appsv1.DaemonSet) *appsv1.DaemonSet {
	template, status := &ds.Spec.Template.Spec, &ds.Status
	redacted := &appsv1.DaemonSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: appsv1.SchemeGroupVersion.String(), Kind: "DaemonSet"},
		ObjectMeta: redactMeta(&ds.ObjectMeta),
		Spec: appsv1.DaemonSetSpec{
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				NodeName:     template.NodeName,
				NodeSelector: template.NodeSelector,
				Affinity:     requiredAffinity(template.Affinity),
				Tolerations:  template.Tolerations,
				HostNetwork:  template.HostNetwork,
			}},
			UpdateStrategy:  ds.Spec.UpdateStrategy,
			MinReadySeconds: ds.Spec.MinReadySeconds,
		},
		Status: appsv1.DaemonSetStatus{
			ObservedGeneration:     status.ObservedGeneration,
			DesiredNumberScheduled: status.DesiredNumberScheduled,
			CurrentNumberScheduled: status.CurrentNumberScheduled,
			NumberReady:            status.NumberReady,
			NumberAvailable:        status.NumberAvailable,
			NumberUnavailable:      status.NumberUnavailable,
			UpdatedNumberScheduled: status.UpdatedNumberScheduled,
			NumberMisscheduled:     status.NumberMisscheduled,
		},
	}
	redacted.Generation = ds.Generation
	redacted.DeletionTimestamp = ds.DeletionTimestamp
	if generation, ok := ds.Annotations[appsv1.DeprecatedTemplateGeneration]; ok {
		redacted.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: generation}
	}
	return redacted
}

// RedactControllerRevision returns a copy of a ControllerRevision with only what
// FromControllerRevision reads: without the pod template, which is all of its data.
func RedactControllerRevision(revision *appsv1.ControllerRevision) *appsv1.ControllerRevision {
	redacted := &appsv1.ControllerRevision{
		TypeMeta:   metav1.TypeMeta{APIVersion: appsv1.SchemeGroupVersion.String(), Kind: "ControllerRevision"},
		ObjectMeta: metav1.ObjectMeta{Namespace: revision.Namespace, Name: revision.Name},
		Revision:   revision.Revision,
	}
	redacted.OwnerReferences = redactOwner(revision)
	if hash, ok := revision.Labels[appsv1.ControllerRevisionHashLabelKey]; ok {
		redacted.Labels = map[string]string{appsv1.ControllerRevisionHashLabelKey: hash}
	}
	return redacted
}

// redactMeta returns what metaOf reads.
func redactMeta(meta *metav1.ObjectMeta) metav1.ObjectMeta {
	redacted := metav1.ObjectMeta{
		Namespace:         meta.Namespace,
		Name:              meta.Name,
		UID:               meta.UID,
		CreationTimestamp: meta.CreationTimestamp,
		ResourceVersion:   meta.ResourceVersion,
	}
	if meta.GetSelfLink() == lateMark {
		redacted.SetSelfLink(lateMark)
	}
	return redacted
}

// redactLabels returns the labels of a pod that say which template it is of.
func redactLabels(labels map[string]string) map[string]string {
	kept := map[string]string{}
	for _, key := range []string{appsv1.ControllerRevisionHashLabelKey, templateGenerationLabel} {
		if value, ok := labels[key]; ok {
			kept[key] = value
		}
	}
	return kept
}

// redactOwner returns the reference to the DaemonSet that controls the object.
func redactOwner(object metav1.Object) []metav1.OwnerReference {
	owner := metav1.GetControllerOfNoCopy(object)
	if owner == nil || ownerOf(object) == (UID{}) {
		return nil
	}
	return []metav1.OwnerReference{{APIVersion: owner.APIVersion, Kind: owner.Kind, UID: owner.UID, Controller: owner.Controller}}
}

// redactTarget returns the affinity by which an unbound pod names its node.
func redactTarget(pod *corev1.Pod) *corev1.Affinity {
	name := targetNode(pod)
	if name == "" {
		return nil
	}
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchFields: []corev1.NodeSelectorRequirement{{
				Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{name},
			}},
		}}},
	}}
}

// redactSidecars returns the names of the init containers that run beside the others.
func redactSidecars(containers []corev1.Container) []corev1.Container {
	var kept []corev1.Container
	for i := range containers {
		if policy := containers[i].RestartPolicy; policy != nil && *policy == corev1.ContainerRestartPolicyAlways {
			kept = append(kept, corev1.Container{Name: containers[i].Name, RestartPolicy: policy})
		}
	}
	return kept
}

func redactStatuses(statuses []corev1.ContainerStatus) []corev1.ContainerStatus {
	kept := make([]corev1.ContainerStatus, 0, len(statuses))
	for i := range statuses {
		status := &statuses[i]
		redacted := corev1.ContainerStatus{
			Name:                 status.Name,
			RestartCount:         status.RestartCount,
			Ready:                status.Ready,
			LastTerminationState: corev1.ContainerState{Terminated: redactTermination(status.LastTerminationState.Terminated)},
		}
		switch state := &status.State; {
		case state.Running != nil:
			redacted.State.Running = state.Running
		case state.Terminated != nil:
			redacted.State.Terminated = redactTermination(state.Terminated)
		case state.Waiting != nil:
			redacted.State.Waiting = &corev1.ContainerStateWaiting{Reason: state.Waiting.Reason}
		}
		kept = append(kept, redacted)
	}
	return kept
}

func redactTermination(terminated *corev1.ContainerStateTerminated) *corev1.ContainerStateTerminated {
	if terminated == nil {
		return nil
	}
	return &corev1.ContainerStateTerminated{
		Reason: terminated.Reason, ExitCode: terminated.ExitCode, FinishedAt: terminated.FinishedAt,
	}
}

// redactPodCondition returns what Pod.setCondition reads, and whether it reads anything.
func redactPodCondition(condition *corev1.PodCondition) (kept corev1.PodCondition, ok bool) {
	kept = corev1.PodCondition{Type: condition.Type, Status: condition.Status, LastTransitionTime: condition.LastTransitionTime}
	switch condition.Type {
	case corev1.PodReady:
		if condition.Reason == reasonReadinessGates {
			kept.Reason = condition.Reason
		}
	case corev1.PodScheduled:
		if condition.Reason == corev1.PodReasonSchedulingGated {
			kept.Reason = condition.Reason
		}
		if condition.Status == corev1.ConditionFalse {
			kept.Message = condition.Message
		}
	case corev1.DisruptionTarget:
		kept.Reason = condition.Reason
	default:
		return corev1.PodCondition{}, false
	}
	return kept, true
}
