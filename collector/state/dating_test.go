package state_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// States that began before the exporter are dated by their stamps, so that a
// restart in the middle of an outage neither loses it nor restarts its clock.
func TestGapStart(t *testing.T) {
	t.Parallel()
	notReady := objects.NotReady(-120)
	for name, test := range map[string]struct {
		ds   options
		node options
		pods pods
		want string
	}{
		"a dead node's began when it turned Unknown":                  {nil, options{objects.Unreachable(-60)}, one(), "node_unreachable since -60"},
		"a node's that never was Ready began when both were there":    {nil, options{objects.WithoutConditions()}, nil, "node_never_ready since -8000"},
		"a new node's that never was Ready began with it":             {nil, options{objects.Created(-700), objects.WithoutConditions()}, nil, "node_never_ready since -700"},
		"a dead node's is not older than the DaemonSet":               {options{objects.Created(-30)}, options{objects.Unreachable(-60)}, nil, "node_unreachable since -30"},
		"a missing pod's begins with the exporter: nobody stamps it":  {nil, nil, nil, "pod_missing since 0"},
		"a crash loop's began when the pod ceased to be Ready":        {nil, nil, one(objects.CrashLooping(-120)), "crash_loop since -120"},
		"a pod's that never was Ready began with the pod":             {nil, nil, one(objects.Created(-90), objects.Waiting("ErrImagePull", -90)), "image_pull since -90"},
		"a pod's that nobody has scheduled began with the pod":        {nil, nil, one(objects.Created(-90), objects.Unbound()), "awaiting_scheduler since -90"},
		"a pod's is not older than the node":                          {nil, options{objects.Created(-100), objects.Ready(-95)}, one(notReady), "pod_not_ready since -100"},
		"a crash loop's that is asked to end did not begin anew":      {nil, nil, one(notReady, objects.Terminating(-10, 30), objects.Exited(1, -120), objects.RestartCount(3)), "pod_terminating since -120"},
		"nor one whose pod has a successor":                           {nil, nil, pods{{notReady, objects.Terminating(-10, 30), objects.Phase("Failed")}, {objects.Created(-4), objects.Starting(-3), objects.StartTime(-3)}}, "pod_starting since -120"},
		"a pod's that never was Ready is as old as its predecessor":   {nil, nil, pods{{objects.Created(-90), objects.NotReady(-88), objects.StartTime(-88), objects.Terminating(-10, 30)}, {objects.Created(-4), objects.Unbound()}}, "awaiting_scheduler since -90"},
		"a successor's that never was Ready began when the other did": {nil, nil, pods{{objects.NotReady(-50), objects.StartTime(-6990)}, {objects.Created(-70), objects.NotReady(-68), objects.StartTime(-68)}}, "pod_not_ready since -50"},
		"a pod's whose containers have ended began then":              {nil, nil, one(objects.Terminating(-20, 30), objects.NotReady(-15), objects.Phase("Succeeded")), "pod_terminating since -15"},
		"a crash loop's that its node's failure came upon is older":   {nil, options{objects.Unreachable(-60)}, one(objects.CrashLooping(-120)), "node_unreachable since -120"},
		"a pod was marked with its node: both failed at once":         {nil, options{objects.Unreachable(-60)}, one(objects.NotReady(-60)), "node_unreachable since -60"},
		"a kubelet said not ready before it fell silent":              {nil, options{objects.Unreachable(-30)}, one(objects.NotReady(-60)), "node_unreachable since -60"},
		"of two pods one was Ready until the node failed":             {nil, options{objects.Unreachable(-60)}, pods{{objects.CrashLooping(-120)}, {objects.NotReady(-60)}}, "node_unreachable since -60"},
		"a stamp from the future begins with the exporter":            {nil, nil, one(objects.NotReady(60)), "pod_not_ready since 0"},
		"a state without any stamp begins with the exporter": {nil, options{objects.NotReady(-5), objects.Change(func(n *corev1.Node) {
			n.CreationTimestamp.Reset()
			n.Status.Conditions[0].LastTransitionTime.Reset()
		})}, nil, "node_never_ready since 0"},
		"a minReadySeconds' began when the pod turned Ready": {options{objects.MinReadySeconds(60)}, nil, one(objects.Ready(-20)), "min_ready_seconds since -20"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.set(objects.DaemonSet("agent", test.ds...), objects.Node("a", test.node...))
			f.set(test.pods.on("a")...)
			f.Synced()
			f.expectGaps("agent on a: " + test.want)
		})
	}
}

