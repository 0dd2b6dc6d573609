package e2e

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// The main job: a node dies and comes back, and the exporter dies in between.
func TestNodeDiesAndComesBackStory(t *testing.T) {
	t.Parallel()
	s := setUp(t, workers("a", "b", "c"))
	// Their status goes two ways when a node dies: see design of placement.
	s.must(s.Apply(t.Context(), daemonSet{name: "narrow"}.manifest()))
	s.must(s.Apply(t.Context(), daemonSet{name: "broad", tolerations: "[{operator: Exists}]"}.manifest()))
	sets := []string{"narrow", "broad"}
	for _, set := range sets {
		s.expect("three nodes are covered", `daemonset_covered_nodes{daemonset="`+set+`"} 3`)
	}

	s.must(s.PullPlug(t.Context(), "b"))
	s.must(s.WaitNodeReady(t.Context(), "b", corev1.ConditionUnknown))
	died := time.Now()
	var opened float64
	for _, set := range sets {
		samples := s.expect("the dead node is a gap, and still expected",
			`daemonset_expected_nodes{daemonset="`+set+`",lifecycle="active"} 3`,
			`daemonset_covered_nodes{daemonset="`+set+`",lifecycle="active"} 2`,
			`daemonset_gap_nodes{daemonset="`+set+`",lifecycle="active",cause="node",reason="node_unreachable"} 1`,
			`daemonset_gap_nodes{daemonset="`+set+`"} 1`,
			`daemonset_excluded_nodes{daemonset="`+set+`"} 0`,
			`daemonset_node_gaps{node="b",zone="z2",lifecycle="active"} 2`,
			`daemonset_cluster_nodes{status="unreachable",zone="z2"} 1`)
		gap := s.only(samples, "daemonset_gap_start_timestamp_seconds", exporter.Labels{"daemonset": set, "node": "b", "zone": "z2"})
		opened = gap.Value
		s.near("the gap's start", opened, died, 2*time.Second)
		down := s.only(samples, "daemonset_node_not_ready_start_timestamp_seconds", exporter.Labels{"node": "b", "status": "unreachable"})
		s.near("the node's failure", down.Value, died, 2*time.Second)
	}

	s.must(s.exporter.Kill())
	s.startExporter("--node.join-grace=0s")
	for _, set := range sets {
		samples := s.expect("an exporter that is started in mid-outage sees the same gap",
			`daemonset_gap_nodes{daemonset="`+set+`",cause="node",reason="node_unreachable"} 1`,
			`daemonset_gap_nodes{daemonset="`+set+`"} 1`)
		gap := s.only(samples, "daemonset_gap_start_timestamp_seconds", exporter.Labels{"daemonset": set, "node": "b"})
		// The stamps have whole seconds; the moment that was seen has not.
		s.near("the gap's start after the restart", gap.Value, time.UnixMilli(int64(opened*1000)), 2*time.Second)
	}

	s.must(s.PlugIn(t.Context(), "b"))
	for _, set := range sets {
		s.expect("the gap closes when the node is back",
			`daemonset_covered_nodes{daemonset="`+set+`",lifecycle="active"} 3`,
			`daemonset_gap_nodes{daemonset="`+set+`"} 0`,
			`daemonset_gap_start_timestamp_seconds{daemonset="`+set+`"} 0`,
			`daemonset_node_gaps 0`,
			`daemonset_node_not_ready_start_timestamp_seconds 0`)
	}
}

func TestAPIServerIsKilledAndRestartedStory(t *testing.T) {
	t.Parallel()
	s := setUp(t, workers("a", "b"))
	s.must(s.Apply(t.Context(), daemonSet{name: "agent"}.manifest()))
	s.expect("both nodes are covered", `daemonset_covered_nodes{daemonset="agent"} 2`)

	s.must(s.StopAPIServer())
	s.expect("the last known state stays, and the watch errors show",
		`daemonset_covered_nodes{daemonset="agent"} 2`,
		`daemonset_exporter_informer_synced 3`)
	ctx, cancel := s.deadline()
	defer cancel()
	_, err := s.exporter.Wait(ctx, "watch errors", func(samples exporter.Samples) error {
		return atLeast(samples, "daemonset_exporter_informer_watch_errors_total", exporter.Labels{"resource": "nodes"}, 1)
	})
	s.must(err)

	s.must(s.StartAPIServer(t.Context()))
	s.must(s.AddNode(t.Context(), workers("c")[0]))
	s.must(s.DeleteNode(t.Context(), "a"))
	s.expect("what happens after its return is seen",
		`daemonset_expected_nodes{daemonset="agent"} 2`,
		`daemonset_covered_nodes{daemonset="agent"} 2`,
		`daemonset_gap_nodes{daemonset="agent"} 0`,
		`daemonset_cluster_nodes 2`)
}
