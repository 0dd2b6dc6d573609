package collector

import (
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestTheLeaseIsReadOncePerFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := stage(t, "a").synced()
		c.run()
		c.leases = func(string, time.Time) time.Time { return c.begin.Add(8 * time.Second) }
		c.after(10).node("a", unheard)
		c.after(20).node("a", unheard, func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoSchedule}}
		})
		c.after(30).node("a", broken)
		c.after(35).node("a", unheard)
		c.after(40).node("a", up)
		c.says("2 s after the last renewal", "node_detection", detected(2))
		if len(c.read) != 1 {
			t.Errorf("the Lease was read %d times", len(c.read))
		}
		c.after(50).node("a", broken)
		c.says("a kubelet that says so itself was not detected", "node_detection", detected(2))
		c.leases = func(string, time.Time) time.Time { return c.begin.Add(52 * time.Second) }
		c.after(60).node("a", unheard)
		c.says("it died after it had said so", "node_detection", detected(2, 8))
		c.after(70).node("a", up)
		c.leases = func(string, time.Time) time.Time { return time.Time{} }
		c.after(80).node("a", unheard)
		c.says("no Lease, no observation", "node_detection", detected(2, 8))
		c.leases = func(string, time.Time) time.Time { return c.begin.Add(200 * time.Second) }
		c.node("a", up)
		c.after(90).node("a", unheard)
		c.says("a Lease from the future", "node_detection exporter_clock", also(detected(2, 8), samples{"exporter_clock_skew_total": 1}))
	})
}

func TestEveryTurnCountsAndNotEveryScrape(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).node("a", broken)
	c.after(20).node("a", unheard)
	c.after(25).node("a", broken)
	c.after(30).node("a", up)
	c.says("between two scrapes: one failure, as it began, and one outage of 20 s", "node_failures node_outage node_transitions node_not", samples{
		"node_failures_total{status=not_ready}":                1,
		"node_transitions_total{node=a}":                       2,
		"node_outage_duration_seconds_count{status=not_ready}": 1,
		"node_outage_duration_seconds_sum{status=not_ready}":   20,
	})
}

func TestStartupOfANode(t *testing.T) {
	t.Parallel()
	c := stage(t).synced()
	c.daemonSet("second")
	c.after(10).node("b", broken)
	c.after(14).node("b", up)
	c.after(16).pod("b-1", "b")
	c.after(19).pod("b-1", "b", ready)
	c.says("the second DaemonSet does not cover it yet", "node_startup node_failures node_transitions", samples{
		"node_startup_duration_seconds_count{stage=ready}": 1, "node_startup_duration_seconds_sum{stage=ready}": 4,
	})
	c.after(21).pod("b-2", "b", ready, func(p *corev1.Pod, _ metav1.Time) {
		p.OwnerReferences = []metav1.OwnerReference{{Kind: "DaemonSet", Name: "second", UID: c.sets["second"].UID, Controller: new(true)}}
	})
	c.after(30).pod("b-1", "b", started)
	c.after(40).pod("b-1", "b", ready)
	c.says("covered once; the gap that followed is none of its start", "node_startup", samples{
		"node_startup_duration_seconds_count{stage=ready}": 1, "node_startup_duration_seconds_sum{stage=ready}": 4,
		"node_startup_duration_seconds_count{stage=covered}": 1, "node_startup_duration_seconds_sum{stage=covered}": 11,
	})
}

func TestNothingButTheExportersOwnBeforeSync(t *testing.T) {
	t.Parallel()
	c := stage(t, "a")
	c.after(1).pod("a-1", "a", restarts(1, 1, "Error"))
	c.after(2).gone("a-1", false)
	for name := range c.scrape() {
		if len(name) < 9 || name[:9] != "exporter_" {
			t.Errorf("%s is given before sync", name)
		}
	}
	c.synced().says("what happened before is not counted", "container_ pod_terminations", nil)
}

