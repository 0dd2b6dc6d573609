package state_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func TestReport(t *testing.T) {
	runTests(t, map[string]func(t *testing.T){
		// Gaps that a node causes are left out first, for the node itself is reported;
		// then the youngest. Counts stay exact.
		"a cap of gaps leaves those of nodes out first": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent"), objects.DaemonSet("other"),
				objects.Node("a", objects.Unreachable(-900)), objects.Node("b", objects.Unreachable(-800)), objects.Node("c"), objects.Node("d"), objects.Node("e"),
				objects.PodOf("agent", "c", objects.NotReady(-70)), objects.PodOf("agent", "d", objects.NotReady(-50)), objects.PodOf("agent", "e", objects.NotReady(-60)),
				objects.PodOf("other", "c"), objects.PodOf("other", "d"), objects.PodOf("other", "e"))
			inOrder := []string{
				"agent on c", "agent on e", "agent on d", // the pods', oldest first
				"agent on a", "other on a", "agent on b", "other on b", // the nodes'
			}
			for limit := -1; limit <= 8; limit++ {
				gaps, dropped := f.Gaps(limit)
				var got []string
				for _, gap := range gaps {
					got = append(got, gap.DaemonSet.Name+" on "+gap.Node.Name)
				}
				want := inOrder[:max(0, min(limit, 7))]
				slices.Sort(got)
				check.Equal(t, got, slices.Sorted(slices.Values(want)), "with a cap of", limit)
				check.That(t, dropped == 7-len(want), "with a cap of %d, %d are left out, want %d", limit, dropped, 7-len(want))
			}
			f.expectCounts("agent", "expected active: 5", "gap active node_unreachable: 2", "gap active pod_not_ready: 3", "unavailable pod: 3")
			f.expectCounts("other", "expected active: 5", "covered active: 3", "gap active node_unreachable: 2")
		},
		"what is reported of a gap": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent"), objects.Node("a", objects.Cordoned(), objects.Label("zone", "z1")), objects.PodOf("agent", "a", objects.NotReady(-5)))
			gaps, dropped := f.Gaps(10)
			check.Require(t, len(gaps) == 1 && dropped == 0, "%d gaps and %d left out, want 1 and none", len(gaps), dropped)
			gap := gaps[0]
			got := fmt.Sprintf("%s on %s in %s, %v: %v", gap.DaemonSet.Name, gap.Node.Name, gap.Labels.Value(), gap.Lifecycle, gap.Reason)
			if want := "agent on a in z1, cordoned: pod_not_ready"; got != want {
				t.Errorf("it says %q, want %q", got, want)
			}
		},
		"nodes in trouble": func(t *testing.T) {
			zone := objects.Label("zone", "z1")
			f := start(t, objects.DaemonSet("agent"), objects.DaemonSet("gpu", objects.NodeSelector("gpu", "yes")), objects.Node("a", zone), objects.Node("b", zone), objects.Node("c", objects.Label("gpu", "yes")), objects.PodOf("agent", "a"), objects.PodOf("agent", "b"))
			expect := func(want ...string) {
				t.Helper()
				check.Equal(t, f.troubles(), want, f.now.Sub(objects.Noon), "after noon")
			}
			expect("c in : ready, active, 2 gaps, since -8990")
			f.at(10).set(objects.PodOf("agent", "c"), objects.PodOf("gpu", "c"))
			expect()
			f.at(20.5).set(objects.Node("a", zone, objects.Unreachable(20)))
			expect("a in z1: unreachable, active, 1 gaps, since 20.5")
			// A dead node is in trouble, whether it is expected to run anything or not.
			f.at(30).set(objects.Node("a", objects.Label("zone", "z2"), objects.Unreachable(20), objects.Tainted("gpu", "NoSchedule")))
			expect("a in z2: unreachable, active, 0 gaps, since 20.5")
			f.at(40).delete(objects.Node("a", zone))
			expect()
			f.at(50).delete(objects.PodOf("agent", "b"))
			expect("b in z1: ready, active, 1 gaps, since -8990")
			f.at(60).delete(objects.DaemonSet("agent"))
			expect()
		},
		"all nodes of the cluster": func(t *testing.T) {
			zone := func(name string) objects.Option { return objects.Label("zone", name) }
			f := start(t, objects.Node("a", zone("z1")), objects.Node("b", zone("z1")), objects.Node("c", zone("z2"), objects.Unreachable(-60)))
			expect := func(want map[string]int) {
				t.Helper()
				check.Equal(t, f.groups(), want, f.now.Sub(objects.Noon), "after noon")
			}
			expect(map[string]int{"ready active z1": 2, "unreachable active z2": 1})
			f.at(10.5).set(objects.Node("d", objects.Created(10), objects.WithoutConditions()), objects.Node("b", zone("z2"), objects.Cordoned()))
			expect(map[string]int{"ready active z1": 1, "ready cordoned z2": 1, "unreachable active z2": 1, "never_ready joining ": 1})
			f.at(320).delete(objects.Node("a"), objects.Node("c"))
			expect(map[string]int{"ready cordoned z2": 1, "never_ready active ": 1})
			f.delete(objects.Node("b"), objects.Node("d"))
			expect(map[string]int{})
			check.That(t, len(maps.Collect(f.NodeGroups())) == 0, "groups of no nodes are left")
		},
		"exclusions": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent", objects.NodeSelector("type", "worker")),
				objects.Node("a", objects.Label("type", "worker")), objects.Node("b", objects.Label("type", "worker"), objects.Tainted("gpu", "NoSchedule")),
				objects.Node("c", objects.Label("type", "worker"), objects.Tainted("gpu", "NoSchedule"), objects.Cordoned()), objects.Node("d"), objects.PodOf("agent", "a"))
			f.expectCounts("agent", "expected active: 1", "covered active: 1",
				"excluded active taint: 1", "excluded cordoned taint: 1", "excluded active node_selector: 1",
				"repelled active gpu:NoSchedule: 1", "repelled cordoned gpu:NoSchedule: 1")
			// A typo in the selector empties a DaemonSet.
			f.set(objects.DaemonSet("agent", objects.NodeSelector("type", "wroker"), objects.Generation(2)))
			f.expectCounts("agent", "excluded active node_selector: 3", "excluded cordoned node_selector: 1", "misplaced active stop: 1")
			check.Equal(t, f.summary("agent").Totals.Upstream, (rollout.Counts{Misscheduled: 1}), "upstream counts")
		},
	})
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

// troubles are the nodes in trouble in words.
func (f *fixture) troubles() (words []string) {
	for report := range f.TroubledNodes() {
		words = append(words, fmt.Sprintf("%s in %s: %v, %v, %d gaps, since %v", report.State.Object().Name, report.Labels.Value(),
			report.State.Status(), report.State.Lifecycle(), report.Gaps, report.State.Since().Sub(objects.Noon).Seconds()))
	}
	slices.Sort(words)
	return words
}

// groups are the nodes of the cluster in words.
func (f *fixture) groups() map[string]int {
	words := map[string]int{}
	for group, count := range f.NodeGroups() {
		words[fmt.Sprintf("%v %v %s", group.Status, group.Lifecycle, group.Labels.Value())] += count
	}
	return words
}
