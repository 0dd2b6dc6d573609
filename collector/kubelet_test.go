package collector

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// What a real kubelet does in cases of which there is no recording.
func TestKubelet(t *testing.T) {
	runScenarios(t, map[string]func(s *scenario){
		"a liveness probe kills without a terminated state": func(s *scenario) {
			s.at(10).pod("a-1", objects.Restarted(1, 137, "Error", 10), objects.Started(10))
			s.expect("from running to running", "daemonset_gap_nodes", exposition(`daemonset_gap_nodes{cause="pod",daemonset="agent",lifecycle="active",namespace="default",reason="pod_not_ready"} 1`))
			s.at(10.2).pod("a-1", objects.Ready(10))
			s.expect("a restart and a gap of 0.2 s; nothing was terminated, no pod was needed", "daemonset_container_ daemonset_gap_duration daemonset_pod_",
				gapDurations("pod", 0.2), exposition(`daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="Error"} 1`))
		},
		"a container runs out of memory": func(s *scenario) {
			s.at(10).pod("a-1", objects.OOMKilled(10))
			s.at(10.1).pod("a-1", objects.Restarted(1, 137, "OOMKilled", 10), objects.Ready(10))
			s.at(15).pod("a-1", objects.OOMKilled(15))
			s.expect("terminated after a restart is a crash loop", "daemonset_gap_nodes", exposition(`daemonset_gap_nodes{cause="pod",daemonset="agent",lifecycle="active",namespace="default",reason="crash_loop"} 1`))
			s.at(16).pod("a-1", objects.CrashLooping(16))
			s.at(20).pod("a-1", objects.Terminating(20, 30))
			s.at(20.1).pod("a-1", objects.Finished(137, 20), objects.OOMKilled(15))
			s.at(21).deletePod("a-1")
			s.expect("killed, and not by its end", "daemonset_container_ daemonset_pod_terminations daemonset_pod_termination_duration daemonset_pods_terminating",
				terminations("not_running", 1), exposition(`daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="OOMKilled"} 1`))
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
		"a simulated node returns with its old stamp": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.at(30).node("a", objects.Ready(-8990))
			s.expect("20 s by the watch; the stamp would say an hour, backwards", "daemonset_node_outage daemonset_exporter_clock", nodeOutages("unreachable", 20))
		},
		"an interrupted watch missed the end of an outage": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.at(100).node("a", objects.Ready(40), objects.Late())
			s.expect("the change is a minute late: its stamp dates it", "daemonset_node_outage daemonset_gap_duration", nodeOutages("unreachable", 30), gapDurations("node", 30))
		},
		"a drain leaves the agents alone": func(s *scenario) {
			s.at(10).node("a", objects.Cordoned())
			s.expect("expected and covered", "daemonset_expected_ daemonset_covered_ daemonset_gap_ daemonset_pod_", exposition(`
				daemonset_expected_nodes{daemonset="agent",lifecycle="cordoned",namespace="default"} 1
				daemonset_covered_nodes{daemonset="agent",lifecycle="cordoned",namespace="default"} 1
			`))
			s.at(20).node("a", objects.ReadyUnknown(20))
			s.expect("a cordoned node that dies still shows", "daemonset_gap_nodes", exposition(`daemonset_gap_nodes{cause="node",daemonset="agent",lifecycle="cordoned",namespace="default",reason="node_unreachable"} 1`))
		},
		"images that are never pulled": func(s *scenario) {
			for _, reason := range []string{"ErrImageNeverPull", "InvalidImageName", "ErrImagePull", "ImagePullBackOff"} {
				s = newScenario(s.t, "a").synced()
				s.at(10).deletePod("a-1")
				s.at(11).pod("a-2", objects.Waiting(reason, 11))
				s.expect(reason, "daemonset_gap_nodes", gapNodes("image_pull", 1))
			}
		},
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
			"daemonset_node_outage daemonset_node_detection daemonset_gap_duration daemonset_exporter_clock daemonset_pod_rescheduling_duration", merge(
				nodeOutages("unreachable", 78.345), nodeDetections(42.7), gapDurations("node", 78.427), reschedulings("node_recovered", 0.082)))
	})
}
