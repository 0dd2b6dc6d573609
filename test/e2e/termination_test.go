package e2e

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// A finalizer holds the pods of both, so that their last status can be read.
func TestTermination(t *testing.T) {
	t.Parallel()
	f := newFixture(t, workers("a"))
	for _, tc := range []struct {
		name string
		set  daemonSet
		// sidecar is the exit code of the sidecar, if there is one.
		sidecar int32
	}{
		{"a pod that ended in time, and that a finalizer holds,", daemonSet{name: "held"}, 0},
		{
			"a pod whose sidecar is killed last",
			daemonSet{name: "beside", initContainers: "[{name: proxy, image: example.com/proxy:1, restartPolicy: Always}]"},
			137,
		},
	} {
		f.run(tc.name+" ended gracefully", func() {
			tc.set.grace, tc.set.finalizers = 2, "[example.com/hold]"
			f.apply(tc.set)
			of := `{daemonset="` + tc.set.name + `"`
			f.expect("the node is covered", `daemonset_covered_nodes`+of+`} 1`)
			pod := f.podOn(tc.set.name, "a")
			f.must(f.Client().CoreV1().Pods("default").Delete(f.t.Context(), pod, metav1.DeleteOptions{}))
			f.must(f.WaitPods(f.t.Context(), "default", "app="+tc.set.name, "the containers to end", ended(pod, tc.sidecar)))
			f.expect("the object stays", `daemonset_pods_terminating`+of+`,state="overdue"} 1`)
			f.lasts(time.Now(), 3*time.Second) // longer than a kubelet needs to remove a pod that it has killed
			_, err := f.Client().CoreV1().Pods("default").Patch(f.t.Context(), pod, types.MergePatchType,
				[]byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
			f.must(err)
			f.expect("its containers ended in time",
				`daemonset_pod_terminations_total`+of+`,outcome="graceful"} 1`,
				`daemonset_pod_terminations_total`+of+`} 1`)
		})
	}
}

// ended reports whether all containers of a pod have ended, the sidecar with this code.
func ended(name string, sidecar int32) func([]corev1.Pod) (bool, string) {
	return func(pods []corev1.Pod) (bool, string) {
		for _, pod := range pods {
			if pod.Name != name {
				continue
			}
			for _, container := range pod.Status.ContainerStatuses {
				if container.State.Terminated == nil {
					return false, container.Name + " runs"
				}
			}
			for _, container := range pod.Status.InitContainerStatuses {
				if state := container.State.Terminated; state == nil || state.ExitCode != sidecar {
					return false, container.Name + " runs, or ended in another way"
				}
			}
			return true, ""
		}
		return false, "no such pod"
	}
}

func TestScheduler(t *testing.T) {
	t.Parallel()
	run(t, "a pod that waits for a scheduler that is down", workers("a", "b"), func(f *fixture) {
		f.apply(daemonSet{name: "agent", grace: 1})
		f.expect("both nodes are covered", `daemonset_covered_nodes{daemonset="agent"} 2`)
		f.must(f.Kill(cluster.Scheduler))
		f.deletePodOn("b")
		f.gap("scheduling", "awaiting_scheduler")
		f.lasts(time.Now(), 5*time.Second) // longer than all else takes
		f.must(f.Restart(f.t.Context(), cluster.Scheduler))
		f.expect("the scheduler binds it when it is back", `daemonset_covered_nodes{daemonset="agent"} 2`)
		f.expectAtLeast("daemonset_gap_duration_seconds_sum", exporter.Labels{"daemonset": "agent", "cause": "scheduling"}, 5)
	})
}
