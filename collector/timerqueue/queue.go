// Package timerqueue holds the one queue of everything that the passing of time
// alone will change: minReadySeconds, join grace, grace periods.
package timerqueue

import (
	"container/heap"
	"math"
	"time"
)

// Target is something that is due at some time. Whatever it waited for may have
// come about otherwise in the meantime, so it looks before it acts.
type Target interface {
	Due(now time.Time)
}

// Queue holds targets by the time at which they are due. The zero Queue is
// empty and ready. An entry is never taken back.
type Queue struct{ entries entries }

// Push makes a target due at a time.
func (q *Queue) Push(at time.Time, target Target) {
	heap.Push(&q.entries, entry{Nanoseconds(at), target})
}

// Nanoseconds is a time in Unix nanoseconds; the nearest there are for one
// before 1678 or after 2261, where UnixNano gives anything. Stamps of such times
// exist, and what is never due must not be due for ever.
func Nanoseconds(t time.Time) int64 {
	switch nanoseconds := t.UnixNano(); {
	case time.Unix(0, nanoseconds).Equal(t):
		return nanoseconds
	case t.Unix() < 0:
		return math.MinInt64
	default:
		return math.MaxInt64
	}
}

// Advance does what is due by now.
func (q *Queue) Advance(now time.Time) {
	for len(q.entries) > 0 && q.entries[0].at <= Nanoseconds(now) {
		heap.Pop(&q.entries).(entry).target.Due(now)
	}
}

// Next is when Advance must be called, if nothing else happens; the zero time
// for never.
func (q *Queue) Next() time.Time {
	if len(q.entries) == 0 {
		return time.Time{}
	}
	return time.Unix(0, q.entries[0].at)
}

// Len is how many targets wait.
func (q *Queue) Len() int { return len(q.entries) }

type entry struct {
	at     int64
	target Target
}

// entries is the heap.
type entries []entry

func (e entries) Len() int           { return len(e) }
func (e entries) Less(i, j int) bool { return e[i].at < e[j].at }
func (e entries) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *entries) Push(x any)        { *e = append(*e, x.(entry)) }
func (e *entries) Pop() any {
	last := len(*e) - 1
	popped := (*e)[last]
	(*e)[last] = entry{}
	*e = (*e)[:last]
	return popped
}
