package collector

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// unmeasured is a termination whose duration is not known.
func unmeasured(outcome string) samples {
	return samples{"pod_terminations_total{outcome=" + outcome + "}": 1}
}

const removed = "pod_terminations pod_termination_duration pods_terminating"

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		story func(c *cast)
		want  samples
	}{
		"all containers ended in time": {func(c *cast) {
			c.after(10).pod("a-1", "a", asked(30))
			c.after(14).pod("a-1", "a", ends(0))
			c.pod("a-1", "a", asked(0))
		}, terminated("graceful", 4)},
		"an exit code of its own": {func(c *cast) {
			c.after(10).pod("a-1", "a", asked(30))
			c.after(14).pod("a-1", "a", ends(143))
		}, terminated("graceful", 4)},
		"a preStop hook that overran, and a container that ended with 0 within the extra time": {func(c *cast) {
			c.after(10).pod("a-1", "a", asked(5))
			c.after(16).pod("a-1", "a", ends(0))
			c.pod("a-1", "a", asked(0))
		}, terminated("graceful", 6)},
		"killed at the end of the grace period": {func(c *cast) {
			c.after(10).pod("a-1", "a", asked(5))
			c.after(15).pod("a-1", "a", ends(137))
			c.pod("a-1", "a", asked(0))
		}, terminated("grace_exceeded", 5)},
		"removed more than 2 s after the grace period": {func(c *cast) {
			c.after(10).pod("a-1", "a", asked(5))
			c.after(17.5).pod("a-1", "a", ends(0))
		}, terminated("grace_exceeded", 7.5)},
		"a second request that shortens the grace period": {func(c *cast) {
			c.after(10).pod("a-1", "a", asked(30))
			c.after(14).pod("a-1", "a", asked(0), func(p *corev1.Pod, _ metav1.Time) { p.DeletionGracePeriodSeconds = new(int64(4)) })
			c.after(17).pod("a-1", "a", ends(0))
		}, terminated("grace_exceeded", 7)},
		"forced: no grace at all while its containers run": {func(c *cast) {
			c.after(10).pod("a-1", "a", asked(0))
		}, terminated("forced", 0)},
		"the node failed in between, and came back": {func(c *cast) {
			c.after(10).pod("a-1", "a", asked(5))
			c.after(12).node("a", unheard)
			c.after(40).node("a", up)
			c.after(44).pod("a-1", "a", ends(0))
		}, terminated("node_lost", 34)},
		"forced on a node that was lost: the first deletion seen had its grace": {func(c *cast) {
			c.after(10).node("a", unheard)
			c.after(12).pod("a-1", "a", asked(5))
			c.after(40).pod("a-1", "a", asked(0))
		}, terminated("node_lost", 28)},
		"collected with its node": {func(c *cast) {
			c.after(10).deleteNode("a")
			c.after(50).pod("a-1", "a", disrupted("DeletionByPodGC"), func(p *corev1.Pod, _ metav1.Time) { p.Status.Phase = corev1.PodFailed })
			c.pod("a-1", "a", asked(0))
		}, terminated("node_lost", 0)},
		"in crash back-off, with the exit code of an old crash": {func(c *cast) {
			c.after(5).pod("a-1", "a", exits(137, "Error"))
			c.after(7).pod("a-1", "a", restarts(1, 137, "Error"), backsOff)
			c.after(10).pod("a-1", "a", asked(30))
			c.after(12).pod("a-1", "a", ends(137), func(p *corev1.Pod, _ metav1.Time) {
				p.Status.ContainerStatuses[0].State.Terminated.FinishedAt = c.stamp(5)
			})
		}, terminated("not_running", 2)},
		"OOMKilled before, deleted in back-off": {func(c *cast) {
			c.after(5).pod("a-1", "a", exits(137, "OOMKilled"))
			c.after(10).pod("a-1", "a", asked(30))
		}, terminated("not_running", 0)},
		"failed long before it was asked": {func(c *cast) {
			c.after(5).pod("a-1", "a", ends(1))
			c.after(10).pod("a-1", "a", asked(0))
		}, terminated("not_running", 0)},
		"never bound": {func(c *cast) {
			c.gone("a-1", true)
			c.deleteDaemonSet("agent") // forget that one
			c.daemonSet("agent")
			c.after(5).pod("a-1", "a", unbound)
			c.after(10).pod("a-1", "a", asked(0))
		}, terminated("not_running", 0)},
		"137 ContainerStatusUnknown: the end of one that ran, and nobody saw it": {func(c *cast) {
			c.after(10).pod("a-1", "a", asked(30))
			c.after(12).pod("a-1", "a", ends(0), exits(137, "ContainerStatusUnknown"), func(p *corev1.Pod, _ metav1.Time) {
				p.Status.ContainerStatuses[0].State.Terminated.FinishedAt = metav1.Time{}
			})
		}, terminated("unknown", 2)},
		"a kubelet that removes at once and reports nothing": {func(c *cast) {
			c.after(10).pod("a-1", "a", asked(30))
			c.pod("a-1", "a", asked(0))
		}, terminated("unknown", 0)},
		"only the end was seen: what ran when that was asked for is not known": {func(c *cast) {
			pod := c.pods["a-1"].DeepCopy()
			c.after(20)
			ends(0)(pod, c.now())
			asked(0)(pod, c.now())
			c.pods["a-1"] = pod
		}, unmeasured("unknown")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := stage(t, "a").synced()
			test.story(c)
			c.gone("a-1", false)
			c.says("one termination", removed, test.want)
			if open := c.collector.history.terminating.Open(); open != 0 {
				t.Errorf("%d terminations are left", open)
			}
		})
	}
}