func TestARestartInTheMiddleOfAnOutage(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.after(10).node("a", unheard)
	c.pod("a-1", "a", started)
	before := c.scrape()
	c = c.after(40).restarted()
	for _, name := range []string{
		"gap_start_timestamp_seconds{node=a,reason=node_unreachable}",
		"node_not_ready_start_timestamp_seconds{node=a,status=unreachable}",
	} {
		if got := c.scrape()[name]; got != before[name] || got == 0 {
			t.Errorf("%s is %v, and was %v before the restart", name, got, before[name])
		}
	}
	c.says("no failure was seen", "node_failures node_transitions", nil)
	c.after(70).node("a", up)
	c.after(75).pod("a-1", "a", ready)
	c.says("the outage is whole, the rescheduling is the time since the node came back", "node_outage gap_duration "+observed, also(
		outages(60), closed("node", 65), one("node_recovered", 5)))
}

func TestARestartInTheMiddleOfARescheduling(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before, then func(c *cast)
		trigger      string
		seconds      float64
	}{
		"after its node came back": {func(c *cast) {
			c.after(10).node("a", unheard)
			c.pod("a-1", "a", started)
			c.after(60).node("a", up)
		}, func(c *cast) { c.pod("a-1", "a", ready) }, "node_recovered", 40},
		"the successor is starting": {func(c *cast) {
			c.after(10).gone("a-1", false)
			c.after(12).pod("a-2", "a")
		}, func(c *cast) { c.pod("a-2", "a", ready) }, "pod_deleted", 88},
		"the pod is on its way out": {func(c *cast) {
			c.after(10).pod("a-1", "a", asked(300))
			c.after(12).pod("a-1", "a", ends(0))
		}, func(c *cast) { c.pod("a-2", "a", ready) }, "pod_deleted", 88},
		"its minReadySeconds are running": {func(c *cast) {
			c.daemonSet("agent", func(ds *appsv1.DaemonSet) { ds.Spec.MinReadySeconds = 50 })
			c.after(20).gone("a-1", false)
			c.after(22).pod("a-2", "a")
			c.after(49).pod("a-2", "a", ready)
		}, func(c *cast) {}, "pod_deleted", 77}, // available at 99
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := stage(t, "a").synced()
			test.before(c)
			c = c.after(62).restarted()
			c.says("picked up by the stamps", waiting, pending(test.trigger))
			c.after(99)
			c.after(100)
			test.then(c)
			c.says("and observed once", observed+" "+waiting, one(test.trigger, test.seconds))
		})
	}
}

func TestARestartWhileAPodThatFlapsWaitsForItsMinReadySecondsBeginsNoRescheduling(t *testing.T) {
	t.Parallel()
	c := stage(t, "a").synced()
	c.daemonSet("agent", func(ds *appsv1.DaemonSet) { ds.Spec.MinReadySeconds = 50 })
	c.after(10).pod("a-1", "a", started)
	c.after(20).pod("a-1", "a", ready)
	c = c.after(30).restarted()
	c.after(100).says("nobody needed a pod; least of all for the hour since this one was made", "pod_rescheduling", nil)
}

func TestARestartWithPodsOnTheirWayOut(t *testing.T) {
	t.Parallel()
	c := stage(t, "a", "b", "c").synced()
	c.after(10).pod("a-1", "a", asked(30))
	c.pod("b-1", "b", asked(300))
	c.pod("c-1", "c", asked(5))
	c.after(12).node("c", unheard)
	c.after(20).node("c", up)
	c = c.after(50).restarted()
	c.says("as before", "pods_terminating", samples{"pods_terminating{state=overdue}": 2, "pods_terminating{state=within_grace}": 1})
	c.after(60).pod("b-1", "b", ends(0))
	c.gone("b-1", false)
	c.pod("c-1", "c", ends(0))
	c.gone("c-1", false)
	c.says("dated by the request; the node that was away in between shows by its stamp", "pod_terminations pod_termination_duration", samples{
		"pod_terminations_total{outcome=graceful}": 1, "pod_terminations_total{outcome=node_lost}": 1,
		"pod_termination_duration_seconds_count": 2, "pod_termination_duration_seconds_sum": 100,
	})
	c.restarted().says("what is finished is not counted again", "pod_termination", nil)
}
