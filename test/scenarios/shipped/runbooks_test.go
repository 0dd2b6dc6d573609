package shipped_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

func TestEveryAlertHasAPageAndEveryPageAnAlert(t *testing.T) {
	t.Parallel()
	var alerts []string
	for _, alert := range rules(t).Alerts() {
		alerts = append(alerts, alert.Alert+".md")
	}
	entries, err := os.ReadDir(path(t, shipped.Runbooks))
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for _, entry := range entries {
		if entry.Name() != "README.md" {
			pages = append(pages, entry.Name())
		}
	}
	slices.Sort(alerts)
	if !slices.Equal(alerts, pages) {
		t.Errorf("alerts %v\npages %v", alerts, pages)
	}
	list, err := os.ReadFile(filepath.Join(path(t, shipped.Runbooks), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if !strings.Contains(string(list), "("+page+")") {
			t.Errorf("the list of pages lacks %s", page)
		}
	}
}

func TestRunbooksSpeakOfWhatExists(t *testing.T) {
	t.Parallel()
	vocabulary := vocabulary(t)
	pages, err := filepath.Glob(filepath.Join(path(t, shipped.Runbooks), "DaemonSet*.md"))
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\((DaemonSet\w+\.md)`)
	for _, page := range pages {
		name := filepath.Base(page)
		queries, err := shipped.RunbookQueries(page)
		if err != nil {
			t.Fatal(err)
		}
		if len(queries) == 0 {
			t.Errorf("%s has no query", name)
		}
		for _, query := range queries {
			if err := vocabulary.Check(query); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range []string{"**What it means.**", "**What it does to users.**", "## See more", "## When it is a false alarm", "## Why this threshold"} {
			if !strings.Contains(string(content), section) {
				t.Errorf("%s has no %q", name, section)
			}
		}
		for _, found := range link.FindAllStringSubmatch(string(content), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), found[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
