package state

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// event is why cells are re-evaluated, with what it brings along.
type event struct {
	kind rescheduling.Event
	// born dates cells that the event makes: before it, nothing was expected of
	// them. Zero for cells that are older than the exporter.
	born unixNano
	// changed is the pod that is new or has changed; removed is the pod that is
	// gone, in its last version.
	changed, removed *slim.Pod
	// late reports whether the change was made while nobody watched (slim.Meta).
	late bool
}

// SetNode adds a node or replaces its previous version. A heartbeat costs a
// comparison; anything else one evaluation for each DaemonSet.
func (c *Cluster) SetNode(object *slim.Node, now time.Time) {
	c.Advance(now)
	n := c.nodeNamed(object.NameText)
	if n.state != nil && n.state.Object().UID != object.UID {
		c.DeleteNode(n.state.Object(), now)
		n = c.nodeNamed(object.NameText)
	}
	switch {
	case !c.started:
		n.initial = object
		return
	case n.state == nil:
		added := event{kind: rescheduling.EventNodeAdded, born: unixNanoOf(object.CreationTimestamp.Time()), late: object.Late}
		c.updateNode(n, added, now, func() (moved bool) {
			c.initNode(n, object, object.Late, now)
			return true
		})
	case n.state.Object().Same(object):
		n.state.Replace(object)
		return
	default:
		changed := event{kind: rescheduling.EventNodeChanged, born: unixNanoOf(now), late: object.Late}
		c.updateNode(n, changed, now, func() (moved bool) {
			moved = !n.state.Object().SamePlacement(object)
			transition := n.state.Update(object, &c.rules, now)
			if before := n.labels; before != c.labelsOf(object) {
				c.addLabels(n, object)
				c.removeLabels(before)
			}
			c.setNodeTimer(n, now)
			c.recordTransition(n, transition)
			return moved
		})
	}
	c.updateTerminationsOn(object.NameText, now)
}

// DeleteNode removes a Node object. Its cells end with it, although its pods still
// claim Ready until the pod garbage collector has removed them.
func (c *Cluster) DeleteNode(object *slim.Node, now time.Time) {
	c.Advance(now)
	n := c.nodes[object.NameText]
	switch {
	case n == nil:
		return
	case n.initial != nil && n.initial.UID == object.UID:
		n.initial = nil
	case n.state != nil && n.state.Object().UID == object.UID:
		c.updateNode(n, event{kind: rescheduling.EventNodeDeleted}, now, func() (moved bool) {
			n.presence.Set(false, now)
			n.down = unixNanoOf(now)
			if n.state.Status() != readiness.StatusReady {
				n.down = unixNanoOf(n.state.Since())
			}
			n.state, n.starting = nil, false
			return false
		})
		c.removeLabels(n.labels)
		c.timers.Remove(n)
		c.recorder.NodeDeleted(object)
	}
	c.removeNodeIfUnused(n)
	c.updateTerminationsOn(object.NameText, now)
}

// SetDaemonSet adds a DaemonSet or replaces its previous version. Only a change of
// its spec costs a decision for each node; its status is only remembered.
func (c *Cluster) SetDaemonSet(object *slim.DaemonSet, now time.Time) {
	c.Advance(now)
	ds := c.daemonSetOf(object.UID)
	if _, ending := c.ending[ds]; ending {
		c.Settle(now)
		ds = c.daemonSetOf(object.UID)
	}
	before := ds.object
	ds.object = object
	if before == nil {
		ds.name, c.sorted = object.Namespace.Value()+"/"+object.Name, nil
		c.recorder.DaemonSetAdded(object)
	}
	switch {
	case !c.started:
	case before == nil:
		created := event{kind: rescheduling.EventDaemonSetCreated, born: unixNanoOf(object.CreationTimestamp.Time()), late: object.Late}
		c.updateDaemonSet(ds, created, now)
	case before.Generation != object.Generation || before.DeletionTimestamp != object.DeletionTimestamp:
		c.updateDaemonSet(ds, event{kind: rescheduling.EventDaemonSetChanged, born: unixNanoOf(now)}, now)
	default:
		c.updateRevision(ds, now)
	}
	if c.started {
		c.requestRevision(ds)
	}
}

