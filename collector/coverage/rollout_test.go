package coverage_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// five nodes with an available pod each, but for what the options change.
func five(t *testing.T, ds []func(*appsv1.DaemonSet), nodes map[string][]func(*corev1.Node), cells map[string]pods) *world {
	t.Helper()
	w := newWorld(t)
	w.see(daemonSet("agent", ds...))
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		w.see(node(name, nodes[name]...))
		if _, changed := cells[name]; !changed {
			w.see(pod("agent", name))
		}
		for i, options := range cells[name] {
			w.see(pod("agent", name, append([]func(*corev1.Pod){called(name + string(rune('p'+i)))}, options...)...))
		}
	}
	w.ledger.Start(w.now)
	return w
}

// updatedDesiredNodeCounts and UnavailableCount of Kubernetes: percentages of the
// nodes that upstream wants now, rounded up; never nothing at all.
func TestRolloutBudget(t *testing.T) {
	t.Parallel()
	nobody := selecting("nobody", "here")
	dead := map[string][]func(*corev1.Node){"a": {unreachable(-60)}}
	for name, test := range map[string]struct {
		ds    []func(*appsv1.DaemonSet)
		nodes map[string][]func(*corev1.Node)
		want  int
	}{
		"a number is itself":                                 {[]func(*appsv1.DaemonSet){budget("2", "0")}, nil, 2},
		"a number may exceed the nodes":                      {[]func(*appsv1.DaemonSet){budget("10", "0")}, nil, 10},
		"a percentage is rounded up":                         {[]func(*appsv1.DaemonSet){budget("10%", "0")}, nil, 1},
		"half of five is three":                              {[]func(*appsv1.DaemonSet){budget("50%", "0")}, nil, 3},
		"a percentage may be all":                            {[]func(*appsv1.DaemonSet){budget("100%", "0")}, nil, 5},
		"nothing at all becomes one":                         {[]func(*appsv1.DaemonSet){budget("0", "0")}, nil, 1},
		"no percent at all becomes one":                      {[]func(*appsv1.DaemonSet){budget("0%", "0%")}, nil, 1},
		"a strategy without numbers has one":                 {[]func(*appsv1.DaemonSet){func(ds *appsv1.DaemonSet) { ds.Spec.UpdateStrategy.RollingUpdate = nil }}, nil, 1},
		"without nodes a number is itself":                   {[]func(*appsv1.DaemonSet){budget("2", "0"), nobody}, nil, 2},
		"without nodes a percentage is none":                 {[]func(*appsv1.DaemonSet){budget("50%", "0"), nobody}, nil, 0},
		"a node that upstream gave up on does not count":     {[]func(*appsv1.DaemonSet){budget("50%", "0")}, dead, 2},
		"it counts where the DaemonSet tolerates its end":    {[]func(*appsv1.DaemonSet){budget("50%", "0"), tolerating(tolerateAll())}, dead, 3},
		"an update that surges may make nothing unavailable": {[]func(*appsv1.DaemonSet){budget("0", "1")}, nil, 0},
		"so may one that surges by percent":                  {[]func(*appsv1.DaemonSet){budget("0", "20%")}, nil, 0},
		"no percent of surge is no surge":                    {[]func(*appsv1.DaemonSet){budget("2", "0%")}, nil, 2},
		"OnDelete has no budget":                             {[]func(*appsv1.DaemonSet){onDelete}, nil, 0},
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
func TestWhatSpendsTheBudget(t *testing.T) {
	t.Parallel()
	type nodes = map[string][]func(*corev1.Node)
	notReady := podIs("False", -5)
	ended := []func(*corev1.Pod){deleted(25, 30), notReady, phase("Succeeded")}
	gpu := nodes{"a": {tainted("gpu", "NoSchedule")}}
	for name, test := range map[string]struct {
		ds    []func(*appsv1.DaemonSet)
		nodes nodes
		a     pods
		want  string
	}{
		"a pod that is not available does":                           {nil, nil, one(notReady), "pod"},
		"a pod that waits for minReadySeconds does":                  {[]func(*appsv1.DaemonSet){minReady(60)}, nil, one(podIs("True", -5)), "pod"},
		"a missing pod does":                                         {nil, nil, pods{}, "scheduling"},
		"a pod that cannot be scheduled does":                        {nil, nil, one(unbound), "scheduling"},
		"a pod that only ends does":                                  {nil, nil, pods{ended}, "pod"},
		"a pod that is asked to end does, though it works":           {nil, nil, one(deleted(25, 30)), "other"},
		"its successor does until it is available":                   {nil, nil, pods{ended, {starting(-2)}}, "pod"},
		"its available successor does not":                           {nil, nil, pods{ended, nil}, ""},
		"two live pods do, though both work":                         {nil, nil, pods{nil, nil}, "other"},
		"a dead node whose pod is not Ready does":                    {nil, nodes{"a": {unreachable(-60)}}, one(notReady), "node"},
		"a dead node whose pod claims Ready does not":                {nil, nodes{"a": {unreachable(-60)}}, one(), ""},
		"a dead node without a pod does not: upstream gave up on it": {nil, nodes{"a": {unreachable(-60)}}, pods{}, ""},
		"it does where the DaemonSet tolerates its end":              {[]func(*appsv1.DaemonSet){tolerating(tolerateAll())}, nodes{"a": {unreachable(-60)}}, pods{}, "node"},
		"a misplaced pod that is not available does":                 {nil, gpu, one(notReady), "other"},
		"a misplaced pod that is available does not":                 {nil, gpu, one(), ""},
		"an excluded node without a pod does not":                    {nil, gpu, pods{}, ""},
		"a misplaced pod that has ended does not":                    {nil, gpu, pods{ended}, ""},
		"nothing does under OnDelete":                                {[]func(*appsv1.DaemonSet){onDelete}, nil, one(notReady), ""},
		"nothing does while an update surges":                        {[]func(*appsv1.DaemonSet){budget("0", "1")}, nil, one(notReady), ""},
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

func TestOutdatedNodes(t *testing.T) {
	t.Parallel()
	second := func(more ...func(*corev1.Pod)) []func(*corev1.Pod) {
		return append([]func(*corev1.Pod){revision("second", 2), podCreated(-60)}, more...)
	}
	now2 := []func(*appsv1.DaemonSet){generation(2)}
	for name, test := range map[string]struct {
		ds    []func(*appsv1.DaemonSet)
		cells map[string]pods
		want  int32
	}{
		"nothing is outdated before an update":          {nil, nil, 0},
		"everything is as soon as the template changes": {now2, nil, 5},
		"a pod of the new revision is not":              {now2, map[string]pods{"a": {second()}, "b": {second()}}, 3},
		"a pod that is not available is not, either":    {now2, map[string]pods{"a": {second(starting(-5))}}, 4},
		"an old pod that is not available is":           {now2, map[string]pods{"a": {second()}, "b": one(podIs("False", -5))}, 4},
		"a node without a pod is of no revision":        {now2, map[string]pods{"a": {second()}, "b": {}}, 3},
		"while an update surges the old pod works":      {now2, map[string]pods{"a": {nil, second(starting(-5))}}, 5},
		"once both work the new one counts":             {now2, map[string]pods{"a": {nil, second()}}, 4},
		"once the old one fails the new one counts":     {now2, map[string]pods{"a": {{podIs("False", -5)}, second(starting(-5))}}, 4},
		"an old pod that ends counts while it works":    {now2, map[string]pods{"a": {{deleted(25, 30)}, second(starting(-5))}}, 5},
		"after a return to the first template its pods are current again": {
			[]func(*appsv1.DaemonSet){generation(3)},
			map[string]pods{"a": {second()}, "b": {{revision("first", 3)}}},
			1,
		},
		"before a pod says so, the controller's count does": {
			[]func(*appsv1.DaemonSet){generation(3), status(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 4})},
			map[string]pods{"a": {second()}},
			1,
		},
		"but not one that is about an earlier template": {
			[]func(*appsv1.DaemonSet){generation(3), func(ds *appsv1.DaemonSet) {
				ds.Status = appsv1.DaemonSetStatus{UpdatedNumberScheduled: 4, ObservedGeneration: 2}
			}},
			map[string]pods{"a": {second()}},
			5,
		},
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
func TestCurrentRevisionBecomesKnown(t *testing.T) {
	t.Parallel()
	w := five(t, nil, nil, nil)
	w.at(10).see(daemonSet("agent", generation(2)))
	w.says("agent", "expected active: 5", "covered active: 5", "outdated: 5")
	w.at(11).see(pod("agent", "a", called("ap"), revision("second", 2))).lose(pod("agent", "a"))
	w.says("agent", "expected active: 5", "covered active: 5", "outdated: 4")
	// Back to the first template: its old pods are current once one says so.
	w.at(20).see(daemonSet("agent", generation(3)))
	w.says("agent", "expected active: 5", "covered active: 5", "outdated: 5")
	w.see(daemonSet("agent", generation(3), status(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 4})))
	w.says("agent", "expected active: 5", "covered active: 5", "outdated: 1")
	// The annotation alone may change: somebody wrote to it.
	w.see(daemonSet("agent", generation(3), func(ds *appsv1.DaemonSet) {
		ds.Annotations[appsv1.DeprecatedTemplateGeneration] = "2"
	}))
	w.says("agent", "expected active: 5", "covered active: 5", "outdated: 4")
}
