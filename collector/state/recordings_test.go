package state_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recordings"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/replay"
)

// replayRecording replays a recording to a ledger, and returns what is said of
// real-0 each time that it changes, with minute and second of receipt: a line for
// each gap and its end, from the moment at which the DaemonSet is there until it is
// deleted. It begins, if it is not whole, when something is done to the cluster.
func replayRecording(t *testing.T, name string, whole bool) (all []string) {
	t.Helper()
	events := check.Must(recordings.Read(name))(t)
	f := newFixture(t)
	recording := replay.NewRecording(events, f, func(now time.Time) { f.now = now })
	created, begun, before := false, whole, nodeCoverage{}
	for {
		event, more := recording.Next()
		switch {
		case !more:
			t.Fatalf("%s does not end with the DaemonSet", name)
		case event.DaemonSet != nil && event.Type == "DELETED":
			return all
		}
		created = created || event.DaemonSet != nil
		begun = begun || event.Action != ""
		if !created || !begun || event.Action != "" {
			continue
		}
		now := f.coverageOf("real-0")
		if now == before {
			continue
		}
		if now.expected != before.expected || now.since != "" && now.since != before.since {
			all = append(all, fmt.Sprintf("%d expected%s: ", now.expected, now.since))
		} else {
			all[len(all)-1] += ", "
		}
		all[len(all)-1] += now.reason + event.At.Format(" 04:05.0")
		before = now
	}
}

// nodeCoverage is how many cells are expected, and what one node's is: since when it has
// been a gap, and why.
type nodeCoverage struct {
	expected      int32
	since, reason string
}

func (f *fixture) coverageOf(node string) nodeCoverage {
	now := nodeCoverage{reason: "covered"}
	for summary := range f.Summaries() {
		for _, count := range summary.Totals.Expected {
			now.expected += count
		}
	}
	gaps, _ := f.Gaps(100)
	for _, gap := range gaps {
		if gap.Node.Name == node {
			now.since, now.reason = gap.Opened.UTC().Format(", gap since 04:05.0"), gap.Reason.String()
		}
	}
	return now
}

// What is expected was worked out by hand from the times of receipt and the
// rules: node first, the moment seen, one start for each gap.
func TestRecordings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		recording string
		whole     bool
		want      []string
	}{
		"a graceful end covers until the container has ended": {"a-graceful", false, []string{
			"3 expected: covered 52:42.3",
			"3 expected, gap since 52:45.6: pod_terminating 52:45.6, awaiting_scheduler 52:45.6, pod_starting 52:45.7, pod_not_ready 52:46.3, covered 52:46.3",
		}},
		"a forced deletion leaves a gap, and a successor that fights the old process for its port": {"b-force", false, []string{
			"3 expected: covered 54:19.3",
			"3 expected, gap since 54:19.3: pod_missing 54:19.3, awaiting_scheduler 54:19.3, pod_starting 54:19.3, pod_not_ready 54:19.9, covered 54:19.9",
			"3 expected, gap since 54:20.3: pod_not_ready 54:20.3, covered 54:20.5",
			"3 expected, gap since 54:21.3: crash_loop 54:21.3",
		}},
		"a container that crashes flaps; what stands terminated after a restart is a crash loop": {"c-crash", true, []string{
			"3 expected, gap since 10:41.4: pod_missing 10:41.4, awaiting_scheduler 10:41.5, pod_starting 10:41.5, pod_not_ready 10:42.0, covered 10:42.1",
			"3 expected, gap since 10:46.6: pod_not_ready 10:46.6, covered 10:46.7",
			"3 expected, gap since 10:51.6: crash_loop 10:51.6, pod_not_ready 11:04.6, covered 11:05.6",
			"3 expected, gap since 11:09.6: pod_not_ready 11:09.6, crash_loop 11:09.6, pod_not_ready 11:35.6, covered 11:35.7",
			"3 expected, gap since 11:39.7: crash_loop 11:39.7, pod_terminating 12:21.9, awaiting_scheduler 12:23.5, pod_starting 12:23.5, pod_not_ready 12:24.1, covered 12:25.1",
		}},
		"an image that cannot be pulled is one gap, whatever happens to its pod": {"d-image", true, []string{
			"3 expected, gap since 54:32.7: pod_missing 54:32.7, awaiting_scheduler 54:32.7, pod_starting 54:32.8, image_pull 54:33.3, pod_terminating 55:18.3, awaiting_scheduler 55:19.4, pod_starting 55:19.5, image_pull 55:20.4",
		}},
		"an outage is a gap from when Unknown is seen until the node is Ready": {"e-outage", false, []string{
			"3 expected, gap since 03:59.4: node_unreachable 03:59.4, node_not_ready 04:51.1, covered 05:01.4",
		}},
		"after a power cut the node is back before the container is": {"e-reboot", false, []string{
			// pod_starting: 255 Unknown
			"3 expected, gap since 05:36.9: node_unreachable 05:36.9, pod_not_ready 05:58.9, pod_starting 05:59.8, pod_not_ready 06:00.4, covered 06:00.4",
		}},
		"a pod that nobody can end covers until its node is known to be dead": {"f-kubelet-dead", false, []string{
			"3 expected: covered 07:47.7",
			"3 expected, gap since 07:51.3: node_unreachable 07:51.3, pod_terminating 08:28.4, awaiting_scheduler 08:32.4, pod_starting 08:32.4, pod_not_ready 08:33.0, covered 08:33.4",
		}},
		"a deleted node is no gap, and its successor was never ready": {"g-node-deleted", false, []string{
			// node_tainted: not-ready, for a moment more
			"2 expected: covered 08:57.1",
			"3 expected, gap since 10:29.7: node_never_ready 10:29.7, node_tainted 10:29.9, pod_missing 10:30.0, awaiting_scheduler 10:30.0, pod_starting 10:30.1, pod_not_ready 10:31.4, covered 10:31.4",
		}},
		"draining leaves the agent alone; an eviction is a gap on the cordoned node": {"h-evict", false, []string{
			"3 expected: covered 56:29.3",
			"3 expected, gap since 56:36.0: pod_terminating 56:36.0, awaiting_scheduler 56:36.0, pod_starting 56:36.1, pod_not_ready 56:36.7, covered 56:37.6",
		}},
		"an update is a gap of seconds": {"i-rolling", false, []string{
			"3 expected: covered 56:06.5",
			"3 expected, gap since 56:08.8: pod_terminating 56:08.8, awaiting_scheduler 56:08.8, pod_starting 56:08.8, pod_not_ready 56:09.3, covered 56:14.3",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check.Equal(t, replayRecording(t, test.recording, test.whole), test.want)
		})
	}
}
