package collector

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	up      = corev1.ConditionTrue
	broken  = corev1.ConditionFalse
	unheard = corev1.ConditionUnknown

	observed = "pod_rescheduling_duration"
	waiting  = "pod_rescheduling_pending"
)

func secondsOf(n int64) time.Duration { return time.Duration(n) * time.Second }

// one is what one rescheduling leaves in the samples.
func one(trigger string, seconds float64) samples {
	return samples{
		"pod_rescheduling_duration_seconds_count{trigger=" + trigger + "}": 1,
		"pod_rescheduling_duration_seconds_sum{trigger=" + trigger + "}":   seconds,
	}
}

func pending(trigger string) samples {
	return samples{"pod_rescheduling_pending{trigger=" + trigger + "}": 1}
}

func TestAPodThatIsAvailableWhenItsNodeTurnsReadyNeededNoRescheduling(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).node("a", unheard)
	c.after(70).node("a", up)
	c.after(71).says("the pod was Ready all along", "pod_rescheduling node_outage", samples{
		"node_outage_duration_seconds_count{status=unreachable}": 1, "node_outage_duration_seconds_sum{status=unreachable}": 60,
	})
}

func TestANodeThatFlapsTwiceInOneReschedulingIsOneRescheduling(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).node("a", unheard)
	c.pod("a-1", "a", started)
	c.after(20).node("a", up)
	c.after(24).node("a", broken)
	c.after(25).says("it waits for the node", waiting, nil)
	c.after(30).node("a", up)
	c.after(33).node("a", broken)
	c.after(40).node("a", up)
	c.says("it waits for the pod", waiting, pending("node_recovered"))
	c.after(45).pod("a-1", "a", ready)
	c.says("4 s, 3 s and 5 s of a Ready node; waiting for the node is the outage's time", observed+" "+waiting, one("node_recovered", 12))
	c.says("every turn was counted", "node_", samples{
		"node_failures_total{status=unreachable}": 1, "node_failures_total{status=not_ready}": 2,
		"node_transitions_total{node=a}":                         6,
		"node_outage_duration_seconds_count{status=unreachable}": 1, "node_outage_duration_seconds_sum{status=unreachable}": 10,
		"node_outage_duration_seconds_count{status=not_ready}": 2, "node_outage_duration_seconds_sum{status=not_ready}": 13,
	})
}

func TestAPodThatComesBackWhileItsNodeIsAwayWasWaitedForBefore(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).node("a", unheard)
	c.pod("a-1", "a", started)
	c.after(20).node("a", up)
	c.after(24).node("a", broken)
	c.after(26).pod("a-1", "a", ready)
	c.after(30).node("a", up)
	c.says("it ends when the node is back, and has lasted 4 s", observed+" "+waiting, one("node_recovered", 4))
}

func TestAPodThatLosesAndRegainsReadyInPlaceIsAGapAndNoRescheduling(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).pod("a-1", "a", started)
	c.after(15).says("no pod is needed, this one may regain it", waiting, nil)
	c.after(20).pod("a-1", "a", ready)
	c.says("a gap of 10 s", "pod_rescheduling gap_duration", closed("pod", 10))
}

func TestADaemonSetThatIsDeletedInMidEpisodeEndsIt(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).gone("a-1", false)
	c.says("needed", waiting, pending("pod_deleted"))
	c.after(12).pod("a-2", "a")
	c.after(15).deleteDaemonSet("agent")
	c.says("nobody waits", "pod_ gap_ expected_", nil)
	c.after(16).pod("a-2", "a", ready)
	c.after(17).gone("a-2", false)
	c.says("and its pods bring nothing back", "pod_ gap_ pods_", nil)
	c.compareLedger()
}

func TestANodeThatIsDeletedForEverEndsItsEpisodesAndItsTransitions(t *testing.T) {
	t.Parallel()
	c := stage(t, "a", "b").synced()
	c.after(10).gone("a-1", false)
	c.after(11).node("a", broken)
	c.after(12).node("a", up)
	c.after(20).deleteNode("a")
	c.says("the gap has closed, the rescheduling is dropped", "pod_rescheduling node_transitions gap_", closed("scheduling", 10))
	c.gone("b-1", false)
	c.deleteNode("b")
	c.compareLedger()
}

