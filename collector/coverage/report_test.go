package coverage_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
)

// Gaps that a node causes are left out first, for the node itself is reported;
// then the youngest. Counts stay exact.
func TestGapCap(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), daemonSet("other"),
		node("a", unreachable(-900)), node("b", unreachable(-800)), node("c"), node("d"), node("e"),
		pod("agent", "c", podIs("False", -70)), pod("agent", "d", podIs("False", -50)), pod("agent", "e", podIs("False", -60)),
		pod("other", "c"), pod("other", "d"), pod("other", "e"))
	inOrder := []string{
		"agent on c", "agent on e", "agent on d", // the pods', oldest first
		"agent on a", "other on a", "agent on b", "other on b", // the nodes'
	}
	for limit := -1; limit <= 8; limit++ {
		gaps, dropped := w.ledger.Gaps(limit)
		var got []string
		for _, gap := range gaps {
			got = append(got, gap.DaemonSet.Name+" on "+gap.Node.Name)
		}
		want := inOrder[:max(0, min(limit, 7))]
		slices.Sort(got)
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), got); diff != "" {
			t.Errorf("with a cap of %d (-want +got):\n%s", limit, diff)
		}
		if dropped != 7-len(want) {
			t.Errorf("with a cap of %d, %d are left out, want %d", limit, dropped, 7-len(want))
		}
	}
	w.says("agent", "expected active: 5", "gap active node_unreachable: 2", "gap active pod_not_ready: 3", "spent pod: 3")
	w.says("other", "expected active: 5", "covered active: 3", "gap active node_unreachable: 2")
}

func TestWhatIsSaidOfAGap(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), node("a", cordoned, labelled("zone", "z1")), pod("agent", "a", podIs("False", -5)))
	gaps, dropped := w.ledger.Gaps(10)
	if len(gaps) != 1 || dropped != 0 {
		t.Fatalf("%d gaps and %d left out, want 1 and none", len(gaps), dropped)
	}
	gap := gaps[0]
	got := fmt.Sprintf("%s on %s in %s, %v: %v", gap.DaemonSet.Name, gap.Node.Name, gap.Labels.Value(), gap.Lifecycle, gap.Reason)
	if want := "agent on a in z1, cordoned: pod_not_ready"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}

// troubles are the nodes in trouble in words.
func (w *world) troubles() (words []string) {
	for report := range w.ledger.TroubledNodes() {
		words = append(words, fmt.Sprintf("%s in %s: %v, %v, %d gaps, since %v", report.State.Record().Name, report.Labels.Value(),
			report.State.Status(), report.State.Lifecycle(), report.Gaps, report.State.Since().Sub(at(0)).Seconds()))
	}
	slices.Sort(words)
	return words
}

func TestNodesInTrouble(t *testing.T) {
	t.Parallel()
	zone := labelled("zone", "z1")
	w := start(t, daemonSet("agent"), daemonSet("gpu", selecting("gpu", "yes")), node("a", zone), node("b", zone), node("c", labelled("gpu", "yes")), pod("agent", "a"), pod("agent", "b"))
	expect := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, w.troubles()); diff != "" {
			t.Errorf("%v after noon (-want +got):\n%s", w.now.Sub(at(0)), diff)
		}
	}
	expect("c in : ready, active, 2 gaps, since -8990")
	w.at(10).see(pod("agent", "c"), pod("gpu", "c"))
	expect()
	w.at(20.5).see(node("a", zone, unreachable(20)))
	expect("a in z1: unreachable, active, 1 gaps, since 20.5")
	// A dead node is in trouble, whether it is expected to run anything or not.
	w.at(30).see(node("a", labelled("zone", "z2"), unreachable(20), tainted("gpu", "NoSchedule")))
	expect("a in z2: unreachable, active, 0 gaps, since 20.5")
	w.at(40).lose(node("a", zone))
	expect()
	w.at(50).lose(pod("agent", "b"))
	expect("b in z1: ready, active, 1 gaps, since -8990")
	w.at(60).lose(daemonSet("agent"))
	expect()
}

// groups are the nodes of the cluster in words.
func (w *world) groups() map[string]int {
	words := map[string]int{}
	for group, count := range w.ledger.NodeGroups() {
		words[fmt.Sprintf("%v %v %s", group.Status, group.Lifecycle, group.Labels.Value())] += count
	}
	return words
}

func TestNodesOfTheCluster(t *testing.T) {
	t.Parallel()
	zone := func(name string) func(*corev1.Node) { return labelled("zone", name) }
	w := start(t, node("a", zone("z1")), node("b", zone("z1")), node("c", zone("z2"), unreachable(-60)))
	expect := func(want map[string]int) {
		t.Helper()
		if diff := cmp.Diff(want, w.groups()); diff != "" {
			t.Errorf("%v after noon (-want +got):\n%s", w.now.Sub(at(0)), diff)
		}
	}
	expect(map[string]int{"ready active z1": 2, "unreachable active z2": 1})
	w.at(10.5).see(node("d", nodeCreated(10), withoutStatus), node("b", zone("z2"), cordoned))
	expect(map[string]int{"ready active z1": 1, "ready cordoned z2": 1, "unreachable active z2": 1, "never_ready joining ": 1})
	w.at(320).lose(node("a"), node("c"))
	expect(map[string]int{"ready cordoned z2": 1, "never_ready active ": 1})
	w.lose(node("b"), node("d"))
	expect(map[string]int{})
	if len(maps.Collect(w.ledger.NodeGroups())) != 0 {
		t.Error("groups of no nodes are left")
	}
}

func TestExclusionsOfTheCluster(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent", selecting("type", "worker")),
		node("a", labelled("type", "worker")), node("b", labelled("type", "worker"), tainted("gpu", "NoSchedule")),
		node("c", labelled("type", "worker"), tainted("gpu", "NoSchedule"), cordoned), node("d"), pod("agent", "a"))
	w.says("agent", "expected active: 1", "covered active: 1",
		"excluded active taint: 1", "excluded cordoned taint: 1", "excluded active node_selector: 1",
		"repelled active gpu:NoSchedule: 1", "repelled cordoned gpu:NoSchedule: 1")
	// A typo in the selector empties a DaemonSet.
	w.see(daemonSet("agent", selecting("type", "wroker"), generation(2)))
	w.says("agent", "excluded active node_selector: 3", "excluded cordoned node_selector: 1", "misplaced active stop: 1")
	if got := w.summary("agent").Totals.Upstream; got != (coverage.UpstreamCounts{Misscheduled: 1}) {
		t.Errorf("upstream counts %+v", got)
	}
}
