package coverage_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// The laws of the ledger, on random stories:
//
//   - after every event it equals the model, which judges every pair anew;
//   - it equals a new ledger that is shown the final objects only;
//   - the order of events of different objects does not matter;
//   - when everything is gone, nothing is left.
//
// A failing story is told again, event by event.

const storySeed = 20261123

func TestLaws(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{storySeed, rand.Uint64()} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			t.Logf("%d stories of seed %d", stories, seed)
			for number := range uint64(stories) {
				random := func() dice { return dice{random: rand.New(rand.NewPCG(seed, number))} }
				if problem := obeys(random(), number%4 == 0, nil); problem != "" {
					var told strings.Builder
					obeys(random(), number%4 == 0, &told)
					t.Fatalf("story %d of seed %d: %s\n%s", number, seed, problem, told.String())
				}
			}
		})
	}
}

func FuzzLedger(f *testing.F) {
	for number := range uint64(8) {
		random := rand.New(rand.NewPCG(storySeed, number))
		bytes := make([]byte, 400)
		for i := range bytes {
			bytes[i] = byte(random.Uint32())
		}
		f.Add(number%2 == 0, bytes)
	}
	f.Fuzz(func(t *testing.T, backward bool, bytes []byte) {
		if problem := obeys(dice{bytes: bytes}, backward, nil); problem != "" {
			var told strings.Builder
			obeys(dice{bytes: bytes}, backward, &told)
			t.Fatalf("%s\n%s", problem, told.String())
		}
	})
}

func newLedger() *coverage.Ledger {
	return coverage.NewLedger(readiness.Rules{JoinGrace: joinGrace}, "zone")
}

func deliver(ledger *coverage.Ledger, e event) {
	switch object := e.object.(type) {
	case *slim.Node:
		if e.gone {
			ledger.DeleteNode(object, e.at)
		} else {
			ledger.SetNode(object, e.at)
		}
	case *slim.DaemonSet:
		if e.gone {
			ledger.DeleteDaemonSet(object, e.at)
		} else {
			ledger.SetDaemonSet(object, e.at)
		}
	case *slim.Pod:
		if e.gone {
			ledger.DeletePod(object, e.at)
		} else {
			ledger.SetPod(e.before, object, e.at)
		}
	}
}

// obeys tells a story and says which law it breaks, or "".
func obeys(d dice, backward bool, told *strings.Builder) (problem string) {
	story, ledger, model := newStory(d, backward), newLedger(), newModel()
	ledger.Start(at(0))
	length := 20 + story.roll(60)
	var all []event
	latest := at(0)
	for len(all) < length {
		for _, e := range story.next() {
			all = append(all, e)
			if told != nil {
				fmt.Fprintln(told, e)
			}
			deliver(ledger, e)
			model.pass(e.at)
			model.apply(e)
			if e.at.After(latest) {
				latest = e.at
			}
			// While the clock is set back, what was judged before stands.
			if !e.at.Before(latest) {
				if diff := compare(model.account(), accountOf(ledger), !backward); diff != "" {
					return "the ledger is not the model (-model +ledger):\n" + diff
				}
			}
		}
	}
	for _, law := range []func(*finished, *coverage.Ledger) string{equalsANewOne, ignoresOrder, leavesNothing} {
		if problem := law(&finished{story, all, latest.Add(time.Minute)}, ledger); problem != "" {
			return problem
		}
	}
	return ""
}

// finished is a story that is over.
type finished struct {
	*story
	events []event
	end    time.Time
}

// equalsANewOne compares with a ledger that starts now. It cannot know when a
// node was Ready for the first time, so joining and active are one there, and it
// dates by stamps.
func equalsANewOne(s *finished, ledger *coverage.Ledger) string {
	ledger.Advance(s.end)
	fresh := newLedger()
	for _, e := range s.shuffled(s.present()) {
		deliver(fresh, e)
	}
	fresh.Start(s.end)
	if diff := compare(withoutJoining(accountOf(ledger)), withoutJoining(accountOf(fresh)), false); diff != "" {
		return "the ledger is not what it would be from scratch (-ledger +from scratch):\n" + diff
	}
	return ""
}

// ignoresOrder delivers all events once more, at the same times in another order:
// only those of one object keep theirs.
func ignoresOrder(s *finished, ledger *coverage.Ledger) string {
	queues := map[string][]event{}
	for _, e := range s.events {
		queues[e.key()] = append(queues[e.key()], e)
	}
	other := newLedger()
	other.Start(at(0))
	for _, e := range s.events {
		keys := sortedNames(queues)
		key := choose(&s.dice, keys...)
		next := queues[key][0]
		next.at = e.at
		deliver(other, next)
		if queues[key] = queues[key][1:]; len(queues[key]) == 0 {
			delete(queues, key)
		}
	}
	other.Advance(s.end)
	if diff := compare(withoutJoining(accountOf(ledger)), withoutJoining(accountOf(other)), false); diff != "" {
		return "the order of events matters (-one order +another):\n" + diff
	}
	return ""
}

