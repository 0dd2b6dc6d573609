package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

const (
	shutdown           = "node.cloudprovider.kubernetes.io/shutdown"
	ciliumNotReady     = "node.cilium.io/agent-not-ready"
	autoscalerDeleting = "ToBeDeletedByClusterAutoscaler"
	karpenterDisrupted = "karpenter.sh/disrupted"
)

func noSchedule(key string) corev1.Taint {
	return corev1.Taint{Key: key, Effect: corev1.TaintEffectNoSchedule}
}

func TestConditionTaint(t *testing.T) {
	t.Parallel()
	run(t, "a machine that is switched off is a gap until it is back", workers("a", "b", "c"), func(f *fixture) {
		f.apply(daemonSet{name: "agent"})
		f.expect("three nodes are covered", `daemonset_covered_nodes{daemonset="agent"} 3`)
		stillAGap := []string{
			`daemonset_expected_nodes{daemonset="agent",lifecycle="active"} 3`,
			`daemonset_covered_nodes{daemonset="agent",lifecycle="active"} 2`,
			`daemonset_gap_nodes{daemonset="agent",lifecycle="active",cause="node",reason="node_unreachable"} 1`,
			`daemonset_gap_nodes{daemonset="agent"} 1`,
			`daemonset_excluded_nodes{daemonset="agent"} 0`,
			`daemonset_misplaced_nodes{daemonset="agent"} 0`,
		}
		f.must(f.PullPlug(f.t.Context(), "b"))
		f.must(f.WaitNodeReady(f.t.Context(), "b", corev1.ConditionUnknown))
		start := func(samples exporter.Samples) float64 {
			return f.only(samples, "daemonset_gap_start_timestamp_seconds", exporter.Labels{"daemonset": "agent", "node": "b"}).Value
		}
		opened := start(f.expect("the dead node is a gap", stillAGap...))

		f.taint("b", noSchedule(shutdown))
		f.waitTaint("b", shutdown)
		f.expect("the shutdown taint changes nothing", append(stillAGap, `daemonset_cluster_nodes{status="unreachable",lifecycle="active"} 1`)...)

		f.taint("b", noSchedule(shutdown), corev1.Taint{Key: corev1.TaintNodeOutOfService, Value: "nodeshutdown", Effect: corev1.TaintEffectNoExecute})
		f.must(f.WaitPods(f.t.Context(), "default", "app=agent", "the pod of b to be deleted", func(pods []corev1.Pod) (bool, string) {
			for _, pod := range pods {
				if pod.Spec.NodeName == "b" {
					return false, pod.Name
				}
			}
			return true, ""
		}))
		check.Equal(f.t, start(f.expect("the gap lasts when the pod is gone", stillAGap...)), opened, "start of the gap when its pod is gone")

		f.must(f.PlugIn(f.t.Context(), "b"))
		f.must(f.WaitNodeReady(f.t.Context(), "b", corev1.ConditionTrue))
		f.expect("a Ready node with the taint gets no pod",
			`daemonset_gap_nodes{daemonset="agent",lifecycle="active",cause="node",reason="node_tainted"} 1`,
			`daemonset_gap_nodes{daemonset="agent"} 1`,
			`daemonset_withheld_nodes{daemonset="agent",lifecycle="active"} 1`)
		f.taint("b")
		f.expect("without taints the gap closes",
			`daemonset_covered_nodes{daemonset="agent",lifecycle="active"} 3`,
			`daemonset_gap_nodes{daemonset="agent"} 0`,
			`daemonset_withheld_nodes{daemonset="agent"} 0`,
			`daemonset_nodes_lost_total{daemonset="agent"} 0`,
			`daemonset_node_failures_total{status="unreachable",lifecycle="active"} 1`,
			`daemonset_node_failures_total 1`)
	})
	run(t, "a node without network withholds its pod", workers("a", "b"), func(f *fixture) {
		f.apply(daemonSet{name: "agent"})
		f.expect("both nodes are covered", `daemonset_covered_nodes{daemonset="agent"} 2`)
		f.networkUnavailable("b", corev1.ConditionTrue)
		f.waitTaint("b", corev1.TaintNodeNetworkUnavailable)
		f.expect("the pod that is there may stay",
			`daemonset_covered_nodes{daemonset="agent",lifecycle="active"} 2`,
			`daemonset_withheld_nodes{daemonset="agent"} 0`)
		f.must(f.Client().CoreV1().Pods("default").Delete(f.t.Context(), f.podOn("agent", "b"), metav1.DeleteOptions{}))
		f.expect("there is no other",
			`daemonset_expected_nodes{daemonset="agent",lifecycle="active"} 2`,
			`daemonset_gap_nodes{daemonset="agent",lifecycle="active",cause="node",reason="node_tainted"} 1`,
			`daemonset_withheld_nodes{daemonset="agent",lifecycle="active",taint_key="node.kubernetes.io/network-unavailable",taint_effect="NoSchedule"} 1`,
			`daemonset_excluded_nodes{daemonset="agent"} 0`)
		f.networkUnavailable("b", corev1.ConditionFalse)
		f.expect("the gap closes with the network", `daemonset_covered_nodes{daemonset="agent"} 2`, `daemonset_gap_nodes{daemonset="agent"} 0`)
	})
	run(t, "a startup taint makes a new node joining, for as long as the grace", workers("a"), func(f *fixture) {
		f.apply(daemonSet{name: "agent"})
		f.expect("the node is covered", `daemonset_covered_nodes{daemonset="agent"} 1`)
		f.must(f.AddNode(f.t.Context(), cluster.NodeSpec{Name: "new", Taints: []corev1.Taint{noSchedule(ciliumNotReady)}}))
		f.expect("the new node is joining, and a gap",
			`daemonset_expected_nodes{daemonset="agent",lifecycle="joining"} 1`,
			`daemonset_gap_nodes{daemonset="agent",lifecycle="joining",cause="node",reason="node_tainted"} 1`,
			`daemonset_gap_nodes{daemonset="agent",lifecycle="active"} 0`,
			`daemonset_withheld_nodes{daemonset="agent",lifecycle="joining",taint_key="`+ciliumNotReady+`",taint_effect="NoSchedule"} 1`,
			`daemonset_cluster_nodes{lifecycle="joining"} 1`,
			`daemonset_excluded_nodes{daemonset="agent"} 0`)

		f.must(f.exporter.Kill())
		f.startExporter("--node.startup-grace=1s")
		f.expect("when the grace is over the node is active",
			`daemonset_gap_nodes{daemonset="agent",lifecycle="active",cause="node",reason="node_tainted"} 1`,
			`daemonset_cluster_nodes{lifecycle="joining"} 0`)
		f.taint("new")
		f.expect("without the taint both nodes are covered",
			`daemonset_covered_nodes{daemonset="agent",lifecycle="active"} 2`,
			`daemonset_gap_nodes{daemonset="agent"} 0`)
	})
}

