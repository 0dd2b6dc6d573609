package state

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
)

// TestGapRanking opens, changes and closes gaps at random, and compares those that are
// kept with all open ones sorted anew.
func TestGapRanking(t *testing.T) {
	t.Parallel()
	reasons := []coverage.Reason{coverage.ReasonNodeUnreachable, coverage.ReasonNodeNotReady, coverage.ReasonPodMissing, coverage.ReasonCrashLoop}
	for seed := range uint64(50) {
		chance := rand.New(rand.NewPCG(seed, 1))
		limit := chance.IntN(8) - 1
		ranking := newGapRanking(limit)
		var open []*cell
		for step := range 200 {
			switch action := chance.IntN(10); {
			case action < 4 || len(open) == 0:
				cl := &cell{
					ds: &daemonSet{name: "a"}, node: &node{},
					state: cellState{expected: true, reason: reasons[chance.IntN(len(reasons))]},
					gap:   &openGap{opened: unixNano(chance.IntN(100)*1000 + step)},
				}
				open = append(open, cl)
				ranking.add(cl)
			case action < 6:
				i := chance.IntN(len(open))
				ranking.remove(open[i])
				open = slices.Delete(open, i, i+1)
			case action < 9:
				cl := open[chance.IntN(len(open))]
				cl.state.reason = reasons[chance.IntN(len(reasons))]
				ranking.update(cl)
			default:
				limit = chance.IntN(12) - 1
				ranking.setLimit(limit)
			}
			if got, want := describeGaps(ranking.kept.cells), describeGaps(mostImportant(open, limit)); !slices.Equal(got, want) {
				t.Fatalf("seed %d, step %d: of %v at most %d are kept: %v, want %v", seed, step, describeGaps(open), limit, got, want)
			}
		}
	}
}

// mostImportant returns the gaps that pods cause, the oldest first, then those that nodes
// cause, the oldest first, up to a limit.
func mostImportant(open []*cell, limit int) []*cell {
	var ofPods, ofNodes []*cell
	for _, cl := range open {
		if cl.state.reason.Cause() == coverage.CauseNode {
			ofNodes = append(ofNodes, cl)
		} else {
			ofPods = append(ofPods, cl)
		}
	}
	oldest := func(a, b *cell) int { return int(a.gap.opened - b.gap.opened) }
	slices.SortFunc(ofPods, oldest)
	slices.SortFunc(ofNodes, oldest)
	return append(ofPods, ofNodes...)[:max(0, min(limit, len(open)))]
}

// describeGaps returns the causes and openings of gaps, sorted.
func describeGaps(cells []*cell) (described []string) {
	for _, cl := range cells {
		described = append(described, fmt.Sprintf("%d %v", cl.gap.opened, cl.state.reason))
	}
	slices.Sort(described)
	return described
}
