package state_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// five nodes with an available pod each, but for what the options change.
func five(t *testing.T, ds options, nodes map[string]options, cells map[string]pods) *fixture {
	t.Helper()
	f := newFixture(t)
	f.set(objects.DaemonSet("agent", ds...))
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		f.set(objects.Node(name, nodes[name]...))
		if _, changed := cells[name]; !changed {
			f.set(objects.PodOf("agent", name))
		}
		f.set(cells[name].on(name)...)
	}
	f.Synced()
	return f
}

// Percentages are of the nodes that upstream wants now; the rest is in package rollout.
func TestRolloutBudget(t *testing.T) {
	t.Parallel()
	half, dead := objects.RollingUpdate("50%", "0"), map[string]options{"a": {objects.Unreachable(-60)}}
	check.Equal(t, five(t, options{half}, dead, nil).summary("agent").MaxUnavailable(), 2, "a node that upstream gave up on counts: the budget")
	tolerating := options{half, objects.Tolerating(objects.TolerateAll())}
	check.Equal(t, five(t, tolerating, dead, nil).summary("agent").MaxUnavailable(), 3, "it does not where the DaemonSet tolerates its end: the budget")
}

// What spends the budget is in package rollout; here is under which cause.
func TestRolloutUnavailable(t *testing.T) {
	t.Parallel()
	notReady := objects.NotReady(-5)
	for name, test := range map[string]struct {
		node options
		a    pods
		want []string
	}{
		"a pod that is not available":                 {nil, one(notReady), []string{"covered active: 4", "gap active pod_not_ready: 1", "unavailable pod: 1"}},
		"a missing pod":                               {nil, pods{}, []string{"covered active: 4", "gap active pod_missing: 1", "unavailable scheduling: 1"}},
		"a dead node whose pod is not Ready":          {options{objects.Unreachable(-60)}, one(notReady), []string{"covered active: 4", "gap active node_unreachable: 1", "unavailable node: 1"}},
		"a dead node without a pod: upstream gave up": {options{objects.Unreachable(-60)}, pods{}, []string{"covered active: 4", "gap active node_unreachable: 1"}},
		"a pod that is asked to end, though it works": {nil, one(objects.Terminating(-5, 30)), []string{"covered active: 5", "unavailable other: 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			five(t, nil, map[string]options{"a": test.node}, map[string]pods{"a": test.a}).expectCounts("agent", append(test.want, "expected active: 5")...)
		})
	}
}

func TestRolloutOutdated(t *testing.T) {
	t.Parallel()
	second := func(more ...objects.Option) options {
		return append(options{objects.Revision("second", 2), objects.Created(-60)}, more...)
	}
	now2 := options{objects.Generation(2)}
	for name, test := range map[string]struct {
		ds    options
		cells map[string]pods
		want  int32
	}{
		"nothing is outdated before an update":          {nil, nil, 0},
		"everything is as soon as the template changes": {now2, nil, 5},
		"a pod of the new revision is not":              {now2, map[string]pods{"a": {second()}, "b": {second()}}, 3},
		"a pod that is not available is not, either":    {now2, map[string]pods{"a": {second(objects.Starting(-5))}}, 4},
		"an old pod that is not available is":           {now2, map[string]pods{"a": {second()}, "b": one(objects.NotReady(-5))}, 4},
		"a node without a pod is of no revision":        {now2, map[string]pods{"a": {second()}, "b": {}}, 3},
		"while an update surges the old pod works":      {now2, map[string]pods{"a": {nil, second(objects.Starting(-5))}}, 5},
		"once both work the new one counts":             {now2, map[string]pods{"a": {nil, second()}}, 4},
		"once the old one fails the new one counts":     {now2, map[string]pods{"a": {{objects.NotReady(-5)}, second(objects.Starting(-5))}}, 4},
		"an old pod that ends counts while it works":    {now2, map[string]pods{"a": {{objects.Terminating(-5, 30)}, second(objects.Starting(-5))}}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check.Equal(t, five(t, test.ds, nil, test.cells).summary("agent").Totals.Outdated, test.want, "outdated nodes")
		})
	}
}

// Which revision is current may become known by a pod of any node, or by the
// controller's status; then every cell is judged anew.
func TestRolloutRevision(t *testing.T) {
	t.Parallel()
	f := five(t, nil, nil, nil)
	f.at(10).set(objects.DaemonSet("agent", objects.Generation(2)))
	f.expectCounts("agent", "expected active: 5", "covered active: 5", "outdated: 5")
	f.at(11).set(objects.PodOf("agent", "a", objects.Named("ap"), objects.Revision("second", 2))).delete(objects.PodOf("agent", "a"))
	f.expectCounts("agent", "expected active: 5", "covered active: 5", "outdated: 4")
	// Back to the first template: its old pods are current once one says so.
	f.at(20).set(objects.DaemonSet("agent", objects.Generation(3)))
	f.expectCounts("agent", "expected active: 5", "covered active: 5", "outdated: 5")
	f.set(objects.DaemonSet("agent", objects.Generation(3), objects.Status(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 4})))
	f.expectCounts("agent", "expected active: 5", "covered active: 5", "outdated: 1")
	// The annotation alone may change: somebody wrote to it.
	f.set(objects.DaemonSet("agent", objects.Generation(3), objects.TemplateGeneration(2)))
	f.expectCounts("agent", "expected active: 5", "covered active: 5", "outdated: 4")
}

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
			check.Equal(t, differencesOf(f.summary("agent")), test.want, "status differences")
		})
	}
}

// A Ready pod on a dead node is believed, where the DaemonSet tolerates its end.
func TestUpstreamCounts(t *testing.T) {
	t.Parallel()
	for want, ds := range map[rollout.Counts]options{
		{Desired: 1, Current: 1, Ready: 1, Available: 1, Updated: 1}: {objects.Tolerating(objects.TolerateAll())},
		{Misscheduled: 1}: nil,
	} {
		f := start(t, objects.DaemonSet("agent", ds...), objects.Node("a", objects.Unreachable(-60)), objects.PodOf("agent", "a"))
		check.Equal(t, f.summary("agent").Totals.Upstream, want, "upstream counts")
	}
}
