package coverage

// Reason is why an expected cell is not covered. The enum is closed: whatever
// Kubernetes comes up with next is Other, never dropped and never free text.
type Reason uint8

// The reasons, first that holds. Covered is none. Reasons is their number.
const (
	Covered Reason = iota
	NodeUnreachable
	NodeNeverReady
	NodeNotReady
	PodMissing
	InsufficientResources
	PodUnschedulable
	PodTerminating
	PodEvicted
	PodFailed
	ImagePull
	ContainerConfig
	CrashLoop
	PodStarting
	ReadinessGate
	PodNotReady
	MinReadySeconds
	Other
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
	Covered:               {"covered", CauseOther},
	NodeUnreachable:       {"node_unreachable", CauseNode},
	NodeNeverReady:        {"node_never_ready", CauseNode},
	NodeNotReady:          {"node_not_ready", CauseNode},
	PodMissing:            {"pod_missing", CauseScheduling},
	InsufficientResources: {"insufficient_resources", CauseScheduling},
	PodUnschedulable:      {"pod_unschedulable", CauseScheduling},
	PodTerminating:        {"pod_terminating", CausePod},
	PodEvicted:            {"pod_evicted", CausePod},
	PodFailed:             {"pod_failed", CausePod},
	ImagePull:             {"image_pull", CausePod},
	ContainerConfig:       {"container_config", CausePod},
	CrashLoop:             {"crash_loop", CausePod},
	PodStarting:           {"pod_starting", CausePod},
	ReadinessGate:         {"readiness_gate", CausePod},
	PodNotReady:           {"pod_not_ready", CausePod},
	MinReadySeconds:       {"min_ready_seconds", CausePod},
	Other:                 {"other", CauseOther},
}

// String is the value of the label reason.
func (r Reason) String() string { return reasons[r].name }

// Cause is the value of the label cause that goes with the reason.
func (r Reason) Cause() Cause { return reasons[r].cause }

// GapReasons are all reasons of a gap, in their order.
func GapReasons() []Reason {
	all := make([]Reason, 0, Reasons-1)
	for reason := Covered + 1; reason < Reasons; reason++ {
		all = append(all, reason)
	}
	return all
}
