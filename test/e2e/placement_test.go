package e2e

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// workers are nodes in two zones.
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

// Nodes come and go, and change what they accept.
func TestPlacementStories(t *testing.T) {
	t.Parallel()
	s := setUp(t, workers("a", "b", "c"))
	s.must(s.Apply(t.Context(), daemonSet{name: "agent", nodeSelector: map[string]string{"node-type": "worker"}}.manifest()))
	s.expect("all three nodes are covered",
		`daemonset_expected_nodes{namespace="default",daemonset="agent",lifecycle="active"} 3`,
		`daemonset_covered_nodes{namespace="default",daemonset="agent",lifecycle="active"} 3`,
		`daemonset_gap_nodes{daemonset="agent"} 0`,
		`daemonset_cluster_nodes{status="ready",lifecycle="active",zone="z1"} 2`,
		`daemonset_cluster_nodes{status="ready",lifecycle="active",zone="z2"} 1`)

	t.Run("a node that is added is expected and soon covered", func(t *testing.T) {
		s.must(s.AddNode(t.Context(), workers("d")[0]))
		s.expect("four nodes are covered",
			`daemonset_expected_nodes{daemonset="agent",lifecycle="active"} 4`,
			`daemonset_covered_nodes{daemonset="agent",lifecycle="active"} 4`)
	})

	t.Run("a node that is deleted is no gap, although its pod still claims Ready", func(t *testing.T) {
		s.must(s.DeleteNode(t.Context(), "d"))
		s.expect("three nodes are expected and covered, and there is no gap",
			`daemonset_expected_nodes{daemonset="agent"} 3`,
			`daemonset_covered_nodes{daemonset="agent"} 3`,
			`daemonset_gap_nodes{daemonset="agent"} 0`,
			`daemonset_gap_start_timestamp_seconds{daemonset="agent"} 0`,
			`daemonset_cluster_nodes 3`)
	})

	t.Run("a taint that only keeps new pods away excludes the node and keeps its pod", func(t *testing.T) {
		s.taint("b", corev1.Taint{Key: "gpu", Value: "yes", Effect: corev1.TaintEffectNoSchedule})
		s.expect("the taint repels the DaemonSet, and its pod may stay",
			`daemonset_expected_nodes{daemonset="agent",lifecycle="active"} 2`,
			`daemonset_excluded_nodes{daemonset="agent",lifecycle="active",reason="taint"} 1`,
			`daemonset_repelled_nodes{daemonset="agent",lifecycle="active",taint_key="gpu",taint_effect="NoSchedule"} 1`,
			`daemonset_misplaced_nodes{daemonset="agent",lifecycle="active",verdict="keep"} 1`,
			`daemonset_misplaced_nodes{daemonset="agent",lifecycle="active",verdict="stop"} 0`,
			`daemonset_status_difference_nodes{daemonset="agent",field="desired"} 0`,
			`daemonset_status_difference_nodes{daemonset="agent",field="misscheduled"} 0`)
	})

	t.Run("a taint that puts pods out excludes the node, and its pod goes", func(t *testing.T) {
		s.taint("b", corev1.Taint{Key: "gpu", Value: "yes", Effect: corev1.TaintEffectNoExecute})
		s.expect("the pod is gone",
			`daemonset_expected_nodes{daemonset="agent"} 2`,
			`daemonset_repelled_nodes{daemonset="agent",lifecycle="active",taint_key="gpu",taint_effect="NoExecute"} 1`,
			`daemonset_misplaced_nodes{daemonset="agent"} 0`)
		s.taint("b")
		s.expect("without the taint the node is covered again",
			`daemonset_expected_nodes{daemonset="agent"} 3`,
			`daemonset_covered_nodes{daemonset="agent"} 3`,
			`daemonset_repelled_nodes{daemonset="agent"} 0`)
	})

	t.Run("a cordoned node still expects its pod", func(t *testing.T) {
		s.patchNode("c", `{"spec": {"unschedulable": true}}`)
		s.expect("the node is covered, as a cordoned one",
			`daemonset_expected_nodes{daemonset="agent",lifecycle="cordoned"} 1`,
			`daemonset_covered_nodes{daemonset="agent",lifecycle="cordoned"} 1`,
			`daemonset_expected_nodes{daemonset="agent",lifecycle="active"} 2`,
			`daemonset_excluded_nodes{daemonset="agent"} 0`,
			`daemonset_cluster_nodes{status="ready",lifecycle="cordoned"} 1`)
		s.patchNode("c", `{"spec": {"unschedulable": null}}`)
	})

	t.Run("a typo in the node selector empties a DaemonSet, and shows as exclusion", func(t *testing.T) {
		s.must(s.Apply(t.Context(), daemonSet{name: "agent", nodeSelector: map[string]string{"node-type": "wroker"}}.manifest()))
		s.expect("nothing is expected any more, and the selector is to blame",
			`daemonset_expected_nodes{daemonset="agent"} 0`,
			`daemonset_excluded_nodes{daemonset="agent",lifecycle="active",reason="node_selector"} 3`,
			`daemonset_excluded_nodes{daemonset="agent",lifecycle="active",reason="taint"} 0`,
			`daemonset_gap_nodes{daemonset="agent"} 0`,
			`daemonset_misplaced_nodes{daemonset="agent"} 0`)
	})

	t.Run("a DaemonSet that is deleted leaves no series", func(t *testing.T) {
		s.must(s.Client().AppsV1().DaemonSets("default").Delete(t.Context(), "agent", metav1.DeleteOptions{}))
		ctx, cancel := s.deadline()
		defer cancel()
		_, err := s.exporter.Wait(ctx, "no series of the DaemonSet", func(samples exporter.Samples) error {
			for _, sample := range samples {
				if sample.Labels["daemonset"] == "agent" {
					return fmt.Errorf("still there: %s", sample)
				}
			}
			return nil
		})
		s.must(err)
	})
}

