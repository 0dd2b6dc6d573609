package rescheduling_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// label returns the label's values in their order.
func label[T interface {
	~uint8
	String() string
}](end T) (values []string) {
	for value := range end {
		values = append(values, value.String())
	}
	return values
}

// At 10 s the cell needs a pod, at 25 s one works. Whether those that are lost are
// removed in between makes no difference.
func TestTrigger(t *testing.T) {
	t.Parallel()
	second := objects.Revision("second", 2)
	withoutStart := objects.Change(func(p *corev1.Pod) { p.Status.StartTime = nil })
	newNodeAt := func(at float64) edit {
		return all(vanished("a-1"), expected(true), newNode(at), because(rescheduling.EventNodeAdded))
	}
	for name, test := range map[string]struct {
		at5, at10 edit
		// successor is what is different about the pod that works in the end.
		successor []objects.Option
		want      string
	}{
		"deleted":                                   {pod("a-1", objects.Terminating(5, 30)), pod("a-1", objects.Finished(0, 10)), nil, "pod_deleted"},
		"deleted, with exit code":                   {pod("a-1", objects.Terminating(5, 30)), pod("a-1", objects.Finished(143, 10)), nil, "pod_deleted"},
		"deleted by force":                          {timePasses, gone("a-1"), nil, "pod_deleted"},
		"gone, and nobody knows which":              {timePasses, vanished("a-1"), nil, "pod_deleted"},
		"deleted in crash back-off":                 {pod("a-1", objects.Restarted(1, 3, "Error", 5), objects.CrashLooping(5)), pod("a-1", objects.Terminating(10, 30)), nil, "pod_deleted"},
		"evicted through the API":                   {pod("a-1", objects.Disrupted("EvictionByEvictionAPI", 5), objects.Terminating(5, 30)), pod("a-1", objects.Finished(0, 10)), nil, "pod_evicted"},
		"evicted by node pressure":                  {timePasses, pod("a-1", objects.Disrupted("TerminationByKubelet", 10), objects.Finished(137, 10), objects.Evicted()), nil, "pod_evicted"},
		"evicted, and only the status says so":      {timePasses, pod("a-1", objects.Finished(137, 10), objects.Evicted()), nil, "pod_evicted"},
		"preempted":                                 {pod("a-1", objects.Disrupted("PreemptionByScheduler", 5), objects.Terminating(5, 30)), pod("a-1", objects.Finished(0, 10)), nil, "pod_evicted"},
		"evicted, and followed by another revision": {timePasses, pod("a-1", objects.Finished(137, 10), objects.Evicted()), []objects.Option{second}, "pod_evicted"},
		"failed":            {timePasses, pod("a-1", objects.Finished(1, 10)), nil, "pod_failed"},
		"an older revision": {all(template, pod("a-1", objects.Terminating(5, 30))), pod("a-1", objects.Finished(0, 10)), nil, "rollout"},
		"an older revision, which shows in the successor":             {pod("a-1", objects.Terminating(5, 30)), pod("a-1", objects.Finished(0, 10)), []objects.Option{second}, "pod_deleted, then rollout"},
		"an older revision, with a new pod that was surged beside it": {all(template, pod("a-2"), pod("a-1", objects.Terminating(5, 30))), pod("a-1", objects.Finished(0, 10)), nil, "rollout"},
		"surged in the place of one that was not Ready":               {all(template, pod("a-1", objects.Started(4)), pod("a-2")), pod("a-1", objects.Terminating(10, 30)), nil, "rollout"},
		"surged, and not bound yet":                                   {all(template, pod("a-2", objects.Unbound())), gone("a-1"), []objects.Option{objects.On("a")}, "rollout"},
		"surged, and not taken by its kubelet":                        {all(template, pod("a-2", objects.NotReady(5), withoutStart)), gone("a-1"), nil, "rollout"},
		"beside a pod that has not been Ready since the node came back": {
			all(readySince(4), pod("a-2", objects.Created(-60), objects.StartTime(-60), objects.NotReady(3))), gone("a-1"), nil, "pod_deleted",
		},
		"of two pods that are lost the later: the one that is gone":        {pod("a-2", objects.Finished(1, 5)), all(gone("a-1"), pod("a-2", objects.Created(-7100))), nil, "pod_deleted"},
		"of two pods that are lost the later: the one that is still there": {pod("a-2", objects.Finished(1, 5)), gone("a-1"), nil, "pod_failed"},
		"of two pods that are still there the later":                       {pod("a-2", objects.Finished(1, 5)), pod("a-1", objects.Terminating(8, 30), objects.Finished(0, 10)), nil, "pod_failed"},
		"a node that turned Ready":                                         {all(node(readiness.StatusUnreachable), pod("a-1", objects.Started(5))), node(readiness.StatusReady), nil, "node_recovered"},
		"a node that turned Ready, with a pod that was deleted while it was away": {
			all(node(readiness.StatusNotReady), pod("a-1", objects.Started(5), objects.Terminating(5, 30))), node(readiness.StatusReady), nil, "node_recovered",
		},
		"a node that is new":                    {all(newNodeAt(5), node(readiness.StatusNeverReady)), node(readiness.StatusReady), nil, "node_added"},
		"a node that is new, and Ready at once": {expected(false), newNodeAt(10), nil, "node_added"},
		"a label that the node did not have":    {all(expected(false), vanished("a-1")), all(expected(true), because(rescheduling.EventNodeChanged)), nil, "node_eligible"},
		"a label that is asked for no more":     {all(expected(false), vanished("a-1")), all(expected(true), because(rescheduling.EventDaemonSetChanged)), nil, "node_eligible"},
		"a label of a node that was not Ready":  {all(expected(false), node(readiness.StatusNotReady), vanished("a-1")), all(expected(true), node(readiness.StatusReady)), nil, "node_eligible"},
		"a DaemonSet that is new":               {all(expected(false), vanished("a-1")), all(expected(true), because(rescheduling.EventDaemonSetCreated)), nil, "daemonset_created"},
		"a DaemonSet that is new on a lost node": {
			all(expected(false), pod("a-1", objects.Started(5))), all(expected(true), because(rescheduling.EventDaemonSetCreated)), nil, "daemonset_created",
		},
	} {
		t.Run(name, func(t *testing.T) {
			pending, want, changes := strings.Cut(test.want, ", then ")
			if !changes {
				want = pending
			}
			for _, meanwhile := range []edit{timePasses, removed} {
				c := newCell()
				c.step(5, test.at5)
				check.Equal(t, c.step(10, test.at10), pending+" pending", "at 10 s")
				c.step(12, meanwhile)
				check.Equal(t, total(c.step(25, working(test.successor...))), want+" 15s", "at 25 s")
			}
		})
	}
	t.Run("names", func(t *testing.T) {
		want := []string{"node_added", "node_recovered", "node_eligible", "pod_deleted", "pod_evicted", "pod_failed", "rollout", "daemonset_created"}
		check.Equal(t, label(rescheduling.Triggers), want)
	})
}

