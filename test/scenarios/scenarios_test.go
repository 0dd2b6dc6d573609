package scenarios

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// The test ends when all expected alerts have arrived, but not before watch, which
// is as long as a false alarm needs, and not later than watch and late.
const (
	setUp = 4 * time.Minute
	watch = 160 * time.Second
	late  = 60 * time.Second
)

var update = flag.Bool("update", false, "write the table of docs/comparison.md")

func all() []*scenario {
	return slices.Concat(podScenarios(), nodeScenarios(), changeScenarios(), everydayScenarios(), exporterScenarios())
}

func TestScenarios(t *testing.T) {
	check.Require(t, os.Getenv("DAEMONSET_EXPORTER") != "", "set $DAEMONSET_EXPORTER to the exporter's binary, or use make test-scenarios")
	ctx := t.Context()
	f := check.Must(newFixture(ctx, t.TempDir(), os.Stderr))(t)
	t.Cleanup(func() {
		if err := f.stop(); err != nil {
			t.Error(err)
		}
	})
	build, cancel := context.WithTimeout(ctx, setUp)
	defer cancel()
	each(t, func(s *scenario) error { return s.build(build, f) })
	check.NoError(t, f.startExporters(build))
	asked := newAsking(t, f)
	check.NoError(t, f.startMonitoring(ctx))

	watching, stop := context.WithCancel(ctx)
	log := &alertLog{alerts: map[string]*alert{}}
	done := make(chan error, 1)
	go func() { done <- log.follow(watching, f.alertmanager) }()
	// By then no node is joining any more.
	check.NoError(t, pause(ctx, 20*time.Second))
	if early := log.subjects(); len(early) > 0 {
		t.Logf("before any fault there were alerts about %v", early)
	}
	pair := newPair(t, f)
	check.NoError(t, asked.ask(ctx))
	begun := time.Now()
	answered := make(chan error, 1)
	go func() { answered <- asked.follow(watching) }()
	each(t, func(s *scenario) error { return s.inject(ctx, f, s) })

	var results []result
	for missing := true; missing || time.Since(begun) < watch; {
		check.NoError(t, pause(ctx, time.Second))
		results, missing = results[:0], false
		for _, s := range all() {
			r := resultOf(s, f.marked(s.name), log.of(s.name, true), log.of(s.name, false))
			results = append(results, r)
			missing = missing || len(r.missed) > 0
		}
		if time.Since(begun) > watch+late {
			break
		}
	}
	pair.check(t)
	check.NoError(t, <-answered)
	checkDashboards(t, f, begun)
	stop()
	asked.check(t)
	if err := <-done; err != nil {
		t.Error(err)
	}
	print(os.Stdout, results)
	if *update {
		check.NoError(t, writeComparison(filepath.Join(f.root, comparisonFile), results))
	}
	report(t, results, log)
}

// each calls do for all scenarios at once.
func each(t *testing.T, do func(*scenario) error) {
	t.Helper()
	var group sync.WaitGroup
	for _, s := range all() {
		group.Go(func() {
			if err := do(s); err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

func report(t *testing.T, results []result, log *alertLog) {
	known := []string{}
	for _, r := range results {
		known = append(known, r.scenario.name)
		for _, missed := range r.missed {
			t.Errorf("%s: %s: %s did not arrive", r.scenario.name, r.scenario.summary, missed)
		}
		for _, wrong := range r.wrong {
			t.Errorf("%s: %s: %s is a false alarm", r.scenario.name, r.scenario.summary, wrong)
		}
		for _, a := range log.of(r.scenario.name, true) {
			for name, text := range a.Annotations {
				check.That(t, !strings.Contains(text, "<no value>") && !strings.Contains(text, "error") && !strings.Contains(text, "{{"), "%s: the %s of %s reads %q", r.scenario.name, name, a.name(), text)
			}
		}
	}
	for _, subject := range log.subjects() {
		check.That(t, slices.Contains(known, subject), "alerts about %q, which is no scenario: %v", subject, log.of(subject, true))
	}
}
