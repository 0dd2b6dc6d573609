package state_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"

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

// updatedDesiredNodeCounts and UnavailableCount of Kubernetes: percentages of the
// nodes that upstream wants now, rounded up; never nothing at all.
func TestRolloutBudget(t *testing.T) {
	t.Parallel()
	nobody := objects.NodeSelector("nobody", "here")
	dead := map[string]options{"a": {objects.Unreachable(-60)}}
	for name, test := range map[string]struct {
		ds    options
		nodes map[string]options
		want  int
	}{
		"a number is itself":                                 {options{objects.RollingUpdate("2", "0")}, nil, 2},
		"a number may exceed the nodes":                      {options{objects.RollingUpdate("10", "0")}, nil, 10},
		"a percentage is rounded up":                         {options{objects.RollingUpdate("10%", "0")}, nil, 1},
		"half of five is three":                              {options{objects.RollingUpdate("50%", "0")}, nil, 3},
		"a percentage may be all":                            {options{objects.RollingUpdate("100%", "0")}, nil, 5},
		"nothing at all becomes one":                         {options{objects.RollingUpdate("0", "0")}, nil, 1},
		"no percent at all becomes one":                      {options{objects.RollingUpdate("0%", "0%")}, nil, 1},
		"a strategy without numbers has one":                 {options{objects.Change(func(ds *appsv1.DaemonSet) { ds.Spec.UpdateStrategy.RollingUpdate = nil })}, nil, 1},
		"without nodes a number is itself":                   {options{objects.RollingUpdate("2", "0"), nobody}, nil, 2},
		"without nodes a percentage is none":                 {options{objects.RollingUpdate("50%", "0"), nobody}, nil, 0},
		"a node that upstream gave up on does not count":     {options{objects.RollingUpdate("50%", "0")}, dead, 2},
		"it counts where the DaemonSet tolerates its end":    {options{objects.RollingUpdate("50%", "0"), objects.Tolerating(objects.TolerateAll())}, dead, 3},
		"an update that surges may make nothing unavailable": {options{objects.RollingUpdate("0", "1")}, nil, 0},
		"so may one that surges by percent":                  {options{objects.RollingUpdate("0", "20%")}, nil, 0},
		"no percent of surge is no surge":                    {options{objects.RollingUpdate("2", "0%")}, nil, 2},
		"OnDelete has no budget":                             {options{objects.OnDelete()}, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := five(t, test.ds, test.nodes, nil).summary("agent").MaxUnavailable(); got != test.want {
				t.Errorf("the budget is %d nodes, want %d", got, test.want)
			}
		})
	}
}

// rollingUpdate of Kubernetes: what it counts as unavailable before it replaces
// the next pod.
func TestRolloutUnavailable(t *testing.T) {
	t.Parallel()
	type nodes = map[string]options
	notReady := objects.NotReady(-5)
	ended := options{objects.Terminating(-5, 30), notReady, objects.Phase("Succeeded")}
	gpu := nodes{"a": {objects.Tainted("gpu", "NoSchedule")}}
	for name, test := range map[string]struct {
		ds    options
		nodes nodes
		a     pods
		want  string
	}{
		"a pod that is not available does":                           {nil, nil, one(notReady), "pod"},
		"a pod that waits for minReadySeconds does":                  {options{objects.MinReadySeconds(60)}, nil, one(objects.Ready(-5)), "pod"},
		"a missing pod does":                                         {nil, nil, pods{}, "scheduling"},
		"a pod that cannot be scheduled does":                        {nil, nil, one(objects.Unbound()), "scheduling"},
		"a pod that only ends does":                                  {nil, nil, pods{ended}, "pod"},
		"a pod that is asked to end does, though it works":           {nil, nil, one(objects.Terminating(-5, 30)), "other"},
		"its successor does until it is available":                   {nil, nil, pods{ended, {objects.Starting(-2)}}, "pod"},
		"its available successor does not":                           {nil, nil, pods{ended, nil}, ""},
		"two live pods do, though both work":                         {nil, nil, pods{nil, nil}, "other"},
		"a dead node whose pod is not Ready does":                    {nil, nodes{"a": {objects.Unreachable(-60)}}, one(notReady), "node"},
		"a dead node whose pod claims Ready does not":                {nil, nodes{"a": {objects.Unreachable(-60)}}, one(), ""},
		"a dead node without a pod does not: upstream gave up on it": {nil, nodes{"a": {objects.Unreachable(-60)}}, pods{}, ""},
		"it does where the DaemonSet tolerates its end":              {options{objects.Tolerating(objects.TolerateAll())}, nodes{"a": {objects.Unreachable(-60)}}, pods{}, "node"},
		"a misplaced pod that is not available does":                 {nil, gpu, one(notReady), "other"},
		"a misplaced pod that is available does not":                 {nil, gpu, one(), ""},
		"an excluded node without a pod does not":                    {nil, gpu, pods{}, ""},
		"a misplaced pod that has ended does not":                    {nil, gpu, pods{ended}, ""},
		"nothing does under OnDelete":                                {options{objects.OnDelete()}, nil, one(notReady), ""},
		"nothing does while an update surges":                        {options{objects.RollingUpdate("0", "1")}, nil, one(notReady), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			totals := five(t, test.ds, test.nodes, map[string]pods{"a": test.a}).summary("agent").Totals
			got := ""
			for cause, count := range totals.Unavailable {
				if count > 1 || count == 1 && got != "" {
					t.Fatalf("unavailable are %v", totals.Unavailable)
				}
				if count == 1 {
					got = []string{"node", "scheduling", "pod", "other"}[cause]
				}
			}
			if got != test.want {
				t.Errorf("node a spends for cause %q, want %q", got, test.want)
			}
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
		"nothing is outdated before an update":                            {nil, nil, 0},
		"everything is as soon as the template changes":                   {now2, nil, 5},
		"a pod of the new revision is not":                                {now2, map[string]pods{"a": {second()}, "b": {second()}}, 3},
		"a pod that is not available is not, either":                      {now2, map[string]pods{"a": {second(objects.Starting(-5))}}, 4},
		"an old pod that is not available is":                             {now2, map[string]pods{"a": {second()}, "b": one(objects.NotReady(-5))}, 4},
		"a node without a pod is of no revision":                          {now2, map[string]pods{"a": {second()}, "b": {}}, 3},
		"while an update surges the old pod works":                        {now2, map[string]pods{"a": {nil, second(objects.Starting(-5))}}, 5},
		"once both work the new one counts":                               {now2, map[string]pods{"a": {nil, second()}}, 4},
		"once the old one fails the new one counts":                       {now2, map[string]pods{"a": {{objects.NotReady(-5)}, second(objects.Starting(-5))}}, 4},
		"an old pod that ends counts while it works":                      {now2, map[string]pods{"a": {{objects.Terminating(-5, 30)}, second(objects.Starting(-5))}}, 5},
		"after a return to the first template its pods are current again": {options{objects.Generation(3)}, map[string]pods{"a": {second()}, "b": {{objects.Revision("first", 3)}}}, 1},
		"before a pod says so, the controller's count does":               {options{objects.Generation(3), objects.Status(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 4})}, map[string]pods{"a": {second()}}, 1},
		"but not one that is about an earlier template":                   {options{objects.Generation(3), objects.Status(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 4, ObservedGeneration: 2})}, map[string]pods{"a": {second()}}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := five(t, test.ds, nil, test.cells).summary("agent").Totals.Outdated; got != test.want {
				t.Errorf("%d nodes are outdated, want %d", got, test.want)
			}
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
