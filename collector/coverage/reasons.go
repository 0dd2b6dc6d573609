package coverage

// Reason is why an expected cell is not covered. The enum is closed: whatever
// Kubernetes comes up with next is Other, never dropped and never free text.
type Reason uint8

// The reasons, first that holds. Covered is none. Reasons is their number.
const (
	ReasonNone Reason = iota
	ReasonNodeUnreachable
	ReasonNodeNeverReady
	ReasonNodeNotReady
	ReasonPodMissing
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

// Cause is whom a reason blames.
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

// String is the value of the label cause.
func (c Cause) String() string { return causeNames[c] }

var reasons = [Reasons]struct {
	name  string
	cause Cause
}{
	ReasonNone:                  {"covered", CauseOther},
	ReasonNodeUnreachable:       {"node_unreachable", CauseNode},
	ReasonNodeNeverReady:        {"node_never_ready", CauseNode},
	ReasonNodeNotReady:          {"node_not_ready", CauseNode},
	ReasonPodMissing:            {"pod_missing", CauseScheduling},
	ReasonInsufficientResources: {"insufficient_resources", CauseScheduling},
	ReasonPodUnschedulable:      {"pod_unschedulable", CauseScheduling},
	ReasonPodTerminating:        {"pod_terminating", CausePod},
	ReasonPodEvicted:            {"pod_evicted", CausePod},
	ReasonPodFailed:             {"pod_failed", CausePod},
	ReasonImagePull:             {"image_pull", CausePod},
	ReasonContainerConfig:       {"container_config", CausePod},
	ReasonCrashLoop:             {"crash_loop", CausePod},
	ReasonPodStarting:           {"pod_starting", CausePod},
	ReasonReadinessGate:         {"readiness_gate", CausePod},
	ReasonPodNotReady:           {"pod_not_ready", CausePod},
	ReasonMinReadySeconds:       {"min_ready_seconds", CausePod},
	ReasonOther:                 {"other", CauseOther},
}

// String is the value of the label reason.
func (r Reason) String() string { return reasons[r].name }

// Cause is the value of the label cause that goes with the reason.
func (r Reason) Cause() Cause { return reasons[r].cause }

// GapReasons are all reasons of a gap, in their order.
func GapReasons() []Reason {
	all := make([]Reason, 0, Reasons-1)
	for reason := ReasonNone + 1; reason < Reasons; reason++ {
		all = append(all, reason)
	}
	return all
}
