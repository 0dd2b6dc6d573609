package collector

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recordings"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/replay"
)

// step is a moment in a recording and what is different then from the step
// before. Everything that is not named must have stayed as it was.
type step struct {
	// at is the time of day; the step comes after what happened then.
	at      string
	why     string
	changes samples
	// deleted tells that the DaemonSet is gone, and all that was said of it.
	deleted bool
}

func at(timeOfDay, why string, changes ...samples) step {
	return step{at: timeOfDay, why: why, changes: merge(changes...)}
}

// afterDaemonSet is the end of every recording: the DaemonSet is deleted, and
// everything that was ever said of it is gone and does not come back when its
// pods end. What is said of nodes stays.
func afterDaemonSet(timeOfDay string) step {
	return step{at: timeOfDay, why: "the DaemonSet is gone, and its pods after it", deleted: true}
}

// replayed are the families that a replay checks: all that tell of coverage, of
// nodes and of what happens over time.
const replayed = "daemonset_expected_nodes daemonset_covered_nodes daemonset_gap_nodes daemonset_gap_start_timestamp_seconds " +
	"daemonset_gap_duration_seconds daemonset_misplaced_nodes daemonset_cluster_nodes daemonset_node_ daemonset_pod_ daemonset_pods_ " +
	"daemonset_container_ daemonset_exporter_clock_skew_total"

// leases says when the kubelets of a recording last renewed, by node and by the
// time of day from which on the Lease says so.
type leases map[string][]time.Time

// at is the renewal that a node's Lease shows at a time: the latest before it.
func (l leases) at(node string, now time.Time) time.Time {
	var renewed time.Time
	for _, at := range l[node] {
		if !at.After(now) && at.After(renewed) {
			renewed = at
		}
	}
	return renewed
}

// replayRecording replays a recording to a collector and scrapes at each step:
// once in the order of the file, in which three watches overtake each other by
// milliseconds so that the clock runs backwards, and once in the order of the
// times.
func replayRecording(t *testing.T, name string, kubelets leases, steps ...step) {
	t.Helper()
	t.Parallel()
	events, err := recordings.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	byTime := slices.SortedStableFunc(slices.Values(events), func(a, b recordings.Event) int { return a.At.Compare(b.At) })
	for order, events := range map[string][]recordings.Event{"by file": events, "by time": byTime} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { checkSteps(t, events, kubelets, steps) })
		})
	}
}

func checkSteps(t *testing.T, events []recordings.Event, kubelets leases, steps []step) {
	t.Helper()
	e := newExporter(t, events[0].At)
	e.leases = kubelets.at
	e.run()
	recording := replay.NewRecording(events, e, e.advance)
	want := samples{}
	for _, s := range steps {
		recording.Until(onDay(s.at))
		maps.DeleteFunc(want, func(series string, _ float64) bool { return s.deleted && !ofNodes(series) })
		maps.Copy(want, s.changes)
		e.expect(s.at+": "+s.why, replayed, want)
	}
	for more := true; more; {
		_, more = recording.Next()
	}
}

// ofNodes tells samples of nodes from those of DaemonSets.
func ofNodes(series string) bool {
	return !strings.HasPrefix(series, "daemonset_node_gaps{") &&
		(strings.HasPrefix(series, "daemonset_node_") || strings.HasPrefix(series, "daemonset_cluster_"))
}

// onDay is a time of the day on which all recordings were made.
func onDay(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, "2026-11-23T"+text+"Z")
	if err != nil {
		panic(err)
	}
	return at
}

// clockTime is a time of that day as a sample's value.
func clockTime(text string) float64 { return float64(onDay(text).UnixMicro()) / 1e6 }

// podTimes is when a pod took its steps, in seconds of the same minute.
type podTimes struct{ created, bound, started, available float64 }

// rescheduled is what reschedulings add to the samples: those with a trigger
// that began at a time, each with the steps that its pod took.
func rescheduled(trigger string, needed float64, pods ...podTimes) samples {
	all := samples{}
	for _, p := range pods {
		all = sum(all, reschedulings(trigger, p.available-needed),
			stages("create", p.created-needed), stages("schedule", p.bound-p.created),
			stages("start", p.started-p.bound), stages("ready", p.available-p.started))
	}
	return all
}

// threeCovered are three nodes without trouble, all of which run the agent.
func threeCovered() samples {
	return merge(clusterNodes("ready", 3), expectedNodes(3), coveredNodes(3))
}

// gap is one open gap.
func gap(node, reason, since string) samples {
	return merge(gapNodes(reason, 1), gapStart(node, reason, clockTime(since)), nodeGaps(node, 1))
}

// missingOn are the gaps of nodes that a pod was never made for.
func missingOn(since string, nodes ...string) samples {
	all := samples{}
	for _, node := range nodes {
		all = merge(all, gapStart(node, "pod_missing", clockTime(since)), nodeGaps(node, 1))
	}
	return all
}
