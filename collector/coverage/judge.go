package coverage

import (
	"iter"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/record"
)

// judge says why an expected cell is not covered, or Covered, and when that may
// change by the passing of time alone (the zero time: never).
//
// The node comes first: no pod is believed on a node that is not Ready, for its
// pods may claim Ready for ever (kubernetes#112733). Of several pods the one
// that is closest to working speaks for the cell.
func judge(status readiness.Status, pods iter.Seq[*record.Pod], minReady int32, now time.Time) (Reason, time.Time) {
	if reason := nodeReason(status); reason != Covered {
		return reason, time.Time{}
	}
	best, rank := PodMissing, 0
	var wake time.Time
	for pod := range pods {
		reason := podReason(pod, minReady, now)
		if reason == Covered {
			return Covered, time.Time{}
		}
		if at := availableAt(pod, minReady); reason == MinReadySeconds && (wake.IsZero() || at.Before(wake)) {
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
	case readiness.Unreachable:
		return NodeUnreachable
	case readiness.NeverReady:
		return NodeNeverReady
	case readiness.NotReady:
		return NodeNotReady
	case readiness.Ready, readiness.Statuses:
		return Covered
	default:
		return Covered
	}
}

// rankOf puts pods that may still work before those that have failed, and
// those before pods that are on their way out.
func rankOf(pod *record.Pod) int {
	switch {
	case !pod.Deleted.IsZero():
		return 1
	case pod.Terminal():
		return 2
	default:
		return 3
	}
}

// podReason is what keeps one pod from being available; Covered if nothing
// does. A pod that is being deleted works until its containers have ended.
func podReason(pod *record.Pod, minReady int32, now time.Time) Reason {
	switch {
	case Available(pod, minReady, now):
		return Covered
	case !pod.Deleted.IsZero():
		return PodTerminating
	case pod.Terminal() && pod.Evicted:
		return PodEvicted
	case pod.Terminal():
		return PodFailed
	case !pod.Bound && pod.Resources:
		return InsufficientResources
	case !pod.Bound:
		return PodUnschedulable
	case pod.Ready.Status == record.True:
		return MinReadySeconds
	default:
		return containerReason(pod)
	}
}

// containerReason is why a bound pod that is not Ready is not.
func containerReason(pod *record.Pod) Reason {
	var waits [record.WaitOther + 1]bool
	for i := range pod.Containers {
		container := &pod.Containers[i]
		if crashed(container) {
			waits[record.WaitBackOff] = true
		} else if container.State == record.Waiting {
			waits[container.Wait] = true
		}
	}
	switch {
	case waits[record.WaitImage]:
		return ImagePull
	case waits[record.WaitConfig]:
		return ContainerConfig
	case waits[record.WaitBackOff]:
		return CrashLoop
	case waits[record.WaitOther] || pod.Phase == record.PhaseOther:
		return Other
	case waits[record.WaitStart] || len(pod.Containers) == 0:
		return PodStarting
	case pod.ReadinessGates:
		return ReadinessGate
	default:
		return PodNotReady
	}
}

// crashed tells that a container has restarted and stands still again. A
// kubelet shows CrashLoopBackOff only for an instant of each back-off. An init
// container that has completed is done, however often it was restarted.
func crashed(container *record.Container) bool {
	if container.State != record.Terminated || container.Restarts == 0 {
		return false
	}
	return !container.Init || container.Exit.Code != 0
}

// Available is IsPodAvailable of pkg/api/v1/pod (v1.37) for a pod that has not
// ended: Ready, and so for minReady seconds.
func Available(pod *record.Pod, minReady int32, now time.Time) bool {
	return !pod.Terminal() && availableUpstream(pod, minReady, now)
}

// availableUpstream is IsPodAvailable to the letter.
func availableUpstream(pod *record.Pod, minReady int32, now time.Time) bool {
	if pod.Ready.Status != record.True {
		return false
	}
	return minReady <= 0 || !pod.Ready.Since.IsZero() && !now.Before(availableAt(pod, minReady))
}

// availableAt is when a Ready pod becomes available.
func availableAt(pod *record.Pod, minReady int32) time.Time {
	return pod.Ready.Since.Add(int64(minReady)).Time()
}
