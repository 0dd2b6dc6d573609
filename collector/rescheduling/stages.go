package rescheduling

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Stage is a part of a rescheduling.
type Stage uint8

// The stages, in their order. Stages is their number.
const (
	// StageCreate: until the pod that came to work was created.
	StageCreate Stage = iota
	// StageSchedule: until it was bound.
	StageSchedule
	// StageStart: until its containers had started.
	StageStart
	// StageReady: until it was available.
	StageReady
	Stages
)

var stageNames = [Stages]string{"create", "schedule", "start", "ready"}

// String returns the value of the label stage.
func (s Stage) String() string { return stageNames[s] }

// Rescheduling is one rescheduling of one cell. Its clock runs only while the node
// is Ready and its controller makes pods for it.
type Rescheduling struct {
	trigger Trigger
	// replaced is the revision of the pod whose loss made the pod needed, if one did.
	replaced slim.Text
	lost     bool
	// returnedAt is when the node turned Ready, needed whether a pod was needed before
	// that, and before why.
	returnedAt time.Time
	needed     bool
	before     Trigger
	// resumed is when the clock began to run; zero while it stands still.
	resumed time.Time
	// elapsed is what the clock had run by then.
	elapsed time.Duration
	pods    []candidate
}

// candidate is a pod that may come to work.
type candidate struct {
	uid slim.UID
	// reached is what the clock showed at the end of each stage that is done.
	reached [StageReady]time.Duration
	done    [StageReady]bool
}

// Result is a finished rescheduling. The stages add up to its duration, which is
// negative where clocks disagree.
type Result struct {
	Trigger Trigger
	Stages  [Stages]time.Duration
}

// Duration returns how long the rescheduling took.
func (r *Result) Duration() time.Duration {
	total := time.Duration(0)
	for _, duration := range r.Stages {
		total += duration
	}
	return total
}

// Step updates a cell's open rescheduling, nil for none, by a change of the cell. It
// returns the one that is open afterwards, nil for none. A rescheduling ends in one
// of two ways: a pod is available on the Ready node, then finished holds and result
// is valid; or none was needed, or the cell is no longer expected, and nothing is
// reported.
func Step(open *Rescheduling, change *Change, now time.Time) (next *Rescheduling, result Result, finished bool) {
	if open != nil && change.Removed != nil {
		open.forget(change.Removed.UID)
	}
	switch {
	case !change.Expected:
		return nil, Result{}, false
	case change.Reason == coverage.ReasonNone:
		if open == nil {
			return nil, Result{}, false
		}
		result, finished = open.finish(change, now)
		return nil, result, finished
	case !change.Node.Ready || change.HeldBack:
		if open != nil && open.pause(change.ChangedAt) {
			return nil, Result{}, false
		}
		return open, Result{}, false
	case open == nil:
		if open = begin(change, now); open == nil {
			return nil, Result{}, false
		}
	case !open.Pending():
		open.returned(change)
	}
	if change.WasHeldBack {
		open.resume(change.ChangedAt)
	} else {
		open.resume(change.Node.StatusSince)
	}
	for _, pod := range change.Pods {
		if pod.Active() {
			open.succeeded(pod)
			open.follow(pod, change.late(pod), now)
		}
	}
	return open, Result{}, false
}

// Trigger returns why the pod was needed, as far as that is known.
func (r *Rescheduling) Trigger() Trigger { return r.trigger }

// Pending reports whether a pod is needed on a Ready node now. A rescheduling whose
// node has failed again waits for the node.
func (r *Rescheduling) Pending() bool { return !r.resumed.IsZero() }

// finish returns the result for a cell that is covered.
func (r *Rescheduling) finish(change *Change, now time.Time) (Result, bool) {
	pod := availablePod(change, now)
	if pod == nil {
		return Result{}, false
	}
	r.succeeded(pod)
	if r.cameBack(pod, change) {
		if !r.needed {
			return Result{}, false
		}
		r.trigger = r.before
	}
	total := r.total(change.ChangedAt)
	return Result{Trigger: r.trigger, Stages: r.follow(pod, change.late(pod), now).stages(total)}, true
}

