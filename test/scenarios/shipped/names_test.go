package shipped_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped/shippedtest"
)

func TestMetricNames(t *testing.T) {
	t.Parallel()
	vocabulary := vocabulary(t)
	t.Run("those in Go comments exist", func(t *testing.T) {
		t.Parallel()
		for _, file := range files(t, ".", ".go") {
			syntax := check.Must(parser.ParseFile(token.NewFileSet(), shippedtest.Path(t, file), nil, parser.ParseComments|parser.SkipObjectResolution))(t)
			for _, name := range unknownNames(vocabulary, comments(syntax)) {
				t.Errorf("%s: there is no metric %s", file, name)
			}
		}
	})
	t.Run("those on pages exist", func(t *testing.T) {
		t.Parallel()
		pages := slices.Concat(files(t, "docs", ".md"), files(t, "alerts", ".md"), []string{"README.md", "CONTRIBUTING.md"})
		for _, file := range pages {
			if file == "docs/upgrading.md" { // names what is gone
				continue
			}
			for _, name := range unknownNames(vocabulary, read(t, shippedtest.Path(t, file))) {
				t.Errorf("%s: there is no metric %s", file, name)
			}
		}
	})
	t.Run("unknown ones are found", func(t *testing.T) {
		t.Parallel()
		text := `daemonset_exporter serves daemonset_gap_nodes, daemonset_gap_*, daemonset_gap_duration_seconds_bucket,
			daemonset:coverage:ratio: see daemonset_exporter.rules.yaml, ghcr.io/daemonset-exporter/daemonset_exporter, and
			kube_daemonset_created; see also daemonset_util.go and the trigger daemonset_created. It has no daemonset_gap_node, daemonset_gab_*, daemonset:ratio or daemonset_gap_nodes_sum.`
		want := []string{"daemonset_gap_node", "daemonset_gab_*", "daemonset:ratio", "daemonset_gap_nodes_sum"}
		check.Equal(t, unknownNames(vocabulary, text), want)
	})
}

// metricName matches the names of metrics and recorded series, prefixes of them
// such as daemonset_gap_*, and what only looks like one: files, and the metrics of
// others.
var metricName = regexp.MustCompile(`\b[\w:]*daemonset[_:][\w:]*(\*|\.go)?`)

// unknownNames returns the names of metrics in a text that nothing serves or
// records.
func unknownNames(vocabulary *shipped.Vocabulary, text string) []string {
	var others []string
	for _, values := range collector.LabelValues() { // the trigger daemonset_created
		others = append(others, values...)
	}
	others = append(others, "daemonset_exporter", "daemonset_", "daemonset_coverage") // the program, a prefix, the plugin of kubectl
	var unknown []string
	for _, name := range metricName.FindAllString(text, -1) {
		name = strings.TrimRight(name, ":") // of the sentence
		ours := strings.HasPrefix(name, "daemonset") || strings.Contains(name, ":daemonset")
		if ours && !strings.HasSuffix(name, ".go") && !slices.Contains(others, name) && !vocabulary.Knows(name) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// comments returns the text of all comments of a file.
func comments(file *ast.File) string {
	var b strings.Builder
	for _, group := range file.Comments {
		b.WriteString(group.Text() + "\n")
	}
	return b.String()
}

// files returns the files below a directory of the repository, with a suffix.
func files(t *testing.T, directory, suffix string) []string {
	t.Helper()
	root := shippedtest.Path(t, ".")
	var found []string
	err := filepath.WalkDir(filepath.Join(root, directory), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "dist", "node_modules"}, entry.Name()):
			return filepath.SkipDir
		case strings.HasSuffix(name, suffix) && !entry.IsDir():
			relative, err := filepath.Rel(root, name)
			found = append(found, relative)
			return err
		}
		return nil
	})
	check.Require(t, err == nil && len(found) != 0, "%d files *%s in %s: %v", len(found), suffix, directory, err)
	return found
}
