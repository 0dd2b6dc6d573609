package collector

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func TestNodes(t *testing.T) {
	runScenarios(t, map[string]func(s *scenario){
		"every transition counts, and not every scrape": func(s *scenario) {
			s.at(10).node("a", objects.NotReady(10))
			s.at(20).node("a", objects.ReadyUnknown(20))
			s.at(25).node("a", objects.NotReady(25))
			s.at(30).node("a", objects.Ready(30))
			s.expect("between two scrapes: one failure, as it began, and one outage of 20 s", "daemonset_node_failures daemonset_node_outage daemonset_node_transitions daemonset_node_not", exposition(`
				daemonset_node_failures_total{lifecycle="active",status="not_ready",zone=""} 1
				daemonset_node_transitions_total{node="a"} 2
				daemonset_node_outage_duration_seconds_count{status="not_ready",zone=""} 1
				daemonset_node_outage_duration_seconds_sum{status="not_ready",zone=""} 20
			`))
		},
		"a startup ends when the node is covered": func(s *scenario) {
			s = newScenario(s.t).synced()
			s.daemonSet("second")
			s.at(10).node("b", objects.NotReady(10))
			s.at(14).node("b", objects.Ready(14))
			s.at(16).pod("b-1")
			s.at(19).pod("b-1", objects.Ready(19))
			s.expect("the second DaemonSet does not cover it yet", "daemonset_node_startup daemonset_node_failures daemonset_node_transitions", nodeStartups("ready", 4))
			s.at(21).pod("b-2", objects.Ready(21), objects.OwnedBy(s.daemonSets["second"]))
			s.at(30).pod("b-1", objects.Started(30))
			s.at(40).pod("b-1", objects.Ready(40))
			s.expect("covered once; the gap that followed is none of its start", "daemonset_node_startup", nodeStartups("ready", 4), nodeStartups("covered", 11))
		},
		"a restart of the kubelet takes Ready away for a moment": func(s *scenario) {
			s.at(46.815).pod("a-1", objects.Started(46))
			s.at(46.842).pod("a-1", objects.Ready(46))
			s.expect("within one stamped second: a gap of 27 ms, and nothing else", "daemonset_gap_duration daemonset_pod_ daemonset_container_ daemonset_node_", gapDurations("pod", 0.027))
		},
		"a container exits while its kubelet sleeps": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.pod("a-1", objects.Started(10))
			// It exited at 55, which shows when the kubelet wakes up at 70.
			s.at(70).node("a", objects.NotReady(70))
			s.at(70.16).pod("a-1", objects.Exited(7, 55))
			s.at(70.33).pod("a-1", objects.Restarted(1, 7, "Error", 70), objects.Ready(70))
			s.expect("its pod is Ready before its node, and not believed", "daemonset_gap_nodes", exposition(`daemonset_gap_nodes{cause="node",daemonset="agent",lifecycle="active",namespace="default",reason="node_not_ready"} 1`))
			s.at(80).node("a", objects.Ready(80))
			s.expect("one outage, one restart, nothing to reschedule", "daemonset_node_failures daemonset_node_outage daemonset_container_ daemonset_gap_ daemonset_pod_",
				nodeOutages("unreachable", 70), gapDurations("node", 70), exposition(`
				daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="Error"} 1
				daemonset_node_failures_total{lifecycle="active",status="unreachable",zone=""} 1
			`))
		},
		"an interrupted watch missed the end of an outage": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.at(100).node("a", objects.Ready(40), objects.Late())
			s.expect("the change is a minute late: its stamp dates it", "daemonset_node_outage daemonset_gap_duration", nodeOutages("unreachable", 30), gapDurations("node", 30))
		},
	})
}

// A node that is as young as the exporter is covered when all of its DaemonSets have been
// evaluated, in whatever order a map gives them.
func TestStartupOfAYoungNode(t *testing.T) {
	t.Parallel()
	for range 40 {
		s := newScenario(t)
		s.daemonSet("other")
		s.node("new", objects.Ready(0))
		s.pod("new-1", objects.Ready(0))
		s.synced()
		s.expect("other has no pod there", "daemonset_node_startup_duration_seconds_count", exposition(`daemonset_node_startup_duration_seconds_count{stage="ready"} 1`))
		s.at(5).pod("new-2", objects.Ready(5), objects.OwnedBy(s.daemonSets["other"]))
		s.expect("now all cover it", "daemonset_node_startup", nodeStartups("ready", 0), nodeStartups("covered", 5))
		if t.Failed() {
			return
		}
	}
}

