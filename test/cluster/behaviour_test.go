package cluster_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
)

// Expected states are those of recordings of a real kubelet; the stages name them.
func TestBehaviour(t *testing.T) {
	c := clustertest.Start(t, cluster.Config{WaitTimeout: 2 * time.Minute})
	check.NoError(t, c.AddNode(t.Context(), cluster.NodeSpec{Name: "a"}))

	for _, tc := range []struct {
		name        string
		annotations map[string]string
		want        string // of sketch
	}{
		{
			name: "healthy",
			want: "Running Ready=True containers [running restarts=0]",
		},
		{
			name:        "image-pull",
			annotations: map[string]string{cluster.BehaviourAnnotation: string(cluster.ImagePull)},
			want:        "Pending Ready=False(ContainersNotReady) containers [waiting ImagePullBackOff restarts=0]",
		},
		{
			name:        "container-config",
			annotations: map[string]string{cluster.BehaviourAnnotation: string(cluster.ContainerConfig)},
			want:        "Pending Ready=False(ContainersNotReady) containers [waiting CreateContainerConfigError restarts=0]",
		},
		{
			name:        "crash-loop",
			annotations: map[string]string{cluster.BehaviourAnnotation: string(cluster.CrashLoop)},
			want:        "Running Ready=False(ContainersNotReady) containers [waiting CrashLoopBackOff after 1 Error restarts=1]",
		},
		{
			name:        "never-ready",
			annotations: map[string]string{cluster.BehaviourAnnotation: string(cluster.NeverReady)},
			want:        "Running Ready=False(ContainersNotReady) containers [running restarts=0]",
		},
		{
			name:        "slow-start",
			annotations: map[string]string{cluster.StartAfterAnnotation: "600"},
			want:        "Pending Ready=False(ContainersNotReady) containers [waiting ContainerCreating restarts=0]",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			check.NoError(t, c.Apply(t.Context(), daemonSet(tc.name, tc.annotations, "")))
			onlyPod(t, c, tc.name, tc.want)
		})
	}

	for _, tc := range []struct {
		behaviour cluster.Behaviour
		reason    string
	}{
		{cluster.Evicted, "Evicted"},
		{cluster.Rejected, "UnexpectedAdmissionError"},
	} {
		// The controller deletes a failed pod and creates another, which fails too: any
		// pod in the state will do.
		t.Run(string(tc.behaviour), func(t *testing.T) {
			t.Parallel()
			name := string(tc.behaviour)
			check.NoError(t, c.Apply(t.Context(), daemonSet(name, map[string]string{cluster.BehaviourAnnotation: name}, "")))
			events, err := c.Client().CoreV1().Pods("default").Watch(t.Context(), metav1.ListOptions{LabelSelector: "app=" + name})
			check.NoError(t, err)
			defer events.Stop()
			for {
				select {
				case event := <-events.ResultChan():
					if pod, ok := event.Object.(*corev1.Pod); ok && pod.Status.Phase == corev1.PodFailed && pod.Status.Reason == tc.reason {
						return
					}
				case <-time.After(time.Minute):
					t.Fatal("no pod failed with reason", tc.reason)
				}
			}
		})
	}

	t.Run("a pod that is never ready recovers when its behaviour is healthy", func(t *testing.T) {
		t.Parallel()
		check.NoError(t, c.Apply(t.Context(), daemonSet("recovers", map[string]string{cluster.BehaviourAnnotation: string(cluster.NeverReady)}, "")))
		pod := onlyPod(t, c, "recovers", "Running Ready=False(ContainersNotReady) containers [running restarts=0]")
		check.NoError(t, c.SetPodBehaviour(t.Context(), "default", pod.Name, cluster.Healthy))
		onlyPod(t, c, "recovers", "Running Ready=True containers [running restarts=0]")
	})

	t.Run("a readiness gate keeps a pod unready until somebody opens it", func(t *testing.T) {
		t.Parallel()
		manifest := append(daemonSet("gated", nil, ""), "      readinessGates: [{conditionType: example.com/gate}]\n"...)
		check.NoError(t, c.Apply(t.Context(), manifest))
		pod := onlyPod(t, c, "gated", "Running Ready=False(ReadinessGatesNotReady) containers [running restarts=0]")
		gate := []byte(`{"status":{"conditions":[{"type":"example.com/gate","status":"True"}]}}`)
		_, err := c.Client().CoreV1().Pods("default").Patch(t.Context(), pod.Name, types.StrategicMergePatchType, gate, metav1.PatchOptions{}, "status")
		check.NoError(t, err)
		onlyPod(t, c, "gated", "Running Ready=True containers [running restarts=0]")
	})
}

// onlyPod waits until the one pod of an app has a sketch, and returns it.
func onlyPod(t *testing.T, c *cluster.Cluster, app, want string) corev1.Pod {
	t.Helper()
	var found corev1.Pod
	check.NoError(t, c.WaitPods(t.Context(), "default", "app="+app, want, func(pods []corev1.Pod) (bool, string) {
		if len(pods) != 1 {
			return false, fmt.Sprintf("%d pods", len(pods))
		}
		found = pods[0]
		return sketch(found) == want, sketch(found)
	}))
	return found
}

// sketch returns the relevant part of a pod's status in one line.
func sketch(pod corev1.Pod) string {
	ready := condition(pod, corev1.PodReady)
	s := fmt.Sprintf("%s Ready=%s", pod.Status.Phase, ready.Status)
	if ready.Reason != "" {
		s += "(" + ready.Reason + ")"
	}
	s += " containers ["
	for _, status := range pod.Status.ContainerStatuses {
		switch state := status.State; {
		case state.Running != nil:
			s += "running"
		case state.Terminated != nil:
			s += fmt.Sprintf("terminated %d %s", state.Terminated.ExitCode, state.Terminated.Reason)
		case state.Waiting != nil:
			s += "waiting " + state.Waiting.Reason
			if last := status.LastTerminationState.Terminated; last != nil {
				s += fmt.Sprintf(" after %d %s", last.ExitCode, last.Reason)
			}
		}
		s += fmt.Sprintf(" restarts=%d", status.RestartCount)
	}
	return s + "]"
}
