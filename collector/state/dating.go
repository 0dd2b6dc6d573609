package state

import (
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
	stamped := cl.stamped(pods, why)
	if stamped.IsZero() {
		return now
	}
	earliest := max(cl.node.state.Object().CreationTimestamp, cl.ds.object.CreationTimestamp).Time()
	if cl.changed == 0 {
		if cl.state.gap() && cl.state.reason.Cause() != coverage.CauseNode {
			stamped = uncoveredSince(pods)
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
	return readiness.Date(now, previous, stamped)
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
	case cl.state.reason.Cause() == coverage.CauseNode || why.kind == rescheduling.EventNodeChanged:
		return cl.node.state.Since()
	}
	var latest time.Time
	if cl.state.reason == coverage.ReasonNone {
		latest = cl.node.state.Since()
	}
	for _, pod := range pods {
		if why.changed != nil && why.changed != pod {
			continue
		}
		if at := cl.state.reason.PodSince(pod, cl.ds.object.MinReadySeconds).Time(); at.After(latest) {
			latest = at
		}
	}
	return latest
}

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