// A Lease keeps the last sign of life only until the node is back.
func TestLateLease(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		at74    func(s *scenario)
		renewed float64
		want    samples
	}{
		"read while the node is away":                                  {func(*scenario) {}, 30, nodeDetections(40)},
		"read after the node is back: no clock is wrong":               {func(s *scenario) { s.node("a", objects.Ready(74)) }, 73, nil},
		"read after its kubelet is back and says that it is not Ready": {func(s *scenario) { s.node("a", objects.NotReady(74)) }, 73, nil},
		"read after the node is gone":                                  {func(s *scenario) { s.deleteNode("a") }, 30, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, "a").synced()
			s.at(70).node("a", objects.ReadyUnknown(70))
			test.at74(s.at(74))
			s.collector.observeDetection(silencedNode{"a", objects.At(70)}, objects.At(test.renewed))
			s.expect("how long until it was noticed", "daemonset_node_detection daemonset_exporter_negative_durations", test.want)
		})
	}
}

func TestNodeDetection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScenario(t, "a").synced()
		s.run()
		s.leases = func(string, time.Time) time.Time { return objects.At(8) }
		s.at(10).node("a", objects.ReadyUnknown(10))
		s.at(20).node("a", objects.Unreachable(20))
		s.at(30).node("a", objects.NotReady(30))
		s.at(35).node("a", objects.ReadyUnknown(35))
		s.at(40).node("a", objects.Ready(40))
		s.expect("2 s after the last renewal", "daemonset_node_detection", nodeDetections(2))
		check.That(t, len(s.leasesRead) == 1, "the Lease was read %d times", len(s.leasesRead))
		s.at(50).node("a", objects.NotReady(50))
		s.expect("a kubelet that says so itself was not detected", "daemonset_node_detection", nodeDetections(2))
		s.leases = func(string, time.Time) time.Time { return objects.At(52) }
		s.at(60).node("a", objects.ReadyUnknown(60))
		s.expect("it died after it had said so", "daemonset_node_detection", nodeDetections(2, 8))
		s.at(70).node("a", objects.Ready(70))
		s.leases = func(string, time.Time) time.Time { return time.Time{} }
		s.at(80).node("a", objects.ReadyUnknown(80))
		s.expect("no Lease, no observation", "daemonset_node_detection", nodeDetections(2, 8))
		s.leases = func(string, time.Time) time.Time { return objects.At(200) }
		s.node("a", objects.Ready(80))
		s.at(90).node("a", objects.ReadyUnknown(90))
		s.expect("a Lease from the future", "daemonset_node_detection daemonset_exporter_negative_durations", nodeDetections(2, 8), exposition(`daemonset_exporter_negative_durations_total 1`))
	})
}

func TestKubeletOutage(t *testing.T) {
	t.Parallel()
	// grace 50 s, lease 40 s, frozen for 120 s: the node's Ready comes first, the
	// pod's 82 ms later, with the stamp from before the outage.
	synctest.Test(t, func(t *testing.T) {
		s := newScenario(t, "a").synced()
		s.run()
		s.leases = func(string, time.Time) time.Time { return objects.At(5) }
		s.at(47.7).node("a", objects.ReadyUnknown(47))
		s.at(47.71).pod("a-1", objects.Started(47))
		s.at(126.045).node("a", objects.Ready(126))
		s.expect("needed, for a moment", "daemonset_pod_rescheduling_pending", pending("node_recovered", 1))
		s.at(126.127).pod("a-1", objects.Ready(-6990))
		s.expect("durations are of the watch: not of stamps that run backwards",
			"daemonset_node_outage daemonset_node_detection daemonset_gap_duration daemonset_exporter_clock daemonset_pod_rescheduling", merge(
				nodeOutages("unreachable", 78.345), nodeDetections(42.7), gapDurations("node", 78.427)))
	})
}
