package coverage

import (
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// SetNode takes a node that is new or has changed. A heartbeat costs a
// comparison; anything else one judgement for each DaemonSet.
func (l *Ledger) SetNode(object *slim.Node, now time.Time) {
	l.Advance(now)
	n := l.node(object.NameText)
	if n.state != nil && n.state.Record().UID != object.UID {
		l.DeleteNode(n.state.Record(), now)
		n = l.node(object.NameText)
	}
	switch {
	case !l.running:
		n.first = object
	case n.state == nil:
		l.changeNode(n, occasion{event: EventNodeAdded, born: momentOf(object.CreationTimestamp.Time())}, now, func() (moved bool) {
			l.adopt(n, object, now)
			return true
		})
	case n.state.Record().Same(object):
		n.state.Replace(object)
	default:
		l.changeNode(n, occasion{event: EventNodeChanged, born: momentOf(now)}, now, func() (moved bool) {
			moved = !n.state.Record().SamePlacement(object)
			turn := n.state.Update(object, &l.rules, now)
			n.labels = l.labelsOf(object)
			l.wakeNode(n, now)
			l.noteTurn(n, turn)
			return moved
		})
	}
}

// DeleteNode takes the end of a Node object. Its cells end with it, although
// its pods still claim Ready until the pod garbage collector has come by.
func (l *Ledger) DeleteNode(object *slim.Node, now time.Time) {
	l.Advance(now)
	n := l.nodes[object.NameText]
	switch {
	case n == nil:
		return
	case n.first != nil && n.first.UID == object.UID:
		n.first = nil
	case n.state != nil && n.state.Record().UID == object.UID:
		l.changeNode(n, occasion{event: EventNodeDeleted}, now, func() (moved bool) {
			n.state, n.starting = nil, false
			return false
		})
		l.observer.NodeDeleted(object)
	}
	l.release(nil, n)
}

// SetDaemonSet takes a DaemonSet that is new or has changed. Only a change of
// its spec costs a decision for each node; its status is only remembered.
func (l *Ledger) SetDaemonSet(object *slim.DaemonSet, now time.Time) {
	l.Advance(now)
	set := l.set(object.UID)
	before := set.object
	set.object = object
	if !l.running {
		return
	}
	switch {
	case before == nil:
		l.recompute(set, true, occasion{event: EventDaemonSetCreated, born: momentOf(object.CreationTimestamp.Time())}, now)
	case before.Generation != object.Generation:
		l.recompute(set, true, occasion{event: EventDaemonSetChanged, born: momentOf(now)}, now)
	case before.TemplateGeneration != object.TemplateGeneration || currentRevision(object, set.revisions) != set.current:
		l.recompute(set, false, occasion{event: EventRevisionChanged, born: momentOf(now)}, now)
	}
}

// DeleteDaemonSet takes the end of a DaemonSet object.
func (l *Ledger) DeleteDaemonSet(object *slim.DaemonSet, now time.Time) {
	l.Advance(now)
	set := l.sets[object.UID]
	if set == nil {
		return
	}
	set.object = nil
	if l.running {
		l.recompute(set, false, occasion{event: EventDaemonSetDeleted}, now)
		l.observer.DaemonSetDeleted(object)
	}
	l.release(set, nil)
}

// SetPod takes a pod that is new or has changed; before is the version that was
// seen last, or nil. A pod without a DaemonSet or a node belongs to no cell.
func (l *Ledger) SetPod(before, pod *slim.Pod, now time.Time) {
	l.Advance(now)
	if before != nil && !sameCell(before, pod) {
		l.DeletePod(before, now)
	}
	if !inCell(pod) {
		return
	}
	set, n := l.set(pod.Owner), l.node(pod.NodeName)
	l.changeCell(set, n, occasion{event: EventPodChanged, changed: pod}, now, func(c *cell) {
		if earlier := c.put(pod); earlier != nil {
			set.forget(earlier)
		}
		set.revisions[revisionOf(pod)]++
	})
}

// DeletePod takes the end of a pod, in the version that was seen last.
func (l *Ledger) DeletePod(pod *slim.Pod, now time.Time) {
	l.Advance(now)
	set, n := l.sets[pod.Owner], l.nodes[pod.NodeName]
	if !inCell(pod) || set == nil || n == nil || set.cells[n.slot] == nil {
		return
	}
	l.changeCell(set, n, occasion{event: EventPodChanged, removed: pod}, now, func(c *cell) {
		if last := c.take(pod.UID); last != nil {
			set.forget(last)
		}
	})
}

func sameCell(a, b *slim.Pod) bool {
	return a.UID == b.UID && a.Owner == b.Owner && a.NodeName == b.NodeName
}

func inCell(pod *slim.Pod) bool {
	return pod.Owner != slim.UID{} && pod.NodeName != noNode
}

// noNode is the node of a pod that names none.
var noNode = slim.Intern("")

// adopt begins the state of a node that has no cells yet.
func (l *Ledger) adopt(n *node, object *slim.Node, now time.Time) {
	n.first = nil
	n.state = readiness.NewNode(object, &l.rules, now)
	n.labels = l.labelsOf(object)
	n.starting = n.state.Status() == readiness.StatusNeverReady || !object.CreationTimestamp.Time().Before(l.started)
	l.wakeNode(n, now)
	if n.starting && n.state.Status() == readiness.StatusReady {
		l.observer.NodeReady(n.state.Since().Sub(object.CreationTimestamp.Time()))
	}
}

// forget takes a pod out of the count of revisions.
func (s *daemonSet) forget(pod *slim.Pod) {
	rev := revisionOf(pod)
	if s.revisions[rev]--; s.revisions[rev] <= 0 {
		delete(s.revisions, rev)
	}
}

// labelsOf are the values of the node labels to report.
func (l *Ledger) labelsOf(object *slim.Node) NodeLabels {
	values := make([]string, len(l.labels))
	for i, key := range l.labels {
		values[i] = object.Labels[key]
	}
	return slim.Intern(strings.Join(values, NodeLabelSeparator))
}
