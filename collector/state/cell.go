package state

import (
	"slices"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// cell is one (DaemonSet, node) pair that is expected or occupied. There is one
// for nearly every pod of a cluster, so it is small.
type cell struct {
	ds   *daemonSet
	node *node
	// pod and more are the pods of the DaemonSet on the node. Nearly always
	// there is just the one, and more is nil.
	pod   *slim.Pod
	more  *[]*slim.Pod
	state cellState
	// changed is when the state last changed.
	changed unixNano
	// gap is the open gap, nil for none.
	gap *openGap
}

// openGap is a gap that is open.
type openGap struct {
	// opened is when it opened, lifecycle what its node was then.
	opened    unixNano
	lifecycle readiness.Lifecycle
	// held is how long each cause has held, but for the present one since the cell's
	// last change.
	held [coverage.Causes]time.Duration
	// last is the cause that held last.
	last coverage.Cause
	// index is the place in a heap of the gapRanking, spare reports whether it is that of
	// the gaps over the limit, and ofNode is what it is ranked by.
	index         int32
	spare, ofNode bool
}

// cause returns the cause that held for the longest part of the gap; of equal ones
// the first, and of a gap that took no time the last.
func (g *openGap) cause() coverage.Cause {
	longest, most := g.last, time.Duration(0)
	for cause := range coverage.Causes {
		if g.held[cause] > most {
			longest, most = cause, g.held[cause]
		}
	}
	return longest
}

// cellState is what is remembered of a cell: a pure function of the DaemonSet, the
// node, the pods and the time.
type cellState struct {
	expected bool
	// reason is why an expected cell is not covered.
	reason coverage.Reason
	// withheld reports whether there is no pod because of a condition taint, heldBack
	// whether because of one that does more than repeat the node's Ready condition.
	withheld, heldBack bool
	// suspect is why a pod does not work by its own fault on a node whose kubelet says
	// that the node is not Ready.
	suspect coverage.Reason
	// misplaced reports whether a pod is there though none is expected.
	misplaced bool
	// outdated reports whether the pod is not of the current revision.
	outdated bool
	upstream rollout.Node
}

func (s cellState) gap() bool { return s.expected && s.reason != coverage.ReasonNone }

// spendingCause returns what is to blame for a node that spends a rolling update's
// budget.
func (s cellState) spendingCause() coverage.Cause {
	if s.gap() {
		return s.reason.Cause()
	}
	return coverage.CauseOther
}

// appendPods appends the pods of the cell.
func (cl *cell) appendPods(pods []*slim.Pod) []*slim.Pod {
	if cl.pod == nil {
		return pods
	}
	pods = append(pods, cl.pod)
	if cl.more != nil {
		pods = append(pods, *cl.more...)
	}
	return pods
}

// put adds a pod or replaces its earlier version, which it returns.
func (cl *cell) put(pod *slim.Pod) (earlier *slim.Pod) {
	if cl.pod == nil {
		cl.pod = pod
		return nil
	}
	if cl.pod.UID == pod.UID {
		earlier, cl.pod = cl.pod, pod
		return earlier
	}
	if cl.more == nil {
		cl.more = &[]*slim.Pod{pod}
		return nil
	}
	for i, other := range *cl.more {
		if other.UID == pod.UID {
			(*cl.more)[i] = pod
			return other
		}
	}
	*cl.more = append(*cl.more, pod)
	return nil
}

// take removes a pod and returns its last version, or nil if it is not here.
func (cl *cell) take(uid slim.UID) (last *slim.Pod) {
	switch {
	case cl.pod == nil:
		return nil
	case cl.pod.UID == uid:
		last, cl.pod = cl.pod, nil
		if cl.more != nil {
			cl.pod, *cl.more = (*cl.more)[0], (*cl.more)[1:]
		}
	case cl.more != nil:
		if i := slices.IndexFunc(*cl.more, func(pod *slim.Pod) bool { return pod.UID == uid }); i >= 0 {
			last = (*cl.more)[i]
			*cl.more = slices.Delete(*cl.more, i, i+1)
		}
	}
	if cl.more != nil && len(*cl.more) == 0 {
		cl.more = nil
	}
	return last
}

// evaluate returns the state of the cell with these pods, and the next time at
// which it can change without an event (zero if it cannot).
func (cl *cell) evaluate(pods []*slim.Pod, now time.Time) (cellState, time.Time) {
	if cl.ds.object == nil || cl.node.state == nil {
		return cellState{}, time.Time{}
	}
	ds, decision := cl.ds.object, cl.ds.decisions[cl.node.slot]
	var wake time.Time
	var s cellState
	if !ds.DeletionTimestamp.IsZero() {
		return cellState{}, time.Time{} // it promises nothing any more
	}
	if s.expected = cl.ds.expects(cl.node); s.expected {
		s.reason, wake = coverage.GapReason(cl.node.state.Status(), decision.Withheld >= 0, pods, ds.MinReadySeconds, now)
		s.outdated = cl.ds.outdated(pods, now)
		if cl.node.state.Status() == readiness.StatusNotReady {
			s.suspect = coverage.SuspectReason(pods, ds.MinReadySeconds, now)
		}
		s.withheld = len(pods) == 0 && decision.Withheld >= 0
		s.heldBack = s.withheld && decision.HeldBack
	}
	s.upstream = rollout.Count(ds, cl.ds.current, decision.Upstream == coverage.VerdictRun, pods, now)
	s.misplaced = !s.expected && s.upstream.Misscheduled
	return s, earliest(wake, pods, ds.MinReadySeconds, now)
}

// expects reports whether a node should hold a working pod of the DaemonSet. One that
// is being deleted promises nothing.
func (ds *daemonSet) expects(n *node) bool {
	return ds.object != nil && n.state != nil && ds.object.DeletionTimestamp.IsZero() &&
		ds.decisions[n.slot].Exclusion == coverage.NotExcluded
}

// outdated reports whether the pod that is available or, where none is, the only
// ones there are not of the current revision. A cell without pods has no revision.
func (ds *daemonSet) outdated(pods []*slim.Pod, now time.Time) bool {
	var available, current, availableCurrent bool
	for _, pod := range pods {
		isCurrent := ds.current.Includes(pod)
		current = current || isCurrent
		if pod.Available(ds.object.MinReadySeconds, now) {
			available = true
			availableCurrent = availableCurrent || isCurrent
		}
	}
	if available {
		return !availableCurrent
	}
	return len(pods) > 0 && !current
}

// earliest adds to wake the times at which a Ready pod becomes available:
// upstream's counts change then even on a node that is not Ready.
func earliest(wake time.Time, pods []*slim.Pod, minReadySeconds int32, now time.Time) time.Time {
	if minReadySeconds <= 0 {
		return wake
	}
	for _, pod := range pods {
		if at := pod.AvailableAt(minReadySeconds); pod.Ready.Status == slim.ConditionTrue &&
			at.After(now) && (wake.IsZero() || at.Before(wake)) {
			wake = at
		}
	}
	return wake
}