// The trigger is the last thing that made the pod needed. What happens to a pod that
// does not work yet makes none needed.
func TestTriggerLast(t *testing.T) {
	t.Parallel()
	first, second, third := objects.Revision("first", 3), objects.Revision("second", 2), objects.Revision("third", 3)
	ready, unreachable := node(readiness.StatusReady), node(readiness.StatusUnreachable)
	deletion := edit(func(c *cell) { pod("a-1", objects.Terminating(c.now, 30), objects.Finished(0, c.now))(c) })
	eviction := edit(func(c *cell) { pod("a-1", objects.Finished(137, c.now), objects.Evicted())(c) })
	heldBack := func(is bool) edit {
		return func(c *cell) { c.HeldBack, c.ChangedAt = is, objects.At(c.now) }
	}
	for name, test := range map[string]struct {
		events []edit // one each second, from 10 s on
		want   string
	}{
		"a failed rollout that is rolled back": {[]edit{
			template, deletion, pod("a-2", second, objects.Waiting("ErrImagePull", 12)), removed,
			template, pod("a-2", objects.Terminating(15, 30)), gone("a-2"), pod("a-3", first), working(),
		}, "rollout 7s"},
		"before a pod of its revision was made": {[]edit{template, deletion, template, removed, pod("a-3", first), working()}, "rollout 4s"},
		"and the loss came by the watch before the template": {[]edit{
			deletion, template, removed, pod("a-2", second), template, pod("a-2", objects.Terminating(15, 30)), gone("a-2"), pod("a-3", first), working(),
		}, "rollout 8s"},
		"a rollout that is followed by another": {[]edit{
			template, deletion, pod("a-2", second), template, pod("a-2", objects.Terminating(14, 0)), gone("a-2"), pod("a-3", third), working(),
		}, "rollout 6s"},
		"a successor that is deleted before it works": {[]edit{deletion, removed, pod("a-2"), pod("a-2", objects.Terminating(13, 0)), gone("a-2"), pod("a-3"), working()}, "pod_deleted 6s"},
		"a successor that is evicted before it works": {[]edit{deletion, removed, pod("a-2"), pod("a-2", objects.Finished(1, 13), objects.Evicted()), pod("a-3"), working()}, "pod_deleted 5s"},
		"one pod after the other is evicted":          {[]edit{eviction, removed, pod("a-2"), pod("a-2", objects.Finished(1, 13), objects.Evicted()), pod("a-3"), working()}, "pod_evicted 5s"},
		"a node that fails and returns meanwhile":     {[]edit{deletion, removed, pod("a-2"), unreachable, timePasses, ready, working()}, "node_recovered 4s"},
		"in a rollout, too":                           {[]edit{template, deletion, removed, pod("a-2", second), unreachable, ready, working()}, "node_recovered 4s"},
		"a pod that came back while it was away":      {[]edit{deletion, removed, pod("a-2"), unreachable, working(), ready}, "pod_deleted 3s"},
		"a node that fails and is deleted from":       {[]edit{unreachable, deletion, removed, ready, pod("a-2"), working()}, "node_recovered 2s"},
		"a condition taint that comes and goes":       {[]edit{deletion, all(removed, heldBack(true)), timePasses, heldBack(false), pod("a-2"), working()}, "node_eligible 3s"},
		"a pod that is deleted once it worked":        {[]edit{unreachable, pod("a-1", objects.NotReady(11)), ready, working(), deletion, removed, pod("a-2"), working()}, "pod_deleted 3s"},
	} {
		t.Run(name, func(t *testing.T) {
			c, got := newCell(), ""
			for i, event := range test.events {
				c.WasHeldBack = c.HeldBack
				got = total(c.step(float64(10+i), event))
			}
			check.Equal(t, got, test.want)
		})
	}
}