// cameBack reports whether a pod came back with its node, whose return then made none
// needed. Which of the two the watches tell first means nothing.
func (r *Rescheduling) cameBack(pod *slim.Pod, change *Change) bool {
	return !r.returnedAt.IsZero() && change.ChangedAt.Sub(r.returnedAt).Abs() < together &&
		!pod.CreationTimestamp.Time().After(r.returnedAt)
}

func availablePod(change *Change, now time.Time) *slim.Pod {
	for _, pod := range change.Pods {
		if pod.Available(change.DaemonSet.MinReadySeconds, now) {
			return pod
		}
	}
	return nil
}

// total returns what the clock showed at the end. It is negative where the end is
// dated before the beginning: clocks disagree.
func (r *Rescheduling) total(end time.Time) time.Duration {
	if r.resumed.IsZero() {
		return r.elapsed
	}
	return r.elapsed + end.Sub(r.resumed)
}

// clock returns what the clock shows at a time.
func (r *Rescheduling) clock(now time.Time) time.Duration {
	if r.resumed.IsZero() || now.Before(r.resumed) {
		return r.elapsed
	}
	return r.elapsed + now.Sub(r.resumed)
}

// together is how far apart the watches of two resources may tell of one thing.
const together = time.Second

// pause stops the clock, and reports whether it had only just begun to run: the pod was
// lost with its node, of which the other watch was the first to tell. It will be needed
// when the node is back.
func (r *Rescheduling) pause(now time.Time) (lostWithNode bool) {
	lostWithNode = r.Pending() && r.elapsed+now.Sub(r.resumed).Abs() < together
	r.elapsed = r.clock(now)
	r.resumed = time.Time{}
	return lostWithNode
}

func (r *Rescheduling) resume(now time.Time) {
	if r.resumed.IsZero() {
		r.resumed = now
	}
}

// follow notes the steps that a pod has taken by now. Where the change is late, its
// stamps tell when it took them.
func (r *Rescheduling) follow(pod *slim.Pod, late bool, now time.Time) *candidate {
	c := r.candidate(pod.UID)
	if c == nil {
		r.pods = append(r.pods, candidate{uid: pod.UID})
		c = &r.pods[len(r.pods)-1]
	}
	if pod.EndedUnobserved() {
		// What it said of its containers before was not true any more.
		c.done[StageStart] = false
	}
	for stage, step := range [StageReady]struct {
		reached bool
		stamp   slim.Stamp
	}{
		StageCreate:   {true, pod.CreationTimestamp},
		StageSchedule: {pod.Bound, pod.PodScheduled.LastTransitionTime},
		StageStart:    {pod.ContainersStarted(), pod.LastContainerStartedAt()},
	} {
		if step.reached && !c.done[stage] {
			c.done[stage] = true
			c.reached[stage] = r.clock(stepAt(now, r.resumed, step.stamp.Time(), late))
		}
	}
	return c
}

// stepAt returns when a pod took a step that is seen now. One that its stamp puts
// before the pod was needed takes no time.
func stepAt(now, needed, stamped time.Time, late bool) time.Time {
	if late && !stamped.IsZero() && stamped.Before(needed) {
		return needed
	}
	return readiness.Date(now, needed, stamped, late)
}

func (r *Rescheduling) candidate(uid slim.UID) *candidate {
	for i := range r.pods {
		if r.pods[i].uid == uid {
			return &r.pods[i]
		}
	}
	return nil
}

// forget drops a candidate that is gone.
func (r *Rescheduling) forget(uid slim.UID) {
	for i := range r.pods {
		if r.pods[i].uid == uid {
			r.pods[i] = r.pods[len(r.pods)-1]
			r.pods = r.pods[:len(r.pods)-1]
			return
		}
	}
}

// stages cuts the whole duration, which may be negative, where the pod took its
// steps. A step that was not seen took no time of its own.
func (c *candidate) stages(total time.Duration) [Stages]time.Duration {
	var stages [Stages]time.Duration
	begun := time.Duration(0)
	for stage := StageCreate; stage < StageReady; stage++ {
		end := begun
		if c.done[stage] {
			end = min(max(c.reached[stage], begun), total)
		}
		stages[stage] = end - begun
		begun = end
	}
	stages[StageReady] = total - begun
	return stages
}
