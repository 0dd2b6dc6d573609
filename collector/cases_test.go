package collector

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/cases"
)

// TestCases runs testdata/cases; the README there describes the format.
func TestCases(t *testing.T) {
	t.Parallel()
	folders, err := cases.Folders("testdata/cases")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { runCase(t, folder) })
		})
	}
}

// runCase checks how the exporter differs from what a case expects. It must be
// called in a synctest bubble.
func runCase(t *testing.T, folder string) {
	t.Helper()
	c, err := cases.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	var e *playedExporter
	player := files.NewPlayer(func(now time.Time) files.Exporter {
		e = newPlayedExporter(t, now)
		return e
	}, slices.Repeat([]bool{false}, len(c.Events)))
	for _, event := range c.Events {
		player.Play(event)
		want, ok := c.Expected[event.Text]
		if !ok || event.Type != files.Mark {
			continue
		}
		player.Settle(event.Time)
		if diff := want.Diff(e.scrape(), c.Start); diff != "" {
			t.Errorf("%s (-want +got):\n%s", event.Text, diff)
		}
		for _, family := range want.Families {
			name, _, _ := strings.Cut(family, "~")
			name = strings.TrimSuffix(strings.TrimSuffix(name, "_count"), "_sum")
			if !slices.ContainsFunc(Metrics(), func(m *Metric) bool { return m.Name == name }) {
				t.Errorf("%s: there is no metric %s", event.Text, name)
			}
		}
		delete(c.Expected, event.Text)
	}
	for mark := range c.Expected {
		t.Errorf("nothing was compared after %s", mark)
	}
}

// playedExporter is an exporter whose background work runs, to which a recording is
// played. It implements files.Exporter.
type playedExporter struct {
	*exporter
	selectors map[string]labels.Selector
}

func newPlayedExporter(t *testing.T, now time.Time) *playedExporter {
	t.Helper()
	e := &playedExporter{selectors: map[string]labels.Selector{}}
	e.exporter = newExporter(t, now, func(c *Config) {
		c.JoinGrace = cases.JoinGrace
		c.NamespaceSelectors = func(_ context.Context, namespaces []string) (map[string]labels.Selector, error) {
			known := map[string]labels.Selector{}
			for _, name := range namespaces {
				if selector := e.selectors[name]; selector != nil {
					known[name] = selector
				}
			}
			return known, nil
		}
	})
	e.run()
	return e
}

// SetTime implements files.Exporter.
func (e *playedExporter) SetTime(now time.Time) { e.advance(now) }

// NodeSelector implements files.Exporter.
func (e *playedExporter) NodeSelector(namespace string, selector labels.Selector) {
	e.selectors[namespace] = selector
}

// LeaseRenewed implements files.Exporter. No case has a Lease.
func (e *playedExporter) LeaseRenewed(string, time.Time) {}

// NewRevision implements files.Exporter. No case has a ControllerRevision.
func (e *playedExporter) NewRevision(string, slim.ControllerRevision) {}
