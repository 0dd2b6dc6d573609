package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
)

// One cluster in many steps, because a cluster costs seconds. It does what the tests
// of the exporter rely on.
func TestCluster(t *testing.T) {
	ctx := t.Context()
	c := clustertest.Start(t, cluster.Config{})

	check.NoError(t, c.AddNode(ctx, cluster.NodeSpec{Name: "a", Zone: "z1"}))
	check.NoError(t, c.AddNode(ctx, cluster.NodeSpec{Name: "b", Zone: "z2"}))
	check.NoError(t, c.Apply(ctx, daemonSet("agent", nil, "")))
	check.NoError(t, c.WaitDaemonSet(ctx, "default", "agent", 2))
	t.Log("a daemonset becomes ready on two nodes")

	check.NoError(t, c.PullPlug(ctx, "b"))
	check.NoError(t, c.WaitNodeReady(ctx, "b", corev1.ConditionUnknown))
	check.NoError(t, waitReady(ctx, c, "agent", "b", corev1.ConditionFalse))
	t.Log("a node whose plug is pulled becomes Unknown, and its pod not Ready")

	check.NoError(t, c.PlugIn(ctx, "b"))
	check.NoError(t, c.WaitNodeReady(ctx, "b", corev1.ConditionTrue))
	check.NoError(t, waitReady(ctx, c, "agent", "b", corev1.ConditionTrue))
	check.NoError(t, c.WaitDaemonSet(ctx, "default", "agent", 2))
	t.Log("both come back")

	check.NoError(t, c.Pause(cluster.APIServer))
	impatient, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := c.Client().CoreV1().Nodes().List(impatient, metav1.ListOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a paused API server: got %v, want no response", err)
	}
	check.NoError(t, c.Resume(cluster.APIServer))
	check.NoError(t, c.WaitDaemonSet(ctx, "default", "agent", 2))
	t.Log("the API server can be paused")

	check.NoError(t, c.StopAPIServer())
	if _, err := c.Client().CoreV1().Nodes().List(ctx, metav1.ListOptions{}); err == nil {
		t.Error("a killed API server responds")
	}
	check.NoError(t, c.StartAPIServer(ctx))
	check.NoError(t, c.AddNode(ctx, cluster.NodeSpec{Name: "c"}))
	check.NoError(t, c.WaitDaemonSet(ctx, "default", "agent", 3))
	t.Log("the API server comes back with its data, and every component finds it")

	check.NoError(t, c.Apply(ctx, daemonSet("image", map[string]string{cluster.BehaviourAnnotation: string(cluster.ImagePull)}, "")))
	check.NoError(t, c.WaitPods(ctx, "default", "app=image", "3 pods in ImagePullBackOff", func(pods []corev1.Pod) (bool, string) {
		return every(pods, 3, func(pod corev1.Pod) bool { return waiting(pod) == "ImagePullBackOff" })
	}))
	t.Log("a pod with that behaviour fails to pull its image")

	check.NoError(t, c.Apply(ctx, daemonSet("big", nil, "64")))
	check.NoError(t, c.WaitPods(ctx, "default", "app=big", "3 unschedulable pods", func(pods []corev1.Pod) (bool, string) {
		return every(pods, 3, func(pod corev1.Pod) bool {
			return strings.Contains(condition(pod, corev1.PodScheduled).Message, "Insufficient cpu")
		})
	}))
	check.NoError(t, c.AddNode(ctx, cluster.NodeSpec{Name: "d", Capacity: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100")}}))
	check.NoError(t, c.WaitPods(ctx, "default", "app=big", "1 Ready pod", func(pods []corev1.Pod) (bool, string) {
		return every(pods, 4, func(pod corev1.Pod) bool {
			return (pod.Spec.NodeName == "d") == (condition(pod, corev1.PodReady).Status == corev1.ConditionTrue)
		})
	}))
	t.Log("the scheduler respects the capacity of a node")

	pids := c.PIDs()
	check.That(t, len(pids) == 5, "components that run: %v", pids)
	check.NoError(t, c.Stop())
	for component, pid := range pids {
		check.Equal[error](t, syscall.Kill(pid, 0), syscall.ESRCH, component, "after Stop")
	}
}

// daemonSet returns a manifest whose pods have these annotations.
func daemonSet(name string, annotations map[string]string, cpu string) []byte {
	var notes, requests string
	for key, value := range annotations {
		notes += fmt.Sprintf("        %s: %q\n", key, value)
	}
	if cpu != "" {
		requests = fmt.Sprintf("        resources: {requests: {cpu: %q}}\n", cpu)
	}
	return []byte(fmt.Sprintf(`
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: %[1]s
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata:
      labels: {app: %[1]s}
      annotations:
        example.com/purpose: test
%[2]s    spec:
      containers:
      - name: agent
        image: example.com/agent:1
%[3]s`, name, notes, requests))
}

func waitReady(ctx context.Context, c *cluster.Cluster, app, node string, status corev1.ConditionStatus) error {
	what := fmt.Sprintf("pod of %s on %s to be Ready=%s", app, node, status)
	return c.WaitPods(ctx, "default", "app="+app, what, func(pods []corev1.Pod) (bool, string) {
		for _, pod := range pods {
			if pod.Spec.NodeName == node {
				return condition(pod, corev1.PodReady).Status == status, fmt.Sprint(pod.Status.Conditions)
			}
		}
		return false, "no pod"
	})
}

// every reports whether there are n pods that all satisfy want.
func every(pods []corev1.Pod, n int, want func(corev1.Pod) bool) (bool, string) {
	var states []string
	all := len(pods) == n
	for _, pod := range pods {
		all = all && want(pod)
		states = append(states, fmt.Sprintf("%s on %q: %s %s, Ready=%s, %s", pod.Name, pod.Spec.NodeName, pod.Status.Phase,
			waiting(pod), condition(pod, corev1.PodReady).Status, condition(pod, corev1.PodScheduled).Message))
	}
	return all, strings.Join(states, "; ")
}

func condition(pod corev1.Pod, kind corev1.PodConditionType) corev1.PodCondition {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.PodCondition{}
}

// waiting returns the reason of the first container that waits.
func waiting(pod corev1.Pod) string {
	for _, status := range pod.Status.ContainerStatuses {
		if status.State.Waiting != nil {
			return status.State.Waiting.Reason
		}
	}
	return ""
}
