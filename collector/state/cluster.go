package state

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/collector/timerqueue"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Cluster holds one record for every expected or occupied cell and keeps it
// current by events. Before Start it only takes in objects: a half-filled cache
// is full of false gaps.
//
// A pod may come before its DaemonSet or its node: both are then kept by name
// alone, count for nothing, and go with their last pod.
type Cluster struct {
	rules readiness.Rules
	// labels are the keys of the node labels to report.
	labels     []string
	recorder   Recorder
	daemonSets map[slim.UID]*daemonSet
	// sorted are those with an object, in the order of their names; nil if that is to be
	// found out again.
	sorted []*daemonSet
	nodes  map[slim.Text]*node
	// selectors are the node selectors of the namespaces for which one was set.
	selectors map[slim.Text]labels.Selector
	// slots are the nodes by number, free the numbers without a node.
	slots []*node
	free  []int32
	gaps  gapRanking
	// troubled are the nodes that are not ready, have gaps, or are cordoned or leaving.
	troubled map[*node]struct{}
	// groups counts the nodes of the cluster.
	groups map[NodeGroup]int
	// labelled counts the nodes by the values of their labels.
	labelled map[NodeLabels]int
	// suspects are the cells whose pod may have broken its node.
	suspects map[*cell]struct{}
	restarts map[cellKey]*podRestarts
	// ending are the DaemonSets whose object is gone and some of whose cells are not ended.
	ending        map[*daemonSet]struct{}
	maxEnded      int
	reschedulings reschedulings
	terminations  terminations
	timers        timerqueue.Queue[timed]
	started       bool
	startedAt     time.Time
	// latest is the latest time that was seen: what was available stays so when the
	// clock is set back.
	latest time.Time
	// pods is reused for the pods of the cell that is being evaluated.
	pods []*slim.Pod
}

// NodeGroup is what the nodes of the cluster are counted by.
type NodeGroup struct {
	Status    readiness.Status
	Lifecycle readiness.Lifecycle
	Labels    NodeLabels
}

// NodeLabels are the values of the node labels to report, joined by a byte that no
// label's value can hold.
type NodeLabels = slim.Text

const nodeLabelSeparator = "\x00"

// AppendNodeLabels appends the values, in the order of the keys given to New.
func AppendNodeLabels(values []string, labels NodeLabels) []string {
	for value := range strings.SplitSeq(labels.Value(), nodeLabelSeparator) {
		values = append(values, value)
	}
	return values
}

// node is one node of the cluster, or the name of one that pods refer to.
type node struct {
	name slim.Text
	slot int32
	// initial is the object while the Cluster has not started yet.
	initial *slim.Node
	// state is nil where there is no Node object.
	state *readiness.Node
	// presence is that of the Node object; down is since when it was not Ready by the time
	// that it was last deleted, zero where that was not seen.
	presence rescheduling.Presence
	down     unixNano
	// labels are the values of the node labels to report.
	labels NodeLabels
	// starting reports whether the node has not been covered since it was created.
	starting bool
	// cells is how many cells stand on the node, gaps how many of them are open.
	cells, gaps int32
}

// daemonSet is one DaemonSet, or the UID of one that pods refer to.
type daemonSet struct {
	uid slim.UID
	// name is namespace and name, also when the object is gone.
	name string
	// object is nil where there is no DaemonSet object.
	object    *slim.DaemonSet
	placement *coverage.Placement
	// decisions are the placement's, by the node's slot. Those of slots without
	// a Node object mean nothing.
	decisions []coverage.Decision
	cells     map[int32]*cell
	// revisions counts the pods by what they say of their template, current is the
	// revision of the DaemonSet itself.
	revisions map[rollout.Revision]int32
	current   rollout.Revision
	read      readRevision
	totals    Totals
	// ended are the slots whose cells have been ended since the object has gone, if that
	// takes more than one event (see endCells).
	ended int32
	// undecided is set while the placement is to be decided anew because of it.
	undecided *event
	// seconds outlives a change of the template, totals do not.
	seconds nodeSeconds
}

