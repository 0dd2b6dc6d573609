package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

const root = "../.."

func TestParts(t *testing.T) {
	t.Parallel()
	for _, p := range parts() {
		t.Run(p.name+" is up to date", func(t *testing.T) {
			t.Parallel()
			before, after, err := p.render(root)
			check.NoError(t, err)
			check.Equal(t, string(before), string(after), p.page, "is out of date, run `make docs`")
		})
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestPages(t *testing.T) {
	t.Parallel()
	t.Run("metrics.md explains every label and its values", func(t *testing.T) {
		t.Parallel()
		content := check.Must(os.ReadFile(filepath.Join(root, "docs/metrics.md")))(t)
		// Explanations come before the table.
		page, _, _ := strings.Cut(string(content), "<!-- generated: metrics")
		// Their values are words of Kubernetes, or names of resources.
		selfExplaining := []string{"field", "part", "resource"}
		var words []string
		for _, m := range collector.Metrics() {
			words = append(words, m.Labels...)
			for label, values := range m.LabelValues() {
				if !slices.Contains(selfExplaining, label) && m.Name != "daemonset_container_restarts_total" {
					words = append(words, values...)
				}
			}
		}
		slices.Sort(words)
		words = slices.Compact(words)
		for _, word := range words {
			check.That(t, strings.Contains(page, "`"+word+"`"), "docs/metrics.md does not explain `%s`", word)
		}
	})
	t.Run("metrics.md has the notes on every metric", func(t *testing.T) {
		t.Parallel()
		page := check.Must(metricsTable(root))(t)
		_, notes, found := strings.Cut(page, "\n### Notes\n")
		check.Require(t, found, "there is no section of notes")
		for _, m := range collector.Metrics() {
			check.That(t, m.Notes == "" || strings.Contains(notes, "\n- `"+m.Name+"`: "+m.Notes+"\n"), "the notes on %s are missing", m.Name)
		}
	})
	t.Run("links between pages are not broken", func(t *testing.T) {
		t.Parallel()
		pages := check.Must(filepath.Glob(filepath.Join(root, "docs", "*.md")))(t)
		pages = append(pages, filepath.Join(root, "SECURITY.md"))
		for _, page := range pages {
			content := check.Must(os.ReadFile(page))(t)
			for _, found := range link.FindAllStringSubmatch(string(content), -1) {
				target, _, _ := strings.Cut(found[1], "#")
				if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
					continue
				}
				if _, err := os.Stat(filepath.Join(filepath.Dir(page), target)); err != nil {
					t.Errorf("%s links to %s, which does not exist", page, target)
				}
			}
		}
	})
}
