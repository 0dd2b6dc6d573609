package rescheduling_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// cell is the cell of the DaemonSet agent on the Node a. It holds the last Change,
// and fills in what follows from an event as package state does: the reason, what
// it was before, and when it changed.
type cell struct {
	rescheduling.Change
	now     float64
	status  readiness.Status
	objects []*corev1.Pod
	open    *rescheduling.Rescheduling
	// twice delivers each Change a second time.
	twice bool
}

// newCell returns a cell that the Pod a-1 has covered since long before Noon.
func newCell() *cell {
	c := &cell{Change: rescheduling.Change{
		DaemonSet: slim.FromDaemonSet(objects.DaemonSet("agent")),
		Revision:  rollout.Revision{Hash: slim.Intern("first"), TemplateGeneration: 1},
		Node:      rescheduling.Node{Ready: true, CreatedAt: objects.At(-9000), StatusSince: objects.At(-8990)},
		Expected:  true,
		ChangedAt: objects.At(-6990),
	}}
	pod("a-1", objects.Created(-7000), objects.Scheduled(-7000), objects.StartTime(-7000), objects.Ready(-6990))(c)
	return c
}

// step takes the cell past one event. It returns the rescheduling that ended with
// it and its stages, "rollout 11s = 5+1+2+3", or the one that is open, "rollout
// pending" or "rollout paused", or nothing.
func (c *cell) step(at float64, event edit) string {
	before := c.Change
	c.now, c.Event, c.Removed = at, rescheduling.EventPodChanged, nil
	c.Was, c.WasExpected = c.Reason, c.Expected
	event(c)
	now := objects.At(at)
	c.Pods, c.Reason = nil, coverage.ReasonNone
	for _, pod := range c.objects {
		c.Pods = append(c.Pods, slim.FromPod(pod))
	}
	if c.Expected {
		c.Reason, _ = coverage.GapReason(c.status, false, c.Pods, c.DaemonSet.MinReadySeconds, now)
	}
	if (c.Reason != before.Reason || c.Expected != before.Expected) && c.ChangedAt.Equal(before.ChangedAt) {
		c.ChangedAt = now
	}
	next, result, finished := rescheduling.Step(c.open, &c.Change, now)
	if c.twice {
		var again bool
		if next, _, again = rescheduling.Step(next, &c.Change, now); again {
			return "finished again"
		}
	}
	switch c.open = next; {
	case finished:
		s := result.Stages
		return fmt.Sprintf("%s %vs = %v+%v+%v+%v", result.Trigger, result.Duration().Seconds(),
			s[rescheduling.StageCreate].Seconds(), s[rescheduling.StageSchedule].Seconds(),
			s[rescheduling.StageStart].Seconds(), s[rescheduling.StageReady].Seconds())
	case next == nil:
		return ""
	case next.Pending():
		return next.Trigger().String() + " pending"
	default:
		return next.Trigger().String() + " paused"
	}
}

// total leaves the stages out of what step returns.
func total(got string) string {
	got, _, _ = strings.Cut(got, " =")
	return got
}

// edit is an event: what is different from the Change before. It is one of a Pod
// unless it says otherwise.
type edit func(c *cell)

// all is several edits as one event.
func all(edits ...edit) edit {
	return func(c *cell) {
		for _, edit := range edits {
			edit(c)
		}
	}
}

// pod changes the Pod of this name. One that is new is just created, of the
// template's revision.
func pod(name string, options ...objects.Option) edit {
	return func(c *cell) {
		if i := c.index(name); i >= 0 {
			c.objects[i] = objects.Updated(c.objects[i], options...)
			return
		}
		hash := map[int64]string{1: "first", 2: "second"}[c.Revision.TemplateGeneration]
		created := []objects.Option{objects.Named(name), objects.JustCreated(c.now), objects.Revision(hash, int(c.Revision.TemplateGeneration))}
		c.objects = append(c.objects, objects.PodOf("agent", "a", append(created, options...)...))
	}
}

func (c *cell) index(name string) int {
	return slices.IndexFunc(c.objects, func(pod *corev1.Pod) bool { return pod.Name == name })
}

func gone(name string) edit {
	return func(c *cell) {
		i := c.index(name)
		c.Removed = slim.FromPod(c.objects[i])
		c.objects = slices.Delete(c.objects, i, i+1)
	}
}

// removed is that the Pods that are on their way out are gone.
func removed(c *cell) {
	for _, pod := range slices.Clone(c.objects) {
		if !slim.FromPod(pod).Active() {
			gone(pod.Name)(c)
		}
	}
}

// vanished is gone without an event that says so.
func vanished(name string) edit {
	return func(c *cell) {
		gone(name)(c)
		c.Removed = nil
	}
}

// working makes the Pod that is to come Ready: the first that is active or, where
// there is none, a-9.
func working(options ...objects.Option) edit {
	return func(c *cell) {
		name := "a-9"
		for _, pod := range slices.Backward(c.objects) {
			if slim.FromPod(pod).Active() {
				name = pod.Name
			}
		}
		pod(name, append(options, objects.Ready(c.now))...)(c)
	}
}

func because(event rescheduling.Event) edit { return func(c *cell) { c.Event = event } }

func timePasses(c *cell) { c.Event = rescheduling.EventTimePassed }

// node changes the Node's status now.
func node(status readiness.Status) edit {
	return func(c *cell) {
		c.Event = rescheduling.EventNodeChanged
		if ready := status == readiness.StatusReady; ready != c.Node.Ready {
			c.Node.Ready, c.Node.StatusSince = ready, objects.At(c.now)
		}
		c.status = status
	}
}

// readySince says since when the Node is Ready.
func readySince(at float64) edit { return func(c *cell) { c.Node.StatusSince = objects.At(at) } }

// newNode makes the Node a new one, which is Ready since the same moment.
func newNode(at float64) edit {
	return func(c *cell) {
		c.Node = rescheduling.Node{Ready: true, Joining: true, CreatedAt: objects.At(at), StatusSince: objects.At(at)}
	}
}

// daemonSet replaces the DaemonSet.
func daemonSet(options ...objects.Option) edit {
	return func(c *cell) { c.DaemonSet = slim.FromDaemonSet(objects.DaemonSet("agent", options...)) }
}

// template changes the template: what the hash of its revision is shows later.
func template(c *cell) {
	c.Revision = rollout.Revision{TemplateGeneration: c.Revision.TemplateGeneration + 1}
}

// expected says whether the cell is expected.
func expected(is bool) edit { return func(c *cell) { c.Expected = is } }

// dated says when the cell came to its state, if that is not now.
func dated(at float64) edit { return func(c *cell) { c.ChangedAt = objects.At(at) } }

func undated(c *cell) { c.ChangedAt = time.Time{} }

// started is the event in which the exporter finds the cell as it is.
func started(c *cell) { c.Event, c.WasExpected = rescheduling.EventStarted, false }
