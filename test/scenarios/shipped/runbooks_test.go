package shipped_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped/shippedtest"
)

func TestRunbooks(t *testing.T) {
	t.Parallel()
	t.Run("each is the page of an alert, and every alert has one", func(t *testing.T) {
		t.Parallel()
		var alerts []string
		for _, alert := range rules(t).Alerts() {
			alerts = append(alerts, alert.Alert+".md")
		}
		var pages []string
		for _, page := range shippedtest.Glob(t, shipped.Runbooks+"/*") {
			if name := filepath.Base(page); name != "README.md" {
				pages = append(pages, name)
			}
		}
		slices.Sort(alerts)
		check.Equal(t, pages, alerts, shipped.Runbooks)
		list := read(t, shippedtest.Path(t, shipped.Runbooks+"/README.md"))
		for _, page := range pages {
			check.That(t, strings.Contains(list, "("+page+")"), "the list of pages lacks %s", page)
		}
	})
	vocabulary := vocabulary(t)
	link := regexp.MustCompile(`\]\((DaemonSet\w+\.md)(?:#([\w-]+))?\)`)
	for _, page := range shippedtest.Glob(t, shipped.Runbooks+"/DaemonSet*.md") {
		t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) {
			t.Parallel()
			queries := check.Must(shipped.RunbookQueries(page))(t)
			check.That(t, len(queries) != 0, "no query")
			for _, query := range queries {
				if err := vocabulary.Check(query); err != nil {
					t.Error(err)
				}
			}
			check.Equal(t, headings(t, page), shipped.RunbookSections(), "sections")
			for _, found := range link.FindAllStringSubmatch(read(t, page), -1) {
				target := headings(t, filepath.Join(filepath.Dir(page), found[1]))
				isAnchor := func(heading string) bool {
					return strings.ReplaceAll(strings.ToLower(heading), " ", "-") == found[2]
				}
				check.That(t, found[2] == "" || slices.ContainsFunc(target, isAnchor), "%s has no section #%s", found[1], found[2])
			}
		})
	}
}

var heading = regexp.MustCompile(`(?m)^## (.+)$`)

// headings returns the headings of the sections of a page.
func headings(t *testing.T, page string) []string {
	t.Helper()
	var headings []string
	for _, found := range heading.FindAllStringSubmatch(read(t, page), -1) {
		headings = append(headings, found[1])
	}
	return headings
}