// A pod may work again in place, or works all the time.
func TestTriggerNone(t *testing.T) {
	t.Parallel()
	long := []objects.Option{objects.Created(-6000), objects.StartTime(-6000)}
	beside := func(options ...objects.Option) edit { return pod("a-2", append(long, options...)...) }
	for name, events := range map[string][]edit{
		"a pod that loses and regains Ready":                    {pod("a-1", objects.Started(10)), working()},
		"a pod that loses Ready in the second of its start":     {pod("a-1", objects.Created(10), objects.StartTime(10), objects.Ready(10)), pod("a-1", objects.NotReady(10))},
		"a pod whose node turns Ready while it is available":    {node(readiness.StatusUnreachable), node(readiness.StatusReady)},
		"a node that fails":                                     {all(node(readiness.StatusNotReady), pod("a-1", objects.Started(10)))},
		"a pod that is deleted where none is expected":          {expected(false), gone("a-1")},
		"a pod that is deleted on a node that is not Ready":     {node(readiness.StatusUnreachable), gone("a-1")},
		"minReadySeconds that are raised":                       {all(daemonSet(objects.MinReadySeconds(30)), pod("a-1", objects.NotReady(0)), pod("a-1", objects.Ready(0)))},
		"a rollout that surges":                                 {all(template, pod("a-2")), pod("a-2", objects.Ready(15)), pod("a-1", objects.Terminating(15, 30)), pod("a-1", objects.Finished(0, 17)), gone("a-1")},
		"a second pod that lost Ready, and may regain it":       {beside(objects.Ready(-5990), objects.NotReady(5)), gone("a-1")},
		"a second pod that flaps, and waits to be available":    {all(daemonSet(objects.MinReadySeconds(60)), beside(objects.Ready(5))), gone("a-1")},
		"a second pod that is left when one fails":              {beside(objects.NotReady(5)), pod("a-1", objects.Finished(1, 10))},
		"time that passes on a cell that lost Ready long since": {pod("a-1", objects.Started(10)), timePasses},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCell()
			for i, event := range events {
				check.Equal(t, c.step(float64(10+i), event), "", "event", i)
			}
		})
	}
}