// DeleteDaemonSet removes a DaemonSet object.
func (c *Cluster) DeleteDaemonSet(object *slim.DaemonSet, now time.Time) {
	c.Advance(now)
	ds := c.daemonSets[object.UID]
	if ds == nil {
		return
	}
	ds.object, ds.read, c.sorted = nil, readRevision{}, nil
	if c.started {
		ds.totals, ds.ended = Totals{}, 0
		ds.seconds.restart(now)
		c.endCells(ds, now)
	}
	c.recorder.DaemonSetDeleted(object)
	c.removeDaemonSetIfUnused(ds)
	if !slices.Contains(c.Namespaces(), object.Namespace.Value()) {
		delete(c.selectors, object.Namespace)
	}
}

// HasNamespaceSelector reports whether the node selector of a namespace was set.
func (c *Cluster) HasNamespaceSelector(namespace string) bool {
	return c.selectors[slim.Intern(namespace)] != nil
}

// SetNamespaceSelector sets the node selector of a namespace, which is part of the
// placement of its DaemonSets until the last of them is gone. A namespace for which
// none was set selects all nodes.
func (c *Cluster) SetNamespaceSelector(namespace string, selector labels.Selector, now time.Time) {
	c.Advance(now)
	name := slim.Intern(namespace)
	before := c.selectors[name]
	if before != nil && before.String() == selector.String() {
		return
	}
	c.selectors[name] = selector
	if !c.started {
		return
	}
	why := event{kind: rescheduling.EventDaemonSetChanged, born: unixNanoOf(now)}
	if before == nil {
		why.kind = rescheduling.EventTimePassed // it is known only now: no node was lost
	}
	decided := 0
	for _, ds := range c.daemonSets {
		if ds.object == nil || ds.object.Namespace != name {
			continue
		}
		if decided > maxEvaluated { // the lock is held for one of a large cluster, not for all
			ds.undecided = &why
			c.timers.Set(ds, now)
			continue
		}
		c.updateDaemonSet(ds, why, now)
		decided += len(c.slots)
	}
}

// SetPod adds a pod or replaces before, the version that was seen last; nil if none
// was. A pod without a DaemonSet or a node belongs to no cell.
func (c *Cluster) SetPod(before, pod *slim.Pod, now time.Time) {
	c.Advance(now)
	var earlier rescheduling.TerminationNode
	if before != nil && !sameCell(before, pod) {
		earlier = c.terminationNode(before, now)
		c.removePod(before, now)
	}
	if inCell(pod) {
		ds, n := c.daemonSetOf(pod.Owner), c.nodeNamed(pod.NodeName)
		c.updateCell(ds, n, event{kind: rescheduling.EventPodChanged, changed: pod, late: pod.Late}, now, func(cl *cell) {
			if earlier := cl.put(pod); earlier != nil {
				ds.forgetRevision(earlier)
			}
			ds.revisions[rollout.OfPod(pod)]++
		})
	}
	if before != nil && before.UID != pod.UID {
		c.endTermination(nil, before, earlier, now)
		c.forgetRestarts(before)
		before = nil
	}
	c.followTermination(before, pod, now)
}

// DeletePod removes a pod; pod is the version that was seen last.
func (c *Cluster) DeletePod(pod *slim.Pod, now time.Time) {
	c.Advance(now)
	node := c.terminationNode(pod, now) // which may go with its last pod
	before := c.removePod(pod, now)
	c.endTermination(before, pod, node, now)
	c.forgetRestarts(pod)
}

