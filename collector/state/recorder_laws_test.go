package state_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/random"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recorder"
)

// checkingRecorder checks that no duration is negative or longer than the run.
type checkingRecorder struct {
	recorder.Nothing
	t      *testing.T
	ledger *ledger
	// rescheduled counts the reschedulings.
	rescheduled int
}

func (r *checkingRecorder) check(what string, duration time.Duration) {
	if elapsed := r.ledger.now.Sub(objects.Noon); duration < 0 || duration > elapsed {
		r.t.Errorf("%s took %v of %v", what, duration, elapsed)
	}
}

func (r *checkingRecorder) Rescheduled(_ *slim.DaemonSet, result *rescheduling.Result) {
	r.rescheduled++
	r.check("a rescheduling", result.Duration())
	for stage, duration := range result.Stages {
		r.check("stage "+rescheduling.Stage(stage).String(), duration)
	}
}

func (r *checkingRecorder) TerminationMeasured(_ *slim.DaemonSet, duration time.Duration) {
	if duration < 0 { // it may have begun before the run
		r.t.Errorf("a termination took %v", duration)
	}
}

func (r *checkingRecorder) ContainersRestarted(_ *slim.DaemonSet, _ slim.TerminationReason, times int32) {
	if times <= 0 {
		r.t.Errorf("%d restarts", times)
	}
}

func (r *checkingRecorder) GapClosed(_ *slim.DaemonSet, _ coverage.Cause, _ readiness.Lifecycle, duration time.Duration) {
	if duration < 0 {
		r.t.Errorf("a gap of %v", duration)
	}
}

func (r *checkingRecorder) NodeTransition(_ *slim.Node, _ state.NodeLabels, _ readiness.Lifecycle, transition readiness.Transition) {
	if transition.Outage < 0 {
		r.t.Errorf("an outage of %v", transition.Outage)
	}
}

func (r *checkingRecorder) NodeReady(startup time.Duration)   { r.checkStartup(startup) }
func (r *checkingRecorder) NodeCovered(startup time.Duration) { r.checkStartup(startup) }

func (r *checkingRecorder) checkStartup(startup time.Duration) {
	if startup < 0 {
		r.t.Errorf("a startup of %v", startup)
	}
}

// The laws of what is recorded, on random events:
//
//   - durations are not negative, and not longer than the run;
//   - it does not matter whether an event comes once or twice;
//   - a Cluster that is started now reports the same as one that was there;
//   - when everything is gone, nothing is left.
func TestRecorderLaws(t *testing.T) {
	t.Parallel()
	for name, seed := range map[string]uint64{
		"seed 1": 1, "seed 2": 2, "seed 3": 3, "seed 4": 4, "new seed": random.Seeds()["new seed"],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rescheduled := 0
			for run := range uint64(150) {
				rescheduled += checkRecorderLaws(t, random.NewOperation(random.Seeded(seed, run)))
				if t.Failed() {
					t.Fatalf("run %d of seed %d", run, seed)
				}
			}
			if rescheduled < 100 {
				t.Errorf("150 runs of seed %d hold no more than %d reschedulings", seed, rescheduled)
			}
		})
	}
}

// checkRecorderLaws delivers random events to one Cluster, and each of them twice to
// another; now and then it starts a third.
func checkRecorderLaws(t *testing.T, cluster *random.Operation) (rescheduled int) {
	t.Helper()
	checking := &checkingRecorder{t: t}
	once, twice := newLedger(checking), newLedger(recorder.Nothing{})
	checking.ledger = once
	once.applyTimes(1, cluster.Present()...)
	twice.applyTimes(2, cluster.Present()...)
	once.Synced()
	twice.Synced()
	seconds := 0
	for step := range 60 {
		seconds += 3 + step%5
		now := objects.At(float64(seconds))
		once.advance(now)
		twice.advance(now)
		events := cluster.Next(now)
		once.applyTimes(1, events...)
		twice.applyTimes(2, events...)
		if diff := cmp.Diff(once.open(), twice.open()); diff != "" {
			t.Fatalf("step %d: delivered once and twice (-once +twice):\n%s", step, diff)
		}
		if step%6 == 5 {
			if diff := cmp.Diff(once.open(), once.restarted().open()); diff != "" {
				t.Fatalf("step %d: as watched and as found (-watched +found):\n%s", step, diff)
			}
		}
		all, reschedulings := once.open(), once.OpenReschedulings()
		if all.Pending > reschedulings || reschedulings > all.Gaps || all.Covered+all.Gaps != all.Expected {
			t.Fatalf("step %d: %d reschedulings are open in %+v", step, reschedulings, all)
		}
	}
	for _, event := range cluster.Present() {
		event.Gone = true
		once.applyTimes(1, event)
	}
	once.advance(once.now.Add(time.Hour))
	if left := once.Left(); len(left) > 0 {
		t.Fatalf("with everything gone the Cluster still holds %v", left)
	}
	return checking.rescheduled
}

// open is what is open: the gauges.
type open struct {
	Covered, Expected, Gaps, Pending int
	Terminating                      [rescheduling.States]int
}

func (l *ledger) open() open {
	var all open
	for summary := range l.Summaries() {
		for lifecycle := range summary.Totals.Expected {
			all.Expected += int(summary.Totals.Expected[lifecycle])
			all.Covered += int(summary.Totals.Covered[lifecycle])
		}
		for _, count := range summary.Pending {
			all.Pending += count
		}
		for state, count := range summary.Terminating {
			all.Terminating[state] += count
		}
	}
	gaps, _ := l.Gaps(1000)
	all.Gaps = len(gaps)
	return all
}

// advance lets time pass until now, stopping at everything that is due on the way.
func (l *ledger) advance(now time.Time) {
	for next := l.NextWake(); !next.IsZero() && !next.After(now); next = l.NextWake() {
		l.now = next
		l.Advance(next)
	}
	l.now = now
	l.Advance(now)
}

// restarted returns another Cluster that finds the objects as they are: all come late,
// with lists.
func (l *ledger) restarted() *ledger {
	next := newLedger(recorder.Nothing{})
	next.now = l.now
	for _, object := range l.watch.Objects() {
		next.watch.Set(late(object))
	}
	next.Synced()
	return next
}

// apply delivers events, each so many times.
func (l *ledger) applyTimes(times int, events ...random.Event) {
	for _, event := range events {
		if event.Gone {
			l.watch.Delete(event.Object)
			continue
		}
		for range times {
			l.watch.Set(again(event.Object))
		}
	}
}

// late returns the object as it is when a list brings it.
func late(object any) any {
	copied := again(object)
	switch object := copied.(type) {
	case *slim.Node:
		object.Late = true
	case *slim.DaemonSet:
		object.Late = true
	case *slim.Pod:
		object.Late = true
	}
	return copied
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
