package collector

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

const nodeSeconds = "daemonset_expected_node_seconds_total daemonset_gap_node_seconds_total"

func TestNodeSeconds(t *testing.T) {
	outages := func(scrapes ...float64) func(s *scenario) {
		return func(s *scenario) {
			s = newScenario(s.t, "a", "b", "c").synced()
			at := func(seconds float64) *scenario {
				for len(scrapes) > 0 && scrapes[0] < seconds {
					s.at(scrapes[0]).scrape()
					scrapes = scrapes[1:]
				}
				return s.at(seconds)
			}
			at(10).node("a", objects.ReadyUnknown(10))
			at(17).node("a", objects.Ready(17)) // 7 s
			at(20).node("b", objects.ReadyUnknown(20))
			at(40).node("c", objects.ReadyUnknown(40))
			at(43).node("b", objects.Ready(43)) // 23 s
			at(100)
			s.expect("c is open at the scrape", nodeSeconds, expectedSeconds(300), gapSeconds("node", 7+23+60))
			at(135).node("c", objects.Ready(135)) // 95 s
			at(200)
			s.expect("the sum of the outages", nodeSeconds, expectedSeconds(600), gapSeconds("node", 7+23+95))
		}
	}
	runScenarios(t, map[string]func(s *scenario){
		"outages of three nodes give their sum":    outages(),
		"it does not matter when somebody scrapes": outages(1, 11.5, 16.9, 17.2, 42, 44, 99, 134.9, 136),
		"a change of the template loses nothing": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.at(20).daemonSet("agent", objects.Tolerating(objects.TolerateAll()))
			s.at(40).node("a", objects.Ready(40))
			s.at(50)
			s.expect("30 s", nodeSeconds, expectedSeconds(50), gapSeconds("node", 30))
		},
		"each part counts under the cause that held then": func(s *scenario) {
			s.at(10).deletePod("a-1")
			s.at(13).pod("a-2")
			s.at(20).pod("a-2", objects.Ready(20))
			s.expect("3 s without a pod, 7 s of starting", nodeSeconds, expectedSeconds(20), gapSeconds("scheduling", 3), gapSeconds("pod", 7))
		},
		"joining and leaving nodes do not count, cordoned ones do": func(s *scenario) {
			s.at(10).node("a", objects.Cordoned(), objects.ReadyUnknown(10))
			s.at(20).node("a", objects.Tainted("karpenter.sh/disrupted", "PreferNoSchedule"))
			s.at(30).node("new", objects.Created(30), objects.Ready(30))
			s.at(50)
			s.expect("10 s active, 10 s cordoned and dead", nodeSeconds, expectedSeconds(20), gapSeconds("node", 10))
		},
		"an outage that began before it was seen counts from its beginning": func(s *scenario) {
			s.at(100).node("a", objects.ReadyUnknown(40), objects.Late())
			s.expect("60 s at once", nodeSeconds, expectedSeconds(100), gapSeconds("node", 60))
			s.at(200).node("a", objects.Ready(110), objects.Late())
			s.expect("it ended 90 s ago: a counter does not go back", nodeSeconds, expectedSeconds(200), gapSeconds("node", 160))
			s.at(210).node("a", objects.ReadyUnknown(210))
			s.at(300)
			s.expect("the next 90 s are paid for", nodeSeconds, expectedSeconds(300), gapSeconds("node", 160))
			s.at(310)
			s.expect("and then they count", nodeSeconds, expectedSeconds(310), gapSeconds("node", 170))
		},
		"a DaemonSet that is being deleted counts no more": func(s *scenario) {
			s.at(10).node("a", objects.ReadyUnknown(10))
			s.at(20).daemonSet("agent", objects.Deleted(20))
			s.at(60)
			s.expect("until it was deleted", nodeSeconds, expectedSeconds(20), gapSeconds("node", 10))
		},
	})
}

func TestSuspectPods(t *testing.T) {
	runScenarios(t, map[string]func(s *scenario){
		"a pod that crashes on a node that its kubelet calls not ready": func(s *scenario) {
			s.at(10).pod("a-1", objects.CrashLooping(10))
			s.at(20).node("a", objects.NotReady(20))
			s.expect("it may be why", "daemonset_node_suspect_pods", suspectPod("a", "crash_loop", 1))
			s.at(30).node("a", objects.ReadyUnknown(30))
			s.expect("its kubelet is silent: nobody knows", "daemonset_node_suspect_pods")
			s.at(50).node("a", objects.Ready(50))
			s.expect("the node works", "daemonset_node_suspect_pods")
		},
		"a pod that cannot start there is a victim": func(s *scenario) {
			s.at(10).node("a", objects.NotReady(10))
			s.pod("a-1", objects.Starting(10))
			s.expect("it waits for the node", "daemonset_node_suspect_pods")
		},
		"a pod that was marked with its node is a victim": func(s *scenario) {
			s.at(10).node("a", objects.NotReady(10))
			s.pod("a-1", objects.Change(func(p *corev1.Pod) {
				for i := range p.Status.Conditions {
					p.Status.Conditions[i].Status = corev1.ConditionFalse
				}
			}))
			s.expect("its container is ready", "daemonset_node_suspect_pods")
		},
	})
}
