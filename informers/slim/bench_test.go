package slim_test

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// BenchmarkFrom measures the step from a decoded object to its slim object, which
// is all that it allocates.
func BenchmarkFrom(b *testing.B) {
	created := metav1.NewTime(time.Date(2026, time.September, 1, 8, 0, 0, 0, time.UTC))
	meta := metav1.ObjectMeta{
		Namespace: "kube-system", Name: "node-agent-x7k2p", UID: "6d96d78b-d6db-4791-a8de-5edc356dc1ad",
		ResourceVersion: "851", CreationTimestamp: created,
		Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: "66879f74c5", "pod-template-generation": "1"},
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "apps/v1", Kind: "DaemonSet", Name: "node-agent", UID: "28e7606a-83ba-416d-975e-a6ea3db81040", Controller: new(true),
		}},
	}
	for _, containers := range []int{1, 3} {
		b.Run(fmt.Sprintf("pod/containers=%d", containers), func(b *testing.B) {
			pod := &corev1.Pod{
				ObjectMeta: meta,
				Spec:       corev1.PodSpec{NodeName: "ip-10-0-12-7.eu-central-1.compute.internal"},
				Status: corev1.PodStatus{
					Phase: corev1.PodRunning, StartTime: &created,
					Conditions: []corev1.PodCondition{
						{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: created},
						{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: created},
					},
				},
			}
			for i := range containers {
				pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
					Name: fmt.Sprintf("agent-%d", i), Ready: true,
					State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: created}},
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				slim.FromPod(pod)
			}
		})
	}
	b.Run("node/images=50", func(b *testing.B) {
		node := &corev1.Node{ObjectMeta: meta, Status: corev1.NodeStatus{
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastTransitionTime: created}},
			Images:     make([]corev1.ContainerImage, 50),
		}}
		b.ReportAllocs()
		for b.Loop() {
			slim.FromNode(node)
		}
	})
	b.Run("daemonset", func(b *testing.B) {
		ds := &appsv1.DaemonSet{ObjectMeta: meta}
		b.ReportAllocs()
		for b.Loop() {
			slim.FromDaemonSet(ds)
		}
	})
}
