//go:build linux

package faults

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// page is the result of the long form, and of TestControlPlane from onControlPlane on.
const page = "../../docs/reliability.md"

const onControlPlane = "\n## On a real control plane\n"

// writing is held by the test that writes its part of the page.
var writing sync.Mutex

// writePart replaces the part of the page before or after onControlPlane.
func writePart(t *testing.T, replace func(before, after string) (newBefore, newAfter string)) {
	t.Helper()
	writing.Lock()
	defer writing.Unlock()
	content := check.Must(os.ReadFile(page))(t)
	before, after, _ := strings.Cut(string(content), onControlPlane)
	before, after = replace(before, after)
	check.NoError(t, os.WriteFile(page, []byte(before+onControlPlane+after), 0o644))
}

// results collects the rows of the page.
type results struct {
	mu   sync.Mutex
	rows []row
}

type row struct {
	name string
	when when
	got  outcome
}

func (r *results) add(name string, when when, got outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, row{name, when, got})
}

// finish writes the page, or checks that it has a row for each fault.
func (r *results) finish(t *testing.T, floor int64) {
	t.Helper()
	if *update {
		if !*long || t.Failed() {
			t.Fatal("the page is written by the long form alone, when nothing has failed")
		}
		writePart(t, func(_, after string) (string, string) { return r.text(t, floor), after })
		return
	}
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults(t) {
		for _, when := range fault.when {
			if !strings.Contains(string(content), fmt.Sprintf("| %s | %s |", fault.name, when)) {
				t.Errorf("docs/reliability.md lacks %q at the %s: make test-faults ARGS=-update", fault.name, when)
			}
		}
	}
}

func (r *results) text(t *testing.T, floor int64) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, head, *lasting)
	for _, fault := range faults(t) {
		for _, when := range fault.when {
			at := slices.IndexFunc(r.rows, func(row row) bool { return row.name == fault.name && row.when == when })
			if at < 0 {
				continue // -run has left it out
			}
			got := r.rows[at].got
			fmt.Fprintf(&text, "| %s | %s | %d | %s | none in %d | %s |\n", fault.name, when,
				got.requests, ratio(when, got.peak, floor), got.scrapes, got.right.Round(100*time.Millisecond))
		}
	}
	return text.String()
}

// ratio returns a peak of memory beside that of an undisturbed start in the same world.
func ratio(when when, peak, floor int64) string {
	if when == later {
		return fmt.Sprintf("%d MiB", peak>>20)
	}
	return fmt.Sprintf("%d MiB, %.2f of undisturbed", peak>>20, float64(peak)/float64(floor))
}

// controlPlaneRow is a row of the second table.
type controlPlaneRow struct {
	name    string
	scrapes int
	right   time.Duration
}

// finishControlPlane writes the second part of the page, or checks that it has a row for
// each fault.
func finishControlPlane(t *testing.T, rows []controlPlaneRow) {
	t.Helper()
	if !*update {
		content := check.Must(os.ReadFile(page))(t)
		for _, name := range controlPlaneFaults() {
			check.That(t, strings.Contains(string(content), "\n| "+name+" |"), "docs/reliability.md lacks %q: make test-faults ARGS=-update", name)
		}
		return
	}
	var text strings.Builder
	text.WriteString(controlPlaneHead)
	for _, name := range controlPlaneFaults() {
		at := slices.IndexFunc(rows, func(row controlPlaneRow) bool { return row.name == name })
		check.Require(t, at >= 0, "%q was not played", name)
		fmt.Fprintf(&text, "| %s | none in %d | %s |\n", name, rows[at].scrapes, rows[at].right.Round(100*time.Millisecond))
	}
	writePart(t, func(before, _ string) (string, string) { return before, text.String() })
}

const controlPlaneHead = `
etcd, an API server, its controllers and three nodes with agents, whose DaemonSets come
and go meanwhile.

| fault | what happens |
|---|---|
| ` + rotatedCertificate + ` | the authority that the exporter trusts signs another one, and the API server is killed and started |
| ` + rotatedToken + ` | the file has another token, the API server refuses the one before, is killed and started, and a DaemonSet is created |
| ` + compacted + ` | the exporter is cut off, a DaemonSet is deleted, etcd drops its history, and the API server is killed and started |
| ` + expiredContinue + ` | between the first and the second page of the nodes, at the start, from an API server that cannot stream |
| ` + restoredBackup + ` | the whole control plane is killed and started with the data from before a DaemonSet was created; another one is created after that, whose objects have resource versions that others had before |

"Wrong" is a scrape with other numbers of expected or covered nodes than there were before,
meanwhile or after it; and any but the last once those were served. "Right again" counts
from when the API server serves again, or can be reached; at a start, from that.

| fault | wrong | right again |
|---|---|---|
`

const head = `<!-- Written by make test-faults ARGS=-update. -->
# A bad hour of the API server

What the exporter does while the API server, or a proxy before it, fails. Each row was
measured with the real binary behind a proxy that plays the fault for %s.

- **start**: the fault is there when the exporter starts, before a cluster of 1,000 nodes
  and 12 DaemonSets. It serves nothing of the cluster until it has read everything once.
- **watch**: the exporter has read everything, its connections break, and each new one
  meets the fault. Meanwhile pods fail one after the other.

| column | what |
|---|---|
| requests | sent while the fault lasts, by the three watches of nodes, pods and DaemonSets together |
| peak | of resident memory |
| wrong | scrapes that said what was never true since the one before: other numbers of expected nodes, or of covered ones |
| right again | from the end of the fault until the numbers are those of the cluster, and ` + "`daemonset_exporter_informer_fresh`" + ` is 1 |

Between two attempts a watch waits for a random time that grows from 0.5 s to 30 s, and
at least as long as the server asks for. Only a watch that brings something resets that.
A watch resumes where it was; everything is read again only if the server says that it no
longer has that history, or has an older state than before.

The machine had two cores and other work to do. At the start "right again" is most of all
the time to read the whole cluster through the proxy.

| fault | when | requests | peak | wrong | right again |
|---|---|---|---|---|---|
`
