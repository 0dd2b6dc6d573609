package slim

import (
	"math"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Phase is a pod's phase.
type PodPhase uint8

// The phases of a pod. PhaseOther is one that Kubernetes has not invented yet.
const (
	PodOther PodPhase = iota
	PodPending
	PodRunning
	PodSucceeded
	PodFailed
)

// Disruption is why somebody other than a user or a controller ends a pod, as
// its condition DisruptionTarget tells.
type Disruption uint8

// The disruptions that the exporter tells apart.
const (
	DisruptionNone Disruption = iota
	// EvictedByAPI is an eviction through the API: kubectl drain, an autoscaler.
	DisruptionEvictionAPI
	// CollectedByPodGC is a pod whose node is gone.
	DisruptionPodGC
	// DisruptedOtherwise is preemption, node pressure, or anything new.
	DisruptionOther
)

// Pod is what the exporter keeps of a pod of a DaemonSet.
type Pod struct {
	Meta
	// Owner is the UID of the DaemonSet that controls the pod; zero for a pod
	// that no DaemonSet controls.
	Owner UID
	// Node is the name of the node that the pod runs on or, before it is
	// bound, of the node it was created for; empty if it names none.
	NodeName Text
	// Revision is the label controller-revision-hash.
	ControllerRevisionHash Text
	// TemplateGeneration is the label pod-template-generation; zero if absent.
	TemplateGeneration int64
	// Deleted is the deletion timestamp: the moment the grace period ends.
	DeletionTimestamp Stamp
	// Grace is deletionGracePeriodSeconds; meaningful only with Deleted.
	DeletionGracePeriodSeconds int32
	// Started is status.startTime: when the kubelet took the pod.
	StartTime Stamp
	// Ready and Scheduled are the conditions Ready and PodScheduled.
	Ready, PodScheduled Condition
	// Containers are the init containers, then the containers.
	Containers []Container

	Phase PodPhase
	// Bound tells that spec.nodeName is set.
	Bound bool
	// Evicted tells that the status reason is Evicted: node pressure.
	Evicted bool
	// Resources tells that the scheduler's message names a resource.
	InsufficientResources bool
	// ReadinessGates tells that Ready is held back by a readiness gate alone.
	ReadinessGatesNotReady bool
	// Disruption is the condition DisruptionTarget.
	DisruptionTarget Disruption
	// Missed tells that the pod is gone and nobody saw it go: this is the last
	// version that was seen, not the last that there was.
	DeletionMissed bool
}

// reasonReadinessGates is what a kubelet writes when all containers are ready
// and a readiness gate is not (pkg/kubelet/status/generate.go, v1.37).
const reasonReadinessGates = "ReadinessGatesNotReady"

// FromPod makes the record of a pod.
func FromPod(pod *corev1.Pod) *Pod {
	node := targetNode(pod)
	record := &Pod{
		Meta:                   metaOf(pod),
		NodeName:               Intern(node),
		ControllerRevisionHash: Intern(pod.Labels[appsv1.ControllerRevisionHashLabelKey]),
		TemplateGeneration:     parseGeneration(pod.Labels[templateGenerationLabel]),
		DeletionTimestamp:      StampOf(pod.DeletionTimestamp),
		StartTime:              StampOf(pod.Status.StartTime),
		Containers:             containersOf(pod),
		Phase:                  phaseOf(pod.Status.Phase),
		Bound:                  pod.Spec.NodeName != "",
		Evicted:                pod.Status.Reason == "Evicted",
	}
	if owner := metav1.GetControllerOfNoCopy(pod); owner != nil && owner.Kind == "DaemonSet" {
		record.Owner = ParseUID(owner.UID)
	}
	if pod.DeletionGracePeriodSeconds != nil {
		record.DeletionGracePeriodSeconds = int32(min(max(0, *pod.DeletionGracePeriodSeconds), math.MaxInt32))
	}
	for i := range pod.Status.Conditions {
		record.readCondition(&pod.Status.Conditions[i])
	}
	return record
}

// templateGenerationLabel is extensions/v1beta1 DaemonSetTemplateGenerationKey,
// which the controller still writes and reads (pkg/controller/daemon/util, v1.37).
const templateGenerationLabel = "pod-template-generation"

func (p *Pod) readCondition(condition *corev1.PodCondition) {
	kept := Condition{Status: statusOf(condition.Status), LastTransitionTime: StampOf(&condition.LastTransitionTime)}
	switch condition.Type {
	case corev1.PodReady:
		p.Ready = kept
		p.ReadinessGatesNotReady = condition.Reason == reasonReadinessGates
	case corev1.PodScheduled:
		p.PodScheduled = kept
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
	case corev1.PodUnknown:
		return PodOther
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

// namesResource tells whether a scheduler's message blames a resource:
// "Insufficient cpu", "Insufficient nvidia.com/gpu", "Too many pods"
// (pkg/scheduler/framework/plugins/noderesources/fit.go, v1.37). The message of
// a DaemonSet's pod lists every node, and all others by node affinity alone.
func namesResource(message string) bool {
	return strings.Contains(message, "Insufficient ") || strings.Contains(message, "Too many pods")
}

// targetNode is GetTargetNodeName of pkg/controller/daemon/util (v1.37): where
// a pod runs or, before it is bound, which node it was created for.
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

// Terminal tells that all containers have stopped and will not start again.
func (p *Pod) Terminal() bool { return p.Phase == PodFailed || p.Phase == PodSucceeded }

// DeletionRequested is when the pod was asked to end. Its deletion timestamp is
// the end of the grace period; zero for a pod that nobody has deleted.
func (p *Pod) DeletionRequestedAt() Stamp {
	return p.DeletionTimestamp.Add(-int64(p.DeletionGracePeriodSeconds))
}

// MissedPod is the last version of a pod that nobody saw go.
func MissedPod(last *Pod) *Pod {
	missed := *last
	missed.DeletionMissed = true
	return &missed
}

var _ metav1.ObjectMetaAccessor = (*Pod)(nil)
