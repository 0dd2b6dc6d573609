package state_test

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func (f *fixture) expectWake(seconds float64) {
	f.t.Helper()
	check.Equal(f.t, f.NextWake(), objects.At(seconds), "next wake")
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	// As many as the lock is not held for: each of them takes a microsecond.
	const pods = 1000
	world := []any{objects.DaemonSet("agent", objects.MinReadySeconds(30))}
	for number := range pods {
		name := fmt.Sprintf("n%04d", number)
		world = append(world, objects.Node(name), objects.PodOf("agent", name, objects.Ready(-10)))
	}
	f := start(t, world...)
	gaps := func() int {
		all, _ := f.Gaps(pods)
		return len(all)
	}
	check.Equal(t, gaps(), pods, "gaps before minReadySeconds are over")
	f.now = objects.At(20)
	for left := pods; left > 0; {
		f.Advance(f.now)
		was := left
		left = gaps()
		check.Require(t, left < was && was-left <= 300, "one step closed %d gaps", was-left)
		check.Equal(t, f.due(), left > 0, "more is due")
	}
}

// An event of a DaemonSet of a large fleet is dealt with in parts, and nobody sees them.
func TestParts(t *testing.T) {
	const nodes = 1000
	fleet := func(t *testing.T) *fixture {
		t.Helper()
		world := []any{objects.DaemonSet("agent"), objects.DaemonSet("other")}
		for number := range nodes {
			name := fmt.Sprintf("n%04d", number)
			world = append(world, objects.Node(name), objects.PodOf("other", name, objects.Ready(-10)))
		}
		return start(t, world...)
	}
	troubled := func(f *fixture) (count int) {
		for node := range f.TroubledNodes() {
			count += node.Gaps
		}
		return count
	}
	runTests(t, map[string]func(t *testing.T){
		"the cells of a DaemonSet that is gone end": func(t *testing.T) {
			f := fleet(t)
			check.Equal(t, troubled(f), nodes, "gaps of agent before")
			f.delete(objects.DaemonSet("agent"))
			steps := 0
			for ; f.due(); steps++ {
				was := troubled(f)
				f.Advance(f.now)
				check.Require(t, was-troubled(f) <= 100, "one step ended %d gaps", was-troubled(f))
			}
			check.That(t, steps > 5, "%d steps", steps)
			check.Equal(t, troubled(f), 0, "gaps after")
			f.expectCounts("other", "expected active: 1000", "covered active: 1000")
		},
		"what is read meanwhile has none of them": func(t *testing.T) {
			f := fleet(t)
			f.delete(objects.DaemonSet("agent"))
			check.That(t, f.due(), "all is done at once")
			f.Settle(f.now)
			check.Equal(t, troubled(f), 0, "gaps")
			check.That(t, !f.due(), "more is due")
		},
		"a DaemonSet that is back before they ended begins anew": func(t *testing.T) {
			f := fleet(t)
			f.delete(objects.DaemonSet("agent"))
			f.set(objects.DaemonSet("agent"))
			f.at(1).expectCounts("agent", "expected active: 1000", "gap active pod_missing: 1000", "unavailable scheduling: 1000")
			f.delete(objects.DaemonSet("agent"), objects.DaemonSet("other"))
			for number := range nodes {
				f.delete(objects.PodOf("other", fmt.Sprintf("n%04d", number), objects.Ready(-10)))
			}
			f.at(2)
			check.Equal(t, len(f.DaemonSets()), 0, "DaemonSets")
			check.Equal(t, troubled(f), 0, "gaps")
		},
		"a namespace selects other nodes for its DaemonSets": func(t *testing.T) {
			f := fleet(t)
			none := labels.SelectorFromSet(labels.Set{"nobody": "has"})
			all := check.Must(labels.Parse(""))(t)
			f.SetNamespaceSelector("default", all, f.now)
			f.at(1)
			f.SetNamespaceSelector("default", none, f.now)
			check.That(t, f.due(), "both are decided at once")
			f.at(1)
			f.expectCounts("agent", "excluded active namespace_selector: 1000")
			f.expectCounts("other", "excluded active namespace_selector: 1000", "misplaced active stop: 1000")
		},
	})
}

