package files

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
	"github.com/daemonset-exporter/daemonset_exporter/test/synthetic"
)

var long = flag.Bool("long", false, "5,000 nodes instead of 300: 3.5 GiB of JSON.")

// ask runs a command of the program to its end, and returns the most memory that it had, in
// MiB. It prints how long the processor was busy with it.
func ask(t *testing.T, args ...string) (got exporter.Answer, peak int64) {
	t.Helper()
	got = check.Must(exporter.Ask(t.Context(), "", nil, args...))(t)
	usage, ok := got.Process.SysUsage().(*syscall.Rusage)
	check.Require(t, ok, "the system does not tell what %s took", args[0])
	peak = usage.Maxrss >> 10
	t.Logf("%s of processor, %d MiB of memory %s", got.Process.UserTime()+got.Process.SystemTime(), peak, got.Stderr)
	return got, peak
}

// A file is read object by object: neither its size nor that of the cluster's pods is held
// in memory.
func TestReportOfLargeCluster(t *testing.T) {
	size, maxPeak := synthetic.Size{Nodes: 300, DaemonSets: 30, BrokenPercent: 1}, int64(100)
	if *long {
		size.Nodes, maxPeak = 5000, 300
	}
	path := filepath.Join(t.TempDir(), "cluster.json")
	file := check.Must(os.Create(path))(t)
	out := bufio.NewWriterSize(file, 1<<20)
	check.NoError(t, size.Print(out))
	check.NoError(t, out.Flush())
	check.NoError(t, file.Close())
	t.Logf("%d MiB of JSON", check.Must(os.Stat(path))(t).Size()>>20)
	got, peak := ask(t, "report", "--from="+path, "--output=json")
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
	check.That(t, peak < maxPeak, "it took %d MiB, want less than %d MiB", peak, maxPeak)
}

// What is neither JSON nor YAML is refused without being read into memory.
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
			got, peak := ask(t, "report", "--from="+path)
			check.That(t, got.Code == 3 && strings.Contains(got.Stderr, "neither JSON nor YAML"), "exit code %d: %s", got.Code, got.Stderr)
			check.That(t, peak < 150, "it took %d MiB", peak)
		})
	}
}
