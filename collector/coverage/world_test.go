package coverage_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// world is a ledger and the time at which its events come.
type world struct {
	t      *testing.T
	ledger *coverage.Ledger
	now    time.Time
	pods   map[slim.UID]*slim.Pod
}

func newWorld(t *testing.T) *world {
	t.Helper()
	rules := readiness.Rules{JoinGrace: 5 * time.Minute}
	return &world{t: t, ledger: coverage.NewLedger(rules, "zone"), now: at(0), pods: map[slim.UID]*slim.Pod{}}
}

// start is the world at noon: the exporter starts with these objects.
func start(t *testing.T, objects ...any) *world {
	t.Helper()
	w := newWorld(t)
	w.see(objects...)
	w.ledger.Start(w.now)
	return w
}

// at lets time pass, or turns it back.
func (w *world) at(seconds float64) *world {
	w.now = at(seconds)
	w.ledger.Advance(w.now)
	return w
}

// see hands over objects that are new or have changed.
func (w *world) see(objects ...any) *world {
	w.t.Helper()
	for _, object := range objects {
		switch object := object.(type) {
		case *slim.Node:
			w.ledger.SetNode(object, w.now)
		case *slim.DaemonSet:
			w.ledger.SetDaemonSet(object, w.now)
		case *slim.Pod:
			w.ledger.SetPod(w.pods[object.UID], object, w.now)
			w.pods[object.UID] = object
		default:
			w.t.Fatalf("no object: %T", object)
		}
	}
	return w
}

// lose hands over objects that are gone.
func (w *world) lose(objects ...any) *world {
	w.t.Helper()
	for _, object := range objects {
		switch object := object.(type) {
		case *slim.Node:
			w.ledger.DeleteNode(object, w.now)
		case *slim.DaemonSet:
			w.ledger.DeleteDaemonSet(object, w.now)
		case *slim.Pod:
			w.ledger.DeletePod(object, w.now)
			delete(w.pods, object.UID)
		default:
			w.t.Fatalf("no object: %T", object)
		}
	}
	return w
}

// says checks everything but zeros that the ledger counts of a DaemonSet's
// nodes, but for upstream's counts.
func (w *world) says(ds string, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, countsOf(w.ledger)[ds]); diff != "" {
		w.t.Errorf("of %s, %v after noon (-want +got):\n%s", ds, w.now.Sub(at(0)), diff)
	}
}

// countsOf are the counts of every DaemonSet in words.
func countsOf(ledger *coverage.Ledger) map[string][]string {
	all := map[string][]string{}
	for summary := range ledger.Summaries() {
		all[summary.DaemonSet.Name] = wordsOf(summary.Totals)
	}
	return all
}

func wordsOf(totals *coverage.Totals) (words []string) {
	say := func(count int32, format string, values ...any) {
		if count != 0 {
			words = append(words, fmt.Sprintf(format, values...)+fmt.Sprintf(": %d", count))
		}
	}
	for lifecycle := range readiness.Lifecycles {
		say(totals.Expected[lifecycle], "expected %v", lifecycle)
		say(totals.Covered[lifecycle], "covered %v", lifecycle)
		for reason := range coverage.Reasons {
			say(totals.Gaps[lifecycle][reason], "gap %v %v", lifecycle, reason)
		}
		for exclusion := range coverage.Exclusions {
			say(totals.Excluded[lifecycle][exclusion], "excluded %v %v", lifecycle, exclusion)
		}
		for verdict := range coverage.Verdicts {
			say(totals.Misplaced[lifecycle][verdict], "misplaced %v %v", lifecycle, verdict)
		}
	}
	for repulsion, count := range totals.Repelled {
		say(count, "repelled %v %s:%s", repulsion.Lifecycle, repulsion.Key, repulsion.Effect)
	}
	say(totals.Outdated, "outdated")
	for cause := range coverage.Causes {
		say(totals.Unavailable[cause], "spent %v", cause)
	}
	slices.Sort(words)
	return words
}

// gapsAre checks all open gaps: DaemonSet, node, reason, and since when in
// seconds after noon.
func (w *world) gapsAre(want ...string) {
	w.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, gapsOf(w.ledger)); diff != "" {
		w.t.Errorf("gaps %v after noon (-want +got):\n%s", w.now.Sub(at(0)), diff)
	}
}

func gapsOf(ledger *coverage.Ledger) (words []string) {
	gaps, _ := ledger.Gaps(1 << 30)
	for _, gap := range gaps {
		words = append(words, fmt.Sprintf("%s on %s: %v since %v",
			gap.DaemonSet.Name, gap.Node.Name, gap.Reason, gap.Opened.Sub(at(0)).Seconds()))
	}
	slices.Sort(words)
	return words
}

// reason is why the DaemonSet does not cover the node; "covered" if it does, ""
// if it need not.
func (w *world) reason(ds, node string) string {
	w.t.Helper()
	gaps, _ := w.ledger.Gaps(1 << 30)
	for _, gap := range gaps {
		if gap.DaemonSet.Name == ds && gap.Node.Name == node {
			return gap.Reason.String()
		}
	}
	return coverage.ReasonNone.String()
}

// summary is the ledger's of one DaemonSet.
func (w *world) summary(ds string) coverage.Summary {
	w.t.Helper()
	for summary := range w.ledger.Summaries() {
		if summary.DaemonSet.Name == ds {
			return summary
		}
	}
	w.t.Fatalf("there is no summary of %s", ds)
	return coverage.Summary{}
}
