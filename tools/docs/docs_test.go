package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
)

const root = "../.."

func TestGeneratedPartsOfPagesAreUpToDate(t *testing.T) {
	t.Parallel()
	for _, p := range parts() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			before, after, err := p.render(root)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(before), string(after)); diff != "" {
				t.Errorf("%s is not what the code says, run `make docs` (-page +code):\n%s", p.page, diff)
			}
		})
	}
}

func TestMetricsPageExplainsEveryLabelAndItsValues(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(root, "docs/metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	// What is explained stands in front of the table.
	page, _, _ := strings.Cut(string(content), "<!-- generated: metrics")
	var words []string
	for _, m := range collector.Metrics() {
		words = append(words, m.Labels...)
	}
	for _, reason := range coverage.GapReasons() {
		words = append(words, reason.String(), reason.Cause().String())
	}
	for reason := coverage.NotExcluded + 1; reason < coverage.Exclusions; reason++ {
		words = append(words, reason.String())
	}
	for status := range readiness.Statuses {
		words = append(words, status.String())
	}
	for lifecycle := range readiness.Lifecycles {
		words = append(words, lifecycle.String())
	}
	for trigger := range rescheduling.Triggers {
		words = append(words, trigger.String())
	}
	for stage := range rescheduling.Stages {
		words = append(words, stage.String())
	}
	for outcome := range rescheduling.Outcomes {
		words = append(words, outcome.String())
	}
	for state := range rescheduling.States {
		words = append(words, state.String())
	}
	for _, word := range words {
		if !strings.Contains(page, "`"+word+"`") {
			t.Errorf("docs/metrics.md does not explain `%s`", word)
		}
	}
}

func TestMetricsPageHasTheNotesOfEveryMetric(t *testing.T) {
	t.Parallel()
	page, err := metricsTable(root)
	if err != nil {
		t.Fatal(err)
	}
	_, notes, found := strings.Cut(page, "\n### Notes\n")
	if !found {
		t.Fatal("there is no section of notes")
	}
	for _, m := range collector.Metrics() {
		if m.Notes != "" && !strings.Contains(notes, "\n- `"+m.Name+"`: "+m.Notes+"\n") {
			t.Errorf("the notes on %s are missing", m.Name)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksBetweenPagesLeadSomewhere(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, filepath.Join(root, "SECURITY.md"))
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(content), -1) {
			target, _, _ := strings.Cut(found[1], "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", page, target)
			}
		}
	}
}
