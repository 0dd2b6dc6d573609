package coverage

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/timerqueue"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Ledger holds one record for every expected or occupied cell and keeps it
// current by events. Before Start it only takes in objects: a half-filled cache
// is full of false gaps.
//
// A pod may come before its DaemonSet or its node: both are then kept by name
// alone, count for nothing, and go with their last pod.
type Ledger struct {
	rules readiness.Rules
	// labels are the keys of the node labels to report.
	labels []string
	sets   map[slim.UID]*daemonSet
	nodes  map[slim.Text]*node
	// slots are the nodes by number, free the numbers without a node.
	slots []*node
	free  []int32
	gaps  []*cell
	// troubled are the nodes that are not ready or have gaps.
	troubled map[*node]struct{}
	// groups counts the nodes of the cluster.
	groups  map[NodeGroup]int
	queue   timerqueue.Queue
	running bool
	// started is when Start was called.
	started  time.Time
	observer Observer
}

// NodeGroup is what the nodes of the cluster are counted by.
type NodeGroup struct {
	Status    readiness.Status
	Lifecycle readiness.Lifecycle
	Labels    NodeLabels
}

// NodeLabels are the values of the node labels that the ledger was told to
// report, joined by NodeLabelSeparator.
type NodeLabels = slim.Text

// NodeLabelSeparator cannot be part of a label's value.
const NodeLabelSeparator = "\x00"

// node is one node of the cluster, or the name of one that pods speak of.
type node struct {
	ledger *Ledger
	name   slim.Text
	slot   int32
	// first is the object while the ledger does not run yet.
	first *slim.Node
	// state is nil where there is no Node object.
	state *readiness.Node
	// labels are the values of the node labels to report.
	labels NodeLabels
	// starting tells that the node has not been covered since it was created.
	starting bool
	// cells is how many cells stand on the node, gaps how many of them are open.
	cells, gaps int32
}

// daemonSet is one DaemonSet, or the UID of one that pods speak of.
type daemonSet struct {
	ledger *Ledger
	uid    slim.UID
	// object is nil where there is no DaemonSet object.
	object    *slim.DaemonSet
	placement *Placement
	// decisions are the placement's, by the node's slot. Those of slots without
	// a Node object mean nothing.
	decisions []Decision
	cells     map[int32]*cell
	revisions map[revision]int32
	current   slim.Text
	totals    Totals
}

// NewLedger makes an empty ledger that reports the node labels of these keys.
func NewLedger(rules readiness.Rules, nodeLabels ...string) *Ledger {
	return &Ledger{
		labels:   nodeLabels,
		observer: nobody{},
		rules:    rules,
		sets:     map[slim.UID]*daemonSet{},
		nodes:    map[slim.Text]*node{},
		groups:   map[NodeGroup]int{},
		troubled: map[*node]struct{}{},
	}
}

// Observe names who is told what happens. It must be called before Start.
func (l *Ledger) Observe(observer Observer) { l.observer = observer }

// Start begins to judge, once all objects that were there before have come in.
// States that began earlier are dated by their stamps.
func (l *Ledger) Start(now time.Time) {
	if l.running {
		return
	}
	l.running, l.started = true, now
	for _, n := range l.nodes {
		if n.first != nil {
			l.adopt(n, n.first, now)
		}
	}
	for _, set := range l.sets {
		l.recompute(set, true, occasion{event: EventStarted}, now)
	}
	for _, n := range l.nodes {
		l.tallyGroup(n, 1)
		l.noteTrouble(n)
	}
}

// Advance lets time pass: it does what was due by now.
func (l *Ledger) Advance(now time.Time) {
	if l.running {
		l.queue.Advance(now)
	}
}

// Queue is what waits for time to pass. Others may add to it; Advance serves
// them too.
func (l *Ledger) Queue() *timerqueue.Queue { return &l.queue }

// node gives the node of that name, making it if need be.
func (l *Ledger) node(name slim.Text) *node {
	if n := l.nodes[name]; n != nil {
		return n
	}
	n := &node{ledger: l, name: name}
	if last := len(l.free) - 1; last >= 0 {
		n.slot, l.free = l.free[last], l.free[:last]
		l.slots[n.slot] = n
	} else {
		n.slot = int32(len(l.slots))
		l.slots = append(l.slots, n)
		for _, set := range l.sets {
			set.decisions = append(set.decisions, Decision{})
		}
	}
	l.nodes[name] = n
	return n
}

// set gives the DaemonSet of that UID, making it if need be.
func (l *Ledger) set(uid slim.UID) *daemonSet {
	if set := l.sets[uid]; set != nil {
		return set
	}
	set := &daemonSet{
		ledger:    l,
		uid:       uid,
		decisions: make([]Decision, len(l.slots)),
		cells:     map[int32]*cell{},
		revisions: map[revision]int32{},
	}
	l.sets[uid] = set
	return set
}

// release forgets a node or a DaemonSet that neither an object nor a pod holds.
func (l *Ledger) release(set *daemonSet, n *node) {
	if n != nil && n.state == nil && n.first == nil && n.cells == 0 && l.nodes[n.name] == n {
		delete(l.nodes, n.name)
		l.slots[n.slot] = nil
		l.free = append(l.free, n.slot)
	}
	if set != nil && set.object == nil && len(set.cells) == 0 {
		delete(l.sets, set.uid)
	}
}
