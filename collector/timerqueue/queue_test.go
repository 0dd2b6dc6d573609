package timerqueue_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daemonset-exporter/daemonset_exporter/collector/timerqueue"
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
	check := func(t *testing.T, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%v are due, want %v", got, want)
		}
	}

	t.Run("an empty one is never due", func(t *testing.T) {
		t.Parallel()
		var queue timerqueue.Queue[string]
		queue.Remove("nobody")
		check(t, pop(&queue, at(1e9)))
		if next := queue.Next(); !next.IsZero() {
			t.Errorf("the next is due at %v", next)
		}
	})
	t.Run("targets are due in the order of their times", func(t *testing.T) {
		t.Parallel()
		queue := filled()
		check(t, pop(queue, at(9.999)), "long ago")
		if next := queue.Next(); !next.Equal(at(10)) {
			t.Errorf("the next is due at %v", next)
		}
		check(t, pop(queue, at(25)), "first", "second")
		check(t, pop(queue, at(5))) // a clock that is set back
		check(t, pop(queue, at(30)), "third")
		if queue.Len() != 1 || queue.Next().Before(at(200*365*24*3600)) {
			t.Errorf("%d are left, the next at %v", queue.Len(), queue.Next())
		}
	})
	t.Run("a target that is set again moves", func(t *testing.T) {
		t.Parallel()
		queue := filled()
		queue.Set("first", at(25))
		queue.Set("third", at(15))
		queue.Set("second", at(20))
		if queue.Len() != 5 {
			t.Errorf("%d targets, want 5", queue.Len())
		}
		check(t, pop(queue, at(30)), "long ago", "third", "second", "first")
	})
	t.Run("a target that is removed is not due", func(t *testing.T) {
		t.Parallel()
		queue := filled()
		for _, target := range []string{"first", "long ago", "first", "nobody"} {
			queue.Remove(target)
		}
		check(t, pop(queue, at(30)), "second", "third")
	})
	t.Run("what becomes due now is due now", func(t *testing.T) {
		t.Parallel()
		queue := filled()
		var due []string
		for target, ok := queue.PopDue(at(20)); ok; target, ok = queue.PopDue(at(20)) {
			due = append(due, target)
			if target == "first" {
				queue.Set("made by the first", at(20))
			}
		}
		slices.Sort(due[2:]) // targets of one time come in no order
		if diff := cmp.Diff([]string{"long ago", "first", "made by the first", "second"}, due); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
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
		moment, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := timerqueue.Nanoseconds(moment); got != want {
			t.Errorf("%s is %d, want %d", text, got, want)
		}
	}
}