// leavesNothing takes every object away.
func leavesNothing(s *finished, ledger *coverage.Ledger) string {
	for _, e := range s.shuffled(s.present()) {
		e.at, e.gone = s.end, true
		deliver(ledger, e)
	}
	ledger.Advance(s.end.AddDate(1, 0, 0))
	if left := ledger.Left(); len(left) > 0 {
		return fmt.Sprintf("with everything gone the ledger still holds %v", left)
	}
	if ledger.Slots() > len(nodeNames) {
		return fmt.Sprintf("%d slots for %d names of nodes", ledger.Slots(), len(nodeNames))
	}
	return ""
}

// present are the objects that are there at the end.
func (s *finished) present() (events []event) {
	for _, name := range sortedNames(s.nodes) {
		events = append(events, event{at: s.end, object: s.nodes[name].object})
	}
	for _, name := range sortedNames(s.sets) {
		events = append(events, event{at: s.end, object: s.sets[name].object})
	}
	for _, name := range sortedNames(s.pods) {
		events = append(events, event{at: s.end, object: s.pods[name]})
	}
	return events
}

func (s *finished) shuffled(events []event) []event {
	for i := range events {
		j := i + s.roll(len(events)-i)
		events[i], events[j] = events[j], events[i]
	}
	return events
}

// accountOf is what the ledger says.
func accountOf(ledger *coverage.Ledger) account {
	all := account{
		Totals: map[slim.UID]coverage.Totals{}, Gaps: map[pair]gapAccount{},
		Troubles: map[string]troubleAccount{}, Groups: map[groupAccount]int{},
	}
	for summary := range ledger.Summaries() {
		totals := *summary.Totals
		totals.Repelled = map[coverage.Repulsion]int32{}
		maps.Copy(totals.Repelled, summary.Totals.Repelled)
		all.Totals[summary.DaemonSet.UID] = totals
	}
	gaps, _ := ledger.Gaps(1 << 30)
	for _, gap := range gaps {
		all.Gaps[pair{gap.DaemonSet.UID, gap.Node.Name}] = gapAccount{gap.Reason, gap.Lifecycle, gap.Opened.Sub(at(0))}
	}
	for report := range ledger.TroubledNodes() {
		state := report.State
		all.Troubles[state.Record().Name] = troubleAccount{state.Status(), state.Lifecycle(), report.Gaps, state.Since().Sub(at(0))}
	}
	for group, count := range ledger.NodeGroups() {
		all.Groups[groupAccount{group.Status, group.Lifecycle, group.Labels.Value()}] = count
	}
	return all
}

// compare says how two accounts differ; dates only where they are comparable.
func compare(want, got account, dates bool) string {
	if !dates {
		withoutDates(want)
		withoutDates(got)
	}
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got, cmp.AllowUnexported(pair{}))
}

func withoutDates(a account) {
	for at, gap := range a.Gaps {
		gap.Opened = 0
		a.Gaps[at] = gap
	}
	for name, trouble := range a.Troubles {
		trouble.Since = 0
		a.Troubles[name] = trouble
	}
}

// withoutJoining takes joining nodes for active ones.
func withoutJoining(a account) account {
	merge := func(counts *[readiness.Lifecycles]int32) {
		counts[readiness.LifecycleActive] += counts[readiness.LifecycleJoining]
		counts[readiness.LifecycleJoining] = 0
	}
	rename := func(lifecycle readiness.Lifecycle) readiness.Lifecycle {
		if lifecycle == readiness.LifecycleJoining {
			return readiness.LifecycleActive
		}
		return lifecycle
	}
	for uid, totals := range a.Totals {
		merge(&totals.Expected)
		merge(&totals.Covered)
		for i, count := range totals.Gaps[readiness.LifecycleJoining] {
			totals.Gaps[readiness.LifecycleActive][i] += count
		}
		for i, count := range totals.Excluded[readiness.LifecycleJoining] {
			totals.Excluded[readiness.LifecycleActive][i] += count
		}
		for i, count := range totals.Misplaced[readiness.LifecycleJoining] {
			totals.Misplaced[readiness.LifecycleActive][i] += count
		}
		totals.Gaps[readiness.LifecycleJoining] = [coverage.Reasons]int32{}
		totals.Excluded[readiness.LifecycleJoining] = [coverage.Exclusions]int32{}
		totals.Misplaced[readiness.LifecycleJoining] = [coverage.Verdicts]int32{}
		repelled := map[coverage.Repulsion]int32{}
		for repulsion, count := range totals.Repelled {
			repulsion.Lifecycle = rename(repulsion.Lifecycle)
			repelled[repulsion] += count
		}
		totals.Repelled = repelled
		a.Totals[uid] = totals
	}
	for at, gap := range a.Gaps {
		gap.Lifecycle = rename(gap.Lifecycle)
		a.Gaps[at] = gap
	}
	for name, trouble := range a.Troubles {
		trouble.Lifecycle = rename(trouble.Lifecycle)
		a.Troubles[name] = trouble
	}
	groups := map[groupAccount]int{}
	for group, count := range a.Groups {
		group.Lifecycle = rename(group.Lifecycle)
		groups[group] += count
	}
	a.Groups = groups
	return a
}
