package objects

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// DaemonSet returns a DaemonSet that was created before Noon, after the Nodes.
// It runs everywhere and may replace one Pod at a time. Its UID is its name.
func DaemonSet(name string, options ...Option) *appsv1.DaemonSet {
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: metav1.NamespaceDefault, Name: name, UID: types.UID(name), CreationTimestamp: Stamp(-8000),
		},
	}
	Generation(1)(ds)
	RollingUpdate("1", "0")(ds)
	return with(ds, options)
}

// template returns an Option that changes the spec of the Pods.
func template(change func(spec *corev1.PodSpec)) Option {
	return Change(func(ds *appsv1.DaemonSet) { change(&ds.Spec.Template.Spec) })
}

// NodeSelector selects Nodes by one label.
func NodeSelector(key, value string) Option {
	return template(func(spec *corev1.PodSpec) { spec.NodeSelector = map[string]string{key: value} })
}

// NodeAffinity sets the terms of the required node affinity.
func NodeAffinity(terms ...corev1.NodeSelectorTerm) Option {
	return template(func(spec *corev1.PodSpec) { spec.Affinity = requiredAffinity(terms...) })
}

func requiredAffinity(terms ...corev1.NodeSelectorTerm) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: terms},
	}}
}

// MatchLabel returns a term of one requirement on a Node's labels.
func MatchLabel(key string, operator corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: operator, Values: values}}}
}

// MatchName returns a term of one requirement on a Node's name.
func MatchName(operator corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{
		{Key: metav1.ObjectNameField, Operator: operator, Values: values},
	}}
}

// NodeName sets the node name in the template.
func NodeName(name string) Option {
	return template(func(spec *corev1.PodSpec) { spec.NodeName = name })
}

// HostNetwork sets hostNetwork in the template.
func HostNetwork() Option {
	return template(func(spec *corev1.PodSpec) { spec.HostNetwork = true })
}

// Tolerating sets the tolerations.
func Tolerating(tolerations ...corev1.Toleration) Option {
	return template(func(spec *corev1.PodSpec) { spec.Tolerations = tolerations })
}

// TolerateAll returns the toleration of every taint.
func TolerateAll() corev1.Toleration { return corev1.Toleration{Operator: corev1.TolerationOpExists} }

// Tolerate returns the toleration of every taint with the key.
func Tolerate(key string) corev1.Toleration {
	return corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists}
}

// MinReadySeconds sets spec.minReadySeconds.
func MinReadySeconds(seconds int32) Option {
	return Change(func(ds *appsv1.DaemonSet) { ds.Spec.MinReadySeconds = seconds })
}

// RollingUpdate sets the update strategy, with numbers or percentages.
func RollingUpdate(maxUnavailable, maxSurge string) Option {
	unavailable, surge := intstr.Parse(maxUnavailable), intstr.Parse(maxSurge)
	return Change(func(ds *appsv1.DaemonSet) {
		ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{
			Type:          appsv1.RollingUpdateDaemonSetStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &unavailable, MaxSurge: &surge},
		}
	})
}

// OnDelete sets the update strategy.
func OnDelete() Option {
	return Change(func(ds *appsv1.DaemonSet) {
		ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType}
	})
}

// Generation sets the generation of the object and of its template, and that the
// controller has observed it.
func Generation(number int64) Option {
	return Change(func(ds *appsv1.DaemonSet) {
		ds.Generation, ds.Status.ObservedGeneration = number, number
		TemplateGeneration(number)(ds)
	})
}

// TemplateGeneration sets the generation of the template alone.
func TemplateGeneration(number int64) Option {
	return Change(func(ds *appsv1.DaemonSet) {
		ds.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: strconv.FormatInt(number, 10)}
	})
}

// Status sets the status, which is of the present generation unless it has
// another.
func Status(status appsv1.DaemonSetStatus) Option {
	return Change(func(ds *appsv1.DaemonSet) {
		ds.Status = status
		if status.ObservedGeneration == 0 {
			ds.Status.ObservedGeneration = ds.Generation
		}
	})
}
