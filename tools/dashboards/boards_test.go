package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// panels returns the panels of a board by title, those of collapsed rows too.
func panels(b *board) []dashboard.Panel {
	var all []dashboard.Panel
	for _, p := range b.Panels {
		if p.Panel != nil {
			all = append(all, *p.Panel)
		} else {
			all = append(all, p.RowPanel.Panels...)
		}
	}
	return all
}

func encode(t *testing.T, b *board, label string) []byte {
	t.Helper()
	return check.Must(b.encode(label))(t)
}

func TestBoards(t *testing.T) {
	t.Parallel()
	t.Run("are those in the repository", func(t *testing.T) {
		t.Parallel()
		for name, b := range boards() {
			committed := check.Must(os.ReadFile(filepath.Join("..", "..", "dashboards", name)))(t)
			check.That(t, string(committed) == string(encode(t, b, defaultNamespaceLabel)), "%s is not up to date: run make generate", name)
		}
	})
	t.Run("are what Grafana's schema knows", func(t *testing.T) {
		t.Parallel()
		plugins.RegisterDefaultPlugins()
		for name, b := range boards() {
			content := encode(t, b, defaultNamespaceLabel)
			var strict, read dashboard.Dashboard
			// It returns an error without text where there is none.
			if err := strict.UnmarshalJSONStrict(content); err != nil && err.Error() != "" {
				t.Errorf("%s: %v", name, err)
			}
			check.NoError(t, json.Unmarshal(content, &read))
			check.NoError(t, read.Validate())
			again := encode(t, &board{Dashboard: &read}, defaultNamespaceLabel)
			check.Equal(t, tree(t, again), tree(t, content), name, "read and written again")
		}
	})
	t.Run("say in every panel what it counts", func(t *testing.T) {
		t.Parallel()
		for name, b := range boards() {
			for _, p := range panels(b) {
				if *p.Title == "" || *defaults(&p).Unit == "" || !described.MatchString(*p.Description) {
					t.Errorf("%s, %q needs title, unit and what it shows and leaves out: %s", name, *p.Title, *p.Description)
				}
				check.That(t, p.Type == "text" || defaults(&p).NoValue != nil, "%s, %q does not say what nothing means", name, *p.Title)
			}
		}
	})
	t.Run("lead to other boards with data source, cluster and time", func(t *testing.T) {
		t.Parallel()
		link := regexp.MustCompile(`"url": "(/d/[^"]+)"`)
		for name, b := range boards() {
			of := []string{"&var-cluster=${__data.fields.cluster}", "&var-cluster=${__field.labels.cluster}"}
			if b.oneCluster() {
				of = []string{"&${cluster:queryparam}"}
			}
			found := link.FindAllStringSubmatch(string(encode(t, b, defaultNamespaceLabel)), -1)
			check.That(t, len(found) > 0, "%s has no links", name)
			for _, match := range found {
				url := strings.ReplaceAll(match[1], `\u0026`, "&")
				ofCluster := slices.ContainsFunc(of, func(text string) bool { return strings.Contains(url, text) })
				check.That(t, ofCluster && strings.Contains(url, "?${datasource:queryparam}&") && strings.HasSuffix(url, "&${__url_time_range}"), "%s: %s", name, url)
			}
		}
	})
	t.Run("never call nothing good", func(t *testing.T) {
		t.Parallel()
		for name, b := range boards() {
			for _, p := range panels(b) {
				d := defaults(&p)
				if d.NoValue != nil && healthy.MatchString(*d.NoValue) && !strings.Contains(*d.NoValue, ", or ") {
					t.Errorf("%s, %q says of nothing: %s", name, *p.Title, *d.NoValue)
				}
				// What has no value has the base colour.
				if p.Type == "stat" && d.Thresholds.Steps[0].Color == green {
					t.Errorf("%s, %q is green without data", name, *p.Title)
				}
				for _, target := range p.Targets {
					expr := target.(prometheus.Dataquery).Expr
					if strings.Contains(expr, "absent(") || strings.Contains(expr, "or vector(0)") {
						t.Errorf("%s, %q makes up a value: %s", name, *p.Title, expr)
					}
				}
			}
		}
	})
	t.Run("have tables that fit 1280 pixels, keys first", func(t *testing.T) {
		t.Parallel()
		for name, b := range boards() {
			for _, p := range panels(b) {
				if p.Type == "table" {
					checkTable(t, name, p)
				}
			}
		}
	})
	t.Run("take any name of the label namespace", func(t *testing.T) {
		t.Parallel()
		for name, b := range boards() {
			renamed := string(encode(t, b, "exported_namespace"))
			if strings.Contains(strings.ReplaceAll(renamed, "exported_namespace", ""), `"namespace"`) {
				t.Errorf("%s still has the label namespace", name)
			}
			for _, p := range panels(b) {
				check.That(t, !namespaceWord.MatchString(*p.Title+*p.Description), "%s, %q: the text would be renamed, too", name, *p.Title)
			}
		}
	})
}

var (
	described = regexp.MustCompile(`^[A-Z].+\. Left out: [^.].*[^.]\.$`)
	healthy   = regexp.MustCompile(`^(No |All |It is )`)
)

// tree returns JSON as maps and lists.
func tree(t *testing.T, content []byte) any {
	t.Helper()
	var out any
	check.NoError(t, json.Unmarshal(content, &out))
	return out
}

// checkTable checks the widths of a table's columns. At 1280 pixels a column of the
// grid has about 51, of which cells and borders take some.
func checkTable(t *testing.T, name string, p dashboard.Panel) {
	t.Helper()
	const grid, flexible = 51, 130
	fixedWidth, widths := 0, map[string]int{}
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if property.Id == "custom.width" {
				widths[o.Matcher.Options.(string)] = property.Value.(int)
			}
		}
	}
	organize := p.Transformations[len(p.Transformations)-1].Options.(map[string]any)
	titles := organize["renameByName"].(map[string]string)
	for column := range organize["indexByName"].(map[string]int) {
		if title := titles[column]; title != "" {
			column = title
		}
		if widths[column] == 0 {
			widths[column] = flexible
		}
	}
	for _, width := range widths {
		fixedWidth += width
	}
	if room := grid * int(p.GridPos.W); fixedWidth > room {
		t.Errorf("%s, %q: columns of %d pixels in a panel of %d", name, *p.Title, fixedWidth, room)
	}
}
