package coverage

import (
	"container/heap"
	"time"
)

// timed is something that changes by the passing of time alone.
type timed interface {
	wakeUp(l *Ledger, now time.Time)
}

// timers is the queue of all that is due at some time. A timer is never taken
// back: what wakes up in vain finds nothing to do.
type timers struct{ queue timerQueue }

type timer struct {
	at     moment
	target timed
}

func (t *timers) push(at moment, target timed) { heap.Push(&t.queue, timer{at, target}) }

// pop takes out the earliest timer if it is due.
func (t *timers) pop(now time.Time) (timed, bool) {
	if len(t.queue) == 0 || t.queue[0].at > momentOf(now) {
		return nil, false
	}
	return heap.Pop(&t.queue).(timer).target, true
}

func (t *timers) next() time.Time {
	if len(t.queue) == 0 {
		return time.Time{}
	}
	return t.queue[0].at.time()
}

// wakeUp judges a cell anew whose minReadySeconds are over.
func (c *cell) wakeUp(l *Ledger, now time.Time) {
	c.wake = 0
	if c.set.cells[c.node.slot] != c {
		return
	}
	c.set.tally(c.node, -1)
	l.settle(c.set, c.node, 0, now)
	c.set.tally(c.node, 1)
}

// wakeUp ends a node's join grace.
func (n *node) wakeUp(l *Ledger, now time.Time) {
	if n.state == nil {
		return
	}
	l.changeNode(n, 0, now, func() (moved bool) {
		n.state.Tick(&l.rules, now)
		return false
	})
}

func (l *Ledger) wakeNode(n *node, now time.Time) {
	if joined := n.state.JoinedAt(&l.rules); joined.After(now) {
		l.timers.push(momentOf(joined), n)
	}
}

// timerQueue is the heap.
type timerQueue []timer

func (q timerQueue) Len() int           { return len(q) }
func (q timerQueue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q timerQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *timerQueue) Push(t any)        { *q = append(*q, t.(timer)) }
func (q *timerQueue) Pop() any {
	last := (*q)[len(*q)-1]
	(*q)[len(*q)-1] = timer{}
	*q = (*q)[:len(*q)-1]
	return last
}
