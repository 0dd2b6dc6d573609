package rescheduling

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Tracker follows the reschedulings of all cells.
type Tracker struct {
	recorder Recorder
	episodes map[coverage.Key]*rescheduling
	pending  map[Pending]int
}

// Pending is what open episodes are counted by.
type Pending struct {
	DaemonSet slim.UID
	Trigger   Trigger
}

// NewTracker makes a Tracker without episodes.
func NewTracker(recorder Recorder) *Tracker {
	return &Tracker{
		recorder: recorder,
		episodes: map[coverage.Key]*rescheduling{},
		pending:  map[Pending]int{},
	}
}

// Pending is how many episodes of a DaemonSet wait on a Ready node. Those whose
// node has failed again wait for the node.
func (t *Tracker) Pending(ds slim.UID, trigger Trigger) int {
	return t.pending[Pending{ds, trigger}]
}

// Open is how many episodes are kept, waiting for a pod or for their node.
func (t *Tracker) Open() int { return len(t.episodes) }

// CellSettled follows coverage.Observer. An episode ends in one of two ways: a
// pod is available on the Ready node, and it is recorded; or the cell is no
// longer expected, and it is dropped.
func (t *Tracker) CellSettled(change *coverage.Change, now time.Time) {
	key := change.Key()
	e := t.episodes[key]
	if e != nil {
		t.count(key, e, -1)
		if removed := change.Removed(); removed != nil {
			e.forget(removed.UID)
		}
	}
	switch {
	case !change.Expected():
		delete(t.episodes, key)
	case change.Reason() == coverage.ReasonNone:
		if e != nil {
			t.complete(e, change, now)
			delete(t.episodes, key)
		}
	case change.Node().Status() != readiness.StatusReady:
		if e != nil {
			e.pause(change.ChangedAt())
		}
	default:
		t.wait(key, e, change, now)
	}
}

// wait follows a cell on a Ready node that lacks an available pod.
func (t *Tracker) wait(key coverage.Key, e *rescheduling, change *coverage.Change, now time.Time) {
	if e == nil {
		if e = begin(change, now); e == nil {
			return
		}
		t.episodes[key] = e
	}
	e.resume(change.Node().Since())
	for pod := range change.Pods() {
		if live(pod) {
			e.follow(pod, now)
		}
	}
	t.count(key, e, 1)
}

func (t *Tracker) count(key coverage.Key, e *rescheduling, sign int) {
	if e.resumed.IsZero() {
		return
	}
	pending := Pending{key.DaemonSet, e.trigger}
	if t.pending[pending] += sign; t.pending[pending] == 0 {
		delete(t.pending, pending)
	}
}

// complete records an episode whose pod is available.
func (t *Tracker) complete(e *rescheduling, change *coverage.Change, now time.Time) {
	pod := working(change, now)
	if pod == nil {
		return
	}
	total := e.total(change.ChangedAt())
	stages := e.follow(pod, now).stages(total)
	t.recorder.Rescheduled(change.DaemonSet(), e.settled(pod), stages)
}

// working is the pod that covers the cell.
func working(change *coverage.Change, now time.Time) *slim.Pod {
	for pod := range change.Pods() {
		if coverage.Available(pod, change.DaemonSet().MinReadySeconds, now) {
			return pod
		}
	}
	return nil
}

// live tells that a pod may still come to work.
func live(pod *slim.Pod) bool { return pod.DeletionTimestamp.IsZero() && !pod.Terminal() }
