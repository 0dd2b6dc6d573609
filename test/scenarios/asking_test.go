package scenarios

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// moments is at how many moments of the scenarios the commands are asked.
const moments = 20

// turns is after how many moments the same scenario is explained again.
const turns = moments / 2

// asking records while the scenarios run, and keeps at some moments what was scraped, a
// dump, and what explain says. What the commands make of it is compared afterwards.
//
// A command and an exporter each see an event a moment after it happens, and not the same
// one. So a scenario is compared at the moments at which the exporter said the same of it
// before, in the middle and after.
type asking struct {
	f         *fixture
	exporter  *exporter.Exporter
	recording *exec.Cmd
	file      string
	moments   []instant
	// compared counts at how many moments each scenario was compared, by what was asked.
	compared map[string]map[string]int
	// told counts what was said, and differing has the differences, by what was asked.
	told      map[string]int
	differing map[string][]string
}

// selecting is a scenario that is not compared: the exporter is told that namespaces select
// nodes, and the commands find that out from an API of OpenShift, which is not served here.
const selecting = "openshift"

// instant is a moment of the scenarios.
type instant struct {
	at      time.Time
	samples exporter.Samples
	facts   map[string]facts
	// still are the scenarios of which the exporter said the same before and after, steady
	// those of which it did until explain had answered. Counters tell what came and went.
	still, steady map[string]bool
	dump          string
	// explained are the reasons that explain gives live, by DaemonSet.
	explained map[string]facts
}

// facts are what is true of a scenario, each in a line.
type facts map[string]bool

// newAsking records from now on, when the recording has begun.
func newAsking(t *testing.T, f *fixture) *asking {
	t.Helper()
	a := &asking{
		f: f, exporter: f.exporters[""][0], file: filepath.Join(f.dir, "scenarios.jsonl"),
		compared: map[string]map[string]int{}, told: map[string]int{}, differing: map[string][]string{},
	}
	a.recording = exec.Command(os.Getenv(exporter.EnvBinary), "record", a.file)
	a.recording.Env = append(os.Environ(), "KUBECONFIG="+f.Kubeconfig())
	a.recording.Stderr = os.Stderr
	check.NoError(t, f.launcher.Start(a.recording))
	deadline := time.Now().Add(time.Minute)
	for {
		recorded, err := os.ReadFile(a.file)
		if err == nil && strings.Contains(string(recorded), `"SYNCED"`) {
			return a
		}
		check.Require(t, time.Now().Before(deadline), "the recording does not begin")
		check.NoError(t, pause(t.Context(), 100*time.Millisecond))
	}
}

// ask asks everything at one moment.
func (a *asking) ask(ctx context.Context) error {
	m := instant{explained: map[string]facts{}, dump: filepath.Join(a.f.dir, fmt.Sprintf("dump-%d.json", len(a.moments)))}
	before, err := a.exporter.Scrape(ctx)
	if err != nil {
		return err
	}
	if err := a.command(ctx, nil, "dump", m.dump); err != nil {
		return err
	}
	m.at = time.Now()
	if m.samples, err = a.exporter.Scrape(ctx); err != nil {
		return err
	}
	after, err := a.exporter.Scrape(ctx)
	if err != nil {
		return err
	}
	for _, s := range a.turn(len(a.moments)) {
		var list explanations
		if err := a.command(ctx, &list, a.explain(s)...); err != nil {
			return err
		}
		m.explained[s.name] = list.facts()
	}
	last, err := a.exporter.Scrape(ctx)
	if err != nil {
		return err
	}
	m.compare(before, after, last)
	a.moments = append(a.moments, m)
	return nil
}

// compare notes which scenarios changed nothing about the moment.
func (m *instant) compare(before, after, last exporter.Samples) {
	m.facts = factsOf(m.samples)
	m.still, m.steady = map[string]bool{}, map[string]bool{}
	one, two, three, four := bySubject(before), bySubject(m.samples), bySubject(after), bySubject(last)
	for subject := range two {
		if subject == selecting {
			continue
		}
		m.still[subject] = same(one[subject], two[subject]) && same(two[subject], three[subject])
		m.steady[subject] = m.still[subject] && same(three[subject], four[subject])
	}
}

// turn returns the scenarios that are explained at a moment: each twice until the end.
func (a *asking) turn(moment int) []*scenario {
	var turn []*scenario
	for i, s := range slices.DeleteFunc(all(), func(s *scenario) bool { return !s.agent.present }) {
		if i%turns == moment%turns {
			turn = append(turn, s)
		}
	}
	return turn
}

func (a *asking) explain(s *scenario) []string {
	return slices.Concat([]string{"explain", s.agent.space() + "/" + s.name, "--output=json"}, graces())
}

// command runs a command, and reads the JSON that it prints into a value, unless that is
// nil.
func (a *asking) command(ctx context.Context, into any, args ...string) error {
	answer, err := exporter.Ask(ctx, a.f.Kubeconfig(), nil, args...)
	switch {
	case err != nil:
		return err
	case answer.Code > 1:
		return fmt.Errorf("%q: exit code %d: %s", args, answer.Code, answer.Stderr)
	case into == nil:
		return nil
	default:
		return json.Unmarshal([]byte(answer.Stdout), into)
	}
}

// follow asks at so many moments, evenly until the scenarios have ended.
func (a *asking) follow(ctx context.Context) error {
	tick := time.NewTicker(watch / moments)
	defer tick.Stop()
	for len(a.moments) < moments {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := a.ask(ctx); err != nil {
			return err
		}
	}
	return nil
}