func TestGapStartSeen(t *testing.T) {
	runTests(t, map[string]func(t *testing.T){
		// A change is dated by the moment it was seen, and the gap keeps its first.
		"a gap is dated by when it was seen": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent"), objects.Node("a"), objects.PodOf("agent", "a"))
			f.at(60.4).set(objects.Node("a", objects.Unreachable(60)))
			f.expectGaps("agent on a: node_unreachable since 60.4")
			f.at(120.4).set(objects.Node("a", objects.NotReady(120)))
			f.expectGaps("agent on a: node_not_ready since 60.4")
			f.at(130.4).set(objects.PodOf("agent", "a", objects.NotReady(129)), objects.Node("a", objects.Ready(130)))
			f.expectGaps("agent on a: pod_not_ready since 60.4")
			f.at(140.4).set(objects.PodOf("agent", "a", objects.Ready(-6990)))
			f.expectGaps()
			// The next one is a new one.
			f.at(150.4).set(objects.PodOf("agent", "a", objects.NotReady(150)))
			f.expectGaps("agent on a: pod_not_ready since 150.4")
		},
		// Two changes in one stamped second are two changes.
		"a crash within a second": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent"), objects.Node("a"), objects.PodOf("agent", "a"))
			f.at(46.62).set(objects.PodOf("agent", "a", objects.Exited(3, 46)))
			f.expectGaps("agent on a: pod_not_ready since 46.62")
			f.at(46.73).set(objects.PodOf("agent", "a", objects.Ready(46)))
			f.expectGaps()
			f.at(46.9).set(objects.PodOf("agent", "a", objects.Exited(3, 46), objects.RestartCount(1)))
			f.expectGaps("agent on a: crash_loop since 46.9")
		},
		// Where no object carries a stamp, a gap begins with the last of what it takes.
		"a missing pod begins with the last of node and DaemonSet": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent"), objects.Node("a"))
			f.expectGaps("agent on a: pod_missing since 0")
			f.at(10.3).set(objects.DaemonSet("late", objects.Created(10)))
			f.at(20.3).set(objects.Node("b", objects.Created(20), objects.Ready(20)))
			f.at(30.3).set(objects.DaemonSet("gpu", objects.Created(30), objects.NodeSelector("gpu", "yes")))
			f.at(40.3).set(objects.Node("b", objects.Created(20), objects.Ready(20), objects.Label("gpu", "yes")))
			f.at(50.3).set(objects.DaemonSet("gpu", objects.Created(30), objects.Generation(2)))
			f.expectGaps("agent on a: pod_missing since 0", "late on a: pod_missing since 10.3",
				"agent on b: pod_missing since 20.3", "late on b: pod_missing since 20.3",
				"gpu on b: pod_missing since 40.3", "gpu on a: pod_missing since 50.3")
		},
		// A clock that is set back dates what is seen by what it says then. Nothing ever
		// lasts until tomorrow because of it, and no count suffers.
		"the clock is set back": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent", objects.MinReadySeconds(30)), objects.Node("a"), objects.Node("b"), objects.PodOf("agent", "a"), objects.PodOf("agent", "b", objects.Ready(-10)))
			f.at(100).set(objects.PodOf("agent", "a", objects.NotReady(99)))
			f.at(-3600).set(objects.PodOf("agent", "a", objects.Ready(99)), objects.Node("b", objects.Unreachable(-3600)))
			f.expectGaps("agent on a: min_ready_seconds since 100", "agent on b: node_unreachable since -3600")
			f.expectCounts("agent", "expected active: 2", "gap active min_ready_seconds: 1", "gap active node_unreachable: 1",
				"unavailable pod: 1") // the pod on b was available, and stays so
			f.at(129).expectCounts("agent", "expected active: 2", "covered active: 1", "gap active node_unreachable: 1")
			f.delete(objects.Node("a"), objects.Node("b"))
			f.expectCounts("agent")
			f.expectGaps()
			check.That(t, f.NextWake().IsZero() || !f.NextWake().Before(f.now.Add(-time.Hour)), "the ledger still wants to be woken at %v", f.NextWake())
		},
	})
}

// A relist brings changes late. The object's own stamp may date them, but only
// where it lies between the previous change and now. On a watch that was never
// interrupted, an old stamp means a clock that is wrong.
func TestGapStartLate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before, late float64
		change       any
		want         string
	}{
		"a dead node's stamp":                           {0, 600, objects.Node("a", objects.Unreachable(60), objects.Late()), "node_unreachable since 60"},
		"a crashed pod's stamp":                         {0, 600, objects.PodOf("agent", "a", objects.CrashLooping(60), objects.Late()), "crash_loop since 60"},
		"a node's clock that is wrong":                  {0, 62, objects.Node("a", objects.Unreachable(0)), "node_unreachable since 62"},
		"a pod's clock that is wrong":                   {0, 62, objects.PodOf("agent", "a", objects.CrashLooping(0)), "crash_loop since 62"},
		"a stamp before the previous change is ignored": {300, 600, objects.PodOf("agent", "a", objects.NotReady(200), objects.Late()), "pod_not_ready since 600"},
		"a stamp from the future is ignored":            {0, 600, objects.PodOf("agent", "a", objects.NotReady(900), objects.Late()), "pod_not_ready since 600"},
		"a pod that the relist misses has none":         {0, 600, nil, "pod_missing since 600"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, objects.DaemonSet("agent"), objects.Node("a"), objects.PodOf("agent", "a"))
			if test.before != 0 { // a short gap, closed then
				f.at(test.before - 1).set(objects.PodOf("agent", "a", objects.NotReady(test.before-1)))
				f.at(test.before).set(objects.PodOf("agent", "a", objects.Ready(test.before)))
			}
			f.at(test.late)
			if test.change == nil {
				f.delete(objects.PodOf("agent", "a"))
			} else {
				f.set(test.change)
			}
			f.expectGaps("agent on a: " + test.want)
		})
	}
}

