package coverage_test

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// States that began before the exporter are dated by their stamps, so that a
// restart in the middle of an outage neither loses it nor restarts its clock.
func TestGapsThatAreOlderThanTheExporter(t *testing.T) {
	t.Parallel()
	type nodeOptions = []func(*corev1.Node)
	notReady := podIs("False", -120)
	for name, test := range map[string]struct {
		ds   []func(*appsv1.DaemonSet)
		node nodeOptions
		pods pods
		want string
	}{
		"a dead node's began when it turned Unknown":                  {nil, nodeOptions{unreachable(-60)}, one(), "node_unreachable since -60"},
		"a node's that never was Ready began when both were there":    {nil, nodeOptions{withoutStatus}, nil, "node_never_ready since -8000"},
		"a new node's that never was Ready began with it":             {nil, nodeOptions{nodeCreated(-700), withoutStatus}, nil, "node_never_ready since -700"},
		"a dead node's is not older than the DaemonSet":               {[]func(*appsv1.DaemonSet){daemonSetCreated(-30)}, nodeOptions{unreachable(-60)}, nil, "node_unreachable since -30"},
		"a missing pod's begins with the exporter: nobody stamps it":  {nil, nil, nil, "pod_missing since 0"},
		"a crash loop's began when the pod ceased to be Ready":        {nil, nil, one(notReady, containerIs(waiting("CrashLoopBackOff"), 3)), "crash_loop since -120"},
		"a pod's that never was Ready began with the pod":             {nil, nil, one(podCreated(-90), podIs("False", -90), containerIs(waiting("ErrImagePull"), 0)), "image_pull since -90"},
		"a pod's that nobody has scheduled began with the pod":        {nil, nil, one(podCreated(-90), unbound), "pod_unschedulable since -90"},
		"a pod's is not older than the node":                          {nil, nodeOptions{nodeCreated(-100), nodeIs("True", -95)}, one(notReady), "pod_not_ready since -100"},
		"a crash loop's that is asked to end did not begin anew":      {nil, nil, one(notReady, deleted(20, 30), containerIs(terminated(1), 3)), "pod_terminating since -120"},
		"nor one whose pod has a successor":                           {nil, nil, pods{{notReady, deleted(20, 30), phase("Failed")}, {podCreated(-4), starting(-3), taken(-3)}}, "pod_starting since -120"},
		"a pod's that never was Ready is as old as its predecessor":   {nil, nil, pods{{podCreated(-90), podIs("False", -88), taken(-88), deleted(20, 30)}, {podCreated(-4), unbound}}, "pod_unschedulable since -90"},
		"a successor's that never was Ready began when the other did": {nil, nil, pods{{podIs("False", -50), taken(-6990)}, {podCreated(-70), podIs("False", -68), taken(-68)}}, "pod_not_ready since -50"},
		"a pod's whose containers have ended began then":              {nil, nil, one(deleted(10, 30), podIs("False", -15), phase("Succeeded")), "pod_terminating since -15"},
		"a stamp from the future begins with the exporter":            {nil, nil, one(podIs("False", 60)), "pod_not_ready since 0"},
		"a state without any stamp begins with the exporter": {nil, nodeOptions{func(n *corev1.Node) {
			nodeIs("False", -5)(n)
			n.CreationTimestamp.Reset()
			n.Status.Conditions[0].LastTransitionTime.Reset()
		}}, nil, "node_never_ready since 0"},
		"a minReadySeconds' began when the pod turned Ready": {[]func(*appsv1.DaemonSet){minReady(60)}, nil, one(podIs("True", -20)), "min_ready_seconds since -20"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.see(daemonSet("agent", test.ds...), node("a", test.node...))
			for i, options := range test.pods {
				w.see(pod("agent", "a", append([]func(*corev1.Pod){called(string(rune('p' + i)))}, options...)...))
			}
			w.ledger.Start(w.now)
			w.gapsAre("agent on a: " + test.want)
		})
	}
}

