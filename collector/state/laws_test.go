package state_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/random"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recorder"
)

// The laws of the ledger, on random events:
//
//   - after every event it equals the model, which evaluates every pair anew;
//   - it equals a new ledger that is shown the final objects only;
//   - the order of events of different objects does not matter, nor how many cells of a
//     deleted DaemonSet end at once;
//   - when everything is gone, nothing is left.
//
// A failing run is repeated, and printed event by event.

func TestLaws(t *testing.T) {
	t.Parallel()
	for name, seed := range random.Seeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Logf("%d runs of seed %d", runs, seed)
			reached := map[coverage.Reason]bool{}
			for number := range uint64(runs) {
				checkLaws(t, func() *random.Dice { return random.Seeded(seed, number) }, number%4 == 0, reached)
				if t.Failed() {
					t.Fatalf("run %d of seed %d", number, seed)
				}
			}
			for _, reason := range coverage.GapReasons() {
				if !reached[reason] {
					t.Errorf("no random event leads to the reason %s: extend random.Cluster", reason)
				}
			}
		})
	}
}

func FuzzCluster(f *testing.F) {
	for number := range uint64(8) {
		f.Add(number%2 == 0, random.Bytes(number, 400))
	}
	f.Fuzz(func(t *testing.T, backward bool, bytes []byte) {
		checkLaws(t, func() *random.Dice { return random.FromBytes(bytes) }, backward, map[coverage.Reason]bool{})
	})
}

func checkLaws(t *testing.T, dice func() *random.Dice, backward bool, reached map[coverage.Reason]bool) {
	t.Helper()
	if problem := brokenLaw(dice(), backward, reached, func(random.Event) {}); problem != "" {
		var events strings.Builder
		brokenLaw(dice(), backward, reached, func(e random.Event) { fmt.Fprintln(&events, e) })
		t.Errorf("%s\n%s", problem, events.String())
	}
}

func (l *ledger) apply(e random.Event, at time.Time) {
	l.now = at
	if e.Gone {
		l.watch.Delete(e.Object)
	} else {
		l.watch.Set(e.Object)
	}
}

// brokenLaw lets random things happen and returns which law that breaks, or "".
// It calls print with each event, and notes the reasons of gaps that are reached.
func brokenLaw(dice *random.Dice, backward bool, reached map[coverage.Reason]bool, print func(random.Event)) string {
	unknown := &unknownRevisions{}
	model := newModel()
	run := &run{Cluster: random.NewCluster(dice, backward), ledger: newLedger(unknown), model: model}
	run.ledger.Synced()
	length := 20 + run.Roll(60)
	latest := objects.Noon
	for len(run.events) < length {
		for _, e := range run.Next() {
			run.events = append(run.events, e)
			print(e)
			run.ledger.apply(e, e.At)
			model.pass(e.At)
			model.apply(e)
			unknown.answer(run.ledger, model, e.At)
			if e.At.After(latest) {
				latest = e.At
			}
			// While the clock is set back, what was evaluated before stands.
			if !e.At.Before(latest) {
				account := accountOf(run.ledger)
				for _, gap := range account.Gaps {
					reached[gap.Reason] = true
				}
				if diff := compare(model.account(), account, !backward); diff != "" {
					return "the ledger is not the model (-model +ledger):\n" + diff
				}
			}
		}
	}
	run.end = latest.Add(time.Minute)
	for _, law := range []func() string{run.equalsANewOne, run.ignoresOrder, func() string { return run.leavesNothing(run.ledger) }} {
		if problem := law(); problem != "" {
			return problem
		}
	}
	return ""
}

// unknownRevisions are the DaemonSets whose revision is asked for.
type unknownRevisions struct {
	recorder.Nothing
	asked []*slim.DaemonSet
}

func (u *unknownRevisions) RevisionUnknown(ds *slim.DaemonSet, _ slim.ControllerRevision) {
	u.asked = append(u.asked, ds)
}

// answer answers two of three questions, with one of the hashes that pods have.
func (u *unknownRevisions) answer(ledger *ledger, model *model, now time.Time) {
	for _, ds := range u.asked {
		number := int64(ds.UID[0]) + ds.Generation
		if number%3 == 0 {
			continue
		}
		hash := fmt.Sprintf("hash-%d", 1+number%4)
		ledger.SetRevision(slim.ControllerRevision{Owner: ds.UID, Hash: slim.Intern(hash), Revision: number}, ds.Generation, now)
		model.revisions[modelTemplateOf(ds)] = hash
	}
	u.asked = nil
}

// readRevisions gives a ledger what was read of the present templates.
func (r *run) readRevisions(ledger *ledger) {
	for _, ds := range r.model.sets {
		if hash, ok := r.model.revisions[modelTemplateOf(ds)]; ok {
			ledger.SetRevision(slim.ControllerRevision{Owner: ds.UID, Hash: slim.Intern(hash), Revision: 1}, ds.Generation, r.end)
		}
	}
}

// run is a ledger to which all events have happened.
type run struct {
	*random.Cluster
	ledger *ledger
	model  *model
	events []random.Event
	end    time.Time
}

