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
// real-0 each time that it changes, with minute and second of receipt, from the
// moment at which the DaemonSet is there until it is deleted. It begins, if it is
// not whole, when something is done to the cluster.
func replayRecording(t *testing.T, name string, whole bool) (all []string) {
	t.Helper()
	events := check.Must(recordings.Read(name))(t)
	f := newFixture(t)
	recording := replay.NewRecording(events, f, func(now time.Time) { f.now = now })
	created, begun, before := false, whole, ""
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
		if now := f.coverageOf("real-0"); created && begun && event.Action == "" && now != before {
			all = append(all, event.At.Format("04:05.0 ")+now)
			before = now
		}
	}
}

func (f *fixture) coverageOf(node string) string {
	var expected int32
	for summary := range f.Summaries() {
		for _, count := range summary.Totals.Expected {
			expected += count
		}
	}
	gaps, _ := f.Gaps(100)
	for _, gap := range gaps {
		if gap.Node.Name == node {
			return fmt.Sprintf("%d expected, %v since %s", expected, gap.Reason, gap.Opened.UTC().Format("04:05.0"))
		}
	}
	return fmt.Sprintf("%d expected, covered", expected)
}

// What is expected was worked out by hand from the receipt times in real-kubelet.md and the
// rules: node first, the moment seen, one start for each gap.
func TestRecordings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		recording string
		whole     bool
		want      []string
	}{
		"a graceful end covers until the container has ended": {"a-graceful", false, []string{
			"52:42.3 3 expected, covered",
			"52:45.6 3 expected, pod_terminating since 52:45.6",
			"52:45.6 3 expected, awaiting_scheduler since 52:45.6",
			"52:45.7 3 expected, pod_starting since 52:45.6",
			"52:46.3 3 expected, pod_not_ready since 52:45.6",
			"52:46.3 3 expected, covered",
		}},
		"a forced deletion leaves a gap, and a successor that fights the old process for its port": {"b-force", false, []string{
			"54:19.3 3 expected, covered",
			"54:19.3 3 expected, pod_missing since 54:19.3",
			"54:19.3 3 expected, awaiting_scheduler since 54:19.3",
			"54:19.3 3 expected, pod_starting since 54:19.3",
			"54:19.9 3 expected, pod_not_ready since 54:19.3",
			"54:19.9 3 expected, covered",
			"54:20.3 3 expected, pod_not_ready since 54:20.3",
			"54:20.5 3 expected, covered",
			"54:21.3 3 expected, crash_loop since 54:21.3",
		}},
		"a container that crashes flaps; what stands terminated after a restart is a crash loop": {"c-crash", true, []string{
			"10:41.4 3 expected, pod_missing since 10:41.4",
			"10:41.5 3 expected, awaiting_scheduler since 10:41.4",
			"10:41.5 3 expected, pod_starting since 10:41.4",
			"10:42.0 3 expected, pod_not_ready since 10:41.4",
			"10:42.1 3 expected, covered",
			"10:46.6 3 expected, pod_not_ready since 10:46.6",
			"10:46.7 3 expected, covered",
			"10:51.6 3 expected, crash_loop since 10:51.6",
			"11:04.6 3 expected, pod_not_ready since 10:51.6",
			"11:05.6 3 expected, covered",
			"11:09.6 3 expected, pod_not_ready since 11:09.6",
			"11:09.6 3 expected, crash_loop since 11:09.6",
			"11:35.6 3 expected, pod_not_ready since 11:09.6",
			"11:35.7 3 expected, covered",
			"11:39.7 3 expected, crash_loop since 11:39.7",
			"12:21.9 3 expected, pod_terminating since 11:39.7",
			"12:23.5 3 expected, awaiting_scheduler since 11:39.7",
			"12:23.5 3 expected, pod_starting since 11:39.7",
			"12:24.1 3 expected, pod_not_ready since 11:39.7",
			"12:25.1 3 expected, covered",
		}},
		"an image that cannot be pulled is one gap, whatever happens to its pod": {"d-image", true, []string{
			"54:32.7 3 expected, pod_missing since 54:32.7",
			"54:32.7 3 expected, awaiting_scheduler since 54:32.7",
			"54:32.8 3 expected, pod_starting since 54:32.7",
			"54:33.3 3 expected, image_pull since 54:32.7",
			"55:18.3 3 expected, pod_terminating since 54:32.7",
			"55:19.4 3 expected, awaiting_scheduler since 54:32.7",
			"55:19.5 3 expected, pod_starting since 54:32.7",
			"55:20.4 3 expected, image_pull since 54:32.7",
		}},
		"an outage is a gap from when Unknown is seen until the node is Ready": {"e-outage", false, []string{
			"03:59.4 3 expected, node_unreachable since 03:59.4",
			"04:51.1 3 expected, node_not_ready since 03:59.4",
			"05:01.4 3 expected, covered",
		}},
		"after a power cut the node is back before the container is": {"e-reboot", false, []string{
			"05:36.9 3 expected, node_unreachable since 05:36.9",
			"05:58.9 3 expected, pod_not_ready since 05:36.9",
			"05:59.8 3 expected, pod_starting since 05:36.9", // 255 Unknown
			"06:00.4 3 expected, pod_not_ready since 05:36.9",
			"06:00.4 3 expected, covered",
		}},
		"a pod that nobody can end covers until its node is known to be dead": {"f-kubelet-dead", false, []string{
			"07:47.7 3 expected, covered",
			"07:51.3 3 expected, node_unreachable since 07:51.3",
			"08:28.4 3 expected, pod_terminating since 07:51.3",
			"08:32.4 3 expected, awaiting_scheduler since 07:51.3",
			"08:32.4 3 expected, pod_starting since 07:51.3",
			"08:33.0 3 expected, pod_not_ready since 07:51.3",
			"08:33.4 3 expected, covered",
		}},
		"a deleted node is no gap, and its successor was never ready": {"g-node-deleted", false, []string{
			"08:57.1 2 expected, covered",
			"10:29.7 3 expected, node_never_ready since 10:29.7",
			"10:29.9 3 expected, node_tainted since 10:29.7", // not-ready, for a moment more
			"10:30.0 3 expected, pod_missing since 10:29.7",
			"10:30.0 3 expected, awaiting_scheduler since 10:29.7",
			"10:30.1 3 expected, pod_starting since 10:29.7",
			"10:31.4 3 expected, pod_not_ready since 10:29.7",
			"10:31.4 3 expected, covered",
		}},
		"draining leaves the agent alone; an eviction is a gap on the cordoned node": {"h-evict", false, []string{
			"56:29.3 3 expected, covered",
			"56:36.0 3 expected, pod_terminating since 56:36.0",
			"56:36.0 3 expected, awaiting_scheduler since 56:36.0",
			"56:36.1 3 expected, pod_starting since 56:36.0",
			"56:36.7 3 expected, pod_not_ready since 56:36.0",
			"56:37.6 3 expected, covered",
		}},
		"an update is a gap of seconds": {"i-rolling", false, []string{
			"56:06.5 3 expected, covered",
			"56:08.8 3 expected, pod_terminating since 56:08.8",
			"56:08.8 3 expected, awaiting_scheduler since 56:08.8",
			"56:08.8 3 expected, pod_starting since 56:08.8",
			"56:09.3 3 expected, pod_not_ready since 56:08.8",
			"56:14.3 3 expected, covered",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check.Equal(t, replayRecording(t, test.recording, test.whole), test.want)
		})
	}
}
