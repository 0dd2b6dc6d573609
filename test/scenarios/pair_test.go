package scenarios

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// agreeing is how long the two exporters that work may take to tell the same about a
// scenario. One sees an event before the other does; pods that crash change all the time.
const agreeing = 30 * time.Second

// pair is the two exporters that work, side by side from before the first fault. Of each
// scenario both must tell the same: every gauge, and every counter of what both have seen.
type pair struct {
	exporters []*exporter.Exporter
	before    []exporter.Samples
}

// newPair returns the pair when both tell the same of every scenario.
func newPair(t *testing.T, f *fixture) *pair {
	t.Helper()
	p := &pair{exporters: f.exporters[""]}
	p.before = p.agree(t, "before any fault", func(_ int, samples exporter.Samples) exporter.Samples { return samples.Levels() })
	return p
}

// check fails for each scenario of which the two do not tell the same.
func (p *pair) check(t *testing.T) {
	t.Helper()
	p.agree(t, "after the fault", func(of int, samples exporter.Samples) exporter.Samples {
		return samples.Since(p.before[of])
	})
}

// agree compares what is made of the samples of both until, for each scenario, there was
// a moment in which it was equal. It returns the last samples.
func (p *pair) agree(t *testing.T, when string, of func(int, exporter.Samples) exporter.Samples) []exporter.Samples {
	t.Helper()
	agreed, open := map[string]int{}, map[string][]exporter.Difference{}
	deadline := time.Now().Add(agreeing)
	for {
		samples := p.scrape(t)
		var sides [2]map[string]exporter.Samples
		for i := range sides {
			sides[i] = bySubject(of(i, samples[i]))
		}
		clear(open)
		for subject := range both(sides) {
			differences := exporter.Differences(sides[0][subject], sides[1][subject])
			if _, ok := agreed[subject]; !ok && len(differences) > 0 {
				open[subject] = differences
			} else if !ok {
				agreed[subject] = len(sides[0][subject])
			}
		}
		if len(open) == 0 || time.Now().After(deadline) {
			p.report(t, when, agreed, open)
			return samples
		}
		if err := pause(t.Context(), 200*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *pair) report(t *testing.T, when string, agreed map[string]int, open map[string][]exporter.Difference) {
	t.Helper()
	series := 0
	for _, count := range agreed {
		series += count
	}
	t.Logf("%s two exporters tell the same in %d series of %d scenarios", when, series, len(agreed))
	for _, s := range all() {
		if s.agent.present && agreed[s.name] == 0 && open[s.name] == nil {
			t.Errorf("%s: %s there is nothing to compare", s.name, when)
		}
	}
	for _, subject := range slices.Sorted(maps.Keys(open)) {
		for _, difference := range open[subject] {
			t.Errorf("%s: %s two exporters differ: %s", subject, when, difference)
		}
	}
}

// scrape reads both at once.
func (p *pair) scrape(t *testing.T) []exporter.Samples {
	t.Helper()
	samples, errs := make([]exporter.Samples, len(p.exporters)), make([]error, len(p.exporters))
	var group sync.WaitGroup
	for i, e := range p.exporters {
		group.Go(func() { samples[i], errs[i] = e.Scrape(t.Context()) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return samples
}

// bySubject returns the samples by the scenario that they are about.
func bySubject(samples exporter.Samples) map[string]exporter.Samples {
	all := map[string]exporter.Samples{}
	for _, sample := range samples {
		name := subject(sample.Labels)
		all[name] = append(all[name], sample)
	}
	return all
}

// both returns the scenarios that either side tells of.
func both(sides [2]map[string]exporter.Samples) map[string]exporter.Samples {
	subjects := maps.Clone(sides[0])
	maps.Copy(subjects, sides[1])
	return subjects
}
