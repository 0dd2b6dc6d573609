package slim

import (
	"math"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PodPhase is the phase of a pod.
type PodPhase uint8

// The phases of a pod. PodOther is Unknown or a phase of a later Kubernetes.
const (
	PodOther PodPhase = iota
	PodPending
	PodRunning
	PodSucceeded
	PodFailed
)

// Disruption is the reason of the condition DisruptionTarget: why a pod is
// terminated by something other than a user or its controller.
type Disruption uint8

// The disruptions that the exporter distinguishes.
const (
	DisruptionNone Disruption = iota
	// DisruptionEvictionAPI is an eviction through the API: kubectl drain, an
	// autoscaler.
	DisruptionEvictionAPI
	// DisruptionPodGC is the deletion of a pod whose node is gone.
	DisruptionPodGC
	// DisruptionOther is preemption, node pressure, or an unknown reason.
	DisruptionOther
)

// Pod is a trimmed pod.
type Pod struct {
	Meta
	// Owner is the UID of the DaemonSet that controls the pod; zero if no
	// DaemonSet does.
	Owner UID
	// NodeName is the node that the pod is bound to or, before that, the node that
	// it was created for; empty if there is none.
	NodeName               Text
	ControllerRevisionHash Text
	// TemplateGeneration is the label pod-template-generation; zero if missing.
	TemplateGeneration int64
	// DeletionTimestamp is the end of the grace period (see DeletionRequestedAt).
	DeletionTimestamp Stamp
	// DeletionGracePeriodSeconds is meaningful only with DeletionTimestamp.
	DeletionGracePeriodSeconds int32
	// StartTime is when the kubelet accepted the pod.
	StartTime           Stamp
	Ready, PodScheduled Condition
	// Containers holds the init containers, then the containers.
	Containers []Container

	Phase PodPhase
	// Bound reports whether spec.nodeName is set.
	Bound bool
	// Evicted reports whether status.reason is Evicted: node pressure.
	Evicted bool
	// SchedulingGated reports whether the pod must not be scheduled yet: its
	// PodScheduled is what the API server says, no scheduler.
	SchedulingGated bool
	// InsufficientResources reports whether the scheduler's message names a
	// resource.
	InsufficientResources bool
	// ReadinessGatesNotReady reports whether only a readiness gate keeps the pod
	// from being ready.
	ReadinessGatesNotReady bool
	// DisruptionTarget is the reason of that condition, if it is true.
	DisruptionTarget Disruption
	// DeletionMissed reports whether the pod is gone and its deletion was not
	// seen: this is the last version seen, not the last that existed.
	DeletionMissed bool
}

// reasonReadinessGates is written by a kubelet when all containers are ready and
// a readiness gate is not (pkg/kubelet/status/generate.go, v1.37).
const reasonReadinessGates = "ReadinessGatesNotReady"

// reasonEvicted is the status reason of a pod that its kubelet ended for want of a resource
// (pkg/kubelet/eviction/helpers.go, v1.37).
const reasonEvicted = "Evicted"

// FromPod returns the trimmed pod.
func FromPod(pod *corev1.Pod) *Pod {
	trimmed := &Pod{
		Meta:                   metaOf(pod),
		Owner:                  ownerOf(pod),
		NodeName:               Intern(ValidUTF8(targetNode(pod))),
		ControllerRevisionHash: Intern(pod.Labels[appsv1.ControllerRevisionHashLabelKey]),
		TemplateGeneration:     parseGeneration(pod.Labels[templateGenerationLabel]),
		DeletionTimestamp:      StampOf(pod.DeletionTimestamp),
		StartTime:              StampOf(pod.Status.StartTime),
		Containers:             containersOf(pod),
		Phase:                  phaseOf(pod.Status.Phase),
		Bound:                  pod.Spec.NodeName != "",
		Evicted:                pod.Status.Reason == reasonEvicted,
	}
	if pod.DeletionGracePeriodSeconds != nil {
		trimmed.DeletionGracePeriodSeconds = int32(min(max(0, *pod.DeletionGracePeriodSeconds), math.MaxInt32))
	}
	for i := range pod.Status.Conditions {
		trimmed.setCondition(&pod.Status.Conditions[i])
	}
	return trimmed
}

// ownerOf returns the UID of the DaemonSet that controls the object; zero if no
// DaemonSet does.
func ownerOf(object metav1.Object) UID {
	owner := metav1.GetControllerOfNoCopy(object)
	if owner == nil || owner.Kind != "DaemonSet" || !strings.HasPrefix(owner.APIVersion, appsv1.GroupName+"/") {
		return UID{}
	}
	return ParseUID(owner.UID)
}

// templateGenerationLabel is extensions/v1beta1 DaemonSetTemplateGenerationKey,
// which the controller still writes and reads (pkg/controller/daemon/util, v1.37).
const templateGenerationLabel = "pod-template-generation"

func (p *Pod) setCondition(condition *corev1.PodCondition) {
	kept := Condition{Status: statusOf(condition.Status), LastTransitionTime: StampOf(&condition.LastTransitionTime)}
	switch condition.Type {
	case corev1.PodReady:
		p.Ready = kept
		p.ReadinessGatesNotReady = condition.Reason == reasonReadinessGates
	case corev1.PodScheduled:
		p.PodScheduled = kept
		p.SchedulingGated = condition.Reason == corev1.PodReasonSchedulingGated
		p.InsufficientResources = kept.Status == ConditionFalse && namesResource(condition.Message)
	case corev1.DisruptionTarget:
		if kept.Status == ConditionTrue {
			p.DisruptionTarget = disruptionOf(condition.Reason)
		}
	}
}

func phaseOf(phase corev1.PodPhase) PodPhase {
	switch phase {
	case corev1.PodPending, "":
		return PodPending
	case corev1.PodRunning:
		return PodRunning
	case corev1.PodSucceeded:
		return PodSucceeded
	case corev1.PodFailed:
		return PodFailed
	default:
		return PodOther
	}
}

func disruptionOf(reason string) Disruption {
	switch reason {
	case "EvictionByEvictionAPI":
		return DisruptionEvictionAPI
	case "DeletionByPodGC":
		return DisruptionPodGC
	default:
		return DisruptionOther
	}
}

// namesResource reports whether a scheduler's message is about a resource:
// "Insufficient cpu", "Insufficient nvidia.com/gpu", "Too many pods"
// (pkg/scheduler/framework/plugins/noderesources/fit.go, v1.37). The message
// covers all nodes, but for a DaemonSet's pod all others fail by node affinity.
func namesResource(message string) bool {
	return strings.Contains(message, "Insufficient ") || strings.Contains(message, "Too many pods")
}

// targetNode returns the node that a pod is bound to or, before that, the node
// that it was created for (GetTargetNodeName of pkg/controller/daemon/util, v1.37).
func targetNode(pod *corev1.Pod) string {
	if pod.Spec.NodeName != "" {
		return pod.Spec.NodeName
	}
	affinity := requiredAffinity(pod.Spec.Affinity)
	if affinity == nil {
		return ""
	}
	for _, term := range affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, field := range term.MatchFields {
			if field.Key != metav1.ObjectNameField || field.Operator != corev1.NodeSelectorOpIn {
				continue
			}
			if len(field.Values) != 1 {
				return ""
			}
			return field.Values[0]
		}
	}
	return ""
}

// MissedPod returns the last known version of a pod whose deletion was missed.
func MissedPod(last *Pod) *Pod {
	missed := *last
	missed.DeletionMissed = true
	return &missed
}

var _ metav1.ObjectMetaAccessor = (*Pod)(nil)