// check ends the recording and compares everything that was asked.
func (a *asking) check(t *testing.T) {
	t.Helper()
	check.NoError(t, a.recording.Process.Signal(syscall.SIGINT))
	check.NoError(t, a.recording.Wait())
	var base exporter.Samples
	for i := range a.moments {
		m := &a.moments[i]
		a.checkReport(t, m)
		a.checkExplained(t, i)
		replayed := a.replay(t, m.at)
		if i == 0 {
			base = replayed
		}
		a.checkReplay(m, replayed, base)
	}
	for _, what := range []string{"report", "explain", "explain from a dump", "replay"} {
		total := 0
		for _, s := range all() {
			count := a.compared[what][s.name]
			total += count
			check.That(t, count > 0 || !s.agent.present || s.name == selecting || what != "report" && what != "replay", "%s: %s was never compared", s.name, what)
		}
		t.Logf("%s: %d comparisons of %d lines, %d differences", what, total, a.told[what], len(a.differing[what]))
		check.That(t, a.told[what] > 0, "%s says nothing", what)
		for _, difference := range a.differing[what] {
			t.Errorf("%s: %s", what, difference)
		}
	}
	a.checkBackfill(t)
}

// compare notes the differences of two sets of facts about a scenario at a moment.
func (a *asking) compare(what, subject string, m *instant, want, got facts) {
	a.count(what, subject, len(want))
	for _, fact := range slices.Sorted(maps.Keys(want)) {
		if !got[fact] {
			a.differ(what, subject, m, "lacks "+fact)
		}
	}
	for _, fact := range slices.Sorted(maps.Keys(got)) {
		if !want[fact] {
			a.differ(what, subject, m, "has "+fact)
		}
	}
}

// count notes that something was compared in which so much is said.
func (a *asking) count(what, subject string, told int) {
	a.told[what] += told
	if a.compared[what] == nil {
		a.compared[what] = map[string]int{}
	}
	a.compared[what][subject]++
}

func (a *asking) differ(what, subject string, m *instant, text string) {
	a.differing[what] = append(a.differing[what], fmt.Sprintf("%s at %s: %s", subject, m.at.Format(time.RFC3339Nano), text))
}

// checkReport compares the report of the dump with the scrape.
func (a *asking) checkReport(t *testing.T, m *instant) {
	t.Helper()
	var report reported
	check.NoError(t, a.command(t.Context(), &report, slices.Concat([]string{"report", "--from=" + m.dump, "--output=json"}, graces())...))
	got := report.facts()
	for subject, want := range m.facts {
		if m.still[subject] {
			a.compare("report", subject, m, want, got[subject])
		}
	}
}

// checkExplained compares the reasons of explain, live and from the dump, with the labels
// of the metric.
func (a *asking) checkExplained(t *testing.T, i int) {
	t.Helper()
	m := &a.moments[i]
	for _, s := range a.turn(i) {
		if !m.steady[s.name] {
			continue
		}
		want := facts{}
		for _, gap := range m.samples.Select("daemonset_gap_start_timestamp_seconds", exporter.Labels{"namespace": s.agent.space(), "daemonset": s.name}) {
			want[gap.Labels["node"]+" "+gap.Labels["reason"]] = true
		}
		a.compare("explain", s.name, m, want, m.explained[s.name])
		var list explanations
		check.NoError(t, a.command(t.Context(), &list, append(a.explain(s), "--from="+m.dump)...))
		a.compare("explain from a dump", s.name, m, want, list.facts())
	}
}

// replay returns what is replayed of a moment.
func (a *asking) replay(t *testing.T, at time.Time) exporter.Samples {
	t.Helper()
	answer := check.Must(exporter.Ask(t.Context(), a.f.Kubeconfig(), nil, slices.Concat(
		[]string{"replay", a.file, "--at=" + at.UTC().Format(time.RFC3339Nano)}, graces())...))(t)
	check.Require(t, answer.Code == 0, "replay at %s: exit code %d: %s", at, answer.Code, answer.Stderr)
	return check.Must(exporter.Parse(answer.Stdout))(t)
}

// checkReplay compares what is replayed of a moment with the scrape. The exporter has
// counted for longer than the recording: the first moment is the base.
func (a *asking) checkReplay(m *instant, replayed, base exporter.Samples) {
	scraped, got := bySubject(scrapedOnly(m.samples.Since(a.moments[0].samples))), bySubject(replayed.Since(base))
	for subject := range scraped {
		if !m.still[subject] || !a.moments[0].still[subject] {
			continue
		}
		a.count("replay", subject, len(scraped[subject]))
		for _, difference := range exporter.Differences(scraped[subject], got[subject]) {
			a.differ("replay", subject, m, difference.String())
		}
	}
}

// scrapedOnly returns what replay prints of a scrape.
func scrapedOnly(samples exporter.Samples) exporter.Samples {
	return slices.DeleteFunc(slices.Clone(samples), func(s exporter.Sample) bool {
		return !strings.HasPrefix(s.Name, "daemonset_") || strings.HasPrefix(s.Name, "daemonset_exporter_")
	})
}

// same reports whether two scrapes say the same, but for what grows with time.
func same(first, second exporter.Samples) bool {
	return len(exporter.Differences(timeless(first), timeless(second))) == 0
}

func timeless(samples exporter.Samples) exporter.Samples {
	return slices.DeleteFunc(slices.Clone(samples), func(s exporter.Sample) bool {
		return strings.HasSuffix(s.Name, "_node_seconds_total") || strings.HasPrefix(s.Name, "daemonset_exporter_")
	})
}
