package rescheduling

import (
	"slices"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Trigger is why a pod was needed.
type Trigger uint8

// The triggers. Triggers is their number.
const (
	TriggerNodeAdded Trigger = iota
	TriggerNodeRecovered
	// TriggerNodeEligible: labels or taints changed, of the node or of the
	// DaemonSet.
	TriggerNodeEligible
	TriggerPodDeleted
	TriggerPodEvicted
	TriggerPodFailed
	// TriggerRollout: the pod that was replaced was of an older revision.
	TriggerRollout
	TriggerDaemonSetCreated
	Triggers
)

var triggerNames = [Triggers]string{
	"node_added", "node_recovered", "node_eligible", "pod_deleted", "pod_evicted",
	"pod_failed", "rollout", "daemonset_created",
}

// String returns the value of the label trigger.
func (t Trigger) String() string { return triggerNames[t] }

// begin opens a rescheduling if the cell, which lacks an available pod on a Ready
// node, needs one from now on. A pod that has only lost Ready, and may regain it in
// place, is a gap and no rescheduling: then it returns nil.
func begin(change *Change, now time.Time) *Rescheduling {
	if change.Event == EventStarted {
		return pickUp(change, now)
	}
	r := &Rescheduling{resumed: change.ChangedAt}
	switch trigger, ok := arrival(change); {
	case ok:
		r.trigger = trigger
	case slices.ContainsFunc(change.Pods, (*slim.Pod).Active) && !lostAvailable(change):
		return nil
	default:
		r.lose(change)
	}
	if r.resumed.IsZero() || r.resumed.After(now) {
		r.resumed = now
	}
	r.notBefore(change.Node.StatusSince)
	if change.WasExpected && change.Was.NodeDown() && !change.WasHeldBack {
		r.returnedAt = r.resumed
	}
	return r
}

// notBefore keeps the clock from counting time in which the node was not Ready:
// a pod's stamp may lie in it.
func (r *Rescheduling) notBefore(ready time.Time) {
	if r.resumed.Before(ready) {
		r.resumed = ready
	}
}

// arrival returns the trigger of a cell in which a pod came to be needed: its node
// turned Ready, or it became expected.
func arrival(change *Change) (Trigger, bool) {
	wasDown := change.WasExpected && change.Was.NodeDown()
	switch {
	case change.WasExpected && change.WasHeldBack:
		return TriggerNodeEligible, true
	case change.Event == EventNodeAdded:
		return TriggerNodeAdded, true
	case wasDown && change.Was == coverage.ReasonNodeNeverReady:
		return TriggerNodeAdded, true
	case wasDown:
		return TriggerNodeRecovered, true
	case change.WasExpected:
		return 0, false
	case change.Event == EventDaemonSetCreated:
		return TriggerDaemonSetCreated, true
	default:
		return TriggerNodeEligible, true
	}
}

// lose finds the trigger of a cell that has lost its last pod.
func (r *Rescheduling) lose(change *Change) {
	r.trigger = TriggerPodDeleted
	pod := lostPod(change)
	if pod == nil {
		return
	}
	r.lost, r.replaced = true, pod.ControllerRevisionHash
	r.trigger = lossTrigger(pod, change.Revision.Includes(pod))
}

// lostPod returns the pod whose loss left the cell without one: the one that is
// gone with this event or, of those that are on their way out, the latest.
func lostPod(change *Change) *slim.Pod {
	lost := change.Removed
	for _, pod := range change.Pods {
		if !pod.Active() && (lost == nil || pod.CreationTimestamp > lost.CreationTimestamp) {
			lost = pod
		}
	}
	return lost
}

func lossTrigger(pod *slim.Pod, current bool) Trigger {
	switch {
	case pod.Evicted || pod.DisruptionTarget == slim.DisruptionEvictionAPI || pod.DisruptionTarget == slim.DisruptionOther:
		return TriggerPodEvicted
	case failedFirst(pod):
		return TriggerPodFailed
	case !current:
		return TriggerRollout
	default:
		return TriggerPodDeleted
	}
}

// failedFirst reports whether a pod ended before its deletion was requested, if it
// was. The API server leaves a pod that has failed no grace period. Its kubelet's own
// last request looks the same, and lasts for a moment; the pod garbage collector makes
// pods fail that run.
func failedFirst(pod *slim.Pod) bool {
	if !pod.Terminating() {
		return pod.Terminal()
	}
	return pod.Phase == slim.PodFailed && pod.DeletionGracePeriodSeconds == 0 &&
		!pod.AnyContainerRunning() && pod.DisruptionTarget != slim.DisruptionPodGC
}

// returned notes that the node turned Ready again, or gets pods again: that is
// the last thing that made the pod needed, whatever did before.
func (r *Rescheduling) returned(change *Change) {
	if trigger, ok := arrival(change); ok {
		r.needed, r.before, r.returnedAt = true, r.trigger, change.ChangedAt
		r.trigger, r.lost = trigger, false
	}
}

// succeeded notes a successor of the pod that was lost: that its deletion was part of
// a rollout may show in the successor's revision only. A rollout that is rolled back
// stays one.
func (r *Rescheduling) succeeded(pod *slim.Pod) {
	if r.lost && r.trigger == TriggerPodDeleted && pod.ControllerRevisionHash != r.replaced {
		r.trigger = TriggerRollout
	}
}

// lostAvailable reports whether a pod is gone or going while those that are left
// have not been Ready yet: the one that was to follow it, or surged beside it, was
// not there yet.
func lostAvailable(change *Change) bool {
	lost := change.Removed != nil ||
		slices.ContainsFunc(change.Pods, func(pod *slim.Pod) bool { return !pod.Active() })
	return lost && !mayRegain(change)
}

// recent is how long before a pod's creation an event may lie that is taken for
// its reason, when nobody watched.
const recent = time.Minute

// pickUp finds a rescheduling that began before the exporter looked, by the stamps
// of the objects. A pod that was Ready since its node is, and is not now, may
// regain it in place and is no rescheduling.
func pickUp(change *Change, now time.Time) *Rescheduling {
	node := &change.Node
	r := &Rescheduling{}
	pod := oldestActive(change)
	switch lost := lossStamp(change); {
	case pod == nil && lost.IsZero():
		r.trigger = triggerBefore(now, change)
		r.resumed = now
	case pod == nil && lost.Time().Before(node.StatusSince), pod != nil && wentDownWithNode(pod, node):
		r.trigger = node.trigger()
		r.resumed = node.StatusSince
	case pod == nil:
		r.lose(change)
		r.resumed = readiness.Begun(now, lost.Time())
	case mayRegain(change):
		return nil
	default:
		r.trigger = triggerBefore(pod.CreationTimestamp.Time(), change)
		r.resumed = readiness.Begun(now, pod.CreationTimestamp.Time())
	}
	r.notBefore(node.StatusSince)
	return r
}

func oldestActive(change *Change) *slim.Pod {
	var oldest *slim.Pod
	for _, pod := range change.Pods {
		if pod.Active() && (oldest == nil || pod.CreationTimestamp < oldest.CreationTimestamp) {
			oldest = pod
		}
	}
	return oldest
}

// lossStamp returns when the deletion of the last pod was requested or the pod
// failed, as far as it is still there to tell.
func lossStamp(change *Change) slim.Stamp {
	pod := lostPod(change)
	switch {
	case pod == nil:
		return 0
	case pod.Ready.Status == slim.ConditionFalse && failedFirst(pod):
		return max(pod.Ready.LastTransitionTime, pod.CreationTimestamp)
	case pod.Ready.Status == slim.ConditionFalse:
		return max(pod.Ready.LastTransitionTime, pod.DeletionRequestedAt())
	case !pod.Terminating():
		return pod.CreationTimestamp
	default:
		return pod.DeletionRequestedAt()
	}
}

// wentDownWithNode reports whether a pod is older than its node's present Ready and
// was not available when that began.
func wentDownWithNode(pod *slim.Pod, node *Node) bool {
	since := pod.Ready.LastTransitionTime.Time()
	if !pod.CreationTimestamp.Time().Before(node.StatusSince) {
		return false
	}
	if pod.Ready.Status == slim.ConditionTrue { // and its minReadySeconds are running
		return since.After(node.StatusSince) && since.Sub(node.StatusSince) <= recent
	}
	return !since.After(node.StatusSince)
}

// mayRegain reports whether one of the pods that are left has been Ready since its
// node is, and may be so again in place.
func mayRegain(change *Change) bool {
	return slices.ContainsFunc(change.Pods, func(pod *slim.Pod) bool {
		return pod.Active() && !wentDownWithNode(pod, &change.Node) && (everReady(pod) || againReady(pod))
	})
}

// againReady reports whether a pod whose minReadySeconds are running was Ready
// before, as far as that shows: it turned Ready long after it was created.
func againReady(pod *slim.Pod) bool {
	return pod.Ready.Status == slim.ConditionTrue &&
		pod.Ready.LastTransitionTime.Time().Sub(pod.CreationTimestamp.Time()) > recent
}

// everReady reports whether a pod that is not Ready has been.
func everReady(pod *slim.Pod) bool {
	return pod.Ready.Status == slim.ConditionFalse && !pod.StartTime.IsZero() && pod.ReadyChangedAfterStart()
}

// triggerBefore guesses why a pod was needed at a time from what happened shortly
// before.
func triggerBefore(needed time.Time, change *Change) Trigger {
	shortlyBefore := func(at time.Time) bool {
		return !at.After(needed.Add(time.Second)) && needed.Sub(at) <= recent
	}
	switch {
	case shortlyBefore(change.DaemonSet.CreationTimestamp.Time()):
		return TriggerDaemonSetCreated
	case shortlyBefore(change.Node.CreatedAt):
		return TriggerNodeAdded
	case shortlyBefore(change.Node.StatusSince):
		return change.Node.trigger()
	default:
		return TriggerPodDeleted
	}
}

// trigger returns the trigger of a node that turned Ready: a new one, or one that
// has come back.
func (n *Node) trigger() Trigger {
	if n.Joining {
		return TriggerNodeAdded
	}
	return TriggerNodeRecovered
}