func TestATombstoneIsUnknown(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(300).gone("a-1", true)
	c.says("nobody saw it asked to end", removed, unmeasured("unknown"))
}

func TestATombstoneOfAPodThatWasAskedToEndHasNoDuration(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).pod("a-1", "a", asked(30))
	c.after(300).gone("a-1", true)
	c.says("the relist comes long after the grace period, which says nothing", removed, unmeasured("unknown"))
}

func TestStatesOfTerminatingPods(t *testing.T) {
	t.Parallel()
	state := func(name string) samples { return samples{"pods_terminating{state=" + name + "}": 1} }
	c := stage(t, "a").synced()
	c.after(10).pod("a-1", "a", asked(30))
	c.after(39.9).says("deletionTimestamp is the end of the grace period, not its beginning", "pods_", state("within_grace"))
	c.after(40).says("by a timer, not by an event", "pods_", state("overdue"))
	c.node("a", unheard)
	c.says("nobody can tell", "pods_", state("node_lost"))
	c.node("a", up)
	c.says("the node is back", "pods_", state("overdue"))
	c.deleteNode("a")
	c.says("gone for ever", "pods_", state("node_lost"))
	c.gone("a-1", false)
	c.says("and so is the pod", "pods_", nil)
}

func TestRestarts(t *testing.T) {
	t.Parallel()
	counted := "container_restarts"
	c := stage(t, "a").synced()
	c.after(10).pod("a-1", "a", restarts(1, 3, "Error"))
	c.after(20).pod("a-1", "a", restarts(1, 137, "OOMKilled"))
	c.after(30).pod("a-1", "a", restarts(1, 0, "Completed"))
	c.after(40).pod("a-1", "a", restarts(1, 255, "Unknown"))
	c.after(50).pod("a-1", "a", restarts(3, 1, "Error"))
	want := samples{
		"container_restarts_total{reason=Error}": 4, "container_restarts_total{reason=OOMKilled}": 1,
		"container_restarts_total{reason=Completed}": 1, "container_restarts_total{reason=other}": 1,
	}
	c.says("by differences: three between two versions are three", counted, want)
	c.pod("a-1", "a", started)
	c.says("and no restart is none", counted, want)
	c.after(60).gone("a-1", false)
	c.pod("a-1", "a", ready, restarts(2, 1, "Error"))
	c.says("another pod of the same name begins anew: what was before it was seen is not counted", counted, want)
	c.pod("a-1", "a", restarts(1, 1, "Error"))
	want["container_restarts_total{reason=Error}"] = 5
	c.says("what comes after is", counted, want)
	c = c.restarted()
	c.says("an exporter that starts counts nothing of what was before", counted, nil)
}