// Only what changed may date a change: the stamps of a cell's other objects are
// about something else.
func TestGapStartByChange(t *testing.T) {
	t.Parallel()
	old := objects.PodOf("agent", "a")
	successor := objects.PodOf("agent", "a", objects.Named("new"), objects.Created(20), objects.NotReady(20))
	working := objects.PodOf("agent", "a", objects.Named("new"), objects.Created(20), objects.Ready(20))
	for name, test := range map[string]struct {
		node              options
		at50, at100, gone []any
		want              string
	}{
		"a pod goes whose successor has long not been ready":      {nil, []any{successor}, nil, []any{old}, "pod_not_ready since 100.5"},
		"a relist misses the pod and brings its successor":        {nil, nil, []any{successor}, []any{slim.MissedPod(slim.FromPod(old))}, "pod_not_ready since 20"},
		"a relist misses the pod, beside which an older one ends": {nil, []any{working, objects.PodOf("agent", "a", objects.Terminating(50, 30), objects.NotReady(50))}, nil, []any{slim.MissedPod(slim.FromPod(working))}, "pod_terminating since 100.5"},
		"a pod fails whose successor has long not been ready":     {nil, []any{successor}, []any{objects.PodOf("agent", "a", objects.Phase("Failed"))}, nil, "pod_not_ready since 100.5"},
		"minReadySeconds grow":                                    {nil, []any{objects.PodOf("agent", "a", objects.Ready(50))}, []any{objects.DaemonSet("agent", objects.MinReadySeconds(60), objects.Generation(2))}, nil, "min_ready_seconds since 100.5"},
		"a node turns ready under a pod that crashed meanwhile":   {options{objects.Unreachable(-60)}, []any{objects.PodOf("agent", "a", objects.Exited(1, 50), objects.RestartCount(1))}, []any{objects.Node("a", objects.Ready(100))}, nil, "crash_loop since -60"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, objects.DaemonSet("agent"), objects.Node("a", test.node...), old)
			f.at(50.5).set(test.at50...)
			f.at(100.5).set(test.at100...).delete(test.gone...)
			f.expectGaps("agent on a: " + test.want)
		})
	}
}

// A gap cannot be older than the expectation, however long the pod has been in
// trouble.
func TestGapStartByExpectation(t *testing.T) {
	t.Parallel()
	agent, gpu, crashed := objects.DaemonSet("agent"), objects.Tainted("gpu", "NoSchedule"), objects.PodOf("agent", "a", objects.CrashLooping(-500))
	for name, test := range map[string]struct {
		found, at50, at100 []any
		want               string
	}{
		"a pod that crashed before the exporter started":     {[]any{agent, objects.Node("a", gpu), crashed}, nil, []any{objects.Node("a")}, "crash_loop"},
		"a pod that crashed while it was misplaced":          {[]any{agent, objects.Node("a", gpu), objects.PodOf("agent", "a")}, []any{objects.PodOf("agent", "a", objects.CrashLooping(50))}, []any{objects.Node("a")}, "crash_loop"},
		"a node that died while its pod was misplaced":       {[]any{agent, objects.Node("a", gpu), objects.PodOf("agent", "a")}, []any{objects.Node("a", gpu, objects.Unreachable(50))}, []any{objects.DaemonSet("agent", objects.Generation(2), objects.Tolerating(objects.TolerateAll()))}, "node_unreachable"},
		"a pod that was there before its node came back":     {[]any{agent, crashed}, nil, []any{objects.Node("a", objects.Created(100), objects.Ready(100))}, "crash_loop"},
		"a dead node under a DaemonSet that a relist brings": {nil, nil, []any{objects.DaemonSet("agent", objects.Created(60)), objects.Node("a", objects.Unreachable(40))}, "node_unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, test.found...)
			f.at(50.5).set(test.at50...).expectGaps()
			f.at(100.5).set(test.at100...).expectGaps("agent on a: " + test.want + " since 100.5")
		})
	}
}
