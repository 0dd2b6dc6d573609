package collector

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recordings"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/replay"
)

// step is a time in a recording with the changes since the step before. All other
// samples must be unchanged.
type step struct {
	// at is the time of day; the step comes after the events of that time.
	at      string
	why     string
	changes samples
	// deleted is set if the DaemonSet is gone, and all samples of it.
	deleted bool
}

func at(timeOfDay, why string, changes ...samples) step {
	return step{at: timeOfDay, why: why, changes: merge(changes...)}
}

// afterDaemonSet returns the last step of every recording: the DaemonSet is deleted,
// and its samples are gone and do not come back when its pods end. Those of nodes stay.
func afterDaemonSet(timeOfDay string) step {
	return step{at: timeOfDay, why: "the DaemonSet is gone, and its pods after it", deleted: true}
}

// replayed are the families that a replay checks: those of coverage, of nodes and of
// events.
const replayed = "daemonset_expected_nodes daemonset_covered_nodes daemonset_gap_nodes daemonset_gap_start_timestamp_seconds " +
	"daemonset_gap_duration_seconds daemonset_misplaced_nodes daemonset_cluster_nodes daemonset_node_ daemonset_pod_ daemonset_pods_ " +
	"daemonset_container_ daemonset_exporter_negative_durations_total"

// leases holds the times at which the kubelets of a recording renewed their Lease, by
// node.
type leases map[string][]time.Time

// at returns the last renewal of a node's Lease before a time.
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
	events := check.Must(recordings.Read(name))(t)
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

// ofNodes reports whether a sample is of a node, not of a DaemonSet.
func ofNodes(series string) bool {
	return !strings.HasPrefix(series, "daemonset_node_gaps{") &&
		(strings.HasPrefix(series, "daemonset_node_") || strings.HasPrefix(series, "daemonset_cluster_"))
}

// onDay returns a time of the day on which all recordings were made.
func onDay(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, "2026-11-23T"+text+"Z")
	if err != nil {
		panic(err)
	}
	return at
}

// clockTime returns a time of that day as the value of a sample.
func clockTime(text string) float64 { return float64(onDay(text).UnixMicro()) / 1e6 }

// podTimes are the times of the steps of a pod, in seconds of the same minute.
type podTimes struct{ created, bound, started, available float64 }

// rescheduled returns the samples of reschedulings with a trigger that began at a
// time, each with the steps of its pod.
func rescheduled(trigger string, needed float64, pods ...podTimes) samples {
	all := samples{}
	for _, p := range pods {
		all = sum(all, reschedulings(trigger, p.available-needed),
			stages("create", p.created-needed), stages("schedule", p.bound-p.created),
			stages("start", p.started-p.bound), stages("ready", p.available-p.started))
	}
	return all
}

// filled is rescheduled for nodes on which there was nothing from the need on, and
// the gaps of active nodes that this closed.
func filled(trigger string, needed float64, pods ...podTimes) samples {
	all := rescheduled(trigger, needed, pods...)
	for _, p := range pods {
		all = sum(all, gapDurations(p.cause(needed), p.available-needed))
	}
	return all
}

// cause is what held longer of a gap that this pod filled: scheduling until it was
// bound, the pod itself after that.
func (p podTimes) cause(needed float64) string {
	if p.available-p.bound > p.bound-needed {
		return "pod"
	}
	return "scheduling"
}

// threeCovered are three nodes without trouble, all of which run the agent.
func threeCovered() samples {
	return merge(clusterNodes("ready", 3), expectedNodes(3), coveredNodes(3))
}

// gap returns the samples of one open gap.
func gap(node, reason, since string) samples {
	return merge(gapNodes(reason, 1), gapStart(node, reason, clockTime(since)), nodeGaps(node, 1))
}

// turned returns the samples of an open gap whose reason has changed.
func turned(node, from, to, since string) samples {
	return merge(gone(gap(node, from, since)), gap(node, to, since))
}

// missingOn returns the samples of gaps on nodes for which no pod was created.
func missingOn(since string, nodes ...string) samples {
	all := samples{}
	for _, node := range nodes {
		all = merge(all, gapStart(node, "pod_missing", clockTime(since)), nodeGaps(node, 1))
	}
	return all
}