// equalsANewOne compares with a ledger that starts now. It cannot know when a
// node was Ready for the first time, so joining and active are one there, and it
// dates by stamps.
func (r *run) equalsANewOne() string {
	r.ledger.Advance(r.end)
	fresh := newLedger(recorder.Nothing{})
	for _, e := range r.Present(r.end) {
		fresh.apply(e, e.At)
	}
	r.readRevisions(fresh)
	fresh.Synced()
	if diff := compare(withoutJoining(accountOf(r.ledger)), withoutJoining(accountOf(fresh)), false); diff != "" {
		return "the ledger is not what it would be from scratch (-ledger +from scratch):\n" + diff
	}
	return ""
}

// ignoresOrder delivers all events once more, at the same times in another order:
// only those of one object keep theirs. Events come between the cells that end with a
// DaemonSet.
func (r *run) ignoresOrder() string {
	queues := map[string][]random.Event{}
	for _, e := range r.events {
		queues[e.Key()] = append(queues[e.Key()], e)
	}
	other := newLedger(recorder.Nothing{})
	other.EndAtOnce(1)
	other.Synced()
	for _, e := range r.events {
		key := random.Choose(r.Dice, slices.Sorted(maps.Keys(queues))...)
		other.apply(queues[key][0], e.At)
		if queues[key] = queues[key][1:]; len(queues[key]) == 0 {
			delete(queues, key)
		}
	}
	other.Settle(r.end)
	other.Advance(r.end)
	r.readRevisions(other)
	if diff := compare(withoutJoining(accountOf(r.ledger)), withoutJoining(accountOf(other)), false); diff != "" {
		return "the order of events matters (-one order +another):\n" + diff
	}
	return r.leavesNothing(other)
}

// leavesNothing takes every object away.
func (r *run) leavesNothing(ledger *ledger) string {
	for _, e := range r.Present(r.end) {
		e.Gone = true
		ledger.apply(e, e.At)
	}
	ledger.Settle(r.end)
	ledger.Advance(r.end.AddDate(1, 0, 0))
	if left := ledger.Left(); len(left) > 0 {
		return fmt.Sprintf("with everything gone the ledger still holds %v", left)
	}
	if ledger.Slots() > random.MaxNodes {
		return fmt.Sprintf("%d slots for %d names of nodes", ledger.Slots(), random.MaxNodes)
	}
	return ""
}

// accountOf returns what the ledger reports.
func accountOf(ledger *ledger) account {
	all := account{
		Totals: map[slim.UID]state.Totals{}, Gaps: map[pair]gapAccount{},
		Troubles: map[string]troubleAccount{}, Groups: map[groupAccount]int{},
	}
	for summary := range ledger.Summaries() {
		totals := *summary.Totals
		totals.Repelled, totals.Withheld = map[state.NodeTaint]int32{}, map[state.NodeTaint]int32{}
		maps.Copy(totals.Withheld, summary.Totals.Withheld)
		maps.Copy(totals.Repelled, summary.Totals.Repelled)
		all.Totals[summary.DaemonSet.UID] = totals
	}
	gaps, _ := ledger.Gaps(1 << 30)
	for _, gap := range gaps {
		all.Gaps[pair{gap.DaemonSet.UID, gap.Node.Name}] = gapAccount{gap.Reason, gap.Lifecycle, gap.Opened.Sub(objects.Noon)}
	}
	for report := range ledger.TroubledNodes() {
		state := report.State
		all.Troubles[state.Object().Name] = troubleAccount{state.Status(), state.Lifecycle(), report.Gaps, state.Since().Sub(objects.Noon)}
	}
	for group, count := range ledger.NodeGroups() {
		all.Groups[groupAccount{group.Status, group.Lifecycle, group.Labels.Value()}] = count
	}
	return all
}

// compare tells how two accounts differ; dates only where they are comparable.
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
	const active, joining = readiness.LifecycleActive, readiness.LifecycleJoining
	rename := func(lifecycle readiness.Lifecycle) readiness.Lifecycle {
		if lifecycle == joining {
			return active
		}
		return lifecycle
	}
	for uid, totals := range a.Totals {
		for _, counts := range [][2][]int32{
			{totals.Expected[active : active+1], totals.Expected[joining : joining+1]},
			{totals.Covered[active : active+1], totals.Covered[joining : joining+1]},
			{totals.Gaps[active][:], totals.Gaps[joining][:]},
			{totals.Excluded[active][:], totals.Excluded[joining][:]},
			{totals.Misplaced[active][:], totals.Misplaced[joining][:]},
		} {
			for i := range counts[0] {
				counts[0][i] += counts[1][i]
				counts[1][i] = 0
			}
		}
		for _, counts := range []*map[state.NodeTaint]int32{&totals.Repelled, &totals.Withheld} {
			merged := map[state.NodeTaint]int32{}
			for taint, count := range *counts {
				taint.Lifecycle = rename(taint.Lifecycle)
				merged[taint] += count
			}
			*counts = merged
		}
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
