package coverage

import "github.com/daemonset-exporter/daemonset_exporter/collector/readiness"

// Totals are one DaemonSet's sums over the nodes of the cluster.
type Totals struct {
	Expected, Covered [readiness.Lifecycles]int32
	// Gaps has nothing under the reason Covered.
	Gaps [readiness.Lifecycles][Reasons]int32
	// Excluded has nothing under the exclusion Expected.
	Excluded [readiness.Lifecycles][Exclusions]int32
	// Misplaced has nothing under the verdict Run.
	Misplaced [readiness.Lifecycles][Verdicts]int32
	// Repelled counts the nodes that one untolerated taint alone excludes. It
	// has no zeros.
	Repelled map[Repulsion]int32
	// Outdated counts expected nodes, covered or not, whose pod is not of the
	// current revision.
	Outdated int32
	// Unavailable counts the nodes that spend a rolling update's budget, by
	// the cause of their gap; CauseOther for those that have none.
	Unavailable [Causes]int32
	Upstream    UpstreamCounts
}

// Repulsion is a taint that excludes nodes of a lifecycle.
type Repulsion struct {
	Lifecycle readiness.Lifecycle
	Key       string
	Effect    string
}

// tally adds (sign 1) or takes away (sign -1) what a node contributes to a
// DaemonSet. Every change of either goes: take away, change, add.
func (s *daemonSet) tally(n *node, sign int32) {
	if s.object == nil || n.state == nil {
		return
	}
	lifecycle := n.state.Lifecycle()
	decision := s.decisions[n.slot]
	if decision.Exclusion != NotExcluded {
		s.totals.Excluded[lifecycle][decision.Exclusion] += sign
		s.tallyRepelled(n, lifecycle, decision, sign)
	}
	if c := s.cells[n.slot]; c != nil {
		s.totals.add(lifecycle, c.state, decision.Upstream, sign)
	}
}

func (s *daemonSet) tallyRepelled(n *node, lifecycle readiness.Lifecycle, decision Decision, sign int32) {
	if decision.Sole < 0 {
		return
	}
	taint := &n.state.Record().Taints[decision.Sole]
	key := Repulsion{Lifecycle: lifecycle, Key: taint.Key, Effect: string(taint.Effect)}
	if s.totals.Repelled == nil {
		s.totals.Repelled = map[Repulsion]int32{}
	}
	if s.totals.Repelled[key] += sign; s.totals.Repelled[key] == 0 {
		delete(s.totals.Repelled, key)
	}
}

func (t *Totals) add(lifecycle readiness.Lifecycle, v cellState, placed Verdict, sign int32) {
	switch {
	case v.expected && v.reason == ReasonNone:
		t.Expected[lifecycle] += sign
		t.Covered[lifecycle] += sign
	case v.expected:
		t.Expected[lifecycle] += sign
		t.Gaps[lifecycle][v.reason] += sign
	case v.misplaced:
		t.Misplaced[lifecycle][placed] += sign
	}
	if v.outdated {
		t.Outdated += sign
	}
	if v.upstream.spends {
		t.Unavailable[v.spendingCause()] += sign
	}
	for _, count := range []struct {
		holds bool
		sum   *int32
	}{
		{v.upstream.desired, &t.Upstream.Desired},
		{v.upstream.current, &t.Upstream.Current},
		{v.upstream.ready, &t.Upstream.Ready},
		{v.upstream.available, &t.Upstream.Available},
		{v.upstream.updated, &t.Upstream.Updated},
		{v.upstream.misscheduled, &t.Upstream.Misscheduled},
	} {
		if count.holds {
			*count.sum += sign
		}
	}
}
