package cli_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/cli"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// record records into a file for ten minutes or more, in which something happens, and
// returns the answer.
func record(t *testing.T, server *apiserver.Server, path, stdin string, happens func()) answer {
	t.Helper()
	now, answers := &stepClock{}, make(chan answer, 1)
	args := []string{"record", path, "--duration=10m", "--kubeconfig=" + kubeconfig(t, server)}
	go func() { answers <- askAt(t, now, &async.Buffer{}, stdin, args...) }()
	awaitRecorded(t, path, `"SYNCED"`)
	now.add(time.Minute)
	happens()
	var got answer
	async.Within(t, async.Patience, 100*time.Millisecond, "the recording to end", func() bool {
		now.add(10 * time.Minute) // it may not have begun to count before
		select {
		case got = <-answers:
			return true
		default:
			return false
		}
	})
	return got
}

// awaitRecorded waits until a text is in a recording that is being written.
func awaitRecorded(t *testing.T, path, text string) {
	t.Helper()
	async.Eventually(t, text+" in the recording", func() bool { return strings.Contains(recorded(path), text) })
}

// recorded returns as much of a recording as can be read.
func recorded(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	var content io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if content, err = gzip.NewReader(file); err != nil {
			return ""
		}
	}
	text, _ := io.ReadAll(content) // the end may not be written yet
	return string(text)
}

func TestRecord(t *testing.T) {
	t.Parallel()
	const crashing, dead = `daemonset_gap_nodes{cause="pod",daemonset="agent",lifecycle="active",namespace="default",reason="crash_loop"} 1`,
		`daemonset_gap_nodes{cause="node",daemonset="agent",lifecycle="active",namespace="default",reason="node_unreachable"} `
	for _, name := range []string{"incident.jsonl", "incident.jsonl.gz"} {
		t.Run("what changes is in "+name, func(t *testing.T) {
			t.Parallel()
			server, path := serveExample(t), filepath.Join(t.TempDir(), name)
			linux := objects.Label("kubernetes.io/os", "linux")
			got := record(t, server, path, "it begins\n", func() {
				awaitRecorded(t, path, `"it begins"`)
				server.Put(objects.Node("covered", linux, objects.Unreachable(120)))
				awaitRecorded(t, path, `"MODIFIED"`)
			})
			check.That(t, got.code == cli.ExitNothing && got.stdout == "" && got.stderr == "", "exit code %d, %q, %q", got.code, got.stdout, got.stderr)
			for at, want := range map[string][]string{"it begins": {crashing, dead + "1"}, "end": {crashing, dead + "2"}} {
				replayed := askWith(t, "", "replay", path, "--at", at)
				for _, line := range want {
					check.That(t, strings.Contains(replayed.stdout, line+"\n"), "at %s: %s is not in %s%s", at, line, replayed.stdout, replayed.stderr)
				}
			}
		})
	}
	t.Run("it has no secrets", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "incident.jsonl")
		record(t, servePlanted(t), path, "", func() {})
		check.That(t, strings.Contains(recorded(path), "CrashLoopBackOff") && !strings.Contains(recorded(path), planted), "recorded %s", recorded(path))
	})
	t.Run("a file that is there is not overwritten", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "incident.jsonl")
		check.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
		got := ask(t, serveExample(t), "record", path)
		check.That(t, got.code == cli.ExitUsage && strings.Contains(got.stderr, "file exists") && recorded(path) == "precious", "exit code %d, %q", got.code, got.stderr)
	})
	t.Run("a missing permission cannot tell", func(t *testing.T) {
		t.Parallel()
		server := serveExample(t)
		server.Forbid("list", "pods")
		server.Forbid("watch", "pods")
		got := ask(t, server, "record")
		check.That(t, got.code == cli.ExitUnknown && regexp.MustCompile("forbidden: cannot (list|watch) pods").MatchString(got.stderr), "exit code %d, %q", got.code, got.stderr)
	})
	t.Run("a duration that is none", func(t *testing.T) {
		t.Parallel()
		got := ask(t, serveExample(t), "record", "--duration=-1s")
		check.That(t, got.code == cli.ExitUsage && strings.Contains(got.stderr, "--duration: -1s is not a valid duration"), "exit code %d, %q", got.code, got.stderr)
	})
}
