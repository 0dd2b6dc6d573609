package slim

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// DaemonSet is a trimmed DaemonSet: placement, update strategy and the counts of
// its status, without the containers of its template.
type DaemonSet struct {
	Meta
	// Generation is incremented by every change of the spec.
	Generation int64
	// ObservedGeneration is the last Generation that the controller processed.
	ObservedGeneration int64
	// TemplateGeneration is incremented by every change of the pod template. Pods
	// have it as a label. Zero if the annotation is missing.
	TemplateGeneration int64
	DeletionTimestamp  Stamp
	// Template is the part of the pod template that decides placement.
	Template PodTemplate
	// MinReadySeconds is how long a pod must be ready to be available.
	MinReadySeconds int32
	// RollingUpdate is false for the strategy OnDelete.
	RollingUpdate bool
	// MaxUnavailable and MaxSurge belong to the rolling update; nil if unset.
	MaxUnavailable, MaxSurge *intstr.IntOrString
	Status                   DaemonSetStatus
}

// PodTemplate is the part of a pod template that decides placement. It is shared
// with the decoded object and must not be written to.
type PodTemplate struct {
	NodeName     string
	NodeSelector map[string]string
	// Affinity holds only the required node affinity; nil if there is none.
	Affinity    *corev1.Affinity
	Tolerations []corev1.Toleration
	HostNetwork bool
}

// DaemonSetStatus holds the DaemonSet controller's own counts of nodes.
type DaemonSetStatus struct {
	DesiredNumberScheduled, CurrentNumberScheduled, NumberReady, NumberAvailable, NumberUnavailable, UpdatedNumberScheduled, NumberMisscheduled int32
}

// FromDaemonSet returns the trimmed DaemonSet.
func FromDaemonSet(ds *appsv1.DaemonSet) *DaemonSet {
	spec, status := &ds.Spec.Template.Spec, &ds.Status
	trimmed := &DaemonSet{
		Meta:               metaOf(ds),
		Generation:         ds.Generation,
		ObservedGeneration: status.ObservedGeneration,
		TemplateGeneration: parseGeneration(ds.Annotations[appsv1.DeprecatedTemplateGeneration]),
		DeletionTimestamp:  StampOf(ds.DeletionTimestamp),
		Template: PodTemplate{
			NodeName:     spec.NodeName,
			NodeSelector: spec.NodeSelector,
			Affinity:     requiredAffinity(spec.Affinity),
			Tolerations:  spec.Tolerations,
			HostNetwork:  spec.HostNetwork,
		},
		MinReadySeconds: ds.Spec.MinReadySeconds,
		RollingUpdate:   ds.Spec.UpdateStrategy.Type != appsv1.OnDeleteDaemonSetStrategyType,
		Status: DaemonSetStatus{
			DesiredNumberScheduled: status.DesiredNumberScheduled,
			CurrentNumberScheduled: status.CurrentNumberScheduled,
			NumberReady:            status.NumberReady,
			NumberAvailable:        status.NumberAvailable,
			NumberUnavailable:      status.NumberUnavailable,
			UpdatedNumberScheduled: status.UpdatedNumberScheduled,
			NumberMisscheduled:     status.NumberMisscheduled,
		},
	}
	if rolling := ds.Spec.UpdateStrategy.RollingUpdate; rolling != nil {
		trimmed.MaxUnavailable, trimmed.MaxSurge = rolling.MaxUnavailable, rolling.MaxSurge
	}
	return trimmed
}

// requiredAffinity returns the only part of an affinity that decides placement.
func requiredAffinity(affinity *corev1.Affinity) *corev1.Affinity {
	if affinity == nil || affinity.NodeAffinity == nil ||
		affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return nil
	}
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution,
	}}
}

// parseGeneration returns a template generation, or zero if the text is not one.
func parseGeneration(text string) int64 {
	generation, err := strconv.ParseInt(text, 10, 64)
	if err != nil || generation < 0 {
		return 0
	}
	return generation
}

var _ metav1.ObjectMetaAccessor = (*DaemonSet)(nil)
