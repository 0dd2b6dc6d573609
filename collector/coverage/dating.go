package coverage

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// date tells when the cell came to its present verdict, by the rules of
// readiness.Date. A cell without a previous change began before the exporter,
// but not before its node and its DaemonSet.
func (c *cell) date(why occasion, now time.Time) time.Time {
	stamped := c.stamped(why)
	if stamped.IsZero() {
		return now
	}
	earliest := max(c.node.state.Record().CreationTimestamp, c.set.object.CreationTimestamp).Time()
	if c.changed == 0 {
		if c.state.gap() && c.state.reason.Cause() != CauseNode {
			stamped = c.uncoveredSince()
		}
		if stamped.Before(earliest) {
			stamped = earliest
		}
		return readiness.Begun(now, stamped)
	}
	previous := c.changed.time()
	if previous.Before(earliest) {
		previous = earliest
	}
	return readiness.Date(now, previous, stamped)
}

// stamped is when the objects say that the cell came to its present verdict;
// the zero time where none says so. Only what changed can say it: a stamp of
// something else is about another time.
func (c *cell) stamped(why occasion) time.Time {
	switch {
	case !c.state.expected || why.event == EventDaemonSetChanged || why.event == EventRevisionChanged:
		return time.Time{}
	case why.removed != nil && !why.removed.DeletionMissed:
		return time.Time{}
	case c.state.reason.Cause() == CauseNode || why.event == EventNodeChanged:
		return c.node.state.Since()
	}
	var latest time.Time
	if c.state.reason == ReasonNone {
		latest = c.node.state.Since()
	}
	for pod := range c.pods() {
		if why.changed != nil && why.changed != pod {
			continue
		}
		if at := podStamp(c.state.reason, pod, c.set.object.MinReadySeconds).Time(); at.After(latest) {
			latest = at
		}
	}
	return latest
}

// uncoveredSince is since when, by the stamps of its pods, the cell has been
// without one that is available: since the last of them ceased to be Ready or,
// where none has been, since the first of them was made. A pod that ends or waits
// for a successor did not become a new gap when that began.
func (c *cell) uncoveredSince() time.Time {
	var ceased, made slim.Stamp
	for pod := range c.pods() {
		if wasReady(pod) {
			ceased = max(ceased, pod.Ready.LastTransitionTime, pod.CreationTimestamp)
		}
		if made == 0 || pod.CreationTimestamp < made {
			made = pod.CreationTimestamp
		}
	}
	if ceased != 0 {
		return ceased.Time()
	}
	return made.Time()
}

// wasReady tells whether a pod's Ready condition has turned since the kubelet
// took the pod, give or take the second in which it did.
func wasReady(pod *slim.Pod) bool {
	return pod.Ready.Status == slim.ConditionTrue || pod.Ready.LastTransitionTime > pod.StartTime.Add(1)
}

// podStamp is when a pod says that it came to the state that the reason names.
func podStamp(reason Reason, pod *slim.Pod, minReady int32) slim.Stamp {
	switch reason {
	case ReasonNone:
		if pod.Ready.Status == slim.ConditionTrue {
			return pod.Ready.LastTransitionTime.Add(int64(minReady))
		}
		return 0
	case ReasonPodMissing, ReasonNodeUnreachable, ReasonNodeNeverReady, ReasonNodeNotReady, Reasons:
		return 0
	case ReasonInsufficientResources, ReasonPodUnschedulable:
		return max(pod.PodScheduled.LastTransitionTime, pod.CreationTimestamp)
	case ReasonPodTerminating:
		return max(pod.Ready.LastTransitionTime, pod.DeletionRequestedAt())
	case ReasonPodEvicted, ReasonPodFailed, ReasonImagePull, ReasonContainerConfig, ReasonCrashLoop, ReasonPodStarting,
		ReasonReadinessGate, ReasonPodNotReady, ReasonMinReadySeconds, ReasonOther:
		return max(pod.Ready.LastTransitionTime, pod.CreationTimestamp)
	default:
		return 0
	}
}
