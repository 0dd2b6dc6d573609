package state

import (
	"slices"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
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
	// first is the reason with which the gap opened.
	first coverage.Reason
	// index is the place among the open gaps; -1 for a cell that has none.
	index int32
	// changed is when the state last changed, opened when the gap did.
	changed, opened unixNano
}

// cellState is what is remembered of a cell: a pure function of the DaemonSet, the
// node, the pods and the time.
type cellState struct {
	expected bool
	// reason is why an expected cell is not covered.
	reason coverage.Reason
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
	if s.expected = decision.Exclusion == coverage.NotExcluded; s.expected {
		s.reason, wake = coverage.GapReason(cl.node.state.Status(), pods, ds.MinReadySeconds, now)
		s.outdated = cl.ds.outdated(pods, now)
	}
	s.upstream = rollout.Count(ds, cl.ds.current, decision.Upstream == coverage.VerdictRun, pods, now)
	s.misplaced = !s.expected && s.upstream.Misscheduled
	return s, earliest(wake, pods, ds.MinReadySeconds, now)
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
