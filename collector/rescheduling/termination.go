package rescheduling

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// slack is how late a pod may be removed after its grace period ended: its
// containers are killed then, which takes the kubelet a moment to report.
const slack = 2 * time.Second

// killed is the exit code of a process that was ended by SIGKILL.
const killed = 137

// termination is one pod on its way out.
type termination struct {
	terminations *Terminations
	pod          *slim.Pod
	// asked is the stamp of the request, requested its date.
	asked     slim.Stamp
	requested time.Time
	// deadline is the end of the grace period, counted from requested.
	deadline time.Time
	// running are the containers that ran when the end was asked for.
	running []slim.Text
	// forced and nodeLost are what the outcome needs to remember.
	forced, nodeLost bool
	// late tells that the first version with a deletion timestamp that was seen
	// is the kubelet's last: when the end was asked for, and what ran then, is
	// not known.
	late    bool
	counted Terminating
	alarm   time.Time
}

// Due counts a pod as overdue (schedule.Target).
func (term *termination) Due(now time.Time) {
	if term.terminations.open[term.pod.UID] == term {
		term.terminations.settle(term, now)
	}
}

// shorten takes a second request, which can only shorten the grace period. The
// kubelet's own last one, when all containers have ended, is none.
func (term *termination) shorten(pod *slim.Pod) {
	if pod.DeletionGracePeriodSeconds == 0 && !anyRunning(pod) {
		return
	}
	deadline := term.requested.Add(pod.DeletionTimestamp.Sub(term.asked))
	if deadline.Before(term.deadline) {
		term.deadline = deadline
	}
	if term.deadline.Before(term.requested) {
		term.deadline = term.requested
	}
}

// outcome is how the termination ended, for a pod that is gone now.
func (term *termination) outcome(now time.Time) Outcome {
	ended, exceeded := term.exits()
	switch {
	case term.forced:
		return OutcomeForced
	case term.nodeLost || term.pod.DisruptionTarget == slim.DisruptionPodGC:
		return OutcomeNodeLost
	case term.late:
		return OutcomeUnknown
	case exceeded || now.After(term.deadline.Add(slack)):
		return OutcomeGraceExceeded
	case len(term.running) == 0:
		return OutcomeNotRunning
	case ended:
		return OutcomeGraceful
	default:
		return OutcomeUnknown
	}
}

// exits tells whether every container that ran at the request has ended since,
// and whether one of them was killed. Ends of which nobody knows the moment, and
// those before the request, tell nothing.
func (term *termination) exits() (allEnded, anyKilled bool) {
	allEnded = true
	for _, name := range term.running {
		exit, ended := term.endOf(name)
		allEnded = allEnded && ended
		anyKilled = anyKilled || ended && exit.ExitCode == killed && exit.Reason != slim.TerminationOOMKilled
	}
	return allEnded, anyKilled
}

func (term *termination) endOf(name slim.Text) (slim.Termination, bool) {
	for i := range term.pod.Containers {
		c := &term.pod.Containers[i]
		if c.Name == name {
			return c.Termination, c.State == slim.ContainerTerminated && endedSince(c.Termination, term.asked)
		}
	}
	return slim.Termination{}, false
}

func endedSince(exit slim.Termination, asked slim.Stamp) bool {
	return exit.Reason != slim.TerminationUnknown && !exit.FinishedAt.IsZero() && exit.FinishedAt >= asked
}

// runningAt names the containers that ran when the end was asked for: those
// that still do and, where that is no longer new, those that have ended since.
func runningAt(pod *slim.Pod, asked slim.Stamp) []slim.Text {
	var running []slim.Text
	for i := range pod.Containers {
		c := &pod.Containers[i]
		if c.State == slim.ContainerRunning || c.State == slim.ContainerTerminated && endedSince(c.Termination, asked) {
			running = append(running, c.Name)
		}
	}
	return running
}

// kubeletsLast tells that a pod shows what its kubelet leaves behind: no grace
// period, and containers that have ended. A pod that had ended before it was
// asked to looks the same.
func kubeletsLast(pod *slim.Pod) bool {
	if pod.DeletionGracePeriodSeconds > 0 || anyRunning(pod) {
		return false
	}
	for i := range pod.Containers {
		c := &pod.Containers[i]
		if !c.Init && c.State == slim.ContainerTerminated && c.Termination.Reason != slim.TerminationUnknown {
			return true
		}
	}
	return false
}

func anyRunning(pod *slim.Pod) bool {
	for i := range pod.Containers {
		if pod.Containers[i].State == slim.ContainerRunning {
			return true
		}
	}
	return false
}
