package state_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recorder"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/replay"
)

// The graces of all ledgers in these tests.
const (
	joinGrace    = 5 * time.Minute
	startupGrace = 15 * time.Minute
)

// ledger is a ledger and the time at which its events come. It implements
// replay.Handler.
type ledger struct {
	*state.Cluster
	watch *replay.Watch
	now   time.Time
}

func newLedger(recorder state.Recorder) *ledger {
	l := &ledger{Cluster: state.New(readiness.Rules{JoinGrace: joinGrace, StartupGrace: startupGrace}, recorder, "zone"), now: objects.Noon}
	l.watch = replay.NewWatch(l)
	return l
}

func (l *ledger) Node(old, new *slim.Node) {
	if new == nil {
		l.DeleteNode(old, l.now)
	} else {
		l.SetNode(new, l.now)
	}
}

func (l *ledger) DaemonSet(old, new *slim.DaemonSet) {
	if new == nil {
		l.DeleteDaemonSet(old, l.now)
	} else {
		l.SetDaemonSet(new, l.now)
	}
}

func (l *ledger) Pod(old, new *slim.Pod) {
	if new == nil {
		l.DeletePod(old, l.now)
	} else {
		l.SetPod(old, new, l.now)
	}
}

func (l *ledger) Synced() { l.Start(l.now) }

// fixture is a ledger under test.
type fixture struct {
	*ledger
	t *testing.T
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return &fixture{t: t, ledger: newLedger(recorder.Nothing{})}
}

// start returns a ledger that starts at noon with these objects.
func start(t *testing.T, objects ...any) *fixture {
	t.Helper()
	f := newFixture(t)
	f.set(objects...)
	f.Synced()
	return f
}

// runTests runs subtests side by side.
func runTests(t *testing.T, all map[string]func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	for name, run := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t)
		})
	}
}

// at lets time pass, or turns it back.
func (f *fixture) at(seconds float64) *fixture {
	f.now = objects.At(seconds)
	for more := true; more; more = f.due() {
		f.Advance(f.now)
	}
	return f
}

// due reports whether something is due.
func (f *fixture) due() bool {
	next := f.NextWake()
	return !next.IsZero() && !next.After(f.now)
}

// set delivers objects that are new or have changed.
func (f *fixture) set(objects ...any) *fixture { f.watch.Set(objects...); return f }

// delete delivers objects that are gone.
func (f *fixture) delete(objects ...any) *fixture { f.watch.Delete(objects...); return f }

// deleteAll takes everything away, in the order given, and checks that nothing
// is left.
func (f *fixture) deleteAll(objects ...any) {
	f.t.Helper()
	f.delete(objects...)
	f.at(86400)
	if left := f.Left(); len(left) > 0 {
		f.t.Errorf("with everything gone the ledger still holds %v", left)
	}
}

type options = []objects.Option

// pods are the options of each pod of a cell.
type pods []options

// one is the only pod of a cell.
func one(podOptions ...objects.Option) pods { return pods{podOptions} }

// on returns the pods of the DaemonSet agent on a node.
func (p pods) on(node string) (all []any) {
	for i, options := range p {
		name := fmt.Sprintf("%s-%c", node, 'p'+i)
		all = append(all, objects.PodOf("agent", node, append([]objects.Option{objects.Named(name)}, options...)...))
	}
	return all
}

// expectCounts checks everything but zeros that the ledger counts of a
// DaemonSet's nodes, but for upstream's counts.
func (f *fixture) expectCounts(daemonSet string, want ...string) {
	f.t.Helper()
	slices.Sort(want)
	check.Equal(f.t, f.counts()[daemonSet], want, "of", daemonSet, f.now.Sub(objects.Noon), "after noon")
}

// counts are the counts of every DaemonSet in words.
func (l *ledger) counts() map[string][]string {
	all := map[string][]string{}
	for summary := range l.Summaries() {
		all[summary.DaemonSet.Name] = countsOf(summary.Totals)
	}
	return all
}

func countsOf(totals *state.Totals) (words []string) {
	add := func(count int32, format string, values ...any) {
		if count != 0 {
			words = append(words, fmt.Sprintf(format, values...)+fmt.Sprintf(": %d", count))
		}
	}
	for lifecycle := range readiness.Lifecycles {
		add(totals.Expected[lifecycle], "expected %v", lifecycle)
		add(totals.Covered[lifecycle], "covered %v", lifecycle)
		for reason := range coverage.Reasons {
			add(totals.Gaps[lifecycle][reason], "gap %v %v", lifecycle, reason)
		}
		for exclusion := range coverage.Exclusions {
			add(totals.Excluded[lifecycle][exclusion], "excluded %v %v", lifecycle, exclusion)
		}
		for verdict := range coverage.Verdicts {
			add(totals.Misplaced[lifecycle][verdict], "misplaced %v %v", lifecycle, verdict)
		}
	}
	for repulsion, count := range totals.Repelled {
		add(count, "repelled %v %s:%s", repulsion.Lifecycle, repulsion.Key, repulsion.Effect)
	}
	add(totals.Outdated, "outdated")
	for cause := range coverage.Causes {
		add(totals.Unavailable[cause], "unavailable %v", cause)
	}
	slices.Sort(words)
	return words
}

// expectGaps checks all open gaps: DaemonSet, node, reason, and since when in
// seconds after noon.
func (f *fixture) expectGaps(want ...string) {
	f.t.Helper()
	slices.Sort(want)
	check.Equal(f.t, f.gaps(), want, "gaps", f.now.Sub(objects.Noon), "after noon")
}

func (l *ledger) gaps() (words []string) {
	gaps, _ := l.Gaps(1 << 30)
	for _, gap := range gaps {
		words = append(words, fmt.Sprintf("%s on %s: %v since %v",
			gap.DaemonSet.Name, gap.Node.Name, gap.Reason, objects.Seconds(gap.Opened)))
	}
	slices.Sort(words)
	return words
}

// summary is the ledger's of one DaemonSet.
func (f *fixture) summary(daemonSet string) state.Summary {
	f.t.Helper()
	for summary := range f.Summaries() {
		if summary.DaemonSet.Name == daemonSet {
			return summary
		}
	}
	f.t.Fatalf("there is no summary of %s", daemonSet)
	return state.Summary{}
}
