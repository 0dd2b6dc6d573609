package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daemonset-exporter/daemonset_exporter/collector/exposition"
	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
	"github.com/daemonset-exporter/daemonset_exporter/internal/cli"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/cases"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recordings"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/replay"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/samples"
)

// writeRecording writes events to a file and returns its path.
func writeRecording(t *testing.T, gzipped bool, events []files.Event) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recording")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	writer := files.NewRecordingWriter(file, gzipped)
	for _, event := range events {
		if err := writer.Write(event); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestReplayCases replays collector/testdata/cases, whose README describes them.
func TestReplayCases(t *testing.T) {
	t.Parallel()
	folders, err := cases.Folders("../../collector/testdata/cases")
	if err != nil {
		t.Fatal(err)
	}
	for i, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			c, err := cases.Read(folder)
			if err != nil {
				t.Fatal(err)
			}
			path := writeRecording(t, i%2 == 0, c.Events)
			for mark, want := range c.Expected {
				got := askWith(t, "", "replay", path, "--at", mark)
				if got.code != cli.ExitNothing || got.stderr != "" {
					t.Fatalf("%s: exit code %d: %s", mark, got.code, got.stderr)
				}
				if strings.Contains(got.stdout, "daemonset_exporter_") || strings.Contains(got.stdout, "go_") {
					t.Errorf("%s: there are metrics about the exporter", mark)
				}
				if diff := want.Diff(samples.Parse(got.stdout), c.Start); diff != "" {
					t.Errorf("%s (-want +got):\n%s", mark, diff)
				}
			}
		})
	}
}

// TestReplayRecordings compares the moments of --step with those of --at, in all the
// project's recordings.
func TestReplayRecordings(t *testing.T) {
	t.Parallel()
	for _, name := range recordings.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events, err := recordings.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			path := writeRecording(t, true, replay.Events(events))
			all := askWith(t, "", "replay", path, "--step=5s")
			if all.code != cli.ExitNothing || all.stderr != "" || !strings.HasSuffix(all.stdout, "\n# EOF\n") {
				t.Fatalf("exit code %d: %s", all.code, all.stderr)
			}
			moments := byMoment(t, all.stdout)
			if len(moments) < 2 {
				t.Errorf("there are %d moments", len(moments))
			}
			for at, want := range moments {
				got := askWith(t, "", "replay", path, "-o", "openmetrics", "--at", at.Format(time.RFC3339Nano))
				if diff := cmp.Diff(want, samples.Parse(got.stdout)); diff != "" {
					t.Errorf("%s (-step +at):\n%s", at, diff)
				}
			}
		})
	}
}

// byMoment returns the samples of a text with timestamps by these.
func byMoment(t *testing.T, text string) map[time.Time]samples.Samples {
	t.Helper()
	moments := map[time.Time]samples.Samples{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		space := strings.LastIndex(strings.TrimSpace(line), " ")
		seconds, err := strconv.ParseFloat(strings.TrimSpace(line[space:]), 64)
		if err != nil {
			t.Fatal(err)
		}
		at := time.UnixMilli(int64(seconds*1000 + 0.5))
		if moments[at] == nil {
			moments[at] = samples.Samples{}
		}
		for series, value := range samples.Parse(line[:space]) {
			moments[at][series] = value
		}
	}
	return moments
}

