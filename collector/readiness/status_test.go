package readiness_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// seen is the state of a Node at one time.
type seen struct {
	Status readiness.Status
	// Since is in seconds after noon.
	Since float64
}

func look(n *readiness.Node) seen { return seen{n.Status(), objects.Seconds(n.Since())} }

// The exporter starts at noon; the node is an hour old unless the case says
// otherwise.
func TestStatus(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		node options
		want seen
	}{
		"Ready=True is ready":                                      {nil, seen{readiness.StatusReady, -3590}},
		"Ready=False is not_ready, since its stamp":                {options{objects.NotReady(-60)}, seen{readiness.StatusNotReady, -60}},
		"Ready=Unknown is unreachable, since its stamp":            {options{objects.ReadyUnknown(-60)}, seen{readiness.StatusUnreachable, -60}},
		"no Ready condition is never_ready, since the creation":    {options{objects.WithoutConditions()}, seen{readiness.StatusNeverReady, -3600}},
		"a kubelet that never posted is never_ready":               {options{objects.NeverUpdated(-3540)}, seen{readiness.StatusNeverReady, -3600}},
		"a Ready stamp that equals the creation is never_ready":    {options{objects.NotReady(-3600)}, seen{readiness.StatusNeverReady, -3600}},
		"so it is for Ready=Unknown":                               {options{objects.ReadyUnknown(-3600)}, seen{readiness.StatusNeverReady, -3600}},
		"a node that is a second old and not Ready is never_ready": {options{objects.Created(-1), objects.NotReady(-1)}, seen{readiness.StatusNeverReady, -1}},
		"a stamp from the future begins now":                       {options{objects.NotReady(60)}, seen{readiness.StatusNotReady, 0}},
		"a node without a creation begins with its stamp":          {options{objects.Change(func(n *corev1.Node) { n.CreationTimestamp.Reset() }), objects.NotReady(-60)}, seen{readiness.StatusNotReady, -60}},
	} {
		t.Run(name, func(t *testing.T) {
			check.Equal(t, look(readiness.NewNode(node(test.node...), rules(), true, objects.At(0))), test.want)
		})
	}
}

// A node that is seen as it is created has not been Ready before, and is Ready since
// then, whatever its kubelet's clock says.
func TestStatusAtCreation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		node        options
		seen, found seen
	}{
		"not Ready, posted at once":        {options{objects.NotReady(-5)}, seen{readiness.StatusNeverReady, -5}, seen{readiness.StatusNeverReady, -5}},
		"not Ready, posted later":          {options{objects.NotReady(-2)}, seen{readiness.StatusNeverReady, -5}, seen{readiness.StatusNotReady, -2}},
		"Ready":                            {options{objects.Ready(-1)}, seen{readiness.StatusReady, 0}, seen{readiness.StatusReady, -1}},
		"Ready by a clock a minute behind": {options{objects.Ready(-61)}, seen{readiness.StatusReady, 0}, seen{readiness.StatusReady, -61}},
		"Ready by a clock a minute ahead":  {options{objects.Ready(59)}, seen{readiness.StatusReady, 0}, seen{readiness.StatusReady, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			object := node(append(options{objects.Created(-5)}, test.node...)...)
			check.Equal(t, []seen{
				look(readiness.NewNode(object, rules(), false, objects.At(0))), look(readiness.NewNode(object, rules(), true, objects.At(0))),
			}, []seen{test.seen, test.found}, "as it is created, and as it is found")
		})
	}
}

// step is a version of a node and when it is seen.
type step struct {
	at   float64
	node options
	want seen
}

