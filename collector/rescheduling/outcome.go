package rescheduling

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Outcome is how a termination ended.
type Outcome uint8

// The outcomes, first that holds. Outcomes is their number.
const (
	OutcomeForced Outcome = iota
	OutcomeNodeLost
	OutcomeGraceExceeded
	OutcomeGraceful
	OutcomeNotRunning
	OutcomeUnknown
	Outcomes
)

var outcomeNames = [Outcomes]string{
	"forced", "node_lost", "grace_exceeded", "graceful", "not_running", "unknown",
}

// String returns the value of the label outcome.
func (o Outcome) String() string { return outcomeNames[o] }

// State is how a termination stands.
type State uint8

// The states, the later where several hold. States is their number.
const (
	StateWithinGrace State = iota
	// StateOverdue: the grace period is over.
	StateOverdue
	// StateNodeLost: the node is not Ready, or gone.
	StateNodeLost
	States
)

var stateNames = [States]string{"within_grace", "overdue", "node_lost"}

// String returns the value of the label state.
func (s State) String() string { return stateNames[s] }

// slack is how late a pod may be removed after its grace period ended: its
// containers are killed then, which takes the kubelet a moment to report.
const slack = 2 * time.Second

// exitCodeKilled is the exit code of a process that was ended by SIGKILL.
const exitCodeKilled = 137

// TerminationNode is what a termination needs to know of its pod's node. A pod that
// names none has none to lose: for it the node is Ready.
type TerminationNode struct {
	// Ready reports whether the node is there and Ready, Gone whether it is not
	// there.
	Ready, Gone bool
	// StatusSince is when it turned Ready, or ceased to be; zero where it is gone.
	StatusSince time.Time
}

// Termination is one pod on its way out.
type Termination struct {
	pod *slim.Pod
	// asked is the stamp of the request, requested its date.
	asked     slim.Stamp
	requested time.Time
	// deadline is the end of the grace period, counted from requested.
	deadline time.Time
	// running are the containers that ran when the deletion was requested.
	running []slim.Text
	// forced and nodeLost are what the outcome needs to remember.
	forced, nodeLost bool
	// late reports whether the first version with a deletion timestamp that was seen
	// is the kubelet's last: when the deletion was requested, and what ran then, is
	// not known.
	late bool
}

// NewTermination begins to follow a terminating pod; before is its version before
// the deletion was requested, or nil if that was not seen. late reports whether the
// request may be older than now.
func NewTermination(before, pod *slim.Pod, node TerminationNode, late bool, now time.Time) *Termination {
	asked := pod.DeletionRequestedAt()
	t := &Termination{
		pod:       pod,
		asked:     asked,
		requested: readiness.Date(now, time.Time{}, asked.Time(), late),
		running:   runningAt(pod, asked),
		forced:    pod.DeletionGracePeriodSeconds == 0 && !node.Gone && pod.AnyContainerRunning(),
		late:      kubeletsLast(pod) && (before == nil || !before.Terminal()),
	}
	t.deadline = t.requested.Add(time.Duration(pod.DeletionGracePeriodSeconds) * time.Second)
	t.nodeLost = !node.Ready || node.StatusSince.After(t.requested)
	return t
}

// Pod returns the last version of the pod.
func (t *Termination) Pod() *slim.Pod { return t.pod }

// Deadline returns the end of the grace period.
func (t *Termination) Deadline() time.Time { return t.deadline }

// Update takes the next version of the pod. A second request can only shorten the
// grace period. The kubelet's own last one, when all containers have ended, is none.
func (t *Termination) Update(pod *slim.Pod) {
	t.pod = pod
	if pod.DeletionGracePeriodSeconds == 0 && !pod.AnyContainerRunning() {
		return
	}
	deadline := t.requested.Add(pod.DeletionTimestamp.Sub(t.asked))
	if deadline.Before(t.deadline) {
		t.deadline = deadline
	}
	if t.deadline.Before(t.requested) {
		t.deadline = t.requested
	}
}

// State returns how the termination stands on its node, and remembers it if the
// node is lost.
func (t *Termination) State(node TerminationNode, now time.Time) State {
	t.nodeLost = t.nodeLost || !node.Ready
	switch {
	case !node.Ready:
		return StateNodeLost
	case !now.Before(t.deadline):
		return StateOverdue
	default:
		return StateWithinGrace
	}
}

// End returns how the termination ended, and how long it took, for a pod that is
// gone now. measured is false where its beginning or its end was not seen.
func (t *Termination) End(pod *slim.Pod, now time.Time) (outcome Outcome, duration time.Duration, measured bool) {
	t.pod = pod
	if pod.DeletionMissed {
		t.deadline = now
	}
	return t.outcome(now), now.Sub(t.requested), !pod.DeletionMissed && !t.late
}

// UnobservedOutcome returns the outcome of a pod that is gone and was never seen
// terminating.
func UnobservedOutcome(pod *slim.Pod) Outcome {
	if pod.Bound {
		return OutcomeUnknown // nor was what its containers did since the request
	}
	return OutcomeNotRunning
}

func (t *Termination) outcome(now time.Time) Outcome {
	ended, killed := t.exits()
	switch {
	case t.forced:
		return OutcomeForced
	case t.nodeLost || t.pod.DisruptionTarget == slim.DisruptionPodGC:
		return OutcomeNodeLost
	case t.late:
		return OutcomeUnknown
	case killed || now.After(t.deadline.Add(slack)):
		return OutcomeGraceExceeded
	case len(t.running) == 0:
		return OutcomeNotRunning
	case ended:
		return OutcomeGraceful
	default:
		return OutcomeUnknown
	}
}

// exits reports whether every container that ran at the request has ended since,
// and whether one of them was killed. Ends of which nobody knows the moment, and
// those before the request, tell nothing.
func (t *Termination) exits() (allEnded, anyKilled bool) {
	allEnded = true
	for _, name := range t.running {
		exit, ended := t.endOf(name)
		allEnded = allEnded && ended
		anyKilled = anyKilled || ended && exit.ExitCode == exitCodeKilled && exit.Reason != slim.TerminationOOMKilled
	}
	return allEnded, anyKilled
}

func (t *Termination) endOf(name slim.Text) (slim.Termination, bool) {
	for i := range t.pod.Containers {
		c := &t.pod.Containers[i]
		if c.Name == name {
			return c.Termination, c.State == slim.ContainerTerminated && endedSince(c.Termination, t.asked)
		}
	}
	return slim.Termination{}, false
}

func endedSince(exit slim.Termination, asked slim.Stamp) bool {
	return exit.Reason != slim.TerminationUnknown && !exit.FinishedAt.IsZero() && exit.FinishedAt >= asked
}

// runningAt returns the containers that ran when the deletion was requested: those
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

// kubeletsLast reports whether a pod shows what its kubelet leaves behind: no grace
// period, and containers that have ended. A pod that had ended before its deletion
// was requested looks the same.
func kubeletsLast(pod *slim.Pod) bool {
	return pod.DeletionGracePeriodSeconds == 0 && !pod.AnyContainerRunning() && pod.EndedObserved()
}