func TestReplay(t *testing.T) {
	t.Parallel()
	at := func(seconds float64, event files.Event) files.Event {
		event.Time = objects.At(seconds)
		return event
	}
	events := []files.Event{
		at(0, files.Event{Type: files.Added, Object: objects.Node("a", objects.Created(-900), objects.Ready(-890))}),
		at(0, files.Event{Type: files.Added, Object: objects.DaemonSet("agent", objects.Created(-800))}),
		at(0, files.Event{Type: files.Added, Object: objects.PodOf("agent", "a", objects.Created(-700), objects.Ready(-690))}),
		at(1, files.Event{Type: files.Synced}),
		at(2, files.Event{Type: files.Mark, Text: "before the outage"}),
		at(60, files.Event{Type: files.Modified, Object: objects.Node("a", objects.Created(-900), objects.Ready(-890), objects.Unreachable(60))}),
		at(61, files.Event{Type: files.Mark, Text: "twice"}),
		at(120, files.Event{Type: files.Mark, Text: "twice"}),
	}
	path := writeRecording(t, false, events)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const gap = `daemonset_gap_start_timestamp_seconds{cause="node",daemonset="agent",lifecycle="active",namespace="default",node="a",reason="node_unreachable",zone=""} `
	const covered = `daemonset_covered_nodes{daemonset="agent",lifecycle="active",namespace="default"} `
	clockTime := func(seconds float64) string { return objects.At(seconds).Format(time.RFC3339Nano) }
	for _, tc := range []struct {
		name, stdin string
		args        []string
		code        int
		stdout      []string // what is in it
		stderr      string
	}{
		{name: "the end", args: []string{path}, stdout: []string{covered + "0\n", gap + "1.79543526e+09\n"}},
		{name: "a mark", args: []string{path, "--at=before the outage"}, stdout: []string{covered + "1\n"}},
		{name: "a time", args: []string{path, "--at", clockTime(59.9)}, stdout: []string{covered + "1\n"}},
		{name: "a time, with what happens in it", args: []string{path, "--at", clockTime(60)}, stdout: []string{covered + "0\n"}},
		{name: "after the end", args: []string{path, "--at", clockTime(500)}, stdout: []string{covered + "0\n"}, stderr: "note: the recording ends at 2026-11-23T12:02:00Z"},
		{name: "standard input", stdin: string(text), args: []string{"-", "--at=before the outage"}, stdout: []string{covered + "1\n"}},
		{name: "OpenMetrics", args: []string{path, "-o", "openmetrics"}, stdout: []string{covered + "0.0\n", "\n# EOF\n"}},
		{name: "all moments", args: []string{path, "--step=1m"}, stdout: []string{covered + "0.0 1.79543526e+09\n" + covered + "0.0 1.79543532e+09\n", "\n# EOF\n"}},
		{name: "a recording that is cut off", stdin: string(text) + `{"time":`, args: []string{"-"}, stdout: []string{covered + "0\n"}, stderr: "note: - is cut off after 2026-11-23T12:02:00Z"},
		{
			name: "a recording with other kinds", stdin: string(text) + `{"time":"2026-11-23T12:03:00Z","type":"ADDED","object":{"apiVersion":"v1","kind":"Event"}}`,
			args: []string{"-"}, stdout: []string{covered + "0\n"}, stderr: "note: left out what the exporter does not read: 1 Event",
		},
		{name: "before everything was there", args: []string{path, "--at", clockTime(0.5)}, code: cli.ExitUnknown, stderr: "no SYNCED comes before"},
		{name: "before the beginning", args: []string{path, "--at", clockTime(-1)}, code: cli.ExitUsage, stderr: "--at: the recording begins at 2026-11-23T12:00:00Z"},
		{name: "an unknown mark", args: []string{path, "--at=yesterday"}, code: cli.ExitUsage, stderr: `"yesterday" is no time (example: 2026-11-24T03:12:05Z), and no mark is called "yesterday": the recording has ["before the outage" "twice"]`},
		{name: "a mark that is there twice", args: []string{path, "--at=twice"}, code: cli.ExitUsage, stderr: "2 marks are called"},
		{name: "no file", args: []string{path + "x"}, code: cli.ExitUsage, stderr: "no such file"},
		{name: "no recording", stdin: "nonsense\n", args: []string{"-"}, code: cli.ExitUnknown, stderr: "error: - is no recording that can be replayed: line 1:"},
		{name: "a moment and all moments", args: []string{path, "--at=end", "--step=1s"}, code: cli.ExitUsage, stderr: "set one of them"},
		{name: "all moments in another format", args: []string{path, "-o", "json", "--step=1s"}, code: cli.ExitUsage, stderr: "does not go with it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := askWith(t, tc.stdin, append([]string{"replay"}, tc.args...)...)
			if got.code != tc.code {
				t.Errorf("the exit code is %d", got.code)
			}
			if !strings.Contains(got.stderr, tc.stderr) || (tc.stderr == "") != (got.stderr == "") {
				t.Errorf("standard error is %q", got.stderr)
			}
			for _, want := range tc.stdout {
				if !strings.Contains(got.stdout, want) {
					t.Errorf("%q is not in\n%s", want, got.stdout)
				}
			}
		})
	}
	t.Run("JSON", func(t *testing.T) {
		t.Parallel()
		var got exposition.Snapshot
		if err := json.Unmarshal([]byte(askWith(t, "", "replay", path, "-o", "json").stdout), &got); err != nil {
			t.Fatal(err)
		}
		if got.APIVersion != "daemonset-exporter/v1" || got.Kind != "Metrics" || !got.Time.Equal(objects.At(120)) || len(got.Metrics) == 0 {
			t.Errorf("got %s %s of %s with %d metrics", got.APIVersion, got.Kind, got.Time, len(got.Metrics))
		}
	})
}