func TestStatusChanges(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]step{
		"a node that fails is unreachable since it was seen, not since its stamp": {{0, nil, seen{readiness.StatusReady, -3590}}, {60.4, options{objects.ReadyUnknown(60)}, seen{readiness.StatusUnreachable, 60.4}}},
		"a change between ways of not being ready keeps the start": {
			{0, nil, seen{readiness.StatusReady, -3590}},
			{60.4, options{objects.ReadyUnknown(60)}, seen{readiness.StatusUnreachable, 60.4}},
			{120.4, options{objects.NotReady(120)}, seen{readiness.StatusNotReady, 60.4}},
			{130.4, options{objects.Ready(130)}, seen{readiness.StatusReady, 130.4}},
		},
		"a node that returns with a stamp from before its failure is ready since it was seen": {
			{0, nil, seen{readiness.StatusReady, -3590}},
			{60.4, options{objects.ReadyUnknown(60)}, seen{readiness.StatusUnreachable, 60.4}},
			{120.4, options{objects.Ready(-3590)}, seen{readiness.StatusReady, 120.4}},
		},
		"a failure that a relist brings is dated by its stamp": {{0, nil, seen{readiness.StatusReady, -3590}}, {600, options{objects.ReadyUnknown(60), objects.Late()}, seen{readiness.StatusUnreachable, 60}}},
		"a failure that a relist brings cannot be older than the recovery before it": {
			{0, options{objects.NotReady(-60)}, seen{readiness.StatusNotReady, -60}},
			{300, options{objects.Ready(299)}, seen{readiness.StatusReady, 300}},
			{600, options{objects.NotReady(200), objects.Late()}, seen{readiness.StatusNotReady, 600}},
		},
		"a Ready condition that goes away is a failure of a node that was Ready": {{0, nil, seen{readiness.StatusReady, -3590}}, {60, options{objects.WithoutConditions()}, seen{readiness.StatusNotReady, 60}}},
		"a new node is never_ready until it is Ready, whatever its condition says": {
			{0.2, options{objects.Created(0), objects.WithoutConditions()}, seen{readiness.StatusNeverReady, 0}},
			{0.4, options{objects.Created(0), objects.NotReady(0)}, seen{readiness.StatusNeverReady, 0}},
			{60.2, options{objects.Created(0), objects.ReadyUnknown(60)}, seen{readiness.StatusNeverReady, 0}},
			{70.2, options{objects.Created(0), objects.NotReady(70)}, seen{readiness.StatusNeverReady, 0}},
			{80.2, options{objects.Created(0), objects.Ready(80)}, seen{readiness.StatusReady, 80.2}},
			{90.2, options{objects.Created(0), objects.NotReady(90)}, seen{readiness.StatusNotReady, 90.2}},
		},
		"a clock that is set back dates a change by what it says": {
			{100, options{objects.ReadyUnknown(60)}, seen{readiness.StatusUnreachable, 60}},
			{50, options{objects.Ready(99)}, seen{readiness.StatusReady, 50}},
			{55, options{objects.NotReady(54)}, seen{readiness.StatusNotReady, 55}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var n *readiness.Node
			for i, step := range steps {
				if i == 0 {
					n = readiness.NewNode(node(step.node...), rules(), true, objects.At(step.at))
				} else {
					n.Update(node(step.node...), rules(), objects.At(step.at))
				}
				check.Equal(t, look(n), step.want, "step", i, step.at, "s after noon")
			}
		})
	}
}

func TestTransitions(t *testing.T) {
	t.Parallel()
	n := readiness.NewNode(node(), rules(), true, objects.At(0))
	for _, step := range []struct {
		name string
		at   float64
		node options
		want readiness.Transition
	}{
		{"a change of a label is no transition", 30, options{objects.Cordoned()}, readiness.Transition{From: readiness.StatusReady, To: readiness.StatusReady, At: objects.At(30), Failure: readiness.StatusReady}},
		{
			"a failure is a transition from ready", 60,
			options{objects.ReadyUnknown(60)},
			readiness.Transition{From: readiness.StatusReady, To: readiness.StatusUnreachable, At: objects.At(60), Failure: readiness.StatusReady, Silenced: true},
		},
		{
			"a failed node may change from one status to another", 100,
			options{objects.NotReady(100)},
			readiness.Transition{From: readiness.StatusUnreachable, To: readiness.StatusNotReady, At: objects.At(100), Failure: readiness.StatusUnreachable},
		},
		{
			"it is silenced once, however often it becomes unreachable", 120,
			options{objects.ReadyUnknown(120)},
			readiness.Transition{From: readiness.StatusNotReady, To: readiness.StatusUnreachable, At: objects.At(120), Failure: readiness.StatusUnreachable},
		},
		{
			"a return tells how long the outage was and how it began", 160,
			options{objects.Ready(160)},
			readiness.Transition{From: readiness.StatusUnreachable, To: readiness.StatusReady, At: objects.At(160), Outage: 100 * time.Second, Failure: readiness.StatusUnreachable},
		},
	} {
		t.Run(step.name, func(t *testing.T) { // one after the other
			got := n.Update(node(step.node...), rules(), objects.At(step.at))
			if step.want.To != readiness.StatusReady || step.want.From == readiness.StatusReady {
				// Outage means nothing but on a return, Failure nothing while Ready.
				got.Outage = 0
				got.Failure = step.want.Failure
			}
			check.Equal(t, got, step.want)
		})
	}
}

func TestStatusNames(t *testing.T) {
	t.Parallel()
	var got []string
	for status := range readiness.Statuses {
		got = append(got, status.String())
	}
	check.Equal(t, got, []string{"ready", "not_ready", "unreachable", "never_ready"})
}
