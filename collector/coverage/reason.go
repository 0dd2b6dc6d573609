package coverage

import "github.com/daemonset-exporter/daemonset_exporter/informers/slim"

// Reason is why an expected cell is not covered. The enum is closed: whatever
// Kubernetes comes up with next is ReasonOther, never dropped and never free text.
type Reason uint8

// The reasons, first that holds. Reasons is their number.
const (
	// ReasonNone: the cell is covered, or need not be.
	ReasonNone Reason = iota
	ReasonNodeUnreachable
	ReasonNodeNeverReady
	ReasonNodeNotReady
	// ReasonNodeTainted: the node is Ready, there is no pod, and the controller makes
	// none because of a condition taint.
	ReasonNodeTainted
	ReasonPodMissing
	// ReasonAwaitingScheduler: no scheduler has said anything about the pod.
	ReasonAwaitingScheduler
	ReasonInsufficientResources
	ReasonPodUnschedulable
	ReasonPodTerminating
	ReasonPodEvicted
	ReasonPodFailed
	ReasonImagePull
	ReasonContainerConfig
	ReasonCrashLoop
	ReasonPodStarting
	ReasonReadinessGate
	ReasonPodNotReady
	ReasonMinReadySeconds
	ReasonOther
	Reasons
)

// Cause is what a reason blames.
type Cause uint8

// The causes. Causes is their number.
const (
	CauseNode Cause = iota
	CauseScheduling
	CausePod
	CauseOther
	Causes
)

var causeNames = [Causes]string{"node", "scheduling", "pod", "other"}

// String returns the value of the label cause.
func (c Cause) String() string { return causeNames[c] }

// reasons has one row for each reason: its name, what it blames, and which stamp of
// a pod dates it, nil where none does.
var reasons = [Reasons]struct {
	name  string
	cause Cause
	since func(pod *slim.Pod, minReadySeconds int32) slim.Stamp
}{
	ReasonNone:                  {"covered", CauseOther, availableSince},
	ReasonNodeUnreachable:       {"node_unreachable", CauseNode, nil},
	ReasonNodeNeverReady:        {"node_never_ready", CauseNode, nil},
	ReasonNodeNotReady:          {"node_not_ready", CauseNode, nil},
	ReasonNodeTainted:           {"node_tainted", CauseNode, nil},
	ReasonPodMissing:            {"pod_missing", CauseScheduling, nil},
	ReasonAwaitingScheduler:     {"awaiting_scheduler", CauseScheduling, unboundSince},
	ReasonInsufficientResources: {"insufficient_resources", CauseScheduling, unboundSince},
	ReasonPodUnschedulable:      {"pod_unschedulable", CauseScheduling, unboundSince},
	ReasonPodTerminating:        {"pod_terminating", CausePod, terminatingSince},
	ReasonPodEvicted:            {"pod_evicted", CausePod, notReadySince},
	ReasonPodFailed:             {"pod_failed", CausePod, notReadySince},
	ReasonImagePull:             {"image_pull", CausePod, notReadySince},
	ReasonContainerConfig:       {"container_config", CausePod, notReadySince},
	ReasonCrashLoop:             {"crash_loop", CausePod, notReadySince},
	ReasonPodStarting:           {"pod_starting", CausePod, notReadySince},
	ReasonReadinessGate:         {"readiness_gate", CausePod, notReadySince},
	ReasonPodNotReady:           {"pod_not_ready", CausePod, notReadySince},
	ReasonMinReadySeconds:       {"min_ready_seconds", CausePod, notReadySince},
	ReasonOther:                 {"other", CauseOther, notReadySince},
}

// String returns the value of the label reason.
func (r Reason) String() string { return reasons[r].name }

// Cause returns the value of the label cause that goes with the reason.
func (r Reason) Cause() Cause { return reasons[r].cause }

// NodeDown reports whether the reason is that the node is not Ready.
func (r Reason) NodeDown() bool {
	return r == ReasonNodeUnreachable || r == ReasonNodeNeverReady || r == ReasonNodeNotReady
}

// PodSince returns when a pod came to the state that the reason names, by its own
// stamps; zero where none tells.
func (r Reason) PodSince(pod *slim.Pod, minReadySeconds int32) slim.Stamp {
	since := reasons[r].since
	if since == nil {
		return 0
	}
	return since(pod, minReadySeconds)
}

// GapReasons returns all reasons of a gap, in their order.
func GapReasons() []Reason {
	all := make([]Reason, 0, Reasons-1)
	for reason := ReasonNone + 1; reason < Reasons; reason++ {
		all = append(all, reason)
	}
	return all
}

func availableSince(pod *slim.Pod, minReadySeconds int32) slim.Stamp {
	if pod.Ready.Status != slim.ConditionTrue {
		return 0
	}
	return pod.Ready.LastTransitionTime.Add(int64(minReadySeconds))
}

func unboundSince(pod *slim.Pod, _ int32) slim.Stamp {
	return max(pod.PodScheduled.LastTransitionTime, pod.CreationTimestamp)
}

func terminatingSince(pod *slim.Pod, _ int32) slim.Stamp {
	return max(pod.Ready.LastTransitionTime, pod.DeletionRequestedAt())
}

func notReadySince(pod *slim.Pod, _ int32) slim.Stamp {
	return max(pod.Ready.LastTransitionTime, pod.CreationTimestamp)
}
