package cluster_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
)

// The last state of a pod in a watch shows how it ended.
func TestTermination(t *testing.T) {
	c := clustertest.Start(t, cluster.Config{})
	check.NoError(t, c.AddNode(t.Context(), cluster.NodeSpec{Name: "a"}))
	check.NoError(t, c.AddNode(t.Context(), cluster.NodeSpec{Name: "dies"}))

	for _, tc := range []struct {
		name        string
		annotations map[string]string
		before      string // of sketch
		grace       int64
		last        string // of sketch
		atLeast     time.Duration
	}{
		{
			name:   "graceful",
			before: "Running Ready=True containers [running restarts=0]",
			grace:  30,
			last:   "Succeeded Ready=False(PodCompleted) containers [terminated 0 Completed restarts=0]",
		},
		{
			name:        "slow",
			annotations: map[string]string{cluster.StopAfterAnnotation: "4"},
			before:      "Running Ready=True containers [running restarts=0]",
			grace:       30,
			last:        "Succeeded Ready=False(PodCompleted) containers [terminated 0 Completed restarts=0]",
			atLeast:     3 * time.Second, // the timestamp has whole seconds
		},
		{
			name:        "exit-143",
			annotations: map[string]string{cluster.ExitCodeAnnotation: "143"},
			before:      "Running Ready=True containers [running restarts=0]",
			grace:       30,
			last:        "Failed Ready=False(PodFailed) containers [terminated 143 Error restarts=0]",
		},
		{
			name:        "killed",
			annotations: map[string]string{cluster.StopAfterAnnotation: "60"},
			before:      "Running Ready=True containers [running restarts=0]",
			grace:       3,
			last:        "Failed Ready=False(PodFailed) containers [terminated 137 Error restarts=0]",
			atLeast:     2 * time.Second,
		},
		{
			name:   "forced",
			before: "Running Ready=True containers [running restarts=0]",
			grace:  0,
			last:   "Running Ready=True containers [running restarts=0]",
		},
		{
			name:        "never-ran",
			annotations: map[string]string{cluster.BehaviourAnnotation: string(cluster.ImagePull)},
			before:      "Pending Ready=False(ContainersNotReady) containers [waiting ImagePullBackOff restarts=0]",
			grace:       30,
			last:        "Failed Ready=False(PodFailed) containers [terminated 137 ContainerStatusUnknown restarts=0]",
		},
		{
			name:        "in-back-off",
			annotations: map[string]string{cluster.BehaviourAnnotation: string(cluster.CrashLoop)},
			before:      "Running Ready=False(ContainersNotReady) containers [waiting CrashLoopBackOff after 1 Error restarts=1]",
			grace:       30,
			last:        "Failed Ready=False(PodFailed) containers [terminated 1 Error restarts=1]",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			check.NoError(t, c.Apply(t.Context(), on("a", daemonSet(tc.name, tc.annotations, ""))))
			pod := onlyPod(t, c, tc.name, tc.before)
			start := time.Now()
			events := deleteAndWatch(t, c, pod, tc.grace)
			check.Equal(t, sketch(*awaitDeleted(t, events)), tc.last, "the pod's last state")
			if took := time.Since(start); took < tc.atLeast {
				t.Errorf("took %s, want at least %s", took, tc.atLeast)
			}
		})
	}

	t.Run("a stopped kubelet ends nothing until it runs again", func(t *testing.T) {
		t.Parallel()
		check.NoError(t, c.Apply(t.Context(), on("dies", daemonSet("away", map[string]string{cluster.StopAfterAnnotation: "2"}, ""))))
		pod := onlyPod(t, c, "away", "Running Ready=True containers [running restarts=0]")
		events := deleteAndWatch(t, c, pod, 4)
		check.NoError(t, c.PullPlug(t.Context(), "dies"))
		check.NoError(t, c.WaitNodeReady(t.Context(), "dies", corev1.ConditionUnknown))
		// The node lifecycle controller clears Ready; the containers keep running.
		onlyPod(t, c, "away", "Running Ready=False containers [running restarts=0]")
		check.NoError(t, c.PlugIn(t.Context(), "dies"))
		check.Equal(t, sketch(*awaitDeleted(t, events)), "Succeeded Ready=False(PodCompleted) containers [terminated 0 Completed restarts=0]", "the pod's last state")
	})
}

// on adds a node selector for one node.
func on(node string, manifest []byte) []byte {
	return fmt.Appendf(manifest, "      nodeSelector: {kubernetes.io/hostname: %s}\n", node)
}

func deleteAndWatch(t *testing.T, c *cluster.Cluster, pod corev1.Pod, grace int64) watch.Interface {
	t.Helper()
	pods := c.Client().CoreV1().Pods(pod.Namespace)
	events, err := pods.Watch(t.Context(), metav1.ListOptions{
		FieldSelector: "metadata.name=" + pod.Name, ResourceVersion: pod.ResourceVersion,
	})
	check.NoError(t, err)
	t.Cleanup(events.Stop)
	check.NoError(t, pods.Delete(t.Context(), pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &grace}))
	return events
}

func awaitDeleted(t *testing.T, events watch.Interface) *corev1.Pod {
	t.Helper()
	for {
		select {
		case event := <-events.ResultChan():
			if pod, ok := event.Object.(*corev1.Pod); ok && event.Type == watch.Deleted {
				return pod
			}
		case <-time.After(time.Minute):
			t.Fatal("the pod is still there after a minute")
		}
	}
}