func TestMinReadySeconds(t *testing.T) {
	runTests(t, map[string]func(t *testing.T){
		"run out": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent", objects.MinReadySeconds(30)), objects.Node("a"), objects.PodOf("agent", "a", objects.Ready(-10)))
			f.expectGaps("agent on a: min_ready_seconds since -10")
			f.expectWake(20)
			f.at(19.9).expectCounts("agent", "expected active: 1", "gap active min_ready_seconds: 1", "unavailable pod: 1")
			f.at(20).expectCounts("agent", "expected active: 1", "covered active: 1")
			f.expectGaps()
		},
		"begin anew": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent", objects.MinReadySeconds(30)), objects.Node("a"), objects.PodOf("agent", "a", objects.Ready(-10)))
			f.at(15.5).set(objects.PodOf("agent", "a", objects.NotReady(15)))
			f.expectGaps("agent on a: pod_not_ready since -10")
			f.at(20).expectGaps("agent on a: pod_not_ready since -10")
			f.at(25.5).set(objects.PodOf("agent", "a", objects.Ready(25)))
			f.at(54.9).expectGaps("agent on a: min_ready_seconds since -10")
			f.at(55).expectGaps()
		},
		"may change": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent", objects.MinReadySeconds(30)), objects.Node("a"), objects.PodOf("agent", "a", objects.Ready(0)))
			f.expectWake(30)
			f.at(1).set(objects.DaemonSet("agent", objects.MinReadySeconds(300), objects.Generation(2)))
			f.at(30).expectGaps("agent on a: min_ready_seconds since 0")
			f.expectWake(300)
			f.set(objects.DaemonSet("agent", objects.MinReadySeconds(40), objects.Generation(3)))
			f.expectWake(40)
			f.at(40).expectGaps()
			// A pod that was available need not be so by stricter rules.
			f.set(objects.DaemonSet("agent", objects.MinReadySeconds(60), objects.Generation(4)))
			f.expectGaps("agent on a: min_ready_seconds since 40")
			f.at(60).expectGaps()
		},
		// Of several pods the first that is available covers.
		"of several pods the first that is available covers": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent", objects.MinReadySeconds(30)), objects.Node("a"),
				objects.PodOf("agent", "a", objects.Ready(-5)), objects.PodOf("agent", "a", objects.Named("early"), objects.Ready(-20)))
			f.expectWake(10)
			f.at(10).expectCounts("agent", "expected active: 1", "covered active: 1", "unavailable other: 1")
			// Upstream counts the pod that is older by name, which is not yet available.
			check.Equal(t, f.summary("agent").Totals.Upstream.Available, 0, "upstream counts as available")
			f.at(25)
			check.Equal(t, f.summary("agent").Totals.Upstream.Available, 1, "once both are, upstream counts as available")
		},
		// Upstream believes a pod on a dead node, so its count of available nodes changes
		// there by the passing of time, too.
		"run out on a dead node": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent", objects.MinReadySeconds(30), objects.Tolerating(objects.TolerateAll())), objects.Node("a", objects.Unreachable(-5)), objects.PodOf("agent", "a", objects.Ready(-10)))
			f.at(19).expectCounts("agent", "expected active: 1", "gap active node_unreachable: 1", "unavailable node: 1")
			f.at(20).expectCounts("agent", "expected active: 1", "gap active node_unreachable: 1")
			want := rollout.Counts{Desired: 1, Current: 1, Ready: 1, Available: 1, Updated: 1}
			check.Equal(t, f.summary("agent").Totals.Upstream, want, "upstream counts")
		},
		// A kubelet may run with any clock. What it stamps must not wake the ledger
		// without end.
		"with stamps of the year 9999": func(t *testing.T) {
			const farAway = 250_000_000_000 // seconds after noon: about 7,900 years
			f := start(t, objects.DaemonSet("agent", objects.MinReadySeconds(30)), objects.Node("a"), objects.Node("b", objects.Created(farAway)), objects.PodOf("agent", "a", objects.Ready(farAway)))
			f.at(10).set(objects.PodOf("agent", "b", objects.Ready(farAway)))
			f.at(20).expectCounts("agent", "expected active: 1", "gap active min_ready_seconds: 1",
				"expected joining: 1", "gap joining min_ready_seconds: 1", "unavailable pod: 2")
			f.set(objects.PodOf("agent", "a", objects.Ready(0)))
			f.at(30).expectCounts("agent", "expected active: 1", "covered active: 1",
				"expected joining: 1", "gap joining min_ready_seconds: 1", "unavailable pod: 1")
		},
	})
}

func TestLifecycle(t *testing.T) {
	runTests(t, map[string]func(t *testing.T){
		"the join grace runs out": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent"), objects.DaemonSet("gpu", objects.NodeSelector("gpu", "yes")))
			f.at(1.5).set(objects.Node("a", objects.Created(1), objects.Ready(1)))
			f.expectCounts("agent", "expected joining: 1", "gap joining pod_missing: 1", "unavailable scheduling: 1")
			f.expectCounts("gpu", "excluded joining node_selector: 1")
			// Its grace began with the creation.
			f.expectWake(301)
			f.at(300.9).expectCounts("gpu", "excluded joining node_selector: 1")
			f.at(301).expectCounts("agent", "expected active: 1", "gap active pod_missing: 1", "unavailable scheduling: 1")
			f.expectCounts("gpu", "excluded active node_selector: 1")
			f.expectGaps("agent on a: pod_missing since 1.5")
		},
		// A lifecycle is a label. Its change moves counts and leaves gaps alone.
		"of a gap may change": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent"), objects.Node("a", objects.Created(-100)))
			f.expectCounts("agent", "expected joining: 1", "gap joining pod_missing: 1", "unavailable scheduling: 1")
			f.at(10).set(objects.Node("a", objects.Created(-100), objects.Cordoned()))
			f.expectCounts("agent", "expected cordoned: 1", "gap cordoned pod_missing: 1", "unavailable scheduling: 1")
			f.at(20).set(objects.Node("a", objects.Created(-100), objects.Cordoned(), objects.Tainted("karpenter.sh/disruption", "PreferNoSchedule")))
			f.expectCounts("agent", "expected leaving: 1", "gap leaving pod_missing: 1", "unavailable scheduling: 1")
			f.at(30).set(objects.Node("a", objects.Created(-100)))
			f.expectCounts("agent", "expected joining: 1", "gap joining pod_missing: 1", "unavailable scheduling: 1")
			f.at(200).expectCounts("agent", "expected active: 1", "gap active pod_missing: 1", "unavailable scheduling: 1")
			f.expectGaps("agent on a: pod_missing since 0")
		},
		"a cordoned node that dies is still a gap": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent"), objects.Node("a", objects.Cordoned()), objects.PodOf("agent", "a"))
			f.expectCounts("agent", "expected cordoned: 1", "covered cordoned: 1")
			f.at(60.5).set(objects.Node("a", objects.Cordoned(), objects.Unreachable(60)))
			f.expectCounts("agent", "expected cordoned: 1", "gap cordoned node_unreachable: 1")
			f.expectGaps("agent on a: node_unreachable since 60.5")
		},
	})
}
