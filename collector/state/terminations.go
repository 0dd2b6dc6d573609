package state

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// terminations are the pods of DaemonSets that are terminating, each from the first
// version with a deletion timestamp that the watch delivers to its removal.
type terminations struct {
	open map[slim.UID]*termination
	// onNode are those of each node.
	onNode map[slim.Text]map[*termination]struct{}
	counts map[terminatingKey]int
	// initial are the terminating pods that come in before Start; nil afterwards.
	initial map[slim.UID]*slim.Pod
}

// terminatingKey is what terminating pods are counted by.
type terminatingKey struct {
	daemonSet slim.UID
	state     rescheduling.State
}

// termination is one of them, and what it counts as.
type termination struct {
	*rescheduling.Termination
	counted terminatingKey
}

// startTerminations begins to follow the pods that were terminating at the start.
func (c *Cluster) startTerminations(now time.Time) {
	initial := c.terminations.initial
	c.terminations.initial = nil
	for _, pod := range initial {
		c.addTermination(nil, pod, c.terminationNode(pod, now), true, now)
	}
}

// followTermination updates the termination of a pod that is new or has changed;
// before is the version that was seen last, or nil. Its cell must be up to date.
func (c *Cluster) followTermination(before, pod *slim.Pod, now time.Time) {
	switch {
	case c.terminations.initial != nil:
		c.terminations.keepInitial(pod)
		return
	case pod.Owner == slim.UID{}:
		c.removeTermination(pod.UID)
		return
	}
	if before != nil {
		c.recordRestarts(before, pod)
	}
	if !pod.Terminating() {
		return
	}
	t := c.terminations.open[pod.UID]
	if t == nil {
		c.addTermination(before, pod, c.terminationNode(pod, now), pod.Late, now)
		return
	}
	c.terminations.leaveNode(t)
	t.Update(pod, now)
	c.terminations.joinNode(t)
	c.updateTermination(t, now)
}

// endTermination ends the termination of a pod that is gone; pod is the last version
// that the watch delivered, before the one that it delivered earlier, or nil, node its
// node when it ended.
func (c *Cluster) endTermination(before, pod *slim.Pod, node rescheduling.TerminationNode, now time.Time) {
	if c.terminations.initial != nil {
		delete(c.terminations.initial, pod.UID)
		return
	}
	ds := c.daemonSetObject(pod.Owner)
	t := c.terminations.open[pod.UID]
	if t == nil && pod.Terminating() && !pod.DeletionMissed && ds != nil {
		t = c.addTermination(before, pod, node, pod.Late, now)
	}
	c.removeTermination(pod.UID)
	switch {
	case ds == nil:
	case t == nil:
		c.recorder.Terminated(ds, rescheduling.UnobservedOutcome(pod))
	default:
		outcome, duration, measured := t.End(pod, now)
		c.recorder.Terminated(ds, outcome)
		if measured {
			c.recorder.TerminationMeasured(ds, duration)
		}
	}
}

func (c *Cluster) addTermination(before, pod *slim.Pod, node rescheduling.TerminationNode, late bool, now time.Time) *termination {
	t := &termination{Termination: rescheduling.NewTermination(before, pod, node, late, now)}
	c.terminations.open[pod.UID] = t
	c.terminations.joinNode(t)
	c.countTermination(t, node, now)
	return t
}

func (c *Cluster) removeTermination(uid slim.UID) {
	t := c.terminations.open[uid]
	if t == nil {
		return
	}
	c.terminations.count(t, -1)
	c.terminations.leaveNode(t)
	delete(c.terminations.open, uid)
	c.timers.Remove(t)
}

// updateTerminationsOn updates the terminations on a node that changed, came or went.
func (c *Cluster) updateTerminationsOn(name slim.Text, now time.Time) {
	for t := range c.terminations.onNode[name] {
		c.updateTermination(t, now)
	}
}

// updateTermination brings a termination up to date.
func (c *Cluster) updateTermination(t *termination, now time.Time) {
	c.countTermination(t, c.terminationNode(t.Pod(), now), now)
}

// countTermination counts a termination as it stands now. A pod that had ended
// before is only cleaned up, and is not counted.
func (c *Cluster) countTermination(t *termination, node rescheduling.TerminationNode, now time.Time) {
	state := t.State(node, now)
	if t.Ended() {
		return
	}
	if state == rescheduling.StateWithinGrace {
		c.setTimer(t, t.Deadline())
	} else {
		c.timers.Remove(t)
	}
	c.terminations.count(t, -1)
	t.counted = terminatingKey{t.Pod().Owner, state}
	c.terminations.count(t, 1)
}

// terminationNode returns what a termination needs to know of its pod's node.
func (c *Cluster) terminationNode(pod *slim.Pod, now time.Time) rescheduling.TerminationNode {
	if pod.NodeName.Value() == "" {
		return rescheduling.TerminationNode{Ready: true}
	}
	n := c.nodes[pod.NodeName]
	switch {
	case n == nil:
		return rescheduling.TerminationNode{Gone: true}
	case n.state == nil:
		return rescheduling.TerminationNode{Gone: n.presence.Gone(now), StatusSince: n.down.time()}
	}
	node := rescheduling.TerminationNode{
		Ready:       n.state.Status() == readiness.StatusReady,
		Gone:        n.presence.Gone(now),
		StatusSince: n.state.Since(),
		DownSince:   latest(n.state.DownSince(), n.down.time()),
	}
	if down := n.down.time(); !node.Ready && !down.IsZero() && n.presence.CameDown(node.StatusSince) {
		node.StatusSince = down
	}
	return node
}

func (c *Cluster) daemonSetObject(uid slim.UID) *slim.DaemonSet {
	if ds := c.daemonSets[uid]; ds != nil {
		return ds.object
	}
	return nil
}

// keepInitial remembers a pod until Start if it is terminating.
func (t *terminations) keepInitial(pod *slim.Pod) {
	if !pod.Terminating() || pod.Owner == (slim.UID{}) {
		delete(t.initial, pod.UID)
		return
	}
	t.initial[pod.UID] = pod
}

func (t *terminations) count(one *termination, sign int) {
	if one.counted == (terminatingKey{}) {
		return
	}
	if t.counts[one.counted] += sign; t.counts[one.counted] == 0 {
		delete(t.counts, one.counted)
	}
}

// joinNode puts a termination on the node of its pod.
func (t *terminations) joinNode(one *termination) {
	name := one.Pod().NodeName
	if t.onNode[name] == nil {
		t.onNode[name] = map[*termination]struct{}{}
	}
	t.onNode[name][one] = struct{}{}
}

// leaveNode takes it away from there.
func (t *terminations) leaveNode(one *termination) {
	name := one.Pod().NodeName
	delete(t.onNode[name], one)
	if len(t.onNode[name]) == 0 {
		delete(t.onNode, name)
	}
}
