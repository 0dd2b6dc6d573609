package rescheduling

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// begin opens an episode if the cell, which lacks an available pod on a Ready
// node, needs one from now on. A pod that has only lost Ready, and may regain
// it in place, is a gap and no rescheduling: then it gives nil.
func begin(change *coverage.Change, now time.Time) *rescheduling {
	if change.Event() == coverage.EventStarted {
		return pickUp(change, now)
	}
	e := &rescheduling{resumed: change.ChangedAt()}
	switch trigger, ok := arrival(change); {
	case ok:
		e.trigger = trigger
	case anyLive(change) && !lostWorking(change):
		return nil
	default:
		e.lose(change)
	}
	if e.resumed.IsZero() || e.resumed.After(now) {
		e.resumed = now
	}
	e.notBefore(change.Node().Since())
	return e
}

// notBefore keeps the clock from counting time in which the node was not Ready:
// a pod's stamp may lie in it.
func (e *rescheduling) notBefore(ready time.Time) {
	if e.resumed.Before(ready) {
		e.resumed = ready
	}
}

// arrival is the trigger of a cell to which a need has come: its node turned
// Ready, or it became expected.
func arrival(change *coverage.Change) (Trigger, bool) {
	wasDown := change.WasExpected() && change.Was().Cause() == coverage.CauseNode
	switch event := change.Event(); {
	case event == coverage.EventNodeAdded:
		return TriggerNodeAdded, true
	case wasDown && change.Was() == coverage.ReasonNodeNeverReady:
		return TriggerNodeAdded, true
	case wasDown:
		return TriggerNodeRecovered, true
	case change.WasExpected():
		return 0, false
	case event == coverage.EventDaemonSetCreated:
		return TriggerDaemonSetCreated, true
	default:
		return TriggerNodeEligible, true
	}
}

// lose finds the trigger of a cell that has lost its last pod.
func (e *rescheduling) lose(change *coverage.Change) {
	e.trigger = TriggerPodDeleted
	pod := lostPod(change)
	if pod == nil {
		return
	}
	e.lost, e.replaced = true, pod.ControllerRevisionHash
	e.trigger = lossTrigger(pod, change.Updated(pod))
}

// lostPod is the pod whose loss left the cell without one: the one that is gone
// with this event or, of those that are on their way out, the latest.
func lostPod(change *coverage.Change) *slim.Pod {
	lost := change.Removed()
	for pod := range change.Pods() {
		if !live(pod) && (lost == nil || pod.CreationTimestamp > lost.CreationTimestamp) {
			lost = pod
		}
	}
	return lost
}

func lossTrigger(pod *slim.Pod, updated bool) Trigger {
	switch {
	case pod.Evicted || pod.DisruptionTarget == slim.DisruptionEvictionAPI || pod.DisruptionTarget == slim.DisruptionOther:
		return TriggerPodEvicted
	case pod.DeletionTimestamp.IsZero() && pod.Terminal():
		return TriggerPodFailed
	case !updated:
		return TriggerRollout
	default:
		return TriggerPodDeleted
	}
}

// settled is the trigger once the pod that came to work is known: whether a
// deletion was part of a rollout shows in its revision.
func (e *rescheduling) settled(pod *slim.Pod) Trigger {
	switch {
	case !e.lost || e.trigger != TriggerPodDeleted && e.trigger != TriggerRollout:
		return e.trigger
	case pod.ControllerRevisionHash != e.replaced:
		return TriggerRollout
	default:
		return TriggerPodDeleted
	}
}

// lostWorking tells that a pod is gone or going, and that those which are left
// have not been Ready yet: a pod ended while the one that was to follow it, or
// surged beside it, was not there yet.
func lostWorking(change *coverage.Change) bool {
	lost := change.Removed() != nil
	for pod := range change.Pods() {
		lost = lost || !live(pod)
	}
	return lost && !mayRegain(change)
}

func anyLive(change *coverage.Change) bool {
	for pod := range change.Pods() {
		if live(pod) {
			return true
		}
	}
	return false
}

// recent is how long before a pod's creation an event may lie that is taken for
// its reason, when nobody watched.
const recent = time.Minute