// New returns an empty Cluster. It reports the node labels of these keys.
func New(rules readiness.Rules, recorder Recorder, nodeLabels ...string) *Cluster {
	return &Cluster{
		rules:      rules,
		labels:     nodeLabels,
		recorder:   recorder,
		daemonSets: map[slim.UID]*daemonSet{},
		nodes:      map[slim.Text]*node{},
		selectors:  map[slim.Text]labels.Selector{},
		troubled:   map[*node]struct{}{},
		groups:     map[NodeGroup]int{},
		labelled:   map[NodeLabels]int{},
		suspects:   map[*cell]struct{}{},
		gaps:       newGapRanking(math.MaxInt),
		restarts:   map[cellKey]*podRestarts{},
		ending:     map[*daemonSet]struct{}{},
		maxEnded:   maxEnded,
		reschedulings: reschedulings{
			open:    map[*cell]*rescheduling.Rescheduling{},
			pending: map[pendingKey]int{},
		},
		terminations: terminations{
			open:    map[slim.UID]*termination{},
			onNode:  map[slim.Text]map[*termination]struct{}{},
			counts:  map[terminatingKey]int{},
			initial: map[slim.UID]*slim.Pod{},
		},
	}
}

// Start begins to evaluate, once all objects that were there before have come in.
// States that began earlier are dated by their stamps.
func (c *Cluster) Start(now time.Time) {
	if c.started {
		return
	}
	c.started, c.startedAt = true, now
	for _, n := range c.nodes {
		if n.initial != nil {
			c.initNode(n, n.initial, true, now)
		}
	}
	for _, ds := range c.daemonSets {
		c.updateDaemonSet(ds, event{kind: rescheduling.EventStarted, late: true}, now)
		c.requestRevision(ds)
	}
	for _, n := range c.nodes {
		c.tallyGroup(n, 1)
		c.noteTrouble(n)
		c.recordStartup(n)
	}
	c.startTerminations(now)
}

// nodeNamed returns the node of that name, adding it if need be.
func (c *Cluster) nodeNamed(name slim.Text) *node {
	if n := c.nodes[name]; n != nil {
		return n
	}
	n := &node{name: name}
	if last := len(c.free) - 1; last >= 0 {
		n.slot, c.free = c.free[last], c.free[:last]
		c.slots[n.slot] = n
	} else {
		n.slot = int32(len(c.slots))
		c.slots = append(c.slots, n)
		for _, ds := range c.daemonSets {
			ds.decisions = append(ds.decisions, coverage.Decision{})
		}
	}
	c.nodes[name] = n
	return n
}

// daemonSetOf returns the DaemonSet of that UID, adding it if need be.
func (c *Cluster) daemonSetOf(uid slim.UID) *daemonSet {
	if ds := c.daemonSets[uid]; ds != nil {
		return ds
	}
	ds := &daemonSet{
		uid:       uid,
		decisions: make([]coverage.Decision, len(c.slots)),
		cells:     map[int32]*cell{},
		revisions: map[rollout.Revision]int32{},
	}
	c.daemonSets[uid] = ds
	return ds
}

// removeNodeIfUnused forgets a node that neither an object nor a pod holds.
func (c *Cluster) removeNodeIfUnused(n *node) {
	if n.state == nil && n.initial == nil && n.cells == 0 && c.nodes[n.name] == n {
		delete(c.nodes, n.name)
		c.slots[n.slot] = nil
		c.free = append(c.free, n.slot)
	}
}

// removeDaemonSetIfUnused forgets a DaemonSet that neither an object nor a pod
// holds.
func (c *Cluster) removeDaemonSetIfUnused(ds *daemonSet) {
	if ds.unused() {
		delete(c.daemonSets, ds.uid)
	}
}

// Namespaces returns the names of the namespaces that have a DaemonSet, sorted.
func (c *Cluster) Namespaces() []string {
	names := map[string]struct{}{}
	for _, ds := range c.daemonSets {
		if ds.object != nil {
			names[ds.object.Namespace.Value()] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func (ds *daemonSet) unused() bool { return ds.object == nil && len(ds.cells) == 0 }
