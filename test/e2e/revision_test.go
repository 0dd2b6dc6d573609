package e2e

import (
	"context"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// An update that has come to two of five nodes is rolled back while a third is dead:
// as many pods are of the wrong revision as the controller counts as updated.
func TestRollBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t, workers("a", "b", "c", "d", "e"))
	agent := daemonSet{name: "agent", strategy: "{type: OnDelete}", image: "example.com/agent:1"}
	// rollOut changes the template; the pods stay until somebody deletes them.
	rollOut := func(image string) {
		agent.image = image
		f.must(f.Apply(t.Context(), agent.manifest()))
	}
	rollOut("example.com/agent:1")
	f.expect("all nodes are covered, and the revision is read",
		`daemonset_covered_nodes{daemonset="agent"} 5`,
		`daemonset_rollout_outdated_nodes{daemonset="agent"} 0`,
		`daemonset_exporter_revision_inferred 0`)

	f.must(f.PullPlug(t.Context(), "a"))
	f.expect("one node is dead", `daemonset_gap_nodes{daemonset="agent",reason="node_unreachable"} 1`)
	rollOut("example.com/agent:2")
	f.expect("all pods are outdated",
		`daemonset_rollout_outdated_nodes{daemonset="agent"} 5`,
		`daemonset_exporter_revision_inferred 0`)
	for _, node := range []string{"d", "e"} {
		f.must(f.Client().CoreV1().Pods("default").Delete(t.Context(), f.podOn("agent", node), metav1.DeleteOptions{}))
	}
	f.awaitImages("two pods are updated", "example.com/agent:2", 2)
	f.expect("two are updated",
		`daemonset_covered_nodes{daemonset="agent"} 4`,
		`daemonset_rollout_outdated_nodes{daemonset="agent"} 3`)

	rolledBack := []string{
		`daemonset_rollout_outdated_nodes{daemonset="agent"} 2`,
		`daemonset_status_difference_nodes{daemonset="agent",field="updated"} 0`,
		`daemonset_exporter_revision_inferred 0`,
	}
	rollOut("example.com/agent:1")
	f.expect("rolled back, those two are outdated", rolledBack...)
	rollOut("example.com/agent:2")
	f.expect("forward again, the other three", `daemonset_rollout_outdated_nodes{daemonset="agent"} 3`, `daemonset_exporter_revision_inferred 0`)
	rollOut("example.com/agent:1")
	f.expect("and back", rolledBack...)
	f.must(f.exporter.Kill())
	f.startExporter()
	f.expect("an exporter that starts now says the same", rolledBack...)

	orphan := metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationOrphan)}
	f.must(f.Client().AppsV1().DaemonSets("default").Delete(t.Context(), "agent", orphan))
	f.must(f.Wait(t.Context(), "the DaemonSet to be gone", func(ctx context.Context) (bool, string, error) {
		_, err := f.Client().AppsV1().DaemonSets("default").Get(ctx, "agent", metav1.GetOptions{})
		return apierrors.IsNotFound(err), "still there", nil
	}))
	rollOut("example.com/agent:3")
	f.expect("one of another template has adopted the pods: all are outdated, whatever the controller counts",
		`daemonset_covered_nodes{daemonset="agent"} 4`,
		`daemonset_rollout_outdated_nodes{daemonset="agent"} 5`,
		`daemonset_status_difference_nodes{daemonset="agent",field="updated"} 0`,
		`daemonset_exporter_revision_inferred 0`)
}

// awaitImages waits until so many pods of the DaemonSet agent run an image.
func (f *fixture) awaitImages(what, image string, want int) {
	f.t.Helper()
	f.must(f.WaitPods(f.t.Context(), "default", "app=agent", what, func(pods []corev1.Pod) (bool, string) {
		pods = slices.DeleteFunc(pods, func(pod corev1.Pod) bool { return pod.Spec.Containers[0].Image != image })
		return len(pods) == want, "not yet"
	}))
}
