package coverage_test

import (
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
)

func (w *world) wakesAt(seconds float64) {
	w.t.Helper()
	if got := w.ledger.NextWake(); !got.Equal(at(seconds)) {
		w.t.Errorf("the ledger wants to be woken %v after noon, want %v s", got.Sub(at(0)), seconds)
	}
}

func TestMinReadySecondsRunOut(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent", minReady(30)), node("a"), pod("agent", "a", podIs("True", -10)))
	w.gapsAre("agent on a: min_ready_seconds since -10")
	w.wakesAt(20)
	w.at(19.9).says("agent", "expected active: 1", "gap active min_ready_seconds: 1", "spent pod: 1")
	w.at(20).says("agent", "expected active: 1", "covered active: 1")
	w.gapsAre()
}

func TestMinReadySecondsBeginAnew(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent", minReady(30)), node("a"), pod("agent", "a", podIs("True", -10)))
	w.at(15.5).see(pod("agent", "a", podIs("False", 15)))
	w.gapsAre("agent on a: pod_not_ready since -10")
	w.at(20).gapsAre("agent on a: pod_not_ready since -10")
	w.at(25.5).see(pod("agent", "a", podIs("True", 25)))
	w.at(54.9).gapsAre("agent on a: min_ready_seconds since -10")
	w.at(55).gapsAre()
}

func TestMinReadySecondsMayChange(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent", minReady(30)), node("a"), pod("agent", "a", podIs("True", 0)))
	w.wakesAt(30)
	w.at(1).see(daemonSet("agent", minReady(300), generation(2)))
	w.at(30).gapsAre("agent on a: min_ready_seconds since 0")
	w.wakesAt(300)
	w.see(daemonSet("agent", minReady(40), generation(3)))
	w.wakesAt(40)
	w.at(40).gapsAre()
	// A pod that was available need not be so by stricter rules.
	w.see(daemonSet("agent", minReady(60), generation(4)))
	w.gapsAre("agent on a: min_ready_seconds since 40")
	w.at(60).gapsAre()
}

// Of several pods the first that is available covers.
func TestFirstAvailablePodCovers(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent", minReady(30)), node("a"),
		pod("agent", "a", podIs("True", -5)), pod("agent", "a", called("early"), podIs("True", -20)))
	w.wakesAt(10)
	w.at(10).says("agent", "expected active: 1", "covered active: 1", "spent other: 1")
	// Upstream counts the pod that is older by name, which is not yet available.
	if got := w.summary("agent").Totals.Upstream.Available; got != 0 {
		t.Errorf("upstream counts %d available", got)
	}
	w.at(25)
	if got := w.summary("agent").Totals.Upstream.Available; got != 1 {
		t.Errorf("upstream counts %d available once both are", got)
	}
}

// Upstream believes a pod on a dead node, so its count of available nodes changes
// there by the passing of time, too.
func TestMinReadySecondsRunOutOnADeadNode(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent", minReady(30), tolerating(tolerateAll())), node("a", unreachable(-5)), pod("agent", "a", podIs("True", -10)))
	w.at(19).says("agent", "expected active: 1", "gap active node_unreachable: 1", "spent node: 1")
	w.at(20).says("agent", "expected active: 1", "gap active node_unreachable: 1")
	want := coverage.UpstreamCounts{Desired: 1, Current: 1, Ready: 1, Available: 1, Updated: 1}
	if got := w.summary("agent").Totals.Upstream; got != want {
		t.Errorf("upstream counts %+v, want %+v", got, want)
	}
}

func TestJoinGraceRunsOut(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), daemonSet("gpu", selecting("gpu", "yes")))
	w.at(1.5).see(node("a", nodeCreated(1), nodeIs("True", 1)))
	w.says("agent", "expected joining: 1", "gap joining pod_missing: 1", "spent scheduling: 1")
	w.says("gpu", "excluded joining node_selector: 1")
	// Its grace began with the creation.
	w.wakesAt(301)
	w.at(300.9).says("gpu", "excluded joining node_selector: 1")
	w.at(301).says("agent", "expected active: 1", "gap active pod_missing: 1", "spent scheduling: 1")
	w.says("gpu", "excluded active node_selector: 1")
	w.gapsAre("agent on a: pod_missing since 1.5")
}

// A lifecycle is a label. Its change moves counts and leaves gaps alone.
func TestLifecycleOfAGap(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), node("a", nodeCreated(-100)))
	w.says("agent", "expected joining: 1", "gap joining pod_missing: 1", "spent scheduling: 1")
	w.at(10).see(node("a", nodeCreated(-100), cordoned))
	w.says("agent", "expected cordoned: 1", "gap cordoned pod_missing: 1", "spent scheduling: 1")
	w.at(20).see(node("a", nodeCreated(-100), cordoned, tainted("karpenter.sh/disruption", "PreferNoSchedule")))
	w.says("agent", "expected leaving: 1", "gap leaving pod_missing: 1", "spent scheduling: 1")
	w.at(30).see(node("a", nodeCreated(-100)))
	w.says("agent", "expected joining: 1", "gap joining pod_missing: 1", "spent scheduling: 1")
	w.at(200).says("agent", "expected active: 1", "gap active pod_missing: 1", "spent scheduling: 1")
	w.gapsAre("agent on a: pod_missing since 0")
}

func TestACordonedNodeThatDiesIsStillAGap(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), node("a", cordoned), pod("agent", "a"))
	w.says("agent", "expected cordoned: 1", "covered cordoned: 1")
	w.at(60.5).see(node("a", cordoned, unreachable(60)))
	w.says("agent", "expected cordoned: 1", "gap cordoned node_unreachable: 1")
	w.gapsAre("agent on a: node_unreachable since 60.5")
}

// A kubelet may run with any clock. What it stamps must not wake the ledger
// without end.
func TestStampsOfTheYear9999(t *testing.T) {
	t.Parallel()
	const farAway = 250_000_000_000 // seconds after noon: about 7,900 years
	w := start(t, daemonSet("agent", minReady(30)), node("a"), node("b", nodeCreated(farAway)), pod("agent", "a", podIs("True", farAway)))
	w.at(10).see(pod("agent", "b", podIs("True", farAway)))
	w.at(20).says("agent", "expected active: 1", "gap active min_ready_seconds: 1",
		"expected joining: 1", "gap joining min_ready_seconds: 1", "spent pod: 2")
	w.see(pod("agent", "a", podIs("True", 0)))
	w.at(30).says("agent", "expected active: 1", "covered active: 1",
		"expected joining: 1", "gap joining min_ready_seconds: 1", "spent pod: 1")
}
