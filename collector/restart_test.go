package collector

import (
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func TestRestart(t *testing.T) {
	runScenarios(t, map[string]func(s *scenario){
		"before sync there is nothing but the exporter's own metrics": func(s *scenario) {
			s = newScenario(s.t, "a")
			s.at(1).pod("a-1", objects.Restarted(1, 1, "Error", 1))
			s.at(2).deletePod("a-1")
			for name := range s.scrape() {
				check.That(s.t, strings.HasPrefix(name, "daemonset_exporter_"), "%s is given before sync", name)
			}
			s.synced().expect("what happened before is not counted", "daemonset_container_ daemonset_pod_terminations")
		},
		"in the middle of an outage": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.pod("a-1", objects.Started(10))
			before := s.scrape()
			s = s.at(40).restarted()
			for _, name := range []string{
				`daemonset_gap_start_timestamp_seconds{cause="node",daemonset="agent",lifecycle="active",namespace="default",node="a",reason="node_unreachable",zone=""}`,
				`daemonset_node_not_ready_start_timestamp_seconds{lifecycle="active",node="a",status="unreachable",zone=""}`,
			} {
				if got := s.scrape()[name]; got != before[name] || got == 0 {
					s.t.Errorf("%s is %v, and was %v before the restart", name, got, before[name])
				}
			}
			s.expect("no failure was seen", "daemonset_node_failures daemonset_node_transitions")
			s.at(70).node("a", objects.Ready(70))
			s.at(75).pod("a-1", objects.Ready(75))
			s.expect("the outage is whole, the rescheduling is the time since the node came back", "daemonset_node_outage daemonset_gap_duration daemonset_pod_rescheduling_duration",
				nodeOutages("unreachable", 60), gapDurations("node", 65), reschedulings("node_recovered", 5))
		},
		"while a pod that is older than the outage comes back": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.pod("a-1", objects.Started(10))
			s.at(60).node("a", objects.Ready(60))
			s = s.at(160).restarted()
			s.at(170).pod("a-1", objects.Ready(170))
			s.expect("it was made, bound and started before it was needed: all 110 s are for becoming Ready", "daemonset_pod_rescheduling", reschedulings("node_recovered", 110),
				stages("create", 0), stages("schedule", 0), stages("start", 0), stages("ready", 110))
		},
		"with terminating pods": func(s *scenario) {
			s = newScenario(s.t, "a", "b", "c").synced()
			s.at(10).pod("a-1", objects.Terminating(10, 30))
			s.pod("b-1", objects.Terminating(10, 300))
			s.pod("c-1", objects.Terminating(10, 5))
			s.at(12).node("c", objects.ReadyUnknown(12))
			s.at(20).node("c", objects.Ready(20))
			s = s.at(50).restarted()
			s.expect("as before", "daemonset_pods_terminating", exposition(`
				daemonset_pods_terminating{daemonset="agent",namespace="default",state="overdue"} 2
				daemonset_pods_terminating{daemonset="agent",namespace="default",state="within_grace"} 1
			`))
			s.at(60).pod("b-1", objects.Finished(0, 60))
			s.deletePod("b-1")
			s.pod("c-1", objects.Finished(0, 60))
			s.deletePod("c-1")
			s.expect("dated by the request; the node that was away in between shows by its stamp", "daemonset_pod_terminations daemonset_pod_termination_duration", sum(terminations("graceful", 50), terminations("node_lost", 50)))
			s.restarted().expect("what is finished is not counted again", "daemonset_pod_termination")
		},
		"in the middle of a rescheduling": func(s *scenario) {
			s.daemonSet("agent", objects.MinReadySeconds(50))
			s.at(20).deletePod("a-1")
			s.at(22).pod("a-2")
			s.at(49).pod("a-2", objects.Ready(49))
			s = s.at(62).restarted()
			s.expect("picked up by the stamps", "daemonset_pod_rescheduling_pending", pending("pod_deleted", 1))
			s.at(99).expect("available, and observed once", "daemonset_pod_rescheduling_duration daemonset_pod_rescheduling_pending", reschedulings("pod_deleted", 77))
		},
	})
}

// A gap that was open before its node failed keeps its start, as far as the pods' stamps
// tell.
func TestRestartKeepsGapStart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		run            func(s *scenario)
		reason         string
		watched, found float64
	}{
		"a pod that could not start before its node failed": {func(s *scenario) {
			s.at(9).deletePod("a-1")
			s.at(10).pod("a-2", objects.Waiting("ErrImageNeverPull", 10))
			s.at(330).node("a", objects.ReadyUnknown(330))
			s.at(350)
		}, "node_unreachable", 9, 10},
		"a kubelet that said so before it fell silent": {func(s *scenario) {
			s.at(10).node("a", objects.NotReady(10))
			s.pod("a-1", objects.NotReady(10))
			s.at(60).node("a", objects.ReadyUnknown(60))
			s.at(70)
		}, "node_unreachable", 10, 10},
		"a crash loop before its node failed": {func(s *scenario) {
			s.at(10).pod("a-1", objects.Restarted(3, 1, "Error", 10), objects.CrashLooping(10))
			s.at(100).node("a", objects.ReadyUnknown(100))
			s.at(110)
		}, "node_unreachable", 10, 10},
		"a pod that was available until its node failed": {func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.pod("a-1", objects.NotReady(10))
			s.at(20)
		}, "node_unreachable", 10, 10},
		"a pod that its dead kubelet still calls Ready": {func(s *scenario) {
			s.at(10).node("a", objects.NotReady(10))
			s.at(20)
		}, "node_not_ready", 10, 10},
		"a pod that has not come back since its node has": {func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.pod("a-1", objects.NotReady(10))
			s.at(60).node("a", objects.Ready(60))
			s.at(70)
		}, "pod_not_ready", 10, 10},
		"no object tells when a pod was lost": {func(s *scenario) {
			s.at(10).deletePod("a-1")
			s.at(20)
		}, "pod_missing", 10, 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, "a").synced()
			test.run(s)
			s.expect("as watched", "daemonset_gap_start", gapStart("a", test.reason, sinceNoon(test.watched)))
			s.restarted().expect("as found", "daemonset_gap_start", gapStart("a", test.reason, sinceNoon(test.found)))
		})
	}
}