// A pod can be broken in many ways, and each has a name.
func TestGapReasonStories(t *testing.T) {
	t.Parallel()
	s := setUp(t, []cluster.NodeSpec{{Name: "a"}})
	for _, story := range []struct {
		name   string
		set    daemonSet
		cause  string
		reason string
	}{
		{"an image that does not exist", daemonSet{name: "image", behaviour: cluster.ImagePull}, "pod", "image_pull"},
		{"a container that cannot be configured", daemonSet{name: "config", behaviour: cluster.ContainerConfig}, "pod", "container_config"},
		{"a container that crashes", daemonSet{name: "crash", behaviour: cluster.CrashLoop}, "pod", "crash_loop"},
		{"a probe that fails", daemonSet{name: "probe", behaviour: cluster.NeverReady}, "pod", "pod_not_ready"},
		{"a node without room", daemonSet{name: "big", cpu: "64"}, "scheduling", "insufficient_resources"},
		{
			"a container that is slow to start",
			daemonSet{name: "slow", annotations: map[string]string{cluster.StartAfterAnnotation: "3600"}},
			"pod", "pod_starting",
		},
		{"a pod that is not Ready for long enough", daemonSet{name: "fresh", minReadySeconds: 3600}, "pod", "min_ready_seconds"},
	} {
		t.Run(story.name+" is "+story.reason, func(t *testing.T) {
			applied := time.Now()
			s.must(s.Apply(t.Context(), story.set.manifest()))
			labels := `namespace="default",daemonset="` + story.set.name + `",lifecycle="active",cause="` + story.cause + `",reason="` + story.reason + `"`
			samples := s.expect("the gap has its reason",
				`daemonset_expected_nodes{daemonset="`+story.set.name+`"} 1`,
				`daemonset_covered_nodes{daemonset="`+story.set.name+`"} 0`,
				`daemonset_gap_nodes{`+labels+`} 1`,
				`daemonset_gap_nodes{daemonset="`+story.set.name+`"} 1`)
			gap := s.only(samples, "daemonset_gap_start_timestamp_seconds", exporter.Labels{
				"daemonset": story.set.name, "node": "a", "reason": story.reason,
			})
			if story.reason != "crash_loop" { // which opens a gap at each crash
				s.near("the gap's start", gap.Value, applied, 3*time.Second)
			}
		})
	}
}

func TestMinReadySecondsStory(t *testing.T) {
	t.Parallel()
	s := setUp(t, workers("a", "b"))
	s.must(s.Apply(t.Context(), daemonSet{name: "agent", minReadySeconds: 4}.manifest()))
	s.expect("Ready pods are not available yet",
		`daemonset_gap_nodes{daemonset="agent",cause="pod",reason="min_ready_seconds"} 2`,
		`daemonset_covered_nodes{daemonset="agent"} 0`)
	s.expect("time alone makes them available",
		`daemonset_gap_nodes{daemonset="agent"} 0`,
		`daemonset_covered_nodes{daemonset="agent"} 2`)
}

// taint replaces the taints of a node that nobody else manages.
func (s *stage) taint(name string, taints ...corev1.Taint) {
	s.t.Helper()
	ctx, cancel := s.deadline()
	defer cancel()
	node, err := s.Client().CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	s.must(err)
	node.Spec.Taints = taints
	_, err = s.Client().CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{})
	s.must(err)
}

func (s *stage) patchNode(name, patch string) {
	s.t.Helper()
	_, err := s.Client().CoreV1().Nodes().Patch(s.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	s.must(err)
}