// A change is dated by the moment it was seen, and the gap keeps its first.
func TestGapIsDatedByWhenItWasSeen(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), node("a"), pod("agent", "a"))
	w.at(60.4).see(node("a", unreachable(60)))
	w.gapsAre("agent on a: node_unreachable since 60.4")
	w.at(120.4).see(node("a", nodeIs("False", 120)))
	w.gapsAre("agent on a: node_not_ready since 60.4")
	w.at(130.4).see(pod("agent", "a", podIs("False", 129)), node("a", nodeIs("True", 130)))
	w.gapsAre("agent on a: pod_not_ready since 60.4")
	w.at(140.4).see(pod("agent", "a", podIs("True", -6990)))
	w.gapsAre()
	// The next one is a new one.
	w.at(150.4).see(pod("agent", "a", podIs("False", 150)))
	w.gapsAre("agent on a: pod_not_ready since 150.4")
}

// Two changes in one stamped second are two changes.
func TestACrashWithinASecond(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), node("a"), pod("agent", "a"))
	w.at(46.62).see(pod("agent", "a", podIs("False", 46), containerIs(terminated(3), 0)))
	w.gapsAre("agent on a: pod_not_ready since 46.62")
	w.at(46.73).see(pod("agent", "a", podIs("True", 46)))
	w.gapsAre()
	w.at(46.9).see(pod("agent", "a", podIs("False", 46), containerIs(terminated(3), 1)))
	w.gapsAre("agent on a: crash_loop since 46.9")
}

// A relist brings changes late. The object's own stamp may date them, but only
// where it lies between the previous change and now.
func TestLateChanges(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before, late float64
		change       any
		want         string
	}{
		"a dead node's stamp":                           {0, 600, node("a", unreachable(60)), "node_unreachable since 60"},
		"a crashed pod's stamp":                         {0, 600, pod("agent", "a", podIs("False", 60), containerIs(waiting("CrashLoopBackOff"), 3)), "crash_loop since 60"},
		"two seconds are not late":                      {0, 62, node("a", unreachable(60)), "node_unreachable since 62"},
		"a little more is":                              {0, 62.1, node("a", unreachable(60)), "node_unreachable since 60"},
		"a stamp before the previous change is ignored": {300, 600, pod("agent", "a", podIs("False", 200)), "pod_not_ready since 600"},
		"a stamp from the future is ignored":            {0, 600, pod("agent", "a", podIs("False", 900)), "pod_not_ready since 600"},
		"a pod that the relist misses has none":         {0, 600, nil, "pod_missing since 600"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, daemonSet("agent"), node("a"), pod("agent", "a"))
			if test.before != 0 { // a short gap, closed then
				w.at(test.before - 1).see(pod("agent", "a", podIs("False", int(test.before-1))))
				w.at(test.before).see(pod("agent", "a", podIs("True", int(test.before))))
			}
			w.at(test.late)
			if test.change == nil {
				w.lose(pod("agent", "a"))
			} else {
				w.see(test.change)
			}
			w.gapsAre("agent on a: " + test.want)
		})
	}
}

// Only what changed may date a change: the stamps of a cell's other objects are
// about something else.
func TestOnlyWhatChangedDatesAGap(t *testing.T) {
	t.Parallel()
	old := pod("agent", "a")
	successor := func(since int) *slim.Pod {
		return pod("agent", "a", called("new"), podCreated(since), podIs("False", since))
	}
	t.Run("a pod goes whose successor has long not been ready", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), node("a"), old)
		w.at(20.5).see(successor(20))
		w.at(100.5).lose(old)
		w.gapsAre("agent on a: pod_not_ready since 100.5")
	})
	t.Run("a relist misses the pod and brings its successor", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), node("a"), old)
		w.at(100.5).see(successor(20)).lose(slim.MissedPod(old))
		w.gapsAre("agent on a: pod_not_ready since 20")
	})
	t.Run("a pod fails whose successor has long not been ready", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), node("a"), old)
		w.at(20.5).see(successor(20))
		w.at(100.5).see(pod("agent", "a", phase("Failed")))
		w.gapsAre("agent on a: pod_not_ready since 100.5")
	})
	t.Run("minReadySeconds grow", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), node("a"), old)
		w.at(50.5).see(pod("agent", "a", podIs("True", 50)))
		w.at(100.5).see(daemonSet("agent", minReady(60), generation(2)))
		w.gapsAre("agent on a: min_ready_seconds since 100.5")
	})
	t.Run("a node turns ready under a pod that crashed meanwhile", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), node("a", unreachable(-60)), old)
		w.at(50.5).see(pod("agent", "a", podIs("False", 50), containerIs(terminated(1), 1)))
		w.at(100.5).see(node("a", nodeIs("True", 100)))
		w.gapsAre("agent on a: crash_loop since -60")
	})
}

