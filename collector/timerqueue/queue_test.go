package timerqueue_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daemonset-exporter/daemonset_exporter/collector/timerqueue"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// target notes that it was due, and may make something else due.
type target func(now time.Time)

func (t target) Due(now time.Time) { t(now) }

func TestQueue(t *testing.T) {
	t.Parallel()
	var queue timerqueue.Queue
	var got []string
	note := func(name string) target { return func(time.Time) { got = append(got, name) } }
	if !queue.Next().IsZero() {
		t.Errorf("an empty queue is due at %v", queue.Next())
	}
	queue.Push(objects.At(30), note("third"))
	queue.Push(objects.At(10), note("first"))
	queue.Push(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), note("in 7973 years"))
	queue.Push(objects.At(20), target(func(now time.Time) {
		got = append(got, "second")
		queue.Push(now, note("what the second made due"))
	}))
	queue.Push(time.Time{}, note("long ago"))

	queue.Advance(objects.At(-1))
	if want := []string{"long ago"}; !cmp.Equal(want, got) {
		t.Errorf("before noon %v were due, want %v", got, want)
	}
	if !queue.Next().Equal(objects.At(10)) {
		t.Errorf("next is %v", queue.Next())
	}
	queue.Advance(objects.At(9.999))
	queue.Advance(objects.At(25))
	queue.Advance(objects.At(5)) // a clock that is set back
	queue.Advance(objects.At(30))
	want := []string{"long ago", "first", "second", "what the second made due", "third"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if queue.Len() != 1 || queue.Next().Before(objects.At(200*365*24*3600)) {
		t.Errorf("%d are left, the next at %v", queue.Len(), queue.Next())
	}
}

func TestNanoseconds(t *testing.T) {
	t.Parallel()
	const most = 1<<63 - 1
	for text, want := range map[string]int64{
		"1970-01-01T00:00:00.000000001Z": 1,
		"1969-12-31T23:59:59Z":           -1e9,
		"2262-04-11T23:47:16.854775807Z": most,
		"2262-04-11T23:47:16.854775808Z": most,
		"9999-12-31T23:59:59Z":           most,
		"1677-09-21T00:12:43.145224192Z": -most - 1,
		"1677-09-21T00:12:43.145224191Z": -most - 1,
		"0001-01-01T00:00:00Z":           -most - 1,
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