// pickUp finds an episode that began before the exporter looked, by the stamps
// of the objects. A pod that was Ready since its node is, and is not now, may
// regain it in place and is no rescheduling.
func pickUp(change *coverage.Change, now time.Time) *rescheduling {
	node, ds := change.Node(), change.DaemonSet()
	e := &rescheduling{}
	pod := oldestLive(change)
	switch lost := lossStamp(change); {
	case pod == nil && lost.IsZero():
		e.trigger = reasonOf(now, node, ds)
		e.resumed = now
	case pod == nil && lost.Time().Before(node.Since()), pod != nil && wentDownWithNode(pod, node):
		e.trigger = turned(node)
		e.resumed = node.Since()
	case pod == nil:
		e.lose(change)
		e.resumed = readiness.Begun(now, lost.Time())
	case mayRegain(change):
		return nil
	default:
		e.trigger = reasonOf(pod.CreationTimestamp.Time(), node, ds)
		e.resumed = readiness.Begun(now, pod.CreationTimestamp.Time())
	}
	e.notBefore(node.Since())
	return e
}

func oldestLive(change *coverage.Change) *slim.Pod {
	var oldest *slim.Pod
	for pod := range change.Pods() {
		if live(pod) && (oldest == nil || pod.CreationTimestamp < oldest.CreationTimestamp) {
			oldest = pod
		}
	}
	return oldest
}

// lossStamp is when the last pod was asked to end or failed, as far as it is
// still there to tell.
func lossStamp(change *coverage.Change) slim.Stamp {
	pod := lostPod(change)
	switch {
	case pod == nil:
		return 0
	case pod.Ready.Status == slim.ConditionFalse:
		return max(pod.Ready.LastTransitionTime, pod.DeletionRequestedAt())
	case pod.DeletionTimestamp.IsZero():
		return pod.CreationTimestamp
	default:
		return pod.DeletionRequestedAt()
	}
}

// wentDownWithNode tells that a pod is older than its node's present Ready and
// was not available when that began.
func wentDownWithNode(pod *slim.Pod, node *readiness.Node) bool {
	since := pod.Ready.LastTransitionTime.Time()
	if !pod.CreationTimestamp.Time().Before(node.Since()) {
		return false
	}
	if pod.Ready.Status == slim.ConditionTrue { // and its minReadySeconds are running
		return since.After(node.Since()) && since.Sub(node.Since()) <= recent
	}
	return !since.After(node.Since())
}

// mayRegain tells that one of the pods that are left has been Ready since its
// node is, and may be so again in place.
func mayRegain(change *coverage.Change) bool {
	for pod := range change.Pods() {
		if live(pod) && !wentDownWithNode(pod, change.Node()) && (everReady(pod) || againReady(pod)) {
			return true
		}
	}
	return false
}

// againReady tells that a pod whose minReadySeconds are running was Ready
// before, as far as that shows: it turned Ready long after it was created.
func againReady(pod *slim.Pod) bool {
	return pod.Ready.Status == slim.ConditionTrue && pod.Ready.LastTransitionTime.Time().Sub(pod.CreationTimestamp.Time()) > recent
}

// everReady tells that a pod that is not Ready has been: the condition has
// turned since the kubelet took the pod.
func everReady(pod *slim.Pod) bool {
	return pod.Ready.Status == slim.ConditionFalse && !pod.StartTime.IsZero() && pod.Ready.LastTransitionTime > pod.StartTime.Add(1)
}

// reasonOf guesses why a pod was needed at a time from what happened shortly
// before.
func reasonOf(needed time.Time, node *readiness.Node, ds *slim.DaemonSet) Trigger {
	shortlyBefore := func(at time.Time) bool {
		return !at.After(needed.Add(time.Second)) && needed.Sub(at) <= recent
	}
	switch {
	case shortlyBefore(ds.CreationTimestamp.Time()):
		return TriggerDaemonSetCreated
	case shortlyBefore(node.Record().CreationTimestamp.Time()):
		return TriggerNodeAdded
	case shortlyBefore(node.Since()):
		return turned(node)
	default:
		return TriggerPodDeleted
	}
}

// turned is the trigger of a node that turned Ready: a new one, or one that has
// come back.
func turned(node *readiness.Node) Trigger {
	if node.Lifecycle() == readiness.LifecycleJoining {
		return TriggerNodeAdded
	}
	return TriggerNodeRecovered
}
