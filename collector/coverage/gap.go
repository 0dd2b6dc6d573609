package coverage

import (
	"slices"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// GapReason returns why an expected cell is not covered, ReasonNone if it is, and
// the next time at which that can change without an event (zero if it cannot).
//
// The node comes first: no pod is believed on a node that is not Ready, for its
// pods may claim Ready for ever (kubernetes#112733). Of several pods the one
// that is closest to working speaks for the cell. withheld reports whether the
// controller makes no pod because of a condition taint.
func GapReason(status readiness.Status, withheld bool, pods []*slim.Pod, minReadySeconds int32, now time.Time) (Reason, time.Time) {
	if reason := nodeReason(status); reason != ReasonNone {
		return reason, time.Time{}
	}
	best, rank := ReasonPodMissing, 0
	if withheld {
		best = ReasonNodeTainted
	}
	var wake time.Time
	for _, pod := range pods {
		reason := PodReason(pod, minReadySeconds, now)
		if reason == ReasonNone {
			return ReasonNone, time.Time{}
		}
		if at := pod.AvailableAt(minReadySeconds); reason == ReasonMinReadySeconds && (wake.IsZero() || at.Before(wake)) {
			wake = at
		}
		if r := rankOf(pod); r > rank || r == rank && reason > best {
			best, rank = reason, r
		}
	}
	return best, wake
}

func nodeReason(status readiness.Status) Reason {
	switch status {
	case readiness.StatusUnreachable:
		return ReasonNodeUnreachable
	case readiness.StatusNeverReady:
		return ReasonNodeNeverReady
	case readiness.StatusNotReady:
		return ReasonNodeNotReady
	case readiness.StatusReady:
		return ReasonNone
	default:
		return ReasonNone
	}
}

// SuspectReason returns why one of the pods does not work for a reason of its own, on a
// node whose kubelet lives and says that the node is not Ready: it may be the agent that
// the node waits for, such as its CNI. ReasonNone if all may be victims: pods that are
// kept from starting, and pods that were only marked not Ready with their node.
func SuspectReason(pods []*slim.Pod, minReadySeconds int32, now time.Time) Reason {
	suspect := ReasonNone
	for _, pod := range pods {
		reason := PodReason(pod, minReadySeconds, now)
		if ofItsOwn(reason, pod) && (suspect == ReasonNone || reason < suspect) {
			suspect = reason
		}
	}
	return suspect
}

func ofItsOwn(reason Reason, pod *slim.Pod) bool {
	switch reason { //nolint:exhaustive // all others have another cause
	case ReasonPodFailed, ReasonPodEvicted, ReasonImagePull, ReasonContainerConfig, ReasonCrashLoop, ReasonOther:
		return true
	case ReasonPodNotReady:
		return slices.ContainsFunc(pod.Containers, func(c slim.Container) bool { return !c.Init && !c.Ready })
	default:
		return false
	}
}

// rankOf puts pods that may still work before those that have failed, and
// those before pods that are on their way out.
func rankOf(pod *slim.Pod) int {
	switch {
	case pod.Terminating():
		return 1
	case pod.Terminal():
		return 2
	default:
		return 3
	}
}

// PodReason returns what keeps one pod from being available; ReasonNone if nothing
// does. A terminating pod works until its containers have ended.
func PodReason(pod *slim.Pod, minReadySeconds int32, now time.Time) Reason {
	switch {
	case pod.Available(minReadySeconds, now):
		return ReasonNone
	case pod.Terminating():
		return ReasonPodTerminating
	case pod.Terminal() && pod.Evicted:
		return ReasonPodEvicted
	case pod.Terminal():
		return ReasonPodFailed
	case pod.AwaitingScheduler():
		return ReasonAwaitingScheduler
	case !pod.Bound && pod.InsufficientResources:
		return ReasonInsufficientResources
	case !pod.Bound:
		return ReasonPodUnschedulable
	case pod.Ready.Status == slim.ConditionTrue:
		return ReasonMinReadySeconds
	default:
		return containerReason(pod)
	}
}

// containerReason returns why a bound pod that is not Ready is not.
func containerReason(pod *slim.Pod) Reason {
	var waits [slim.WaitOther + 1]bool
	for i := range pod.Containers {
		switch container := &pod.Containers[i]; {
		case container.CannotStart():
			waits[slim.WaitConfig] = true
		case container.CrashedAndStopped():
			waits[slim.WaitBackOff] = true
		case container.State == slim.ContainerWaiting:
			waits[container.WaitReason] = true
		}
	}
	switch {
	case waits[slim.WaitImage]:
		return ReasonImagePull
	case waits[slim.WaitConfig]:
		return ReasonContainerConfig
	case waits[slim.WaitBackOff]:
		return ReasonCrashLoop
	case waits[slim.WaitOther] || pod.Phase == slim.PodOther:
		return ReasonOther
	case waits[slim.WaitStart] || len(pod.Containers) == 0 || pod.EndedUnobserved():
		return ReasonPodStarting
	case pod.ReadinessGatesNotReady:
		return ReasonReadinessGate
	default:
		return ReasonPodNotReady
	}
}