// The exporter starts at 62 s; at 100 s a pod works.
func TestTriggerAtStart(t *testing.T) {
	t.Parallel()
	minReady := daemonSet(objects.MinReadySeconds(38))
	for name, test := range map[string]struct {
		found edit
		want  string
	}{
		"after its node came back":                           {all(readySince(60), pod("a-1", objects.Started(10))), "node_recovered 40s"},
		"after its node came back, with the stamp from then": {all(readySince(60), pod("a-1", objects.Started(60))), "node_recovered 40s"},
		"after its node came back, with minReadySeconds":     {all(readySince(60), minReady, pod("a-1", objects.NotReady(61)), pod("a-1", objects.Ready(61))), "node_recovered 40s"},
		"after its node turned Ready for the first time":     {all(newNode(20), readySince(60), vanished("a-1"), pod("a-2", objects.JustCreated(20))), "node_added 40s"},
		"its pod was deleted before its node came back":      {all(readySince(60), pod("a-1", objects.Terminating(10, 30), objects.Finished(0, 12))), "node_recovered 40s"},
		"the successor is starting":                          {all(vanished("a-1"), pod("a-2", objects.JustCreated(12))), "pod_deleted 88s"},
		"the successor is starting since the node came back": {all(readySince(8), vanished("a-1"), pod("a-2", objects.JustCreated(12))), "node_recovered 88s"},
		"the successor is starting long after that":          {all(readySince(-50), vanished("a-1"), pod("a-2", objects.JustCreated(12))), "pod_deleted 88s"},
		"the pod of a new node is starting":                  {all(newNode(5), vanished("a-1"), pod("a-2", objects.JustCreated(12))), "node_added 88s"},
		"the pod of a node that was long in turning Ready":   {all(newNode(-600), readySince(5), vanished("a-1"), pod("a-2", objects.JustCreated(12))), "node_added 88s"},
		"the pod of a new node was made before that was Ready": {
			all(newNode(5), readySince(60), vanished("a-1"), pod("a-2", objects.Created(20), objects.StartTime(61), objects.Starting(61))), "node_added 40s",
		},
		"the pod of a new DaemonSet is starting":                   {all(daemonSet(objects.Created(0)), vanished("a-1"), pod("a-2", objects.JustCreated(12))), "daemonset_created 88s"},
		"the DaemonSet's clock is a second ahead":                  {all(daemonSet(objects.Created(13)), vanished("a-1"), pod("a-2", objects.JustCreated(12))), "daemonset_created 88s"},
		"the DaemonSet was created after the pod":                  {all(daemonSet(objects.Created(14)), vanished("a-1"), pod("a-2", objects.JustCreated(12))), "pod_deleted 88s"},
		"the pod's clock is ahead":                                 {all(vanished("a-1"), pod("a-2", objects.JustCreated(80))), "pod_deleted 38s"},
		"of two pods that are starting the older":                  {all(vanished("a-1"), pod("a-3", objects.JustCreated(40)), pod("a-2", objects.JustCreated(30))), "pod_deleted 70s"},
		"the pod is on its way out":                                {pod("a-1", objects.Terminating(10, 300), objects.Finished(0, 12)), "pod_deleted 88s"},
		"the pod lost Ready before it was deleted":                 {pod("a-1", objects.Started(5), objects.Terminating(10, 300)), "pod_deleted 90s"},
		"the pod of an older revision is on its way out":           {all(template, pod("a-1", objects.Terminating(10, 300), objects.Finished(0, 12))), "rollout 88s"},
		"the pod is collected, and still Ready":                    {pod("a-1", objects.Phase(corev1.PodFailed), objects.Terminating(20, 0)), "pod_deleted 80s"},
		"the pod has failed":                                       {pod("a-1", objects.Finished(1, 30)), "pod_failed 70s"},
		"the pod has failed, and is held while it is cleaned up":   {pod("a-1", objects.Finished(1, 30), objects.Terminating(45, 0)), "pod_failed 70s"},
		"the pod was rejected, and is held while it is cleaned up": {all(vanished("a-1"), pod("a-2", objects.Created(30), objects.WithoutConditions(), objects.Change(func(p *corev1.Pod) { p.Status.ContainerStatuses = nil }), objects.Phase(corev1.PodFailed), objects.Terminating(30, 0))), "pod_failed 70s"},
		"the pod was deleted, and has failed since":                {pod("a-1", objects.Terminating(10, 300), objects.Finished(143, 12)), "pod_deleted 88s"},
		"the pod was deleted, and is held by a finalizer":          {pod("a-1", objects.Finished(0, 12), objects.Terminating(13, 0)), "pod_deleted 87s"},
		"the pod was rejected by its kubelet":                      {all(vanished("a-1"), pod("a-2", objects.Created(30), objects.WithoutConditions(), objects.Phase(corev1.PodFailed))), "pod_failed 70s"},
		"there is no pod":                                          {vanished("a-1"), "pod_deleted 38s"},
		"there is no pod since the node came back":                 {all(readySince(30), vanished("a-1")), "node_recovered 38s"},
		"there is no pod on a new node":                            {all(newNode(30), vanished("a-1")), "node_added 38s"},
		"there is no pod of a new DaemonSet":                       {all(daemonSet(objects.Created(40)), vanished("a-1")), "daemonset_created 38s"},
		"the pod may regain Ready":                                 {pod("a-1", objects.Started(10)), ""},
		"the pod flaps, and waits to be available":                 {all(minReady, pod("a-1", objects.NotReady(0)), pod("a-1", objects.Ready(40))), ""},
		"the pod flaps, long after its node came back":             {all(readySince(-100), minReady, pod("a-1", objects.NotReady(0)), pod("a-1", objects.Ready(40))), ""},
		"the pod is Ready since before its node came back":         {all(readySince(60), minReady, pod("a-1", objects.NotReady(0)), pod("a-1", objects.Ready(40))), ""},
		"the pod is available":                                     {timePasses, ""},
		"the node is not Ready":                                    {all(node(readiness.StatusUnreachable), vanished("a-1")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCell()
			trigger, _, _ := strings.Cut(test.want, " ")
			if got := c.step(62, all(test.found, started)); strings.TrimSuffix(got, " pending") != trigger {
				t.Errorf("at 62 s: %q, want %s", got, trigger)
			}
			check.Equal(t, total(c.step(100, working())), test.want, "at 100 s")
		})
	}
}