func TestLeavingTaint(t *testing.T) {
	t.Parallel()
	for _, key := range []string{autoscalerDeleting, karpenterDisrupted} {
		run(t, "a removal that "+key+" announces is no failure of an active node", workers("a", "b", "c"), func(f *fixture) {
			f.apply(daemonSet{name: "narrow"})
			f.apply(daemonSet{name: "broad", tolerations: "[{operator: Exists}]"})
			f.expect("all are covered", `daemonset_covered_nodes{daemonset="narrow"} 3`, `daemonset_covered_nodes{daemonset="broad"} 3`)

			f.taint("c", noSchedule(key))
			f.expect("one excludes the node, the other expects it to leave",
				`daemonset_expected_nodes{daemonset="narrow"} 2`,
				`daemonset_excluded_nodes{daemonset="narrow",lifecycle="leaving",reason="taint"} 1`,
				`daemonset_expected_nodes{daemonset="broad",lifecycle="active"} 2`,
				`daemonset_covered_nodes{daemonset="broad",lifecycle="leaving"} 1`,
				`daemonset_cluster_nodes{status="ready",lifecycle="leaving"} 1`)
			f.must(f.PullPlug(f.t.Context(), "c"))
			f.must(f.WaitNodeReady(f.t.Context(), "c", corev1.ConditionUnknown))
			f.expect("the machine that is switched off is a gap of a leaving node",
				`daemonset_gap_nodes{daemonset="broad",lifecycle="leaving",cause="node",reason="node_unreachable"} 1`,
				`daemonset_gap_nodes{lifecycle="active"} 0`,
				`daemonset_gap_nodes{daemonset="narrow"} 0`)
			f.must(f.DeleteNode(f.t.Context(), "c"))
			f.expect("nothing is left but a planned failure",
				`daemonset_cluster_nodes 2`,
				`daemonset_expected_nodes{daemonset="broad"} 2`,
				`daemonset_gap_nodes 0`,
				`daemonset_nodes_lost_total 0`,
				`daemonset_node_failures_total{status="unreachable",lifecycle="leaving"} 1`,
				`daemonset_node_failures_total 1`,
				`daemonset_gap_duration_seconds_count{daemonset="broad",lifecycle="leaving",cause="node"} 1`,
				`daemonset_gap_duration_seconds_count{cause="node"} 1`)
		})
	}
}

