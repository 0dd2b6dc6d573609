package e2e

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// workers returns nodes in two zones.
func workers(names ...string) []cluster.NodeSpec {
	var nodes []cluster.NodeSpec
	for i, name := range names {
		nodes = append(nodes, cluster.NodeSpec{
			Name: name, Zone: []string{"z1", "z2"}[i%2],
			Labels: map[string]string{"node-type": "worker"},
		})
	}
	return nodes
}

func TestPlacement(t *testing.T) {
	t.Parallel()
	f := newFixture(t, workers("a", "b", "c"))
	f.apply(daemonSet{name: "agent", nodeSelector: map[string]string{"node-type": "worker"}})
	f.expect("all three nodes are covered",
		`daemonset_expected_nodes{namespace="default",daemonset="agent",lifecycle="active"} 3`,
		`daemonset_covered_nodes{namespace="default",daemonset="agent",lifecycle="active"} 3`,
		`daemonset_gap_nodes{daemonset="agent"} 0`,
		`daemonset_cluster_nodes{status="ready",lifecycle="active",zone="z1"} 2`,
		`daemonset_cluster_nodes{status="ready",lifecycle="active",zone="z2"} 1`)

	f.run("a node that is added is expected and soon covered", func() {
		f.must(f.AddNode(f.t.Context(), workers("d")[0]))
		f.expect("four nodes are covered",
			`daemonset_expected_nodes{daemonset="agent",lifecycle="active"} 4`,
			`daemonset_covered_nodes{daemonset="agent",lifecycle="active"} 4`)
	})

	f.run("a node that is deleted is no gap, although its pod still claims Ready", func() {
		f.must(f.DeleteNode(f.t.Context(), "d"))
		f.expect("three nodes are expected and covered, and there is no gap",
			`daemonset_expected_nodes{daemonset="agent"} 3`,
			`daemonset_covered_nodes{daemonset="agent"} 3`,
			`daemonset_gap_nodes{daemonset="agent"} 0`,
			`daemonset_gap_start_timestamp_seconds{daemonset="agent"} 0`,
			`daemonset_cluster_nodes 3`)
	})

	f.run("a taint that only keeps new pods away excludes the node and keeps its pod", func() {
		f.taint("b", corev1.Taint{Key: "gpu", Value: "yes", Effect: corev1.TaintEffectNoSchedule})
		f.expect("the taint repels the DaemonSet, and its pod may stay",
			`daemonset_expected_nodes{daemonset="agent",lifecycle="active"} 2`,
			`daemonset_excluded_nodes{daemonset="agent",lifecycle="active",reason="taint"} 1`,
			`daemonset_repelled_nodes{daemonset="agent",lifecycle="active",taint_key="gpu",taint_effect="NoSchedule"} 1`,
			`daemonset_misplaced_nodes{daemonset="agent",lifecycle="active",verdict="keep"} 1`,
			`daemonset_misplaced_nodes{daemonset="agent",lifecycle="active",verdict="stop"} 0`,
			`daemonset_status_difference_nodes{daemonset="agent",field="desired"} 0`,
			`daemonset_status_difference_nodes{daemonset="agent",field="misscheduled"} 0`)
	})

	f.run("a taint that evicts pods excludes the node, and its pod goes", func() {
		f.taint("b", corev1.Taint{Key: "gpu", Value: "yes", Effect: corev1.TaintEffectNoExecute})
		f.expect("the pod is gone",
			`daemonset_expected_nodes{daemonset="agent"} 2`,
			`daemonset_repelled_nodes{daemonset="agent",lifecycle="active",taint_key="gpu",taint_effect="NoExecute"} 1`,
			`daemonset_misplaced_nodes{daemonset="agent"} 0`)
		f.taint("b")
		f.expect("without the taint the node is covered again",
			`daemonset_expected_nodes{daemonset="agent"} 3`,
			`daemonset_covered_nodes{daemonset="agent"} 3`,
			`daemonset_repelled_nodes{daemonset="agent"} 0`)
	})

	f.run("a cordoned node still expects its pod", func() {
		f.patchNode("c", `{"spec": {"unschedulable": true}}`)
		f.expect("the node is covered, as a cordoned one",
			`daemonset_expected_nodes{daemonset="agent",lifecycle="cordoned"} 1`,
			`daemonset_covered_nodes{daemonset="agent",lifecycle="cordoned"} 1`,
			`daemonset_expected_nodes{daemonset="agent",lifecycle="active"} 2`,
			`daemonset_excluded_nodes{daemonset="agent"} 0`,
			`daemonset_cluster_nodes{status="ready",lifecycle="cordoned"} 1`)
		f.patchNode("c", `{"spec": {"unschedulable": null}}`)
	})

	f.run("a typo in the node selector empties a DaemonSet, and shows as exclusion", func() {
		f.apply(daemonSet{name: "agent", nodeSelector: map[string]string{"node-type": "wroker"}})
		f.expect("nothing is expected any more, because of the selector",
			`daemonset_expected_nodes{daemonset="agent"} 0`,
			`daemonset_excluded_nodes{daemonset="agent",lifecycle="active",reason="node_selector"} 3`,
			`daemonset_excluded_nodes{daemonset="agent",lifecycle="active",reason="taint"} 0`,
			`daemonset_gap_nodes{daemonset="agent"} 0`,
			`daemonset_misplaced_nodes{daemonset="agent"} 0`)
	})

	f.run("a DaemonSet that is deleted leaves no series", func() {
		f.must(f.Client().AppsV1().DaemonSets("default").Delete(f.t.Context(), "agent", metav1.DeleteOptions{}))
		ctx, cancel := f.deadline()
		defer cancel()
		_, err := f.exporter.Wait(ctx, "no series of the DaemonSet", func(samples exporter.Samples) error {
			for _, sample := range samples {
				if sample.Labels["daemonset"] == "agent" {
					return fmt.Errorf("still there: %s", sample)
				}
			}
			return nil
		})
		f.must(err)
	})
}

