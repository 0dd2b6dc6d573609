package state_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/random"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recorder"
)

// timeless is the duration of what has none.
const timeless = -time.Hour

// countingRecorder keeps all that is counted, with its labels and its duration.
type countingRecorder struct {
	recorder.Nothing
	counted map[string][]time.Duration
}

func (r *countingRecorder) count(duration time.Duration, format string, labels ...any) {
	key := fmt.Sprintf(format, labels...)
	r.counted[key] = append(r.counted[key], duration)
}

func (r *countingRecorder) GapClosed(_ *slim.DaemonSet, cause coverage.Cause, lifecycle readiness.Lifecycle, duration time.Duration) {
	r.count(duration, "gap of cause %v, %v", cause, lifecycle)
}

func (r *countingRecorder) NodeLost(_ *slim.DaemonSet, exclusion coverage.Exclusion) {
	r.count(timeless, "node lost by %v", exclusion)
}

func (r *countingRecorder) NodeTransition(node *slim.Node, _ state.NodeLabels, lifecycle readiness.Lifecycle, transition readiness.Transition) {
	outage := timeless
	if transition.To == readiness.StatusReady {
		outage = transition.Outage
	}
	r.count(outage, "node %s from %v to %v, %v", node.Name, transition.From, transition.To, lifecycle)
}

func (r *countingRecorder) NodeReady(startup time.Duration)   { r.count(startup, "node ready") }
func (r *countingRecorder) NodeCovered(startup time.Duration) { r.count(startup, "node covered") }

func (r *countingRecorder) Rescheduled(_ *slim.DaemonSet, result *rescheduling.Result) {
	r.count(result.Duration(), "rescheduling by %v", result.Trigger)
}

func (r *countingRecorder) Terminated(_ *slim.DaemonSet, outcome rescheduling.Outcome) {
	r.count(timeless, "termination %v", outcome)
}

func (r *countingRecorder) TerminationMeasured(_ *slim.DaemonSet, duration time.Duration) {
	r.count(duration, "termination")
}

func (r *countingRecorder) ContainersRestarted(_ *slim.DaemonSet, reason slim.TerminationReason, times int32) {
	for range times {
		r.count(timeless, "restart after %v", reason)
	}
}

// The law whichever watch is first: nodes, pods and DaemonSets come by watches of their
// own, and the order of events of different ones within a second changes nothing that is
// counted but durations, by no more than that second. What lasted no longer than it may
// be there or not.
func TestWhicheverWatchIsFirst(t *testing.T) {
	t.Parallel()
	for name, seed := range map[string]uint64{
		"seed 1": 1, "seed 2": 2, "seed 3": 3, "seed 4": 4, "new seed": random.Seeds()["new seed"],
		// Holds a node that comes back, not Ready, as a pod of its is removed.
		"a node that comes back": 10061267145537098401,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			swaps, counted := 0, 0
			for run := range uint64(runs / 10) {
				r := race{t: t, cluster: random.NewOperation(random.Seeded(seed, run)), held: map[string]*heldCauses{}}
				r.run()
				swaps, counted = swaps+r.swaps, counted+r.counted
				if t.Failed() {
					t.Fatalf("run %d of seed %d", run, seed)
				}
			}
			t.Logf("seed %d: %d swaps, %d counted", seed, swaps, counted)
			if swaps < 3*runs/10 || counted < 10*runs/10 {
				t.Errorf("only %d swaps and %d counted", swaps, counted)
			}
		})
	}
}

// race is one run: what happens within a second is delivered to one Cluster in order,
// and to another with the watch of one resource ahead of the others or behind them.
type race struct {
	t        *testing.T
	cluster  *random.Operation
	clusters [2]*ledger
	counts   [2]*countingRecorder
	story    []string
	// held is how long each cause has held of the open gaps of the first, by node;
	// undecided reports whether one has closed that two causes held equally long.
	held      map[string]*heldCauses
	undecided bool

	swaps, counted int
}

func (r *race) run() {
	for i := range r.clusters {
		r.counts[i] = &countingRecorder{}
		r.clusters[i] = newLedger(r.counts[i])
		r.clusters[i].applyTimes(1, r.cluster.Present()...)
		r.clusters[i].Synced()
	}
	for step := range 60 {
		begin := r.clusters[0].now.Truncate(time.Second).Add(time.Duration(3+step%5) * time.Second)
		var events []random.Event
		for i := range 1 + step%3 {
			events = append(events, r.cluster.Next(begin.Add(time.Duration(i)*150*time.Millisecond))...)
		}
		another := r.reordered(events)
		r.undecided = false
		r.deliver(0, begin, events)
		r.deliver(1, begin, another)
		r.compare(step)
		if r.t.Failed() {
			r.t.Log(strings.Join(r.story, "\n"))
			return
		}
	}
}