func TestAPodThatIsReplacedTwiceIsOneRescheduling(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).gone("a-1", false)
	c.after(11).pod("a-2", "a", unbound)
	c.after(13).gone("a-2", false)
	c.after(15).pod("a-3", "a", unbound)
	c.after(16).pod("a-3", "a", func(p *corev1.Pod, now metav1.Time) { p.Spec.NodeName = "a" })
	c.after(18).pod("a-3", "a", func(p *corev1.Pod, now metav1.Time) {
		p.Status.Conditions = []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: up, LastTransitionTime: c.stamp(16)}, {Type: corev1.PodReady, Status: broken, LastTransitionTime: now},
		}
		started(p, now)
	})
	c.after(21).pod("a-3", "a", ready)
	c.says("its stages are those of the pod that came to work, and add up", "pod_rescheduling", also(one("pod_deleted", 11), samples{
		"pod_rescheduling_stage_duration_seconds_count{stage=create}": 1, "pod_rescheduling_stage_duration_seconds_sum{stage=create}": 5,
		"pod_rescheduling_stage_duration_seconds_count{stage=schedule}": 1, "pod_rescheduling_stage_duration_seconds_sum{stage=schedule}": 1,
		"pod_rescheduling_stage_duration_seconds_count{stage=start}": 1, "pod_rescheduling_stage_duration_seconds_sum{stage=start}": 2,
		"pod_rescheduling_stage_duration_seconds_count{stage=ready}": 1, "pod_rescheduling_stage_duration_seconds_sum{stage=ready}": 3,
	}))
}

func TestTriggers(t *testing.T) {
	t.Parallel()
	replace := func(c *cast, changes ...change) {
		c.after(20).pod("a-2", "a", changes...)
		c.after(25).pod("a-2", "a", ready)
	}
	for name, test := range map[string]struct {
		story   func(c *cast)
		trigger string
		seconds float64
	}{
		"deleted": {func(c *cast) {
			c.after(5).pod("a-1", "a", asked(30))
			c.after(10).pod("a-1", "a", ends(0))
			replace(c)
		}, "pod_deleted", 15},
		"evicted through the API": {func(c *cast) {
			c.after(5).pod("a-1", "a", disrupted("EvictionByEvictionAPI"), asked(30))
			c.after(10).pod("a-1", "a", ends(0))
			replace(c)
		}, "pod_evicted", 15},
		"evicted by node pressure": {func(c *cast) {
			c.after(10).pod("a-1", "a", disrupted("TerminationByKubelet"), ends(137), func(p *corev1.Pod, _ metav1.Time) { p.Status.Reason = "Evicted" })
			c.after(12).pod("a-1", "a", asked(0))
			c.gone("a-1", false)
			replace(c)
		}, "pod_evicted", 15},
		"failed": {func(c *cast) {
			c.after(10).pod("a-1", "a", ends(1))
			c.after(12).pod("a-1", "a", asked(0))
			c.gone("a-1", false)
			replace(c)
		}, "pod_failed", 15},
		"an older revision": {func(c *cast) {
			c.after(5).daemonSet("agent", func(ds *appsv1.DaemonSet) { ds.Annotations[appsv1.DeprecatedTemplateGeneration] = "2" })
			c.pod("a-1", "a", asked(30))
			c.after(10).pod("a-1", "a", ends(0))
			replace(c, isOf("two", "2"))
		}, "rollout", 15},
		"an older revision, with a new pod that was surged beside it": {func(c *cast) {
			c.after(5).daemonSet("agent", func(ds *appsv1.DaemonSet) { ds.Annotations[appsv1.DeprecatedTemplateGeneration] = "2" })
			c.after(6).pod("a-2", "a", isOf("two", "2"))
			c.after(7).pod("a-1", "a", asked(30))
			c.after(10).pod("a-1", "a", ends(0))
			c.after(12).gone("a-1", false)
			c.after(25).pod("a-2", "a", ready)
		}, "rollout", 15},
		"surged in the place of one that was not Ready": {func(c *cast) {
			c.after(4).pod("a-1", "a", started)
			c.after(5).daemonSet("agent", func(ds *appsv1.DaemonSet) { ds.Annotations[appsv1.DeprecatedTemplateGeneration] = "2" })
			c.after(6).pod("a-2", "a", isOf("two", "2"))
			c.after(10).pod("a-1", "a", asked(30))
			c.after(25).pod("a-2", "a", ready)
		}, "rollout", 15},
		"deleted in crash back-off": {func(c *cast) {
			c.after(5).pod("a-1", "a", restarts(1, 3, "Error"), backsOff)
			c.after(10).pod("a-1", "a", asked(30))
			c.after(11).pod("a-1", "a", ends(3))
			replace(c)
		}, "pod_deleted", 15},
		"a node that turned Ready": {func(c *cast) {
			c.after(5).node("a", unheard)
			c.pod("a-1", "a", started)
			c.after(10).node("a", up)
			c.after(25).pod("a-1", "a", ready)
		}, "node_recovered", 15},
		"a pod that was deleted while its node was away": {func(c *cast) {
			c.after(5).node("a", unheard)
			c.after(6).pod("a-1", "a", started, asked(30))
			c.after(10).node("a", up)
			c.after(11).pod("a-1", "a", ends(0))
			replace(c)
		}, "node_recovered", 15},
		"a label that the node did not have": {func(c *cast) {
			c.gone("a-1", false)
			c.daemonSet("agent", func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.NodeSelector = map[string]string{"disk": "ssd"} })
			c.after(10).node("a", up, func(n *corev1.Node) { n.Labels = map[string]string{"disk": "ssd"} })
			replace(c)
		}, "node_eligible", 15},
		"a node that is new": {func(c *cast) {
			c.after(8).node("b", broken)
			c.after(10).node("b", up)
			c.after(20).pod("b-1", "b")
			c.after(25).pod("b-1", "b", ready)
		}, "node_added", 15},
		"a DaemonSet that is new": {func(c *cast) {
			c.gone("a-1", false)
			c.deleteDaemonSet("agent")
			delete(c.sets, "agent")
			c.after(10).daemonSet("agent")
			replace(c)
		}, "daemonset_created", 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := stage(t, "a").synced()
			test.story(c)
			c.says("one rescheduling", observed+" "+waiting, one(test.trigger, test.seconds))
		})
	}
}

