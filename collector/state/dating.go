package state

import (
	"slices"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// date returns when the cell came to its present state, by the rules of
// readiness.Date. A cell without a previous change began before the exporter,
// but not before its node and its DaemonSet.
func (cl *cell) date(pods []*slim.Pod, why event, now time.Time) time.Time {
	if !why.late {
		return now
	}
	stamped := cl.stamped(pods, why)
	if stamped.IsZero() {
		return now
	}
	earliest := max(cl.node.state.Object().CreationTimestamp, cl.ds.object.CreationTimestamp).Time()
	if cl.changed == 0 {
		if cl.state.gap() {
			stamped = beganAt(cl.state.reason, stamped, pods)
		}
		if stamped.Before(earliest) {
			stamped = earliest
		}
		return readiness.Begun(now, stamped)
	}
	previous := cl.changed.time()
	if previous.Before(earliest) {
		previous = earliest
	}
	return readiness.Date(now, previous, stamped, why.late)
}

// stamped returns when the objects say that the cell came to its present state;
// the zero time where none says so. Only what changed can say it: a stamp of
// something else is about another time.
func (cl *cell) stamped(pods []*slim.Pod, why event) time.Time {
	switch {
	case !cl.state.expected || why.kind == rescheduling.EventDaemonSetChanged || why.kind == rescheduling.EventRevisionChanged:
		return time.Time{}
	case why.removed != nil && !why.removed.DeletionMissed:
		return time.Time{}
	case cl.state.reason == coverage.ReasonNodeTainted:
		taint := &cl.node.state.Object().Taints[cl.ds.decisions[cl.node.slot].Withheld]
		return slim.StampOf(taint.TimeAdded).Time()
	case cl.state.reason == coverage.ReasonPodMissing && (why.kind == rescheduling.EventNodeAdded || why.kind == rescheduling.EventDaemonSetCreated):
		// It has been missing since there have been both, and the node Ready.
		return latest(cl.node.state.Since(), cl.ds.object.CreationTimestamp.Time())
	case cl.state.reason.NodeDown() || why.kind == rescheduling.EventNodeChanged:
		return cl.node.state.Since()
	}
	var last time.Time
	if cl.state.reason == coverage.ReasonNone {
		last = cl.node.state.Since()
	}
	for _, pod := range pods {
		if why.changed != nil && why.changed != pod {
			continue
		}
		if why.removed != nil && pod.CreationTimestamp < why.removed.CreationTimestamp {
			continue // no successor: it was there before, too
		}
		last = latest(last, cl.state.reason.PodSince(pod, cl.ds.object.MinReadySeconds).Time())
	}
	return last
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// beganAt returns when a gap began that was there before the exporter looked, of which
// stamped says when its reason came about. One that was open before its node failed
// keeps its start: where no pod was available when the node failed, the pods' stamps
// tell, as far as they go back further. The pods of a node that fails are marked not
// Ready in the same second (pkg/controller/nodelifecycle, v1.37).
func beganAt(reason coverage.Reason, stamped time.Time, pods []*slim.Pod) time.Time {
	uncovered := uncoveredSince(pods)
	switch {
	case reason.Cause() != coverage.CauseNode:
		return uncovered
	case !reason.NodeDown() || uncovered.IsZero():
		return stamped
	case uncovered.Before(stamped.Add(-time.Second)) && !slices.ContainsFunc(pods, readyNow):
		return uncovered
	default:
		return stamped
	}
}

func readyNow(pod *slim.Pod) bool { return pod.Ready.Status == slim.ConditionTrue }

// uncoveredSince returns since when, by the stamps of its pods, a cell has been
// without one that is available: since the last of them ceased to be Ready or,
// where none has been, since the first of them was made. A pod that ends or waits
// for a successor did not become a new gap when that began.
func uncoveredSince(pods []*slim.Pod) time.Time {
	var ceased, made slim.Stamp
	for _, pod := range pods {
		if pod.Ready.Status == slim.ConditionTrue || pod.ReadyChangedAfterStart() {
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
