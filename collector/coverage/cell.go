package coverage

import (
	"iter"
	"slices"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// cell is one (DaemonSet, Node) pair that is expected or occupied. There is one
// for nearly every pod of a cluster, so it is small.
type cell struct {
	set  *daemonSet
	node *node
	// pod and more are the pods of the DaemonSet on the node. Nearly always
	// there is just the one, and more is nil.
	pod   *slim.Pod
	more  *[]*slim.Pod
	state cellState
	// first is the reason with which the gap opened.
	first Reason
	// index is the place among the open gaps; -1 for a cell that has none.
	index int32
	// changed is when the verdict last changed, opened when the gap did.
	changed, opened moment
	// wake is the earliest timer that is set for the cell.
	wake moment
}

// verdict is what the ledger remembers of a cell: a pure function of the
// DaemonSet, the node, the pods and the time.
type cellState struct {
	expected bool
	// reason is why an expected cell is not covered.
	reason Reason
	// misplaced tells that a pod is there though none is expected.
	misplaced bool
	// outdated tells that the pod is not of the current revision.
	outdated bool
	upstream upstream
}

func (v cellState) gap() bool { return v.expected && v.reason != ReasonNone }

// spendingCause is whom to blame for a node that spends a rolling update's
// budget.
func (v cellState) spendingCause() Cause {
	if v.gap() {
		return v.reason.Cause()
	}
	return CauseOther
}

// pods yields the pods of the cell.
func (c *cell) pods() iter.Seq[*slim.Pod] {
	return func(yield func(*slim.Pod) bool) {
		if c.pod == nil || !yield(c.pod) || c.more == nil {
			return
		}
		for _, pod := range *c.more {
			if !yield(pod) {
				return
			}
		}
	}
}

// put adds a pod or replaces its earlier version, which it returns.
func (c *cell) put(pod *slim.Pod) (earlier *slim.Pod) {
	if c.pod == nil {
		c.pod = pod
		return nil
	}
	if c.pod.UID == pod.UID {
		earlier, c.pod = c.pod, pod
		return earlier
	}
	if c.more == nil {
		c.more = &[]*slim.Pod{pod}
		return nil
	}
	for i, other := range *c.more {
		if other.UID == pod.UID {
			(*c.more)[i] = pod
			return other
		}
	}
	*c.more = append(*c.more, pod)
	return nil
}

// take removes a pod and returns its last version, or nil if it is not here.
func (c *cell) take(uid slim.UID) (last *slim.Pod) {
	switch {
	case c.pod == nil:
		return nil
	case c.pod.UID == uid:
		last, c.pod = c.pod, nil
		if c.more != nil {
			c.pod, *c.more = (*c.more)[0], (*c.more)[1:]
		}
	case c.more != nil:
		if i := slices.IndexFunc(*c.more, func(pod *slim.Pod) bool { return pod.UID == uid }); i >= 0 {
			last = (*c.more)[i]
			*c.more = slices.Delete(*c.more, i, i+1)
		}
	}
	if c.more != nil && len(*c.more) == 0 {
		c.more = nil
	}
	return last
}

// assess gives the cell's verdict and when time alone may change it.
func (c *cell) assess(now time.Time) (cellState, time.Time) {
	if c.set.object == nil || c.node.state == nil {
		return cellState{}, time.Time{}
	}
	decision := c.set.decisions[c.node.slot]
	var wake time.Time
	var v cellState
	if v.expected = decision.Exclusion == NotExcluded; v.expected {
		v.reason, wake = gapReason(c.node.state.Status(), c.pods(), c.set.object.MinReadySeconds, now)
		v.outdated = c.outdated(now)
	}
	v.upstream = upstreamOf(c.set, decision.Upstream, slices.Collect(c.pods()), now)
	v.misplaced = !v.expected && v.upstream.misscheduled
	return v, c.earliest(wake, now)
}

// outdated tells whether the pod that works or, where none does, the only ones
// there are not of the current revision. A cell without pods has no revision.
func (c *cell) outdated(now time.Time) bool {
	var working, current, workingCurrent bool
	for pod := range c.pods() {
		isCurrent := c.set.updated(pod)
		current = current || isCurrent
		if Available(pod, c.set.object.MinReadySeconds, now) {
			working = true
			workingCurrent = workingCurrent || isCurrent
		}
	}
	if working {
		return !workingCurrent
	}
	return c.pod != nil && !current
}

// earliest adds to wake the moments at which a Ready pod becomes available:
// upstream's counts change then even on a node that is not Ready.
func (c *cell) earliest(wake, now time.Time) time.Time {
	if c.set.object.MinReadySeconds <= 0 {
		return wake
	}
	for pod := range c.pods() {
		if at := availableAt(pod, c.set.object.MinReadySeconds); pod.Ready.Status == slim.ConditionTrue &&
			at.After(now) && (wake.IsZero() || at.Before(wake)) {
			wake = at
		}
	}
	return wake
}