func TestAPodStampedWhileItsNodeWasAwayDoesNotBackdateTheNeed(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(9.9).node("a", unheard)
	// The controller manager takes Ready away in the next second.
	c.after(10.1).pod("a-1", "a", started)
	c.after(70).node("a", up)
	c.after(73).pod("a-1", "a", ready)
	c.says("3 s, not 63", observed, one("node_recovered", 3))
}

func TestAnInterruptedWatchDatesStagesByTheirStamps(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).gone("a-1", false)
	// Everything that happened from 12 to 20 arrives at 40.
	c.after(40).pod("a-2", "a", ready, func(p *corev1.Pod, _ metav1.Time) {
		p.CreationTimestamp, p.Status.StartTime = c.stamp(12), new(c.stamp(13))
		p.Status.Conditions[0].LastTransitionTime = c.stamp(13)
		p.Status.ContainerStatuses[0].State.Running.StartedAt = c.stamp(16)
		p.Status.Conditions[1].LastTransitionTime = c.stamp(20)
	})
	c.says("10 s in their parts", "pod_rescheduling", also(one("pod_deleted", 10), samples{
		"pod_rescheduling_stage_duration_seconds_count{stage=create}": 1, "pod_rescheduling_stage_duration_seconds_sum{stage=create}": 2,
		"pod_rescheduling_stage_duration_seconds_count{stage=schedule}": 1, "pod_rescheduling_stage_duration_seconds_sum{stage=schedule}": 1,
		"pod_rescheduling_stage_duration_seconds_count{stage=start}": 1, "pod_rescheduling_stage_duration_seconds_sum{stage=start}": 3,
		"pod_rescheduling_stage_duration_seconds_count{stage=ready}": 1, "pod_rescheduling_stage_duration_seconds_sum{stage=ready}": 4,
	}))
}

func TestANegativeDurationIsClockSkewAndNotObserved(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).gone("a-1", false)
	c.after(10).pod("a-2", "a")
	c.clock.SetTime(c.begin.Add(5 * time.Second))
	c.pod("a-2", "a", ready)
	c.says("the gap's and the rescheduling's", "pod_rescheduling gap_duration exporter_clock_skew", samples{"exporter_clock_skew_total": 2})
}
