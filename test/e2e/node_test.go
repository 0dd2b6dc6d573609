package e2e

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

func TestNode(t *testing.T) {
	t.Parallel()
	run(t, "a dead node is a gap until it is back, also for an exporter that restarts", workers("a", "b", "c"), func(f *fixture) {
		// When a node dies, the controller expects fewer nodes of one, not of the other.
		f.apply(daemonSet{name: "narrow"})
		f.apply(daemonSet{name: "broad", tolerations: "[{operator: Exists}]"})
		sets := []string{"narrow", "broad"}
		for _, set := range sets {
			f.expect("three nodes are covered", `daemonset_covered_nodes{daemonset="`+set+`"} 3`)
		}

		f.must(f.PullPlug(f.t.Context(), "b"))
		f.must(f.WaitNodeReady(f.t.Context(), "b", corev1.ConditionUnknown))
		died := time.Now()
		var opened float64
		for _, set := range sets {
			samples := f.expect("the dead node is a gap, and still expected",
				`daemonset_expected_nodes{daemonset="`+set+`",lifecycle="active"} 3`,
				`daemonset_covered_nodes{daemonset="`+set+`",lifecycle="active"} 2`,
				`daemonset_gap_nodes{daemonset="`+set+`",lifecycle="active",cause="node",reason="node_unreachable"} 1`,
				`daemonset_gap_nodes{daemonset="`+set+`"} 1`,
				`daemonset_excluded_nodes{daemonset="`+set+`"} 0`,
				`daemonset_node_gaps{node="b",zone="z2",lifecycle="active"} 2`,
				`daemonset_cluster_nodes{status="unreachable",zone="z2"} 1`)
			gap := f.only(samples, "daemonset_gap_start_timestamp_seconds", exporter.Labels{"daemonset": set, "node": "b", "zone": "z2"})
			opened = gap.Value
			f.near("the gap's start", opened, died, 2*time.Second)
			down := f.only(samples, "daemonset_node_not_ready_start_timestamp_seconds", exporter.Labels{"node": "b", "status": "unreachable"})
			f.near("the node's failure", down.Value, died, 2*time.Second)
		}

		f.must(f.exporter.Kill())
		f.startExporter()
		for _, set := range sets {
			samples := f.expect("an exporter that starts during the outage sees the same gap",
				`daemonset_gap_nodes{daemonset="`+set+`",cause="node",reason="node_unreachable"} 1`,
				`daemonset_gap_nodes{daemonset="`+set+`"} 1`)
			gap := f.only(samples, "daemonset_gap_start_timestamp_seconds", exporter.Labels{"daemonset": set, "node": "b"})
			// The stamps have whole seconds; the time of the event does not.
			f.near("the gap's start after the restart", gap.Value, time.UnixMilli(int64(opened*1000)), 2*time.Second)
		}

		f.must(f.PlugIn(f.t.Context(), "b"))
		for _, set := range sets {
			f.expect("the gap closes when the node is back",
				`daemonset_covered_nodes{daemonset="`+set+`",lifecycle="active"} 3`,
				`daemonset_gap_nodes{daemonset="`+set+`"} 0`,
				`daemonset_gap_start_timestamp_seconds{daemonset="`+set+`"} 0`,
				`daemonset_node_gaps 0`,
				`daemonset_node_not_ready_start_timestamp_seconds 0`)
		}
	})
	run(t, "an outage of twenty seconds is counted and timed", workers("a", "b"), func(f *fixture) {
		sets := []string{"narrow", "broad"}
		f.apply(daemonSet{name: "narrow"})
		f.apply(daemonSet{name: "broad", tolerations: "[{operator: Exists}]"})
		for _, set := range sets {
			f.expect("both nodes are covered", `daemonset_covered_nodes{daemonset="`+set+`"} 2`)
		}

		pulled := time.Now()
		f.must(f.PullPlug(f.t.Context(), "b"))
		f.must(f.WaitNodeReady(f.t.Context(), "b", corev1.ConditionUnknown))
		noticed := time.Now()
		f.lasts(pulled, 20*time.Second)
		// A pod that comes back with its node was never needed.
		for _, set := range sets {
			f.must(f.SetPodBehaviour(f.t.Context(), "default", f.podOn(set, "b"), cluster.NeverReady))
		}
		f.must(f.PlugIn(f.t.Context(), "b"))
		f.must(f.WaitNodeReady(f.t.Context(), "b", corev1.ConditionTrue))
		returned := time.Now()
		f.lasts(returned, 3*time.Second)
		for _, set := range sets {
			f.must(f.SetPodBehaviour(f.t.Context(), "default", f.podOn(set, "b"), cluster.Healthy))
		}
		healed := time.Now()

		samples := f.expect("one failure, one outage, and one rescheduling for each DaemonSet",
			`daemonset_node_failures_total{status="unreachable",zone="z2"} 1`,
			`daemonset_node_failures_total 1`,
			`daemonset_node_transitions_total{node="b"} 2`,
			`daemonset_node_transitions_total 2`,
			`daemonset_node_outage_duration_seconds_count{status="unreachable",zone="z2"} 1`,
			`daemonset_node_detection_duration_seconds_count 1`,
			`daemonset_pod_rescheduling_duration_seconds_count{daemonset="narrow",trigger="node_recovered"} 1`,
			`daemonset_pod_rescheduling_duration_seconds_count{daemonset="broad",trigger="node_recovered"} 1`,
			`daemonset_pod_rescheduling_pending 0`,
			`daemonset_gap_nodes 0`)
		f.took(samples, "daemonset_node_outage_duration_seconds", nil, 1, returned.Sub(noticed))
		// The Lease was renewed at most a second before the plug was pulled.
		f.took(samples, "daemonset_node_detection_duration_seconds", nil, 1, noticed.Sub(pulled))
		for _, set := range sets {
			f.took(samples, "daemonset_gap_duration_seconds", exporter.Labels{"daemonset": set, "cause": "node"}, 1, healed.Sub(noticed))
			f.took(samples, "daemonset_pod_rescheduling_duration_seconds", exporter.Labels{"daemonset": set, "trigger": "node_recovered"}, 1, healed.Sub(returned))
			f.stagesAddUp(samples, set)
		}
	})
	run(t, "each of three flaps is counted", workers("a", "b"), func(f *fixture) {
		f.apply(daemonSet{name: "agent"})
		f.expect("both nodes are covered", `daemonset_covered_nodes{daemonset="agent"} 2`)
		for i := range 3 {
			f.must(f.SetNodeBehaviour(f.t.Context(), "b", cluster.NotReady))
			f.must(f.WaitNodeReady(f.t.Context(), "b", corev1.ConditionFalse))
			f.must(f.SetNodeBehaviour(f.t.Context(), "b", cluster.Healthy))
			f.must(f.WaitNodeReady(f.t.Context(), "b", corev1.ConditionTrue))
			f.expect("each flap is a failure and an outage, however short",
				fmt.Sprintf(`daemonset_node_failures_total{status="not_ready",zone="z2"} %d`, i+1),
				fmt.Sprintf(`daemonset_node_transitions_total{node="b"} %d`, 2*(i+1)),
				fmt.Sprintf(`daemonset_node_outage_duration_seconds_count{status="not_ready"} %d`, i+1),
				`daemonset_node_detection_duration_seconds_count 0`)
		}
		f.must(f.DeleteNode(f.t.Context(), "b"))
		f.expect("the counter of a node goes with it", `daemonset_node_transitions_total 0`)
	})
	run(t, "an added node is timed until it is covered", workers("a"), func(f *fixture) {
		// Kubernetes may create the pod before the node is Ready: a slow one is not
		// available by then.
		slow := daemonSet{name: "agent", annotations: map[string]string{cluster.StartAfterAnnotation: "8"}}
		f.apply(slow)
		f.expect("the node is covered", `daemonset_covered_nodes{daemonset="agent"} 1`)

		added := time.Now()
		f.must(f.AddNode(f.t.Context(), cluster.NodeSpec{Name: "late", ReadyAfterSeconds: 5}))
		f.expect("until it is Ready it is a gap of its own kind",
			`daemonset_gap_nodes{daemonset="agent",cause="node",reason="node_never_ready"} 1`,
			`daemonset_cluster_nodes{status="never_ready"} 1`)
		f.must(f.WaitNodeReady(f.t.Context(), "late", corev1.ConditionTrue))
		ready := time.Now()
		samples := f.expect("its startup is on record, and the rescheduling that it caused",
			`daemonset_covered_nodes{daemonset="agent"} 2`,
			`daemonset_node_startup_duration_seconds_count{stage="ready"} 1`,
			`daemonset_node_startup_duration_seconds_count{stage="covered"} 1`,
			`daemonset_pod_rescheduling_duration_seconds_count{daemonset="agent",trigger="node_added"} 1`,
			`daemonset_node_failures_total 0`,
			`daemonset_node_transitions_total 0`)
		covered := time.Now()
		f.took(samples, "daemonset_node_startup_duration_seconds", exporter.Labels{"stage": "ready"}, 1, ready.Sub(added))
		f.took(samples, "daemonset_node_startup_duration_seconds", exporter.Labels{"stage": "covered"}, 1, covered.Sub(added))
		f.took(samples, "daemonset_pod_rescheduling_duration_seconds", exporter.Labels{"trigger": "node_added"}, 1, covered.Sub(ready))
		f.stagesAddUp(samples, "agent")
	})
}

func TestAPIServer(t *testing.T) {
	t.Parallel()
	run(t, "the last known state stays until the API server is back", workers("a", "b"), func(f *fixture) {
		f.apply(daemonSet{name: "agent"})
		f.expect("both nodes are covered", `daemonset_covered_nodes{daemonset="agent"} 2`)

		f.must(f.StopAPIServer())
		f.expect("the last known state stays",
			`daemonset_covered_nodes{daemonset="agent"} 2`,
			`daemonset_exporter_informer_synced 3`)
		f.expectAtLeast("daemonset_exporter_informer_watch_errors_total", exporter.Labels{"resource": "nodes"}, 1)

		f.must(f.StartAPIServer(f.t.Context()))
		f.must(f.AddNode(f.t.Context(), workers("c")[0]))
		f.must(f.DeleteNode(f.t.Context(), "a"))
		f.expect("changes after its return are seen",
			`daemonset_expected_nodes{daemonset="agent"} 2`,
			`daemonset_covered_nodes{daemonset="agent"} 2`,
			`daemonset_gap_nodes{daemonset="agent"} 0`,
			`daemonset_cluster_nodes 2`)
	})
}