func TestGapReason(t *testing.T) {
	t.Parallel()
	f := newFixture(t, []cluster.NodeSpec{{Name: "a"}})
	for _, tc := range []struct {
		name   string
		set    daemonSet
		cause  string
		reason string
	}{
		{"an image that does not exist", daemonSet{name: "image", behaviour: cluster.ImagePull}, "pod", "image_pull"},
		{"a container that cannot be configured", daemonSet{name: "config", behaviour: cluster.ContainerConfig}, "pod", "container_config"},
		{"a container that crashes", daemonSet{name: "crash", behaviour: cluster.CrashLoop}, "pod", "crash_loop"},
		{"a probe that fails", daemonSet{name: "probe", behaviour: cluster.NeverReady}, "pod", "pod_not_ready"},
		{"a scheduler that does not exist", daemonSet{name: "nobody", scheduler: "nobody"}, "scheduling", "awaiting_scheduler"},
		{"a node without room", daemonSet{name: "big", cpu: "64"}, "scheduling", "insufficient_resources"},
		{
			"a container that is slow to start",
			daemonSet{name: "slow", annotations: map[string]string{cluster.StartAfterAnnotation: "3600"}},
			"pod", "pod_starting",
		},
		{"a pod that is not Ready for long enough", daemonSet{name: "fresh", minReadySeconds: 3600}, "pod", "min_ready_seconds"},
	} {
		f.run(tc.name+" is "+tc.reason, func() {
			applied := time.Now()
			f.apply(tc.set)
			labels := `namespace="default",daemonset="` + tc.set.name + `",lifecycle="active",cause="` + tc.cause + `",reason="` + tc.reason + `"`
			samples := f.expect("the gap has its reason",
				`daemonset_expected_nodes{daemonset="`+tc.set.name+`"} 1`,
				`daemonset_covered_nodes{daemonset="`+tc.set.name+`"} 0`,
				`daemonset_gap_nodes{`+labels+`} 1`,
				`daemonset_gap_nodes{daemonset="`+tc.set.name+`"} 1`)
			gap := f.only(samples, "daemonset_gap_start_timestamp_seconds", exporter.Labels{
				"daemonset": tc.set.name, "node": "a", "reason": tc.reason,
			})
			if tc.reason != "crash_loop" { // whose gap starts at the last crash
				f.near("the gap's start", gap.Value, applied, 3*time.Second)
			}
		})
	}
}

func TestMinReadySeconds(t *testing.T) {
	t.Parallel()
	run(t, "time alone makes a Ready pod available", workers("a", "b"), func(f *fixture) {
		f.apply(daemonSet{name: "agent", minReadySeconds: 4})
		f.expect("Ready pods are not available yet",
			`daemonset_gap_nodes{daemonset="agent",cause="pod",reason="min_ready_seconds"} 2`,
			`daemonset_covered_nodes{daemonset="agent"} 0`)
		f.expect("time alone makes them available",
			`daemonset_gap_nodes{daemonset="agent"} 0`,
			`daemonset_covered_nodes{daemonset="agent"} 2`)
	})
}

// taint replaces all taints of a node.
func (f *fixture) taint(name string, taints ...corev1.Taint) {
	f.t.Helper()
	ctx, cancel := f.deadline()
	defer cancel()
	f.must(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		node, err := f.Client().CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		node.Spec.Taints = taints
		_, err = f.Client().CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{})
		return err
	}))
}

func (f *fixture) patchNode(name, patch string) {
	f.t.Helper()
	check.Must(f.Client().CoreV1().Nodes().Patch(f.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}))(f.t)
}
