package slim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestDaemonSet(t *testing.T) {
	t.Parallel()
	required := &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{fields(in("a"))}}
	object := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "logging", Name: "fluentd", UID: "uid-fluentd", Generation: 4, CreationTimestamp: noon,
			Annotations: map[string]string{"deprecated.daemonset.template.generation": "3", "huge": "left out"},
		},
		Spec: appsv1.DaemonSetSpec{
			MinReadySeconds: 10,
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{
				Type: "RollingUpdate",
				RollingUpdate: &appsv1.RollingUpdateDaemonSet{
					MaxUnavailable: ptr.To(intstr.FromString("10%")), MaxSurge: ptr.To(intstr.FromInt32(0)),
				},
			},
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				NodeName: "n", NodeSelector: map[string]string{"k": "v"}, HostNetwork: true,
				Tolerations: []corev1.Toleration{{Operator: "Exists"}},
				Containers:  []corev1.Container{{Name: "left out"}},
				Affinity: &corev1.Affinity{
					PodAntiAffinity: &corev1.PodAntiAffinity{},
					NodeAffinity: &corev1.NodeAffinity{
						RequiredDuringSchedulingIgnoredDuringExecution:  required,
						PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 1}},
					},
				},
			}},
		},
		Status: appsv1.DaemonSetStatus{
			ObservedGeneration: 2, DesiredNumberScheduled: 3, CurrentNumberScheduled: 4, NumberReady: 5,
			NumberAvailable: 6, NumberUnavailable: 7, UpdatedNumberScheduled: 8, NumberMisscheduled: 9,
		},
	}
	want := &slim.DaemonSet{
		Meta: slim.Meta{
			Namespace: slim.Intern("logging"), Name: "fluentd", UID: slim.ParseUID("uid-fluentd"), CreationTimestamp: noonStamp,
		},
		Generation: 4, ObservedGeneration: 2, TemplateGeneration: 3,
		MinReadySeconds: 10, RollingUpdate: true,
		MaxUnavailable: ptr.To(intstr.FromString("10%")), MaxSurge: ptr.To(intstr.FromInt32(0)),
		Template: slim.PodTemplate{
			NodeName: "n", NodeSelector: map[string]string{"k": "v"}, HostNetwork: true,
			Tolerations: []corev1.Toleration{{Operator: "Exists"}},
			Affinity:    &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: required}},
		},
		Status: slim.DaemonSetStatus{
			DesiredNumberScheduled: 3, CurrentNumberScheduled: 4, NumberReady: 5, NumberAvailable: 6, NumberUnavailable: 7, UpdatedNumberScheduled: 8, NumberMisscheduled: 9,
		},
	}
	if diff := cmp.Diff(want, slim.FromDaemonSet(object), ignoreVersion); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDaemonSetUpdateStrategy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		strategy appsv1.DaemonSetUpdateStrategy
		rolling  bool
	}{
		"OnDelete is not a rolling update":                    {appsv1.DaemonSetUpdateStrategy{Type: "OnDelete"}, false},
		"RollingUpdate is one":                                {appsv1.DaemonSetUpdateStrategy{Type: "RollingUpdate"}, true},
		"an empty type is one, as the API server defaults it": {appsv1.DaemonSetUpdateStrategy{}, true},
		"parameters do not change the type":                   {appsv1.DaemonSetUpdateStrategy{Type: "OnDelete", RollingUpdate: &appsv1.RollingUpdateDaemonSet{}}, false},
		"a rolling update may have no budget":                 {appsv1.DaemonSetUpdateStrategy{Type: "RollingUpdate", RollingUpdate: &appsv1.RollingUpdateDaemonSet{}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			ds := slim.FromDaemonSet(&appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{UpdateStrategy: test.strategy}})
			check.That(t, ds.RollingUpdate == test.rolling && ds.MaxUnavailable == nil && ds.MaxSurge == nil, "rolling update: %v, maxUnavailable %v, maxSurge %v; want %v, nil, nil", ds.RollingUpdate, ds.MaxUnavailable, ds.MaxSurge, test.rolling)
		})
	}
}

func TestTemplateGeneration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"1": 1, "9223372036854775807": 9223372036854775807,
		"": 0, "0": 0, "-3": 0, "one": 0, "1.5": 0, "9223372036854775808": 0, " 1": 0,
	} {
		ds := slim.FromDaemonSet(&appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{
			Annotations: map[string]string{"deprecated.daemonset.template.generation": text},
		}})
		pod := slim.FromPod(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Labels: map[string]string{"pod-template-generation": text, "controller-revision-hash": "abc"},
		}})
		check.That(t, ds.TemplateGeneration == want && pod.TemplateGeneration == want && pod.ControllerRevisionHash.Value() == "abc", "%q: DaemonSet %d, pod %d; want %d", text, ds.TemplateGeneration, pod.TemplateGeneration, want)
	}
}

// Only the required node affinity decides placement. Everything else would cost
// memory for nothing.
func TestDaemonSetAffinity(t *testing.T) {
	t.Parallel()
	for name, affinity := range map[string]*corev1.Affinity{
		"none":              nil,
		"empty":             {},
		"between pods":      {PodAffinity: &corev1.PodAffinity{}},
		"only a preference": {NodeAffinity: &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{}}}},
	} {
		ds := &appsv1.DaemonSet{}
		ds.Spec.Template.Spec.Affinity = affinity
		if got := slim.FromDaemonSet(ds).Template.Affinity; got != nil {
			t.Errorf("%s: %v is kept", name, got)
		}
	}
}