// Where no object carries a stamp, a gap begins with the last of what it takes.
func TestMissingPodBeginsWithTheLastOfNodeAndDaemonSet(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), node("a"))
	w.gapsAre("agent on a: pod_missing since 0")
	w.at(10.3).see(daemonSet("late", daemonSetCreated(10)))
	w.at(20.3).see(node("b", nodeCreated(20), nodeIs("True", 20)))
	w.at(30.3).see(daemonSet("gpu", daemonSetCreated(30), selecting("gpu", "yes")))
	w.at(40.3).see(node("b", nodeCreated(20), nodeIs("True", 20), labelled("gpu", "yes")))
	w.at(50.3).see(daemonSet("gpu", daemonSetCreated(30), generation(2)))
	w.gapsAre("agent on a: pod_missing since 0", "late on a: pod_missing since 10.3",
		"agent on b: pod_missing since 20.3", "late on b: pod_missing since 20.3",
		"gpu on b: pod_missing since 40.3", "gpu on a: pod_missing since 50.3")
}

// A gap cannot be older than the expectation, however long the pod has been in
// trouble.
func TestGapBeginsWhenThePodIsExpected(t *testing.T) {
	t.Parallel()
	crashing := func(since int) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			podIs("False", since)(p)
			containerIs(waiting("CrashLoopBackOff"), 3)(p)
		}
	}
	gpu := tainted("gpu", "NoSchedule")
	t.Run("a pod that crashed before the exporter started", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), node("a", gpu), pod("agent", "a", crashing(-500)))
		w.gapsAre()
		w.at(100.5).see(node("a"))
		w.gapsAre("agent on a: crash_loop since 100.5")
	})
	t.Run("a pod that crashed while it was misplaced", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), node("a", gpu), pod("agent", "a"))
		w.at(50.5).see(pod("agent", "a", crashing(50)))
		w.at(100.5).see(node("a"))
		w.gapsAre("agent on a: crash_loop since 100.5")
	})
	t.Run("a node that died while its pod was misplaced", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), node("a", gpu), pod("agent", "a"))
		w.at(50.5).see(node("a", gpu, unreachable(50)))
		w.at(100.5).see(daemonSet("agent", generation(2), tolerating(tolerateAll())))
		w.gapsAre("agent on a: node_unreachable since 100.5")
	})
	t.Run("a pod that was there before its node came back", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), pod("agent", "a", crashing(-500)))
		w.at(100.5).see(node("a", nodeCreated(100), nodeIs("True", 100)))
		w.gapsAre("agent on a: crash_loop since 100.5")
	})
	t.Run("a dead node under a DaemonSet that a relist brings", func(t *testing.T) {
		t.Parallel()
		w := start(t)
		w.at(600).see(daemonSet("agent", daemonSetCreated(300)))
		w.see(node("a", unreachable(200))) // it died before the DaemonSet was made
		w.gapsAre("agent on a: node_unreachable since 600")
	})
}

// A clock that is set back dates what is seen by what it says then. Nothing ever
// lasts until tomorrow because of it, and no count suffers.
func TestClockIsSetBack(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent", minReady(30)), node("a"), node("b"), pod("agent", "a"), pod("agent", "b", podIs("True", -10)))
	w.at(100).see(pod("agent", "a", podIs("False", 99)))
	w.at(-3600).see(pod("agent", "a", podIs("True", 99)), node("b", unreachable(-3600)))
	w.gapsAre("agent on a: min_ready_seconds since 100", "agent on b: node_unreachable since -3600")
	w.says("agent", "expected active: 2", "gap active min_ready_seconds: 1", "gap active node_unreachable: 1",
		"spent pod: 1", "spent node: 1") // by that clock the pod on b is not available yet
	w.at(129).says("agent", "expected active: 2", "covered active: 1", "gap active node_unreachable: 1")
	w.lose(node("a"), node("b"))
	w.says("agent")
	w.gapsAre()
	if !w.ledger.NextWake().IsZero() && w.ledger.NextWake().Before(w.now.Add(-time.Hour)) {
		t.Errorf("the ledger still wants to be woken at %v", w.ledger.NextWake())
	}
}
