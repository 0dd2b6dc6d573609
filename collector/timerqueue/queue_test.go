package timerqueue_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/timerqueue"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func at(seconds float64) time.Time {
	return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

// pop returns all targets that are due by now.
func pop(queue *timerqueue.Queue[string], now time.Time) (due []string) {
	for target, ok := queue.PopDue(now); ok; target, ok = queue.PopDue(now) {
		due = append(due, target)
	}
	return due
}

func TestQueue(t *testing.T) {
	t.Parallel()
	filled := func() *timerqueue.Queue[string] {
		queue := &timerqueue.Queue[string]{}
		queue.Set("third", at(30))
		queue.Set("first", at(10))
		queue.Set("in 7973 years", time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
		queue.Set("second", at(20))
		queue.Set("long ago", time.Time{})
		return queue
	}
	t.Run("an empty one is never due", func(t *testing.T) {
		var queue timerqueue.Queue[string]
		queue.Remove("nobody")
		check.Equal(t, pop(&queue, at(1e9)), nil)
		if next := queue.Next(); !next.IsZero() {
			t.Errorf("the next is due at %v", next)
		}
	})
	t.Run("targets are due in the order of their times", func(t *testing.T) {
		queue := filled()
		check.Equal(t, pop(queue, at(9.999)), []string{"long ago"})
		check.Equal(t, queue.Next(), at(10), "the next is due")
		check.Equal(t, pop(queue, at(25)), []string{"first", "second"})
		check.Equal(t, pop(queue, at(5)), nil) // a clock that is set back
		check.Equal(t, pop(queue, at(30)), []string{"third"})
		check.That(t, !queue.Next().Before(at(200*365*24*3600)), "the next of those that are left is due at %v", queue.Next())
	})
	t.Run("a target that is set again moves", func(t *testing.T) {
		queue := filled()
		queue.Set("first", at(25))
		queue.Set("third", at(15))
		queue.Set("second", at(20))
		check.Equal(t, pop(queue, at(30)), []string{"long ago", "third", "second", "first"})
	})
	t.Run("a target that is removed is not due", func(t *testing.T) {
		queue := filled()
		for _, target := range []string{"first", "long ago", "first", "nobody"} {
			queue.Remove(target)
		}
		check.Equal(t, pop(queue, at(30)), []string{"second", "third"})
	})
	t.Run("what becomes due now is due now", func(t *testing.T) {
		queue := filled()
		var due []string
		for target, ok := queue.PopDue(at(20)); ok; target, ok = queue.PopDue(at(20)) {
			due = append(due, target)
			if target == "first" {
				queue.Set("made by the first", at(20))
			}
		}
		slices.Sort(due[2:]) // targets of one time come in no order
		check.Equal(t, due, []string{"long ago", "first", "made by the first", "second"})
	})
}

func TestNanoseconds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"1970-01-01T00:00:00.000000001Z": 1,
		"1969-12-31T23:59:59Z":           -1e9,
		"2262-04-11T23:47:16.854775807Z": math.MaxInt64,
		"2262-04-11T23:47:16.854775808Z": math.MaxInt64,
		"9999-12-31T23:59:59Z":           math.MaxInt64,
		"1677-09-21T00:12:43.145224192Z": math.MinInt64,
		"1677-09-21T00:12:43.145224191Z": math.MinInt64,
		"0001-01-01T00:00:00Z":           math.MinInt64,
	} {
		moment := check.Must(time.Parse(time.RFC3339Nano, text))(t)
		check.Equal(t, timerqueue.Nanoseconds(moment), want, text)
	}
}
