package state_test

import (
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func differencesOf(summary state.Summary) map[string]int32 {
	all := map[string]int32{}
	for _, difference := range summary.StatusDifferences() {
		all[difference.Field] = difference.Nodes
	}
	return all
}

// The trap: the same failure of one of five nodes was reported in two ways. In
// both, four of five are covered.
func TestStatusDifferences(t *testing.T) {
	t.Parallel()
	dead := map[string]options{"c": {objects.Unreachable(-60)}}
	pods := map[string]pods{"c": one(objects.NotReady(-60))}
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
			f := five(t, options{objects.Status(test.status)}, dead, pods)
			f.expectCounts("agent", "expected active: 5", "covered active: 4", "gap active node_unreachable: 1", "unavailable node: 1")
			f.expectGaps("agent on c: node_unreachable since -60")
			if diff := cmp.Diff(test.want, differencesOf(f.summary("agent"))); diff != "" {
				t.Errorf("status differences (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStatusDifferencesFollow(t *testing.T) {
	t.Parallel()
	f := start(t, objects.DaemonSet("agent"), objects.Node("a"), objects.PodOf("agent", "a"))
	f.set(objects.DaemonSet("agent", objects.Status(appsv1.DaemonSetStatus{
		DesiredNumberScheduled: 11, CurrentNumberScheduled: 21, NumberReady: 31, NumberAvailable: 41,
		NumberUnavailable: 50, UpdatedNumberScheduled: 61, NumberMisscheduled: 70,
	})))
	want := map[string]int32{"desired": 10, "current": 20, "ready": 30, "available": 40, "unavailable": 50, "updated": 60, "misscheduled": 70}
	if diff := cmp.Diff(want, differencesOf(f.summary("agent"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// updateDaemonSetStatus of Kubernetes, for one node.
func TestUpstreamCounts(t *testing.T) {
	t.Parallel()
	type counts = rollout.Counts
	notReady := objects.NotReady(-5)
	ended := options{objects.Terminating(-5, 30), notReady, objects.Phase("Succeeded"), objects.Created(-7500)}
	gpu := options{objects.Tainted("gpu", "NoSchedule")}
	all := counts{Desired: 1, Current: 1, Ready: 1, Available: 1, Updated: 1}
	for name, test := range map[string]struct {
		ds   options
		node options
		pods pods
		want counts
	}{
		"a pod that works is everything":                          {nil, nil, one(), all},
		"a node without a pod is desired":                         {nil, nil, nil, counts{Desired: 1}},
		"a pod that cannot be scheduled is current":               {nil, nil, one(objects.Unbound()), counts{Desired: 1, Current: 1, Updated: 1}},
		"a Ready pod is not yet available":                        {options{objects.MinReadySeconds(60)}, nil, one(objects.Ready(-5)), counts{Desired: 1, Current: 1, Ready: 1, Updated: 1}},
		"a pod of the old revision is not updated":                {options{objects.Generation(2)}, nil, one(), counts{Desired: 1, Current: 1, Ready: 1, Available: 1}},
		"of two pods the oldest counts":                           {nil, nil, pods{{objects.Created(-7100), notReady}, {objects.Created(-7000)}}, counts{Desired: 1, Current: 1, Updated: 1}},
		"whichever came first":                                    {nil, nil, pods{{objects.Created(-7000)}, {objects.Created(-7100), notReady}}, counts{Desired: 1, Current: 1, Updated: 1}},
		"of two of one second the first by name does":             {nil, nil, pods{{objects.Named("y"), notReady}, {objects.Named("x")}}, all},
		"a bound pod counts before an older unbound one":          {nil, nil, pods{{objects.Unbound(), objects.Created(-7100)}, nil}, all},
		"a pod that is asked to end still counts":                 {nil, nil, one(objects.Terminating(-5, 30)), all},
		"one that has ended and is asked to end does not":         {nil, nil, pods{ended}, counts{Desired: 1}},
		"its successor counts instead, though it is younger":      {nil, nil, pods{ended, nil}, all},
		"one that has ended of itself counts":                     {nil, nil, one(objects.Phase("Failed"), notReady), counts{Desired: 1, Current: 1, Updated: 1}},
		"a pod on an excluded node is misscheduled":               {nil, gpu, one(), counts{Misscheduled: 1}},
		"two of them are one misscheduled node":                   {nil, gpu, pods{nil, {objects.Named("z")}}, counts{Misscheduled: 1}},
		"one that has ended and is asked to end is not":           {nil, gpu, pods{ended}, counts{}},
		"an excluded node without a pod is nothing":               {nil, gpu, nil, counts{}},
		"a Ready pod on a dead node is believed":                  {options{objects.Tolerating(objects.TolerateAll())}, options{objects.Unreachable(-60)}, one(), all},
		"on a dead node that is not tolerated it is misscheduled": {nil, options{objects.Unreachable(-60)}, one(), counts{Misscheduled: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, objects.DaemonSet("agent", test.ds...), objects.Node("a", test.node...))
			f.set(test.pods.on("a")...)
			if diff := cmp.Diff(test.want, f.summary("agent").Totals.Upstream); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A pod where none is expected is misplaced. Whether it may stay is upstream's
// verdict; a node failure misplaces nobody.
func TestMisplaced(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ds   options
		node options
		pods pods
		want []string
	}{
		"under a NoSchedule taint it may stay":         {nil, options{objects.Tainted("gpu", "NoSchedule")}, one(), []string{"excluded active taint: 1", "misplaced active keep: 1", "repelled active gpu:NoSchedule: 1"}},
		"under a NoExecute taint it must go":           {nil, options{objects.Tainted("gpu", "NoExecute")}, one(), []string{"excluded active taint: 1", "misplaced active stop: 1", "repelled active gpu:NoExecute: 1"}},
		"where the selector does not match it must go": {options{objects.NodeSelector("disk", "ssd")}, nil, one(), []string{"excluded active node_selector: 1", "misplaced active stop: 1"}},
		"two pods are one node":                        {nil, options{objects.Tainted("gpu", "NoSchedule")}, pods{nil, nil}, []string{"excluded active taint: 1", "misplaced active keep: 1", "repelled active gpu:NoSchedule: 1", "unavailable other: 1"}},
		"a dead node misplaces nobody":                 {nil, options{objects.Unreachable(-60)}, one(), []string{"expected active: 1", "gap active node_unreachable: 1"}},
		"without a pod nothing is misplaced":           {nil, options{objects.Tainted("gpu", "NoSchedule"), objects.Tainted("cp", "NoSchedule")}, nil, []string{"excluded active taint: 1"}},
		"on a cordoned node it is by its lifecycle":    {options{objects.NodeSelector("disk", "ssd")}, options{objects.Cordoned()}, one(), []string{"excluded cordoned node_selector: 1", "misplaced cordoned stop: 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, objects.DaemonSet("agent", test.ds...), objects.Node("a", test.node...))
			f.set(test.pods.on("a")...)
			f.expectCounts("agent", test.want...)
			if gaps := f.gaps(); len(gaps) > 1 {
				t.Errorf("gaps %v, want at most one", gaps)
			}
		})
	}
}

// A taint that is added and taken away again: expected, excluded, expected.
func TestMisplacedByTaint(t *testing.T) {
	t.Parallel()
	f := start(t, objects.DaemonSet("agent"), objects.Node("a"), objects.Node("b"), objects.PodOf("agent", "a"), objects.PodOf("agent", "b"))
	f.at(10).set(objects.Node("a", objects.Tainted("gpu", "NoExecute")))
	f.expectCounts("agent", "expected active: 1", "covered active: 1", "excluded active taint: 1", "repelled active gpu:NoExecute: 1", "misplaced active stop: 1")
	f.at(20).delete(objects.PodOf("agent", "a"))
	f.expectCounts("agent", "expected active: 1", "covered active: 1", "excluded active taint: 1", "repelled active gpu:NoExecute: 1")
	f.at(30).set(objects.Node("a", objects.Tainted("gpu", "NoExecute"), objects.Tainted("cp", "NoSchedule")))
	f.expectCounts("agent", "expected active: 1", "covered active: 1", "excluded active taint: 1")
	f.at(40.5).set(objects.Node("a"))
	f.expectCounts("agent", "expected active: 2", "covered active: 1", "gap active pod_missing: 1", "unavailable scheduling: 1")
	f.expectGaps("agent on a: pod_missing since 40.5")
}
