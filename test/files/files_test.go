package files

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
	"github.com/daemonset-exporter/daemonset_exporter/test/synthetic"
)

var long = flag.Bool("long", false, "5,000 nodes instead of 300: 3.5 GiB of JSON.")

// answer is what a command has printed, and what it took.
type answer struct {
	exporter.Answer
	// duration is how long the processor was busy with it, on a machine that may be busy
	// with something else.
	duration time.Duration
	// peak is the most memory that the process had, in MiB.
	peak int64
}

// ask runs a command of the program to its end.
func ask(t *testing.T, args ...string) answer {
	t.Helper()
	binary := os.Getenv(exporter.EnvBinary)
	check.Require(t, binary != "", "set $%s to the exporter's binary, or use make", exporter.EnvBinary)
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), binary, args...)
	command.Stdout, command.Stderr = &stdout, &stderr
	_ = command.Run() // the exit code says it
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	check.Require(t, ok, "the system does not tell what %s took", args[0])
	return answer{exporter.Answer{Code: command.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}, command.ProcessState.UserTime() + command.ProcessState.SystemTime(), usage.Maxrss >> 10}
}

// A file is read object by object: neither its size nor that of the cluster's pods is held
// in memory.
func TestReportOfLargeCluster(t *testing.T) {
	size, maxPeak, maxDuration := synthetic.Size{Nodes: 300, DaemonSets: 30, BrokenPercent: 1}, int64(100), 20*time.Second
	if *long {
		size.Nodes, maxPeak, maxDuration = 5000, 300, 2*time.Minute
	}
	path := filepath.Join(t.TempDir(), "cluster.json")
	file := check.Must(os.Create(path))(t)
	out := bufio.NewWriterSize(file, 1<<20)
	check.NoError(t, size.Print(out))
	check.NoError(t, out.Flush())
	check.NoError(t, file.Close())
	got := ask(t, "report", "--from="+path, "--output=json")
	t.Logf("%d MiB of JSON: %s, %d MiB of memory", check.Must(os.Stat(path))(t).Size()>>20, got.duration, got.peak)
	var report struct {
		Nodes      int
		DaemonSets []struct{ Expected, Gaps int }
	}
	check.NoError(t, json.Unmarshal([]byte(got.Stdout), &report))
	expected, gaps := 0, 0
	for _, ds := range report.DaemonSets {
		expected, gaps = expected+ds.Expected, gaps+ds.Gaps
	}
	check.Equal(t, []int{report.Nodes, expected, gaps}, []int{size.Nodes, size.Cells(), size.Broken()}, "nodes, expected, gaps")
	check.That(t, got.duration < maxDuration && got.peak < maxPeak, "it took %s and %d MiB, want less than %s and %d MiB", got.duration, got.peak, maxDuration, maxPeak)
}

// What is neither JSON nor YAML is refused at once, whatever its size.
func TestReportOfNonsense(t *testing.T) {
	const size = 200 << 20
	for name, chunk := range map[string]string{
		"a log":          "2026-11-23T12:00:00Z level=info msg=\"all is well\" took=3s\n",
		"one long line":  strings.Repeat("lorem ipsum ", 100),
		"zeros":          strings.Repeat("\x00", 4096),
		"key and values": "key: value\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "nonsense")
			file := check.Must(os.Create(path))(t)
			out := bufio.NewWriterSize(file, 1<<20)
			for written := 0; written < size; written += len(chunk) {
				_, _ = fmt.Fprint(out, chunk)
			}
			check.NoError(t, out.Flush())
			check.NoError(t, file.Close())
			got := ask(t, "report", "--from="+path)
			t.Logf("%s, %d MiB of memory: %s", got.duration, got.peak, got.Stderr)
			check.That(t, got.Code == 3 && strings.Contains(got.Stderr, "neither JSON nor YAML"), "exit code %d: %s", got.Code, got.Stderr)
			check.That(t, got.duration < 5*time.Second && got.peak < 150, "it took %s and %d MiB", got.duration, got.peak)
		})
	}
}
