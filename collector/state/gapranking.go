package state

import (
	"cmp"
	"container/heap"
	"strings"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
)

// gapRanking holds the open gaps. It chooses which of them are reported as they open
// and close, at the cost of the logarithm of their number: choosing at a scrape would
// look at every one.
type gapRanking struct {
	// kept are those to report, the least important first; spare are the others, the most
	// important first. None of the spare is more important than one that is kept.
	kept, spare gapHeap
	// limit is how many may be kept.
	limit int
}

func newGapRanking(limit int) gapRanking {
	return gapRanking{spare: gapHeap{spare: true}, limit: limit}
}

// setLimit changes how many gaps are reported.
func (r *gapRanking) setLimit(limit int) {
	r.limit = limit
	r.balance()
}

// add adds a cell whose gap has opened.
func (r *gapRanking) add(cl *cell) {
	cl.gap.ofNode = cl.state.reason.Cause() == coverage.CauseNode
	if r.full() && (r.kept.Len() == 0 || compareGaps(cl, r.kept.cells[0]) > 0) {
		heap.Push(&r.spare, cl)
		return
	}
	heap.Push(&r.kept, cl)
	r.balance()
}

// remove takes out a cell.
func (r *gapRanking) remove(cl *cell) {
	if cl.gap.spare {
		heap.Remove(&r.spare, int(cl.gap.index))
	} else {
		heap.Remove(&r.kept, int(cl.gap.index))
	}
	r.balance()
}

// update takes a gap whose reason may have changed.
func (r *gapRanking) update(cl *cell) {
	if cl.gap.ofNode != (cl.state.reason.Cause() == coverage.CauseNode) {
		r.remove(cl)
		r.add(cl)
	}
}

func (r *gapRanking) full() bool { return r.kept.Len() >= r.limit }

// balance moves gaps from one heap to the other until the limit holds.
func (r *gapRanking) balance() {
	for r.kept.Len() > max(0, r.limit) {
		heap.Push(&r.spare, heap.Pop(&r.kept))
	}
	for !r.full() && r.spare.Len() > 0 {
		heap.Push(&r.kept, heap.Pop(&r.spare))
	}
}

// compareGaps orders cells with an open gap by importance, the most important first:
// those that a pod causes, then the oldest.
func compareGaps(a, b *cell) int {
	switch {
	case a.gap.ofNode != b.gap.ofNode && a.gap.ofNode:
		return 1
	case a.gap.ofNode != b.gap.ofNode:
		return -1
	}
	if order := cmp.Compare(a.gap.opened, b.gap.opened); order != 0 {
		return order
	}
	if order := strings.Compare(a.node.name.Value(), b.node.name.Value()); order != 0 {
		return order
	}
	return strings.Compare(a.ds.name, b.ds.name)
}

// gapHeap is a heap of cells with an open gap, as container/heap wants it.
type gapHeap struct {
	cells []*cell
	spare bool
}

func (h *gapHeap) Len() int { return len(h.cells) }

func (h *gapHeap) Less(i, j int) bool {
	order := compareGaps(h.cells[i], h.cells[j])
	return h.spare && order < 0 || !h.spare && order > 0
}

func (h *gapHeap) Swap(i, j int) {
	h.cells[i], h.cells[j] = h.cells[j], h.cells[i]
	h.cells[i].gap.index, h.cells[j].gap.index = int32(i), int32(j)
}

func (h *gapHeap) Push(added any) {
	cl := added.(*cell)
	cl.gap.index, cl.gap.spare = int32(len(h.cells)), h.spare
	h.cells = append(h.cells, cl)
}

func (h *gapHeap) Pop() any {
	last := len(h.cells) - 1
	popped := h.cells[last]
	h.cells[last] = nil
	h.cells = h.cells[:last]
	return popped
}
