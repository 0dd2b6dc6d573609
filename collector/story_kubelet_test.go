package collector

import (
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What a real kubelet does in cases of which there is no recording.

// stampedReady turns Ready with a stamp from another time.
func stampedReady(stamp metav1.Time) change {
	return func(p *corev1.Pod, now metav1.Time) {
		ready(p, now)
		p.Status.Conditions[1].LastTransitionTime = stamp
	}
}

// stampedNode turns a node Ready with a stamp from another time.
func stampedNode(stamp metav1.Time) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Status.Conditions[0].LastTransitionTime = stamp }
}

func TestALivenessProbeKillsWithoutATerminatedState(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).pod("a-1", "a", restarts(1, 137, "Error"), started)
	c.says("from running to running", "gap_nodes", samples{"gap_nodes{reason=pod_not_ready}": 1})
	c.after(10.2).pod("a-1", "a", ready)
	c.says("a restart and a gap of 0.2 s; nothing was terminated, no pod was needed", "container_ gap_duration pod_", also(
		closed("pod", 0.2), samples{"container_restarts_total{reason=Error}": 1}))
}

func TestAContainerThatRunsOutOfMemory(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).pod("a-1", "a", exits(137, "OOMKilled"))
	c.after(10.1).pod("a-1", "a", restarts(1, 137, "OOMKilled"), ready)
	c.after(15).pod("a-1", "a", exits(137, "OOMKilled"))
	c.says("terminated after a restart is a crash loop", "gap_nodes", samples{"gap_nodes{reason=crash_loop}": 1})
	c.after(16).pod("a-1", "a", backsOff)
	c.after(20).pod("a-1", "a", asked(30))
	c.after(20.1).pod("a-1", "a", ends(137), exits(137, "OOMKilled"), func(p *corev1.Pod, _ metav1.Time) {
		p.Status.ContainerStatuses[0].State.Terminated.FinishedAt = c.stamp(15)
	})
	c.after(21).gone("a-1", false)
	c.says("killed, and not by its end", "container_ "+removed, also(
		terminated("not_running", 1), samples{"container_restarts_total{reason=OOMKilled}": 1}))
}

func TestAKubeletRestartTakesReadyAwayForAMoment(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(46.815).pod("a-1", "a", started)
	c.after(46.842).pod("a-1", "a", ready)
	c.says("within one stamped second: a gap of 27 ms, and nothing else", "gap_duration pod_ container_ node_", closed("pod", 0.027))
}

func TestImagesThatAreNeverPulled(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"ErrImageNeverPull", "InvalidImageName", "ErrImagePull", "ImagePullBackOff"} {
		c := stage(t, "a").synced()
		c.after(10).gone("a-1", false)
		c.after(11).pod("a-2", "a", func(p *corev1.Pod, _ metav1.Time) { p.Status.ContainerStatuses[0].State.Waiting.Reason = reason })
		c.says(reason, "gap_nodes", samples{"gap_nodes{reason=image_pull}": 1})
	}
}

func TestAnOutageWithTheNodeBackBeforeItsPod(t *testing.T) {
	t.Parallel()
	// grace 50 s, lease 40 s, frozen for 120 s: the node's Ready comes first, the
	// pod's 82 ms later, with the stamp from before the outage.
	synctest.Test(t, func(t *testing.T) {
		c := stage(t, "a").synced()
		c.run()
		c.leases = func(string, time.Time) time.Time { return c.begin.Add(5 * time.Second) }
		c.after(47.7).node("a", unheard)
		c.after(47.71).pod("a-1", "a", started)
		c.after(126.045).node("a", up)
		c.says("needed, for a moment", waiting, pending("node_recovered"))
		c.after(126.127).pod("a-1", "a", stampedReady(c.stamp(-2998)))
		c.says("durations are of the watch: not of stamps that run backwards",
			"node_outage node_detection gap_duration exporter_clock "+observed, also(
				outages(78.345), detected(42.7), closed("node", 78.427), one("node_recovered", 0.082)))
	})
}

func TestAContainerThatExitsWhileItsKubeletSleeps(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).node("a", unheard)
	c.pod("a-1", "a", started)
	// It exited at 55, which shows when the kubelet wakes up at 70.
	c.after(70).node("a", broken)
	c.after(70.16).pod("a-1", "a", exits(7, "Error"), func(p *corev1.Pod, _ metav1.Time) {
		p.Status.ContainerStatuses[0].State.Terminated.FinishedAt = c.stamp(55)
	})
	c.after(70.33).pod("a-1", "a", restarts(1, 7, "Error"), ready)
	c.says("its pod is Ready before its node, and not believed", "gap_nodes", samples{"gap_nodes{reason=node_not_ready}": 1})
	c.after(80).node("a", up)
	c.says("one outage, one restart, nothing to reschedule", "node_failures node_outage container_ gap_ pod_", also(
		outages(70), closed("node", 70), samples{
			"container_restarts_total{reason=Error}": 1, "node_failures_total{status=unreachable}": 1,
		}))
}

func TestASimulatedNodeReturnsWithItsOldStamp(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).node("a", unheard)
	c.after(30).node("a", up, stampedNode(c.stamp(-3600)))
	c.says("20 s by the watch; the stamp would say an hour, backwards", "node_outage exporter_clock", outages(20))
}

func TestAnOutageThatALostWatchMissedTheEndOf(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).node("a", unheard)
	c.after(100).node("a", up, stampedNode(c.stamp(40)))
	c.says("the change is a minute late: its stamp dates it", "node_outage gap_duration", also(outages(30), closed("node", 30)))
}

func TestADrainLeavesTheAgentsAlone(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).node("a", up, func(n *corev1.Node) {
		n.Spec.Unschedulable = true
		n.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}}
	})
	c.says("expected and covered", "expected_ covered_ gap_ pod_", samples{
		"expected_nodes{lifecycle=cordoned}": 1, "covered_nodes{lifecycle=cordoned}": 1,
	})
	c.after(20).node("a", unheard)
	c.says("a cordoned node that dies still shows", "gap_nodes", samples{"gap_nodes{lifecycle=cordoned,reason=node_unreachable}": 1})
}

func TestARolloutThatSurgesNeedsNoRescheduling(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).pod("a-2", "a", isOf("two", "2"))
	c.after(15).pod("a-2", "a", ready)
	c.pod("a-1", "a", asked(30))
	c.after(17).pod("a-1", "a", ends(0))
	c.after(18).gone("a-1", false)
	c.says("there was a working pod all the time", "pod_ gap_ covered_nodes", also(terminated("graceful", 3), samples{"covered_nodes": 1}))
}

func TestTheOldContainersOfARebootedNodeAreNoStart(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).node("a", unheard)
	c.pod("a-1", "a", started)
	c.after(40).node("a", up)
	c.after(41).pod("a-1", "a", exits(255, "Unknown"))
	c.after(43).pod("a-1", "a", restarts(1, 255, "Unknown"))
	c.after(44).pod("a-1", "a", ready)
	c.says("3 s to start, 1 s to be Ready", "pod_rescheduling_stage_duration_seconds_sum", samples{
		"pod_rescheduling_stage_duration_seconds_sum{stage=start}": 3, "pod_rescheduling_stage_duration_seconds_sum{stage=ready}": 1,
	})
}
