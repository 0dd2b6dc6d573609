// Package timerqueue holds what the passing of time alone will change:
// minReadySeconds, join grace, grace periods.
package timerqueue

import (
	"container/heap"
	"math"
	"time"
)

// Queue holds targets by the time at which they are due, each at most once: a
// target that is set again moves. The zero Queue is empty and ready.
type Queue[T comparable] struct {
	entries   []entry[T]
	positions map[T]int
}

type entry[T comparable] struct {
	at     int64 // Unix nanoseconds
	target T
}

// Set makes a target due at a time, instead of when it was due before.
func (q *Queue[T]) Set(target T, at time.Time) {
	due := Nanoseconds(at)
	if position, ok := q.positions[target]; ok {
		if q.entries[position].at != due {
			q.entries[position].at = due
			heap.Fix((*byTime[T])(q), position)
		}
		return
	}
	if q.positions == nil {
		q.positions = map[T]int{}
	}
	heap.Push((*byTime[T])(q), entry[T]{due, target})
}

// Remove removes a target, if it is in the queue.
func (q *Queue[T]) Remove(target T) {
	if len(q.entries) == 0 {
		return
	}
	if position, ok := q.positions[target]; ok {
		heap.Remove((*byTime[T])(q), position)
	}
}

// PopDue removes the first target that is due by now and returns it. ok is
// false if none is.
func (q *Queue[T]) PopDue(now time.Time) (target T, ok bool) {
	if len(q.entries) == 0 || q.entries[0].at > Nanoseconds(now) {
		return target, false
	}
	return heap.Pop((*byTime[T])(q)).(entry[T]).target, true
}

// Next returns when the first target is due; the zero time if there is none.
func (q *Queue[T]) Next() time.Time {
	if len(q.entries) == 0 {
		return time.Time{}
	}
	return time.Unix(0, q.entries[0].at)
}

// Nanoseconds returns a time in Unix nanoseconds; the nearest there are for one
// before 1678 or after 2261, where UnixNano is undefined. Stamps of such times
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

// byTime is the Queue as container/heap wants it.
type byTime[T comparable] Queue[T]

func (q *byTime[T]) Len() int           { return len(q.entries) }
func (q *byTime[T]) Less(i, j int) bool { return q.entries[i].at < q.entries[j].at }

func (q *byTime[T]) Swap(i, j int) {
	q.entries[i], q.entries[j] = q.entries[j], q.entries[i]
	q.positions[q.entries[i].target] = i
	q.positions[q.entries[j].target] = j
}

func (q *byTime[T]) Push(x any) {
	added := x.(entry[T])
	q.positions[added.target] = len(q.entries)
	q.entries = append(q.entries, added)
}

func (q *byTime[T]) Pop() any {
	last := len(q.entries) - 1
	popped := q.entries[last]
	q.entries[last] = entry[T]{}
	q.entries = q.entries[:last]
	delete(q.positions, popped.target)
	return popped
}
