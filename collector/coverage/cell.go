package coverage

import (
	"iter"
	"slices"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/informers/record"
)

// cell is one (DaemonSet, Node) pair that is expected or occupied. There is one
// for nearly every pod of a cluster, so it is small.
type cell struct {
	set  *daemonSet
	node *node
	// pod and rest are the pods of the DaemonSet on the node. Nearly always
	// there is just the one.
	pod     *record.Pod
	rest    []*record.Pod
	verdict verdict
	// index is the place among the open gaps; -1 for a cell that has none.
	index int32
	// first is the reason with which the gap opened.
	first Reason
	// changed is when the verdict last changed, opened when the gap did.
	changed, opened moment
	// wake is the earliest timer that is set for the cell.
	wake moment
}

// verdict is what the ledger remembers of a cell: a pure function of the
// DaemonSet, the node, the pods and the time.
type verdict struct {
	expected bool
	// reason is why an expected cell is not covered.
	reason Reason
	// misplaced tells that a pod is there though none is expected.
	misplaced bool
	// outdated tells that the pod is not of the current revision.
	outdated bool
	upstream upstream
}

func (v verdict) gap() bool { return v.expected && v.reason != Covered }

// spendingCause is whom to blame for a node that spends a rolling update's
// budget.
func (v verdict) spendingCause() Cause {
	if v.gap() {
		return v.reason.Cause()
	}
	return CauseOther
}

// pods yields the pods of the cell.
func (c *cell) pods() iter.Seq[*record.Pod] {
	return func(yield func(*record.Pod) bool) {
		if c.pod == nil || !yield(c.pod) {
			return
		}
		for _, pod := range c.rest {
			if !yield(pod) {
				return
			}
		}
	}
}

// put adds a pod or replaces its earlier version, which it returns.
func (c *cell) put(pod *record.Pod) (earlier *record.Pod) {
	if c.pod == nil {
		c.pod = pod
		return nil
	}
	if c.pod.UID == pod.UID {
		earlier, c.pod = c.pod, pod
		return earlier
	}
	for i := range c.rest {
		if c.rest[i].UID == pod.UID {
			earlier, c.rest[i] = c.rest[i], pod
			return earlier
		}
	}
	c.rest = append(c.rest, pod)
	return nil
}

// take removes a pod and returns its last version, or nil if it is not here.
func (c *cell) take(uid record.UID) (last *record.Pod) {
	if c.pod == nil {
		return nil
	}
	if c.pod.UID == uid {
		last, c.pod = c.pod, nil
		if len(c.rest) > 0 {
			c.pod, c.rest = c.rest[0], c.rest[1:]
		}
	} else if i := slices.IndexFunc(c.rest, func(pod *record.Pod) bool { return pod.UID == uid }); i >= 0 {
		last = c.rest[i]
		c.rest = slices.Delete(c.rest, i, i+1)
	}
	if len(c.rest) == 0 {
		c.rest = nil
	}
	return last
}

// assess gives the cell's verdict and when time alone may change it.
func (c *cell) assess(now time.Time) (verdict, time.Time) {
	if c.set.object == nil || c.node.state == nil {
		return verdict{}, time.Time{}
	}
	decision := c.set.decisions[c.node.slot]
	var wake time.Time
	var v verdict
	if v.expected = decision.Exclusion == Expected; v.expected {
		v.reason, wake = judge(c.node.state.Status(), c.pods(), c.set.object.MinReadySeconds, now)
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
		if at := availableAt(pod, c.set.object.MinReadySeconds); pod.Ready.Status == record.True &&
			at.After(now) && (wake.IsZero() || at.Before(wake)) {
			wake = at
		}
	}
	return wake
}
