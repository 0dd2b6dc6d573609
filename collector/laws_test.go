package collector

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/random"
)

// checkingRecorder checks what is recorded, and passes it on.
type checkingRecorder struct {
	rescheduling.Recorder
	*exporter
	// finished counts the reschedulings.
	finished int
}

func (r *checkingRecorder) Rescheduled(ds *slim.DaemonSet, trigger rescheduling.Trigger, stages [rescheduling.Stages]time.Duration) {
	r.finished++
	total := time.Duration(0)
	for _, stage := range stages {
		total += stage
		if stage < 0 {
			r.t.Errorf("a stage of %v took %v", stages, stage)
		}
	}
	if elapsed := r.clock.Now().Sub(objects.Noon); total > elapsed {
		r.t.Errorf("a rescheduling took %v of %v", total, elapsed)
	}
	r.Recorder.Rescheduled(ds, trigger, stages)
}

func (r *checkingRecorder) Terminated(ds *slim.DaemonSet, outcome rescheduling.Outcome, duration time.Duration) {
	if duration < 0 && duration != rescheduling.Unmeasured {
		r.t.Errorf("a termination took %v", duration)
	}
	r.Recorder.Terminated(ds, outcome, duration)
}

func (r *checkingRecorder) Restarted(ds *slim.DaemonSet, ending slim.TerminationReason, times int32) {
	if times <= 0 {
		r.t.Errorf("%d restarts", times)
	}
	r.Recorder.Restarted(ds, ending, times)
}

// checkRecords has what is recorded checked.
func (e *exporter) checkRecords() *checkingRecorder {
	h := e.collector.history
	r := &checkingRecorder{Recorder: h, exporter: e}
	h.cells = rescheduling.NewTracker(r)
	h.terminating = rescheduling.NewTerminations(r, e.collector.ledger)
	return r
}

// open is what is open: the gauges.
type open struct {
	Covered, Expected, Gaps, Pending int
	Terminating                      [rescheduling.States]int
}

func (e *exporter) open() open {
	var all open
	ledger, h := e.collector.ledger, e.collector.history
	for summary := range ledger.Summaries() {
		for lifecycle := range summary.Totals.Expected {
			all.Expected += int(summary.Totals.Expected[lifecycle])
			all.Covered += int(summary.Totals.Covered[lifecycle])
		}
		for trigger := range rescheduling.Triggers {
			all.Pending += h.cells.Pending(summary.DaemonSet.UID, trigger)
		}
		for state := range rescheduling.States {
			all.Terminating[state] += h.terminating.Count(summary.DaemonSet.UID, state)
		}
	}
	gaps, _ := ledger.Gaps(1000)
	all.Gaps = len(gaps)
	return all
}

// The laws of what is recorded, on random events:
//
//   - durations are not negative, and not longer than the run;
//   - it does not matter whether an event comes once or twice;
//   - an exporter that is started now reports the same as one that was there;
//   - when everything is gone, nothing is left.
func TestLaws(t *testing.T) {
	t.Parallel()
	for name, seed := range map[string]uint64{
		"seed 1": 1, "seed 2": 2, "seed 3": 3, "seed 4": 4, "new seed": random.Seeds()["new seed"],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			finished := 0
			for run := range uint64(150) {
				finished += checkLaws(t, random.NewOperation(random.Seeded(seed, run)))
				if t.Failed() {
					t.Fatalf("run %d of seed %d", run, seed)
				}
			}
			if finished < 100 {
				t.Errorf("150 runs of seed %d hold no more than %d reschedulings", seed, finished)
			}
		})
	}
}

// checkLaws delivers random events to one exporter, and each of them twice to
// another; now and then it starts a third.
func checkLaws(t *testing.T, cluster *random.Operation) (finished int) {
	t.Helper()
	once, twice := newExporter(t, objects.Noon), newExporter(t, objects.Noon)
	recorder := once.checkRecords()
	twice.checkRecords()
	once.apply(1, cluster.Present()...)
	twice.apply(2, cluster.Present()...)
	once.Synced()
	twice.Synced()
	seconds := 0
	for step := range 60 {
		seconds += 3 + step%5
		now := objects.At(float64(seconds))
		once.advance(now)
		twice.advance(now)
		events := cluster.Next(now)
		once.apply(1, events...)
		twice.apply(2, events...)
		if diff := cmp.Diff(once.open(), twice.open()); diff != "" {
			t.Fatalf("step %d: delivered once and twice (-once +twice):\n%s", step, diff)
		}
		if step%6 == 5 {
			if diff := cmp.Diff(once.open(), once.restarted().open()); diff != "" {
				t.Fatalf("step %d: as watched and as found (-watched +found):\n%s", step, diff)
			}
		}
		pending := once.collector.history.cells.Open()
		if all := once.open(); all.Pending > pending || pending > all.Gaps || all.Covered+all.Gaps != all.Expected {
			t.Fatalf("step %d: %d reschedulings are open in %+v", step, pending, all)
		}
	}
	for _, event := range cluster.Present() {
		event.Gone = true
		once.apply(1, event)
	}
	once.advance(once.clock.Now().Add(time.Hour))
	once.expectNothingOpen()
	if all := once.open(); all != (open{}) {
		t.Fatalf("left of nothing: %+v", all)
	}
	once.expect("no negative durations", "daemonset_exporter_clock_skew_total")
	return recorder.finished
}

// apply delivers events, each so many times.
func (e *exporter) apply(times int, events ...random.Event) {
	e.t.Helper()
	for _, event := range events {
		if event.Gone {
			e.watch.Delete(event.Object)
			continue
		}
		for range times {
			e.watch.Set(again(event.Object))
		}
	}
}

// again returns the object as it is when it is delivered once more.
func again(object any) any {
	switch object := object.(type) {
	case *slim.Node:
		return new(*object)
	case *slim.DaemonSet:
		return new(*object)
	case *slim.Pod:
		return new(*object)
	default:
		panic(fmt.Sprintf("no object: %T", object))
	}
}
