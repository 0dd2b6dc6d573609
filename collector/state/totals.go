package state

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
)

// Totals are one DaemonSet's sums over the nodes of the cluster.
type Totals struct {
	Expected, Covered [readiness.Lifecycles]int32
	// Gaps has nothing under ReasonNone.
	Gaps [readiness.Lifecycles][coverage.Reasons]int32
	// Excluded has nothing under NotExcluded.
	Excluded [readiness.Lifecycles][coverage.Exclusions]int32
	// Misplaced has nothing under VerdictRun.
	Misplaced [readiness.Lifecycles][coverage.Verdicts]int32
	// Repelled counts the nodes that one untolerated taint alone excludes. It
	// has no zeros.
	Repelled map[NodeTaint]int32
	// Withheld counts the expected nodes without a pod for which the controller makes
	// none because of this condition taint. It has no zeros.
	Withheld map[NodeTaint]int32
	// Outdated counts expected nodes, covered or not, whose pod is not of the
	// current revision.
	Outdated int32
	// Unavailable counts the nodes that spend a rolling update's budget, by
	// the cause of their gap; CauseOther for those that have none.
	Unavailable [coverage.Causes]int32
	Upstream    rollout.Counts
}

// NodeTaint is a taint of nodes of a lifecycle.
type NodeTaint struct {
	Lifecycle readiness.Lifecycle
	Key       string
	Effect    string
}

// tally adds (sign 1) or takes away (sign -1) what a node contributes to a
// DaemonSet. Every change of either goes: take away, change, add.
func (ds *daemonSet) tally(n *node, sign int32, now time.Time) {
	if ds.object == nil || n.state == nil {
		return
	}
	lifecycle := n.state.Lifecycle()
	decision := ds.decisions[n.slot]
	if decision.Exclusion != coverage.NotExcluded {
		ds.totals.Excluded[lifecycle][decision.Exclusion] += sign
		tallyTaint(&ds.totals.Repelled, n, decision.Sole, sign)
	}
	if cl := ds.cells[n.slot]; cl != nil {
		ds.totals.add(lifecycle, cl.state, decision.Upstream, sign)
		ds.seconds.count(lifecycle, cl.state, sign, now)
		if cl.state.withheld {
			tallyTaint(&ds.totals.Withheld, n, decision.Withheld, sign)
		}
	}
}

// tallyTaint adds or takes away a node among those that one of its taints concerns;
// index is the taint's place, or -1 for none.
func tallyTaint(counts *map[NodeTaint]int32, n *node, index int8, sign int32) {
	if index < 0 {
		return
	}
	taint := &n.state.Object().Taints[index]
	key := NodeTaint{Lifecycle: n.state.Lifecycle(), Key: taint.Key, Effect: string(taint.Effect)}
	if *counts == nil {
		*counts = map[NodeTaint]int32{}
	}
	if (*counts)[key] += sign; (*counts)[key] == 0 {
		delete(*counts, key)
	}
}

func (t *Totals) add(lifecycle readiness.Lifecycle, s cellState, placed coverage.Verdict, sign int32) {
	switch {
	case s.expected && s.reason == coverage.ReasonNone:
		t.Expected[lifecycle] += sign
		t.Covered[lifecycle] += sign
	case s.expected:
		t.Expected[lifecycle] += sign
		t.Gaps[lifecycle][s.reason] += sign
	case s.misplaced:
		t.Misplaced[lifecycle][placed] += sign
	}
	if s.outdated {
		t.Outdated += sign
	}
	if s.upstream.Unavailable {
		t.Unavailable[s.spendingCause()] += sign
	}
	t.Upstream.Add(s.upstream, sign)
}

// tallyGroup adds or takes away a node among the nodes of the cluster.
func (c *Cluster) tallyGroup(n *node, sign int) {
	if n.state == nil {
		return
	}
	group := NodeGroup{n.state.Status(), n.state.Lifecycle(), n.labels}
	if c.groups[group] += sign; c.groups[group] == 0 {
		delete(c.groups, group)
	}
}
