package rescheduling_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// The Node is not Ready since 12 s; Ready again since 40 s; deleted.
var (
	lost     = rescheduling.TerminationNode{StatusSince: objects.At(12)}
	back     = rescheduling.TerminationNode{Ready: true, StatusSince: objects.At(40)}
	nodeGone = rescheduling.TerminationNode{Gone: true}
)

// version is a version of a Pod or its Node, and when it is seen.
type version struct {
	at    float64
	pod   []objects.Option
	first bool // the versions before it were not seen
	node  *rescheduling.TerminationNode
}

// versions are what is seen of a Pod.
type versions []version

func is(at float64, options ...objects.Option) version { return version{at: at, pod: options} }

// asked is the version in which the deletion is requested.
func asked(at float64, grace int64, options ...objects.Option) version {
	return is(at, append([]objects.Option{objects.Terminating(at, grace)}, options...)...)
}

// finished is the version in which all containers have ended, the first with a code.
func finished(at float64, code int32, options ...objects.Option) version {
	return is(at, append([]objects.Option{objects.Finished(code, at)}, options...)...)
}

func first(at float64, options ...objects.Option) version {
	return version{at: at, pod: options, first: true}
}

func nodeIs(at float64, node rescheduling.TerminationNode) version {
	return version{at: at, node: &node}
}

// terminating is the Pod a-1 on the Node a, and what is remembered of its end.
type terminating struct {
	*rescheduling.Termination
	pod  *corev1.Pod
	node rescheduling.TerminationNode
	// skew is how many seconds the kubelet's clock is ahead.
	skew int64
}

// skewed is the Pod with the stamps of its kubelet's clock.
func (t *terminating) skewed() *slim.Pod {
	pod := t.pod.DeepCopy()
	shift := func(stamp *metav1.Time) {
		if !stamp.IsZero() {
			*stamp = metav1.NewTime(stamp.Add(time.Duration(t.skew) * time.Second))
		}
	}
	for i := range pod.Status.Conditions {
		shift(&pod.Status.Conditions[i].LastTransitionTime)
	}
	for i := range pod.Status.ContainerStatuses {
		state := &pod.Status.ContainerStatuses[i].State
		if state.Terminated != nil {
			shift(&state.Terminated.FinishedAt)
		}
		if state.Running != nil {
			shift(&state.Running.StartedAt)
		}
	}
	return slim.FromPod(pod)
}

func newTerminating() *terminating {
	return &terminating{
		pod:  objects.PodOf("agent", "a"),
		node: rescheduling.TerminationNode{Ready: true, StatusSince: objects.At(-8990)},
	}
}

// see takes the next version, as package state does, and returns the state.
func (t *terminating) see(next version) string {
	now := objects.At(next.at)
	if next.node != nil {
		t.node = *next.node
	} else {
		before := t.skewed()
		if next.first {
			before = nil
		}
		t.pod = objects.Updated(t.pod, next.pod...)
		switch pod := t.skewed(); {
		case t.Termination != nil:
			t.Update(pod, now)
		case pod.Terminating():
			t.Termination = rescheduling.NewTermination(before, pod, t.node, pod.Late, now)
		}
	}
	if t.Termination == nil {
		return ""
	}
	return t.State(t.node, now).String()
}

// end is the outcome and the duration of the Pod's removal in its last version.
func (t *terminating) end(at float64, pod *slim.Pod) string {
	outcome, duration, measured := t.End(pod, objects.At(at))
	if !measured {
		return outcome.String()
	}
	return fmt.Sprintf("%s %vs", outcome, duration.Seconds())
}

func TestState(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		versions versions
		want     string
	}{
		"before the deletion was requested":                {versions{is(5)}, ""},
		"deletionTimestamp is the end of the grace period": {versions{asked(10, 30), is(39.9)}, "within_grace"},
		"that is over":          {versions{asked(10, 30), is(40)}, "overdue"},
		"the node is not Ready": {versions{asked(10, 30), nodeIs(12, lost)}, "node_lost"},
		"the node is not Ready, and the grace period is over": {versions{asked(10, 30), nodeIs(42, lost)}, "node_lost"},
		"the node is back": {versions{asked(10, 30), nodeIs(12, lost), nodeIs(30, rescheduling.TerminationNode{Ready: true, StatusSince: objects.At(30)})}, "within_grace"},
		"the node is back, and the grace period is over":           {versions{asked(10, 30), nodeIs(12, lost), nodeIs(40, back)}, "overdue"},
		"the node is gone for ever":                                {versions{asked(10, 30), nodeIs(12, nodeGone)}, "node_lost"},
		"a grace period counts from the moment it was seen":        {versions{is(10.9, objects.Terminating(10, 5)), is(15.5)}, "within_grace"},
		"the first version was seen late":                          {versions{is(20, objects.Terminating(10, 30), objects.Late()), is(40)}, "overdue"},
		"a second request shortened the grace period":              {versions{asked(10, 30), is(12, objects.Terminating(10, 4)), is(14)}, "overdue"},
		"the kubelet's last version does not end it":               {versions{asked(10, 30), finished(14, 0, objects.Terminating(14, 0))}, "within_grace"},
		"a second request without any grace leaves no time at all": {versions{asked(10, 30), asked(12, 0)}, "overdue"},
	} {
		t.Run(name, func(t *testing.T) {
			p, got := newTerminating(), ""
			for _, version := range test.versions {
				got = p.see(version)
			}
			check.Equal(t, got, test.want)
		})
	}
	t.Run("the end of the grace period and the pod are known", func(t *testing.T) {
		p := newTerminating()
		p.see(asked(10, 30))
		if got := objects.Seconds(p.Deadline()); got != 40 || p.Pod().Name != "agent-a" {
			t.Errorf("%s until %v s, want agent-a until 40 s", p.Pod().Name, got)
		}
	})
	t.Run("names", func(t *testing.T) {
		check.Equal(t, label(rescheduling.States), []string{"within_grace", "overdue", "node_lost"})
	})
}