// reordered lets the watch of nodes or of DaemonSets overtake the others, or fall behind
// them, unless there are two stories in the events of which nobody can tell which was
// first. Pods keep their times: those are held against grace periods.
func (r *race) reordered(events []random.Event) []random.Event {
	if len(events) == 0 || r.twoStories(events) {
		return events
	}
	resource := random.Choose(r.cluster.Dice, "node ", "daemonset ")
	at := random.Choose(r.cluster.Dice, events[0].At, events[len(events)-1].At.Add(50*time.Millisecond))
	another := slices.Clone(events)
	for i := range another {
		if strings.HasPrefix(another[i].Key(), resource) {
			another[i].At = at
		}
	}
	behind := at.After(events[0].At)
	slices.SortStableFunc(another, func(a, b random.Event) int {
		moved := func(e random.Event) bool { return strings.HasPrefix(e.Key(), resource) }
		switch c := a.At.Compare(b.At); {
		case c != 0 || moved(a) == moved(b):
			return c
		case moved(a) == behind:
			return 1
		default:
			return -1
		}
	})
	for i := range events {
		if another[i].Key() != events[i].Key() {
			r.swaps++
		}
	}
	return another
}

// twoStories reports whether another order may be another story:
//
//   - the DaemonSet goes, and what is counted of it with it; or it comes as a node changes,
//     and its pods are needed for two reasons; or as a pod ends, which was nobody's before;
//   - of node and pods one comes to work and another ceases to: the cell may have been
//     covered between, and one gap be two.
func (r *race) twoStories(events []random.Event) bool {
	works := map[string]bool{}
	for _, object := range r.clusters[0].watch.Objects() {
		event := random.Event{Object: object, At: r.clusters[0].now}
		works[event.Key()] = workNow(event)
	}
	created, deleted, ended := false, false, false
	nodes, up, down := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, event := range events {
		key, at := event.Key(), ""
		switch object := event.Object.(type) {
		case *slim.DaemonSet:
			created, deleted = created || !event.Gone, deleted || event.Gone
			continue
		case *slim.Node:
			at = object.Name
			nodes[at] = true
		case *slim.Pod:
			at = object.NodeName.Value()
			ended = ended || event.Gone || object.Terminating()
		}
		now := workNow(event)
		up[at], down[at] = up[at] || now && !works[key], down[at] || !now && works[key]
		works[key] = now
	}
	for node := range nodes {
		if up[node] && down[node] {
			return true
		}
	}
	return deleted || created && (len(nodes) > 0 || ended)
}

// workNow reports whether a node is Ready, or a pod available.
func workNow(event random.Event) bool {
	switch object := event.Object.(type) {
	case *slim.Node:
		return !event.Gone && object.Ready.Status == slim.ConditionTrue
	case *slim.Pod:
		return !event.Gone && object.Available(0, event.At)
	default:
		return false
	}
}

func (r *race) deliver(to int, begin time.Time, events []random.Event) {
	l := r.clusters[to]
	r.counts[to].counted = map[string][]time.Duration{}
	l.advance(begin)
	for _, event := range events {
		r.story = append(r.story, fmt.Sprint(to, " ", event))
		l.advance(event.At)
		l.applyTimes(1, event)
		if to == 0 {
			r.noteCauses()
		}
	}
	l.advance(begin.Add(time.Second - 1))
}

// heldCauses is how long each cause of an open gap has held.
type heldCauses struct {
	held  [coverage.Causes]time.Duration
	cause coverage.Cause
	since time.Time
}

func (r *race) noteCauses() {
	now, open := r.clusters[0].now, r.clusters[0].gapsByNode()
	for node, h := range r.held {
		gap, ok := open[node]
		h.held[h.cause] += now.Sub(h.since)
		h.cause, h.since = gap.Reason.Cause(), now
		if !ok {
			slices.Sort(h.held[:])
			// Each end of a part may move by a second.
			r.undecided = r.undecided || h.held[coverage.Causes-1]-h.held[coverage.Causes-2] <= 2*time.Second
			delete(r.held, node)
		}
	}
	for node, gap := range open {
		if r.held[node] == nil {
			r.held[node] = &heldCauses{cause: gap.Reason.Cause(), since: now}
		}
	}
}

func (r *race) compare(step int) {
	one, other := r.beyondTheSecond(0), r.beyondTheSecond(1)
	keys := maps.Clone(one)
	maps.Copy(keys, other)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		a, b := one[key], other[key]
		r.counted += len(a)
		if !slices.EqualFunc(a, b, func(a, b time.Duration) bool { return (a - b).Abs() <= time.Second }) {
			r.t.Errorf("step %d: %s: %v, and %v in another order", step, key, a, b)
		}
	}
}

// beyondTheSecond is what was counted, but for what lasted no longer than the second.
func (r *race) beyondTheSecond(of int) map[string][]time.Duration {
	all := map[string][]time.Duration{}
	for key, durations := range r.counts[of].counted {
		if r.undecided && strings.HasPrefix(key, "gap") {
			key = "gap of either cause"
		}
		for _, d := range durations {
			if d == timeless || d > time.Second {
				all[key] = append(all[key], d)
			}
		}
	}
	for _, durations := range all {
		slices.Sort(durations)
	}
	return all
}
