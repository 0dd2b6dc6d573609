package slim

import "time"

// Terminal reports whether all containers of the pod have stopped for good.
func (p *Pod) Terminal() bool { return p.Phase == PodFailed || p.Phase == PodSucceeded }

// Terminating reports whether the deletion of the pod was requested.
func (p *Pod) Terminating() bool { return !p.DeletionTimestamp.IsZero() }

// Active reports whether the pod may still come to work: neither terminal nor
// terminating (IsPodActive of pkg/controller, v1.37).
func (p *Pod) Active() bool { return !p.Terminating() && !p.Terminal() }

// DeletionRequestedAt returns when the deletion of the pod was requested. The
// deletion timestamp is the end of the grace period; zero for a pod that nobody
// has deleted.
func (p *Pod) DeletionRequestedAt() Stamp {
	return p.DeletionTimestamp.Add(-int64(p.DeletionGracePeriodSeconds))
}

// AvailableAt returns when a Ready pod becomes available.
func (p *Pod) AvailableAt(minReadySeconds int32) time.Time {
	return p.Ready.LastTransitionTime.Add(int64(minReadySeconds)).Time()
}

// CountsAsAvailable is IsPodAvailable of pkg/api/v1/pod (v1.37) to the letter: it
// also holds for a terminal pod that still claims Ready.
func (p *Pod) CountsAsAvailable(minReadySeconds int32, now time.Time) bool {
	if p.Ready.Status != ConditionTrue {
		return false
	}
	return minReadySeconds <= 0 ||
		!p.Ready.LastTransitionTime.IsZero() && !now.Before(p.AvailableAt(minReadySeconds))
}

// Available reports whether the pod has been Ready for minReadySeconds and has
// not ended.
func (p *Pod) Available(minReadySeconds int32, now time.Time) bool {
	return !p.Terminal() && p.CountsAsAvailable(minReadySeconds, now)
}

// ReadyChangedAfterStart reports whether the Ready condition has changed since
// the kubelet took the pod, give or take the second in which it did.
func (p *Pod) ReadyChangedAfterStart() bool {
	return p.Ready.LastTransitionTime > p.StartTime.Add(1)
}

// AwaitingScheduler reports whether the pod is not bound and no scheduler has said
// anything about it: it is down, the pod is gated, or there is none of that name.
func (p *Pod) AwaitingScheduler() bool {
	return !p.Bound && (p.PodScheduled.Status == ConditionAbsent || p.SchedulingGated)
}

// AnyContainerRunning reports whether at least one container runs.
func (p *Pod) AnyContainerRunning() bool {
	for i := range p.Containers {
		if p.Containers[i].State == ContainerRunning {
			return true
		}
	}
	return false
}

// EndedUnobserved reports whether a container ended while its kubelet was away,
// as in a power cut, and has not been started again.
func (p *Pod) EndedUnobserved() bool {
	for i := range p.Containers {
		c := &p.Containers[i]
		if !c.Init && c.State == ContainerTerminated && c.Termination.Reason == TerminationUnknown {
			return true
		}
	}
	return false
}

// ContainersStarted reports whether the kubelet has started the pod's
// containers. One that has ended since has been started; one that cannot be, has
// not.
func (p *Pod) ContainersStarted() bool {
	if p.Ready.Status == ConditionTrue {
		return true
	}
	if len(p.Containers) == 0 || p.EndedUnobserved() {
		return false
	}
	for i := range p.Containers {
		c := &p.Containers[i]
		if !c.Init && (c.State == ContainerWaiting && c.RestartCount == 0 || c.CannotStart()) {
			return false
		}
	}
	return true
}

// LastContainerStartedAt returns when the last of the containers that run now was
// started; zero if none runs.
func (p *Pod) LastContainerStartedAt() Stamp {
	var latest Stamp
	for i := range p.Containers {
		latest = max(latest, p.Containers[i].StartedAt)
	}
	return latest
}

// ContainerLike returns the container of the pod with the name of c, nearly
// always in the same place; nil if there is none.
func (p *Pod) ContainerLike(c *Container, place int) *Container {
	if place < len(p.Containers) && p.Containers[place].is(c) {
		return &p.Containers[place]
	}
	for i := range p.Containers {
		if p.Containers[i].is(c) {
			return &p.Containers[i]
		}
	}
	return nil
}

func (c *Container) is(other *Container) bool { return c.Name == other.Name && c.Init == other.Init }

// CannotStart reports whether the container does not run because it cannot be
// created or started. A kubelet shows the same failure to start as terminated, as
// RunContainerError and as CrashLoopBackOff by turns: the last ending tells. One that
// waits for its image does not get as far.
func (c *Container) CannotStart() bool {
	switch {
	case c.State == ContainerTerminated:
		return c.Termination.Reason == TerminationStartError
	case c.State == ContainerRunning || c.WaitReason == WaitImage:
		return false
	default:
		return c.WaitReason == WaitConfig || c.LastTermination.Reason == TerminationStartError
	}
}

// CrashedAndStopped reports whether the container has restarted and stands still
// again. A kubelet shows CrashLoopBackOff only for an instant of each back-off. An
// init container that has completed is done, however often it was restarted, and a
// container that nobody saw end, as in a power cut, has not crashed.
func (c *Container) CrashedAndStopped() bool {
	if c.State != ContainerTerminated || c.RestartCount == 0 || c.Termination.Reason == TerminationUnknown {
		return false
	}
	return !c.Init || c.Termination.ExitCode != 0
}
