package rescheduling

import (
	"slices"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Outcome is how a termination ended.
type Outcome uint8

// The outcomes, first that holds. Outcomes is their number.
const (
	// OutcomeForced: there was no grace period while containers ran.
	OutcomeForced Outcome = iota
	// OutcomeNodeLost: the node was not Ready, or gone, at some time.
	OutcomeNodeLost
	// OutcomeNotRunning: no container ran when the deletion was requested.
	OutcomeNotRunning
	// OutcomeOOMKilled: a container ran out of memory while it was to end.
	OutcomeOOMKilled
	// OutcomeGraceExceeded: a container was killed, or ended when the grace period
	// was over.
	OutcomeGraceExceeded
	// OutcomeGraceful: all containers ended in time.
	OutcomeGraceful
	OutcomeUnknown
	Outcomes
)

var outcomeNames = [Outcomes]string{
	"forced", "node_lost", "not_running", "oom_killed", "grace_exceeded", "graceful", "unknown",
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

const (
	// slack is how late a pod may be removed after its grace period ended: its
	// containers are killed then, which takes the kubelet a moment to report
	// (b-ignore: 0.5 s).
	slack = 2 * time.Second
	// agreement is how old the newest stamp of a version may be that was seen at once:
	// up to a second is cut off, and as much passes until it comes in (b-ignore,
	// a-graceful: 0.3 to 1.0 s). Clocks that differ by more do not agree.
	agreement = 2 * time.Second
	// lastRequest is how long after the end of its containers a kubelet asks for the
	// removal of a pod, without a grace period, which hides the request before it
	// (0.02 to 1.0 s in all recordings).
	lastRequest = 2 * time.Second
)

// exitCodeKilled is the exit code of a process that was ended by SIGKILL.
const exitCodeKilled = 137

// TerminationNode is what a termination needs to know of its pod's node. A pod that
// names none has none to lose: for it the node is Ready.
type TerminationNode struct {
	// Ready reports whether the node is there and Ready, Gone whether it is not there
	// (Presence).
	Ready, Gone bool
	// StatusSince is when it turned Ready, or ceased to be; zero where nobody knows.
	StatusSince time.Time
	// DownSince is when the outage began that ended when it turned Ready; zero where that
	// was not seen.
	DownSince time.Time
}

// Termination is one pod on its way out.
type Termination struct {
	pod *slim.Pod
	// asked is the stamp of the request, requested its date.
	asked     slim.Stamp
	requested time.Time
	// expires is the stamp of the end of the grace period; deadline is that end,
	// counted from requested.
	expires  slim.Stamp
	deadline time.Time
	// endings are those of the containers that ran when the deletion was requested,
	// sidecars left out: Kubernetes ends them last and often by force.
	endings []ending
	// unclear reports whether others may have run.
	unclear bool
	forced  bool
	outage  outage
	// ended reports whether the pod had ended before its deletion was requested.
	ended bool
	// missed reports whether the first version with a deletion timestamp that was
	// seen is the kubelet's last: when the deletion was requested, and what ran then,
	// is not known.
	missed bool
}

// ending is how a container ended that ran when the deletion was requested.
type ending struct {
	container slim.Text
	// exit is its end, once it was seen. A kubelet that did not see it says Unknown.
	exit slim.Termination
	when endTime
}

// endTime is when a container ended, as seen from the end of the grace period.
type endTime uint8

const (
	endUnseen endTime = iota
	endInTime
	// endOverrun: when the grace period was over.
	endOverrun
	// endTimeUnknown: it has ended, but nobody saw when.
	endTimeUnknown
)

// NewTermination begins to follow a terminating pod; before is its version before
// the deletion was requested, or nil if that was not seen. late reports whether the
// request may be older than now.
func NewTermination(before, pod *slim.Pod, node TerminationNode, late bool, now time.Time) *Termination {
	if before != nil && before.Terminating() {
		before = nil
	}
	t := &Termination{
		pod:     pod,
		asked:   pod.DeletionRequestedAt(),
		expires: pod.DeletionTimestamp,
		ended:   endedBefore(before, pod),
	}
	t.requested = readiness.Date(now, time.Time{}, t.asked.Time(), late)
	t.deadline = t.requested.Add(time.Duration(pod.DeletionGracePeriodSeconds) * time.Second)
	t.missed = !t.ended && pod.DeletionGracePeriodSeconds == 0 && hasEnded(pod)
	t.outage.begin(node, t.requested)
	t.findRunning(before, late)
	t.observe(late, now)
	t.forced = pod.DeletionGracePeriodSeconds == 0 && !node.Gone && slices.ContainsFunc(t.endings, func(e ending) bool {
		return isRunning(containerNamed(pod, e.container))
	})
	return t
}

// endedBefore reports whether a pod had ended before its deletion was requested. That
// shows in the version before. Where that was not seen, a pod without a grace period
// whose containers have ended had ended before if that was long before: else the
// request that shows may be its kubelet's last.
func endedBefore(before, pod *slim.Pod) bool {
	if before != nil {
		return hasEnded(before)
	}
	if !hasEnded(pod) || pod.DeletionGracePeriodSeconds > 0 {
		return false
	}
	at := pod.Ready.LastTransitionTime
	for i := range pod.Containers {
		at = max(at, pod.Containers[i].Termination.FinishedAt)
	}
	return !at.IsZero() && pod.DeletionTimestamp.Sub(at) >= lastRequest
}

// hasEnded reports whether a pod is terminal. The pod garbage collector makes pods that
// run terminal, too.
func hasEnded(pod *slim.Pod) bool { return pod.Terminal() && !pod.AnyContainerRunning() }

// findRunning finds the containers that ran when the deletion was requested. The
// version before the request tells. Where that was not seen, or more may have happened
// since, the version after it does, with its stamps.
func (t *Termination) findRunning(before *slim.Pod, late bool) {
	if t.ended {
		return
	}
	shown := before
	if before == nil || late {
		shown = t.pod
	}
	for i := range shown.Containers {
		c := &shown.Containers[i]
		if c.Sidecar {
			continue
		}
		ran, clear := isRunning(c), true
		if shown == t.pod && c.State == slim.ContainerTerminated {
			ran, clear = t.ranUntilEnd(before, c, i)
		}
		t.unclear = t.unclear || !clear
		if ran {
			t.endings = append(t.endings, ending{container: c.Name})
		}
	}
}

// ranUntilEnd reports whether a container that has ended ran when the deletion was
// requested, and whether that is clear. Nobody saw it.
func (t *Termination) ranUntilEnd(before *slim.Pod, c *slim.Container, place int) (ran, clear bool) {
	var earlier *slim.Container
	if before != nil {
		earlier = before.ContainerLike(c, place)
	}
	switch exit := c.Termination; {
	case earlier != nil && exit == earlier.Termination || earlier != nil && exit == earlier.LastTermination:
		return false, true // an old ending
	case isRunning(earlier) && !isKnown(exit):
		return true, true
	case t.missed || !isKnown(exit):
		return false, false
	default:
		return exit.FinishedAt >= t.asked, true
	}
}

// isKnown reports whether the time of an ending means something.
func isKnown(exit slim.Termination) bool {
	return exit.Reason != slim.TerminationUnknown && !exit.FinishedAt.IsZero()
}

func isRunning(c *slim.Container) bool { return c != nil && c.State == slim.ContainerRunning }

func containerNamed(pod *slim.Pod, name slim.Text) *slim.Container {
	for i := range pod.Containers {
		if pod.Containers[i].Name == name {
			return &pod.Containers[i]
		}
	}
	return nil
}

// Pod returns the last version of the pod.
func (t *Termination) Pod() *slim.Pod { return t.pod }

// Deadline returns the end of the grace period.
func (t *Termination) Deadline() time.Time { return t.deadline }

// Ended reports whether the pod had ended before its deletion was requested. It is
// only cleaned up, which takes a moment and tells nothing.
func (t *Termination) Ended() bool { return t.ended }

// Update replaces the version of the pod. A second request can only shorten the
// grace period. The kubelet's own last one, when all containers have ended, is none.
func (t *Termination) Update(pod *slim.Pod, now time.Time) {
	t.pod = pod
	if pod.DeletionGracePeriodSeconds > 0 || pod.AnyContainerRunning() {
		t.shorten(pod.DeletionTimestamp)
	}
	t.observe(pod.Late, now)
}

// shorten sets an earlier end of the grace period, as another request asks. One before
// the first request is of a clock that was set back.
func (t *Termination) shorten(expires slim.Stamp) {
	if expires >= t.asked && expires < t.expires {
		t.expires, t.deadline = expires, t.requested.Add(expires.Sub(t.asked))
	}
}

// observe notes the endings that the last version shows.
func (t *Termination) observe(late bool, now time.Time) {
	for i := range t.endings {
		e := &t.endings[i]
		c := containerNamed(t.pod, e.container)
		if c == nil || c.State != slim.ContainerTerminated {
			continue
		}
		e.exit = c.Termination
		if e.when == endUnseen {
			e.when = t.endTimeOf(c.Termination, late, now)
		}
	}
}

// endTimeOf returns when a container ended that is seen to have ended now. On a live
// watch that is now, and a kubelet whose clock is wrong changes nothing; where clocks
// are known to agree, an end that is stamped with the second in which the grace period
// ended is no longer in time, although it was seen a moment before. A late version is
// dated by its stamp, if that can be true.
func (t *Termination) endTimeOf(exit slim.Termination, late bool, now time.Time) endTime {
	overran := !now.Before(t.deadline)
	stamped := isKnown(exit) && exit.FinishedAt >= t.asked && !exit.FinishedAt.Time().After(now)
	stampedOverran := stamped && exit.FinishedAt >= t.expires
	switch {
	case late && overran && !stamped:
		return endTimeUnknown
	case late && stamped && !stampedOverran:
		return endInTime
	case overran || stampedOverran && (late || t.clocksAgree(exit.FinishedAt, now)):
		return endOverrun
	default:
		return endInTime
	}
}

// clocksAgree reports whether the clocks of the kubelet and of the API server are
// known to agree with the exporter's, so that they can tell whether a container ended
// within the grace period: their newest stamps were fresh when they were seen. Within a
// single second they cannot tell.
func (t *Termination) clocksAgree(finished slim.Stamp, now time.Time) bool {
	newest := max(finished, t.pod.Ready.LastTransitionTime)
	return isFresh(newest, now) && isFresh(t.asked, t.requested) && t.expires.Sub(t.asked) > time.Second
}

func isFresh(stamp slim.Stamp, seen time.Time) bool {
	age := seen.Sub(stamp.Time())
	return age >= 0 && age < agreement
}

// State returns how the termination stands on its node, and remembers it if the
// node is lost.
func (t *Termination) State(node TerminationNode, now time.Time) State {
	t.outage.follow(node)
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
// gone now. measured is false where its beginning or its end was not seen, and where
// the pod had ended before.
func (t *Termination) End(pod *slim.Pod, now time.Time) (outcome Outcome, duration time.Duration, measured bool) {
	t.pod = pod
	t.observe(pod.Late, now)
	lastAsked := pod.Late && pod.DeletionGracePeriodSeconds == 0 // and removed at once
	removed := readiness.Date(now, t.requested, pod.DeletionTimestamp.Time(), lastAsked)
	seen := !pod.DeletionMissed && (!pod.Late || lastAsked)
	removedLate := seen && removed.After(t.deadline.Add(slack))
	return t.outcome(removed, removedLate), removed.Sub(t.requested), seen && !t.missed && !t.ended
}

// UnobservedOutcome returns the outcome of a pod that is gone and was never seen
// terminating.
func UnobservedOutcome(pod *slim.Pod) Outcome {
	if pod.Bound && !pod.Terminal() {
		return OutcomeUnknown // nor was what its containers did since the request
	}
	return OutcomeNotRunning
}

func (t *Termination) outcome(removed time.Time, removedLate bool) Outcome {
	some := func(is func(ending) bool) bool { return slices.ContainsFunc(t.endings, is) }
	switch {
	case t.forced:
		return OutcomeForced
	case t.outage.lost(removed) || t.pod.DisruptionTarget == slim.DisruptionPodGC:
		return OutcomeNodeLost
	case len(t.endings) == 0 && !t.unclear:
		return OutcomeNotRunning
	case t.missed:
		return OutcomeUnknown
	case some(ending.outOfMemory):
		return OutcomeOOMKilled
	case some(ending.exceeded), removedLate && some(ending.unseen):
		return OutcomeGraceExceeded
	case t.unclear || some(ending.unknown):
		return OutcomeUnknown
	default:
		return OutcomeGraceful
	}
}

func (e ending) outOfMemory() bool { return e.exit.Reason == slim.TerminationOOMKilled }

// exceeded reports whether a container was killed, or ended when the grace period was
// over.
func (e ending) exceeded() bool {
	return e.exit.Reason != slim.TerminationUnknown && (e.when == endOverrun || e.exit.ExitCode == exitCodeKilled)
}

// unseen reports whether the end of a container is not known, nor that it was in time.
func (e ending) unseen() bool {
	return e.when == endUnseen || e.exit.Reason == slim.TerminationUnknown && e.when != endInTime
}

func (e ending) unknown() bool {
	return e.when == endUnseen || e.when == endTimeUnknown || e.exit.Reason == slim.TerminationUnknown
}
