package coverage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
)

func differencesOf(summary coverage.Summary) map[string]int32 {
	all := map[string]int32{}
	for _, difference := range summary.StatusDifferences() {
		all[difference.Field] = difference.Nodes
	}
	return all
}

// The trap: the same failure of one of five nodes was reported in two ways. In
// both, four of five are covered.
func TestOneFailureTwoStatuses(t *testing.T) {
	t.Parallel()
	dead := map[string][]func(*corev1.Node){"c": {unreachable(-60)}}
	pods := map[string]pods{"c": one(podIs("False", -60))}
	for name, test := range map[string]struct {
		status appsv1.DaemonSetStatus
		want   map[string]int32
	}{
		"the status that was left as it was": {
			appsv1.DaemonSetStatus{
				DesiredNumberScheduled: 5, CurrentNumberScheduled: 5, NumberReady: 4, NumberAvailable: 4,
				NumberUnavailable: 1, UpdatedNumberScheduled: 5, NumberMisscheduled: 0,
			},
			map[string]int32{"desired": 1, "current": 1, "ready": 0, "available": 0, "unavailable": 1, "updated": 1, "misscheduled": -1},
		},
		"the status that says all is well": {
			appsv1.DaemonSetStatus{
				DesiredNumberScheduled: 4, CurrentNumberScheduled: 4, NumberReady: 4, NumberAvailable: 4,
				NumberUnavailable: 0, UpdatedNumberScheduled: 4, NumberMisscheduled: 1,
			},
			map[string]int32{"desired": 0, "current": 0, "ready": 0, "available": 0, "unavailable": 0, "updated": 0, "misscheduled": 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := five(t, []func(*appsv1.DaemonSet){status(test.status)}, dead, pods)
			w.says("agent", "expected active: 5", "covered active: 4", "gap active node_unreachable: 1", "spent node: 1")
			w.gapsAre("agent on c: node_unreachable since -60")
			if diff := cmp.Diff(test.want, differencesOf(w.summary("agent"))); diff != "" {
				t.Errorf("status differences (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDifferencesFollowTheStatus(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), node("a"), pod("agent", "a"))
	w.see(daemonSet("agent", status(appsv1.DaemonSetStatus{
		DesiredNumberScheduled: 11, CurrentNumberScheduled: 21, NumberReady: 31, NumberAvailable: 41,
		NumberUnavailable: 50, UpdatedNumberScheduled: 61, NumberMisscheduled: 70,
	})))
	want := map[string]int32{"desired": 10, "current": 20, "ready": 30, "available": 40, "unavailable": 50, "updated": 60, "misscheduled": 70}
	if diff := cmp.Diff(want, differencesOf(w.summary("agent"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// updateDaemonSetStatus of Kubernetes, for one node.
func TestWhatUpstreamCounts(t *testing.T) {
	t.Parallel()
	type counts = coverage.UpstreamCounts
	notReady := podIs("False", -5)
	ended := []func(*corev1.Pod){deleted(25, 30), notReady, phase("Succeeded"), podCreated(-7500)}
	gpu := []func(*corev1.Node){tainted("gpu", "NoSchedule")}
	all := counts{Desired: 1, Current: 1, Ready: 1, Available: 1, Updated: 1}
	for name, test := range map[string]struct {
		ds   []func(*appsv1.DaemonSet)
		node []func(*corev1.Node)
		pods pods
		want counts
	}{
		"a pod that works is everything":                          {nil, nil, one(), all},
		"a node without a pod is desired":                         {nil, nil, nil, counts{Desired: 1}},
		"a pod that cannot be scheduled is current":               {nil, nil, one(unbound), counts{Desired: 1, Current: 1, Updated: 1}},
		"a Ready pod is not yet available":                        {[]func(*appsv1.DaemonSet){minReady(60)}, nil, one(podIs("True", -5)), counts{Desired: 1, Current: 1, Ready: 1, Updated: 1}},
		"a pod of the old revision is not updated":                {[]func(*appsv1.DaemonSet){generation(2)}, nil, one(), counts{Desired: 1, Current: 1, Ready: 1, Available: 1}},
		"of two pods the oldest counts":                           {nil, nil, pods{{podCreated(-7100), notReady}, {podCreated(-7000)}}, counts{Desired: 1, Current: 1, Updated: 1}},
		"whichever came first":                                    {nil, nil, pods{{podCreated(-7000)}, {podCreated(-7100), notReady}}, counts{Desired: 1, Current: 1, Updated: 1}},
		"of two of one second the first by name does":             {nil, nil, pods{{called("y"), notReady}, {called("x")}}, all},
		"a bound pod counts before an older unbound one":          {nil, nil, pods{{unbound, podCreated(-7100)}, nil}, all},
		"a pod that is asked to end still counts":                 {nil, nil, one(deleted(25, 30)), all},
		"one that has ended and is asked to end does not":         {nil, nil, pods{ended}, counts{Desired: 1}},
		"its successor counts instead, though it is younger":      {nil, nil, pods{ended, nil}, all},
		"one that has ended of itself counts":                     {nil, nil, one(phase("Failed"), notReady), counts{Desired: 1, Current: 1, Updated: 1}},
		"a pod on an excluded node is misscheduled":               {nil, gpu, one(), counts{Misscheduled: 1}},
		"two of them are one misscheduled node":                   {nil, gpu, pods{nil, {called("z")}}, counts{Misscheduled: 1}},
		"one that has ended and is asked to end is not":           {nil, gpu, pods{ended}, counts{}},
		"an excluded node without a pod is nothing":               {nil, gpu, nil, counts{}},
		"a Ready pod on a dead node is believed":                  {[]func(*appsv1.DaemonSet){tolerating(tolerateAll())}, []func(*corev1.Node){unreachable(-60)}, one(), all},
		"on a dead node that is not tolerated it is misscheduled": {nil, []func(*corev1.Node){unreachable(-60)}, one(), counts{Misscheduled: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, daemonSet("agent", test.ds...), node("a", test.node...))
			for i, options := range test.pods {
				w.see(pod("agent", "a", append([]func(*corev1.Pod){called(string(rune('p' + i)))}, options...)...))
			}
			if diff := cmp.Diff(test.want, w.summary("agent").Totals.Upstream); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A pod where none is expected is misplaced. Whether it may stay is upstream's
// verdict; a node failure misplaces nobody.
func TestMisplacedPods(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ds   []func(*appsv1.DaemonSet)
		node []func(*corev1.Node)
		pods pods
		want []string
	}{
		"under a NoSchedule taint it may stay": {
			nil,
			[]func(*corev1.Node){tainted("gpu", "NoSchedule")},
			one(),
			[]string{"excluded active taint: 1", "misplaced active keep: 1", "repelled active gpu:NoSchedule: 1"},
		},
		"under a NoExecute taint it must go": {
			nil,
			[]func(*corev1.Node){tainted("gpu", "NoExecute")},
			one(),
			[]string{"excluded active taint: 1", "misplaced active stop: 1", "repelled active gpu:NoExecute: 1"},
		},
		"where the selector does not match it must go": {
			[]func(*appsv1.DaemonSet){selecting("disk", "ssd")},
			nil, one(),
			[]string{"excluded active node_selector: 1", "misplaced active stop: 1"},
		},
		"two pods are one node": {
			nil,
			[]func(*corev1.Node){tainted("gpu", "NoSchedule")},
			pods{nil, nil},
			[]string{"excluded active taint: 1", "misplaced active keep: 1", "repelled active gpu:NoSchedule: 1", "spent other: 1"},
		},
		"a dead node misplaces nobody": {
			nil,
			[]func(*corev1.Node){unreachable(-60)},
			one(),
			[]string{"expected active: 1", "gap active node_unreachable: 1"},
		},
		"without a pod nothing is misplaced": {
			nil,
			[]func(*corev1.Node){tainted("gpu", "NoSchedule"), tainted("cp", "NoSchedule")},
			nil,
			[]string{"excluded active taint: 1"},
		},
		"on a cordoned node it is by its lifecycle": {
			[]func(*appsv1.DaemonSet){selecting("disk", "ssd")},
			[]func(*corev1.Node){cordoned},
			one(),
			[]string{"excluded cordoned node_selector: 1", "misplaced cordoned stop: 1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, daemonSet("agent", test.ds...), node("a", test.node...))
			for i, options := range test.pods {
				w.see(pod("agent", "a", append([]func(*corev1.Pod){called(string(rune('p' + i)))}, options...)...))
			}
			w.says("agent", test.want...)
			w.gapsAreAtMost(1)
		})
	}
}

func (w *world) gapsAreAtMost(count int) {
	w.t.Helper()
	if gaps := gapsOf(w.ledger); len(gaps) > count {
		w.t.Errorf("gaps %v, want at most %d", gaps, count)
	}
}

// A taint that is added and taken away again: expected, excluded, expected.
func TestATaintComesAndGoes(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), node("a"), node("b"), pod("agent", "a"), pod("agent", "b"))
	w.at(10).see(node("a", tainted("gpu", "NoExecute")))
	w.says("agent", "expected active: 1", "covered active: 1", "excluded active taint: 1", "repelled active gpu:NoExecute: 1", "misplaced active stop: 1")
	w.at(20).lose(pod("agent", "a"))
	w.says("agent", "expected active: 1", "covered active: 1", "excluded active taint: 1", "repelled active gpu:NoExecute: 1")
	w.at(30).see(node("a", tainted("gpu", "NoExecute"), tainted("cp", "NoSchedule")))
	w.says("agent", "expected active: 1", "covered active: 1", "excluded active taint: 1")
	w.at(40.5).see(node("a"))
	w.says("agent", "expected active: 2", "covered active: 1", "gap active pod_missing: 1", "spent scheduling: 1")
	w.gapsAre("agent on a: pod_missing since 40.5")
}
