package rescheduling

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// episode is one rescheduling of one cell. Its clock runs only while the node
// is Ready.
type rescheduling struct {
	trigger Trigger
	// replaced is the revision of the pod whose loss began the episode, if one
	// did.
	replaced slim.Text
	lost     bool
	// resumed is when the clock began to run; zero while it stands still.
	resumed time.Time
	// elapsed is what the clock had run by then.
	elapsed time.Duration
	// pods are the candidates, with what the clock showed at their steps.
	pods []candidate
}

// candidate is a pod that may come to work.
type candidate struct {
	uid slim.UID
	// reached is what the clock showed at the end of each stage; unset stages
	// are those not done.
	reached [StageReady]time.Duration
	done    [StageReady]bool
}

// total is what the clock showed at the end. It is negative where the end is
// dated before the beginning: clocks disagree.
func (e *rescheduling) total(end time.Time) time.Duration {
	if e.resumed.IsZero() {
		return e.elapsed
	}
	return e.elapsed + end.Sub(e.resumed)
}

// clock is what the episode's clock shows.
func (e *rescheduling) clock(now time.Time) time.Duration {
	if e.resumed.IsZero() || now.Before(e.resumed) {
		return e.elapsed
	}
	return e.elapsed + now.Sub(e.resumed)
}

// pause stops the clock, resume lets it run.
func (e *rescheduling) pause(now time.Time) {
	e.elapsed = e.clock(now)
	e.resumed = time.Time{}
}

func (e *rescheduling) resume(now time.Time) {
	if e.resumed.IsZero() {
		e.resumed = now
	}
}

// follow notes the steps that a pod has taken by now. Where the watch was
// interrupted, its stamps tell when it took them.
func (e *rescheduling) follow(pod *slim.Pod, now time.Time) *candidate {
	c := e.candidate(pod.UID)
	if c == nil {
		e.pods = append(e.pods, candidate{uid: pod.UID})
		c = &e.pods[len(e.pods)-1]
	}
	if diedUnseen(pod) {
		// What it said of its containers before was not true any more.
		c.done[StageStart] = false
	}
	for stage, step := range [StageReady]struct {
		reached bool
		stamp   slim.Stamp
	}{
		StageCreate:   {true, pod.CreationTimestamp},
		StageSchedule: {pod.Bound, pod.PodScheduled.LastTransitionTime},
		StageStart:    {started(pod), startStamp(pod)},
	} {
		if step.reached && !c.done[stage] {
			c.done[stage] = true
			c.reached[stage] = e.clock(readiness.Date(now, e.resumed, step.stamp.Time()))
		}
	}
	return c
}

func (e *rescheduling) candidate(uid slim.UID) *candidate {
	for i := range e.pods {
		if e.pods[i].uid == uid {
			return &e.pods[i]
		}
	}
	return nil
}

// forget drops a candidate that is gone.
func (e *rescheduling) forget(uid slim.UID) {
	for i := range e.pods {
		if e.pods[i].uid == uid {
			e.pods[i] = e.pods[len(e.pods)-1]
			e.pods = e.pods[:len(e.pods)-1]
			return
		}
	}
}

// stages cuts the whole duration, which may be negative, where the pod took its steps. A step that was
// not seen took no time of its own.
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

// startStamp is when the last of the containers that run now was started.
func startStamp(pod *slim.Pod) slim.Stamp {
	var latest slim.Stamp
	for i := range pod.Containers {
		latest = max(latest, pod.Containers[i].StartedAt)
	}
	return latest
}

// diedUnseen tells that a container ended while its kubelet was away, as in a
// power cut, and has not been started again.
func diedUnseen(pod *slim.Pod) bool {
	for i := range pod.Containers {
		c := &pod.Containers[i]
		if !c.Init && c.State == slim.ContainerTerminated && c.Termination.Reason == slim.TerminationUnknown {
			return true
		}
	}
	return false
}

// started tells that the kubelet has started the pod's containers. One that has
// ended since has been started.
func started(pod *slim.Pod) bool {
	if pod.Ready.Status == slim.ConditionTrue {
		return true
	}
	if len(pod.Containers) == 0 || diedUnseen(pod) {
		return false
	}
	for i := range pod.Containers {
		c := &pod.Containers[i]
		if !c.Init && c.State == slim.ContainerWaiting && c.RestartCount == 0 {
			return false
		}
	}
	return true
}