func TestForegroundDeletion(t *testing.T) {
	t.Parallel()
	run(t, "a DaemonSet in deletion promises nothing, also if a dead node holds it", workers("a", "b"), func(f *fixture) {
		f.apply(daemonSet{name: "agent", grace: 2, tolerations: "[{operator: Exists}]"})
		f.expect("both nodes are covered", `daemonset_covered_nodes{daemonset="agent"} 2`)
		f.must(f.PullPlug(f.t.Context(), "b"))
		f.must(f.WaitNodeReady(f.t.Context(), "b", corev1.ConditionUnknown))
		f.expect("the dead node is a gap", `daemonset_gap_nodes{daemonset="agent",cause="node"} 1`)

		foreground := metav1.DeletePropagationForeground
		f.must(f.Client().AppsV1().DaemonSets("default").Delete(f.t.Context(), "agent", metav1.DeleteOptions{PropagationPolicy: &foreground}))
		f.expect("the pod on the dead node is all that is left",
			`daemonset_expected_nodes{daemonset="agent"} 0`,
			`daemonset_gap_nodes{daemonset="agent"} 0`,
			`daemonset_gap_start_timestamp_seconds 0`,
			`daemonset_pod_rescheduling_pending{daemonset="agent"} 0`,
			`daemonset_pods_terminating{daemonset="agent",state="node_lost"} 1`,
			`daemonset_pods_terminating{daemonset="agent"} 1`)
	})
}

// waitTaint waits until a node has a taint with this key.
func (f *fixture) waitTaint(name, key string) {
	f.t.Helper()
	f.must(f.WaitNode(f.t.Context(), name, "taint "+key, func(node *corev1.Node) (bool, string) {
		for _, taint := range node.Spec.Taints {
			if taint.Key == key {
				return true, ""
			}
		}
		return false, "none"
	}))
}

// networkUnavailable sets the condition from which the node lifecycle controller
// makes the taint.
func (f *fixture) networkUnavailable(name string, status corev1.ConditionStatus) {
	f.t.Helper()
	patch := `{"status":{"conditions":[{"type":"NetworkUnavailable","status":"` + string(status) + `","reason":"Test"}]}}`
	check.Must(f.Client().CoreV1().Nodes().PatchStatus(f.t.Context(), name, []byte(patch)))(f.t)
}
