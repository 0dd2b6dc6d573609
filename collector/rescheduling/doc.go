// Package rescheduling measures how DaemonSet pods come back and how they go.
//
// Tracker follows episodes: from the moment a pod is needed on a Ready node to
// the moment one is available there. Terminations follows pods from the request
// to end them to their removal. Both are fed by the ledger and by pod events,
// and report what is finished to a Recorder. What is still open is kept in maps
// whose entries end with the episode, the pod, the node or the DaemonSet.
//
// Nothing here locks, and nothing reads a clock: the caller does both.
package rescheduling

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Recorder takes what is finished.
type Recorder interface {
	// Rescheduled: a pod is available again. The stages add up to the total.
	Rescheduled(ds *slim.DaemonSet, trigger Trigger, stages [Stages]time.Duration)
	// Terminated: a pod that was asked to end is gone.
	Terminated(ds *slim.DaemonSet, outcome Outcome, duration time.Duration)
	// Restarted: a container of the DaemonSet has been started again.
	Restarted(ds *slim.DaemonSet, ending slim.TerminationReason, times int32)
}

// Trigger is why a pod was needed.
type Trigger uint8

// The triggers. Triggers is their number.
const (
	TriggerNodeAdded Trigger = iota
	TriggerNodeRecovered
	// NodeEligible: labels or taints changed, of the node or of the DaemonSet.
	TriggerNodeEligible
	TriggerPodDeleted
	TriggerPodEvicted
	TriggerPodFailed
	// Rollout: the pod that was replaced was of an older revision.
	TriggerRollout
	TriggerDaemonSetCreated
	Triggers
)

var triggerNames = [Triggers]string{
	"node_added", "node_recovered", "node_eligible", "pod_deleted", "pod_evicted",
	"pod_failed", "rollout", "daemonset_created",
}

// String is the value of the label trigger.
func (t Trigger) String() string { return triggerNames[t] }

// Stage is a part of a rescheduling.
type Stage uint8

// The stages, in their order. Stages is their number.
const (
	// Create: until the pod that came to work was created.
	StageCreate Stage = iota
	// Schedule: until it was bound.
	StageSchedule
	// Start: until its containers had started.
	StageStart
	// Ready: until it was available.
	StageReady
	Stages
)

var stageNames = [Stages]string{"create", "schedule", "start", "ready"}

// String is the value of the label stage.
func (s Stage) String() string { return stageNames[s] }

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

// String is the value of the label outcome.
func (o Outcome) String() string { return outcomeNames[o] }