// removePod removes a pod from its cell and returns the version that was there.
func (c *Cluster) removePod(pod *slim.Pod, now time.Time) (last *slim.Pod) {
	ds, n := c.daemonSets[pod.Owner], c.nodes[pod.NodeName]
	if !inCell(pod) || ds == nil || n == nil || ds.cells[n.slot] == nil {
		return nil
	}
	removed := event{kind: rescheduling.EventPodChanged, removed: pod, late: pod.Late || pod.DeletionMissed}
	c.updateCell(ds, n, removed, now, func(cl *cell) {
		if last = cl.take(pod.UID); last != nil {
			ds.forgetRevision(last)
		}
	})
	return last
}

func sameCell(a, b *slim.Pod) bool {
	return a.UID == b.UID && a.Owner == b.Owner && a.NodeName == b.NodeName
}

func inCell(pod *slim.Pod) bool { return pod.Owner != slim.UID{} && pod.NodeName.Value() != "" }

// initNode begins the state of a node that has no cells yet; found reports whether it
// may be older than this moment.
func (c *Cluster) initNode(n *node, object *slim.Node, found bool, now time.Time) {
	n.initial = nil
	n.state = readiness.NewNode(object, &c.rules, found, now)
	if found {
		n.presence.Found()
	} else {
		n.presence.Set(true, now)
	}
	c.addLabels(n, object)
	n.starting = n.state.Status() == readiness.StatusNeverReady || !object.CreationTimestamp.Time().Before(c.startedAt)
	c.setNodeTimer(n, now)
	if n.starting && n.state.Status() == readiness.StatusReady {
		c.recorder.NodeReady(n.state.Since().Sub(object.CreationTimestamp.Time()))
	}
}

// forgetRevision removes a pod from the count of revisions.
func (ds *daemonSet) forgetRevision(pod *slim.Pod) {
	revision := rollout.OfPod(pod)
	if ds.revisions[revision]--; ds.revisions[revision] <= 0 {
		delete(ds.revisions, revision)
	}
}

// labelsOf returns the values of the node labels to report.
func (c *Cluster) labelsOf(object *slim.Node) NodeLabels {
	values := make([]string, len(c.labels))
	for i, key := range c.labels {
		values[i] = slim.ValidUTF8(object.Labels[key])
	}
	return slim.Intern(strings.Join(values, nodeLabelSeparator))
}

// addLabels sets the labels of a node and counts the node under them.
func (c *Cluster) addLabels(n *node, object *slim.Node) {
	n.labels = c.labelsOf(object)
	if c.labelled[n.labels]++; c.labelled[n.labels] == 1 {
		c.recorder.NodeLabelsAdded(n.labels)
	}
}

// removeLabels removes a node from the count of its labels.
func (c *Cluster) removeLabels(labels NodeLabels) {
	if c.labelled[labels]--; c.labelled[labels] == 0 {
		delete(c.labelled, labels)
		c.recorder.NodeLabelsDeleted(labels)
	}
}

// recordTransition records that a node's status changed.
func (c *Cluster) recordTransition(n *node, transition readiness.Transition) {
	if transition.From == transition.To {
		return
	}
	c.recorder.NodeTransition(n.state.Object(), n.labels, n.state.Lifecycle(), transition)
	if transition.From == readiness.StatusNeverReady && transition.To == readiness.StatusReady {
		c.recorder.NodeReady(transition.At.Sub(n.state.Object().CreationTimestamp.Time()))
	}
}

// recordStartup records when a node that was starting is covered: the latest change of
// its cells, which may have come late.
func (c *Cluster) recordStartup(n *node) {
	if !n.starting || n.gaps > 0 || n.state == nil || n.state.Status() != readiness.StatusReady {
		return
	}
	n.starting = false
	covered := n.state.Since()
	for _, ds := range c.daemonSets {
		if cl := ds.cells[n.slot]; cl != nil && cl.state.expected && cl.changed.time().After(covered) {
			covered = cl.changed.time()
		}
	}
	c.recorder.NodeCovered(covered.Sub(n.state.Object().CreationTimestamp.Time()))
}
