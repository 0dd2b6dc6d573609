package coverage

import (
	"iter"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// judge says why an expected cell is not covered, or Covered, and when that may
// change by the passing of time alone (the zero time: never).
//
// The node comes first: no pod is believed on a node that is not Ready, for its
// pods may claim Ready for ever (kubernetes#112733). Of several pods the one
// that is closest to working speaks for the cell.
func gapReason(status readiness.Status, pods iter.Seq[*slim.Pod], minReady int32, now time.Time) (Reason, time.Time) {
	if reason := nodeReason(status); reason != ReasonNone {
		return reason, time.Time{}
	}
	best, rank := ReasonPodMissing, 0
	var wake time.Time
	for pod := range pods {
		reason := podReason(pod, minReady, now)
		if reason == ReasonNone {
			return ReasonNone, time.Time{}
		}
		if at := availableAt(pod, minReady); reason == ReasonMinReadySeconds && (wake.IsZero() || at.Before(wake)) {
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
	case readiness.StatusReady, readiness.Statuses:
		return ReasonNone
	default:
		return ReasonNone
	}
}

// rankOf puts pods that may still work before those that have failed, and
// those before pods that are on their way out.
func rankOf(pod *slim.Pod) int {
	switch {
	case !pod.DeletionTimestamp.IsZero():
		return 1
	case pod.Terminal():
		return 2
	default:
		return 3
	}
}

// podReason is what keeps one pod from being available; Covered if nothing
// does. A pod that is being deleted works until its containers have ended.
func podReason(pod *slim.Pod, minReady int32, now time.Time) Reason {
	switch {
	case Available(pod, minReady, now):
		return ReasonNone
	case !pod.DeletionTimestamp.IsZero():
		return ReasonPodTerminating
	case pod.Terminal() && pod.Evicted:
		return ReasonPodEvicted
	case pod.Terminal():
		return ReasonPodFailed
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

// containerReason is why a bound pod that is not Ready is not.
func containerReason(pod *slim.Pod) Reason {
	var waits [slim.WaitOther + 1]bool
	for i := range pod.Containers {
		container := &pod.Containers[i]
		if crashed(container) {
			waits[slim.WaitBackOff] = true
		} else if container.State == slim.ContainerWaiting {
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
	case waits[slim.WaitStart] || len(pod.Containers) == 0:
		return ReasonPodStarting
	case pod.ReadinessGatesNotReady:
		return ReasonReadinessGate
	default:
		return ReasonPodNotReady
	}
}

// crashed tells that a container has restarted and stands still again. A
// kubelet shows CrashLoopBackOff only for an instant of each back-off. An init
// container that has completed is done, however often it was restarted.
func crashed(container *slim.Container) bool {
	if container.State != slim.ContainerTerminated || container.RestartCount == 0 {
		return false
	}
	return !container.Init || container.Termination.ExitCode != 0
}

// Available is IsPodAvailable of pkg/api/v1/pod (v1.37) for a pod that has not
// ended: Ready, and so for minReady seconds.
func Available(pod *slim.Pod, minReady int32, now time.Time) bool {
	return !pod.Terminal() && availableUpstream(pod, minReady, now)
}

// availableUpstream is IsPodAvailable to the letter.
func availableUpstream(pod *slim.Pod, minReady int32, now time.Time) bool {
	if pod.Ready.Status != slim.ConditionTrue {
		return false
	}
	return minReady <= 0 || !pod.Ready.LastTransitionTime.IsZero() && !now.Before(availableAt(pod, minReady))
}

// availableAt is when a Ready pod becomes available.
func availableAt(pod *slim.Pod, minReady int32) time.Time {
	return pod.Ready.LastTransitionTime.Add(int64(minReady)).Time()
}
