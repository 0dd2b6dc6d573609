package scenarios

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/child"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// The time shown: the second half of the hour, in intervals of a minute.
var (
	shown = shipped.Window{Interval: time.Minute, Range: 30 * time.Minute}
	now   = origin.Add(time.Hour)
)

// A view is a board with values for its variables, and a file of what its queries give.
type view struct {
	board, file string
	variables   map[string]string
}

func views() []view {
	node := func(name string) view {
		return view{"node.json", "node." + name + ".txt", map[string]string{"node": name}}
	}
	return []view{
		{"fleet.json", "fleet.txt", nil},
		{"daemonset.json", "daemonset.txt", map[string]string{"namespace": "security", "daemonset": "falco"}},
		node("n1"), node("n2"), node("n3"), node("n9"),
		{"exporter.json", "exporter.txt", map[string]string{"instance": ".*"}},
	}
}

// of returns the view with more variables.
func (v view) of(name, value string) view {
	v.variables = maps.Clone(v.variables)
	if v.variables == nil {
		v.variables = map[string]string{}
	}
	v.variables[name] = value
	return v
}

// The clusters in one Prometheus, with names that one regular expression takes for the
// same.
const east, west = "eu.1", "eu-1"

// in returns the view of one cluster. Grafana escapes the values of variables that can have
// several.
func (v view) in(cluster string) view {
	if v.board == "fleet.json" || v.board == "exporter.json" {
		cluster = strings.ReplaceAll(regexp.QuoteMeta(cluster), `\`, `\\`)
	}
	return v.of("cluster", cluster)
}

// A boardQuery is one query of a board.
type boardQuery struct {
	title   string // of the panel, with the query's letter if it has several
	expr    string
	instant bool
	words   map[string]float64 // what the panel shows for some numbers
}

// queries returns the queries of a board: of panels, and of annotations.
func queries(d *shipped.Dashboard) []boardQuery {
	var all []boardQuery
	for _, panel := range d.AllPanels() {
		for _, target := range panel.Targets {
			q := boardQuery{title: panel.Title, expr: target.Expr, instant: target.Instant, words: panel.Words()}
			if len(panel.Targets) > 1 {
				q.title += " " + target.RefID
			}
			all = append(all, q)
		}
	}
	for _, annotation := range d.Annotations.List {
		all = append(all, boardQuery{title: "annotation " + annotation.Name, expr: annotation.Expr})
	}
	return all
}

// run asks Prometheus. Values are those at each step, the last one at the given time;
// for an instant query it is the only one.
func (q boardQuery) run(t *testing.T, prometheus *program, v view, at time.Time) map[string][]float64 {
	t.Helper()
	from := at
	if !q.instant {
		from = at.Add(-shown.Range)
	}
	query := shipped.Fill(q.expr, v.variables, shown)
	got, err := prometheus.query(t.Context(), query, from, at, shown.Interval)
	if err != nil {
		t.Errorf("%s, %q: %v\n%s", v.board, q.title, err, query)
	}
	return got
}

// expectations returns what a file says that queries give, by their titles.
func expectations(t *testing.T, v view, all []boardQuery) map[string]map[string][]float64 {
	t.Helper()
	content := check.Must(os.ReadFile(filepath.Join("testdata", "dashboards", v.file)))(t)
	words := map[string]map[string]float64{}
	for _, q := range all {
		words[q.title] = q.words
	}
	expected := map[string]map[string][]float64{}
	title := ""
	for text := range strings.Lines(string(content)) {
		text = strings.TrimRight(text, "\n")
		switch {
		case text == "" || strings.HasPrefix(text, "#"):
		case !strings.HasPrefix(text, " "):
			title = text
			check.Require(t, expected[title] == nil, "%s has %q twice", v.file, title)
			expected[title] = map[string][]float64{}
		default:
			parsed, err := parseLine(text, words[title])
			if err != nil {
				t.Fatalf("%s, %q: %v", v.file, title, err)
			}
			for _, le := range strings.Split(parsed.labels["le"], "|") { // of several buckets
				if le != "" {
					parsed.labels["le"] = le
				}
				expected[title][labelText(parsed.labels)] = parsed.values
			}
		}
	}
	return expected
}

// difference describes how results differ from what is expected; empty if they do not.
func difference(expected, got map[string][]float64) string {
	var b strings.Builder
	for _, labels := range slices.Sorted(maps.Keys(expected)) {
		if values, ok := got[labels]; !ok || !slices.EqualFunc(expected[labels], values, near) {
			fmt.Fprintf(&b, "  %s\n    want %v\n    got  %v\n", labels, expected[labels], values)
		}
	}
	for _, labels := range slices.Sorted(maps.Keys(got)) {
		if _, ok := expected[labels]; !ok {
			fmt.Fprintf(&b, "  %s\n    want nothing\n    got  %v\n", labels, got[labels])
		}
	}
	return b.String()
}

// near reports whether two values are equal but for rounding.
func near(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-4*math.Max(math.Abs(a), 0.01)
}

// worlds are the Prometheus servers that the boards are shown.
type worlds struct{ one, replicas, stale, clusters, native, both, mixed, nothing *program }

// startWorlds fills Prometheus servers.
func startWorlds(t *testing.T) worlds {
	t.Helper()
	programs := check.Must(build.Prometheus(t.Context(), os.Stderr))(t)
	launcher := child.NewLauncher()
	t.Cleanup(func() { launcher.Close() })
	start := func(name string) *program {
		dir := t.TempDir()
		check.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus.yaml"), nil, 0o600))
		p, err := startProgram(t.Context(), launcher, dir, "prometheus", filepath.Join(programs, "prometheus"), "/-/ready", func(address string) []string {
			// What is filled in has no mark where a series ends: it must not be looked for
			// beyond the last scrape.
			return []string{
				"--query.lookback-delta=29s", "--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--storage.tsdb.retention.time=100y",
				"--web.enable-remote-write-receiver", "--web.listen-address=" + address,
			}
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Cleanup(p.stop)
		return p
	}
	filled := func(name string, keeps formats, world []line) *program {
		p := start(name)
		write(t, p, world, keeps)
		return p
	}
	eu := readWorld(t, "testdata/dashboards/world.txt")
	us := readWorld(t, "testdata/dashboards/world-us.txt")
	onlyClassic, onlyNative := formats{classic: true}, formats{native: true}
	mixed := start("mixed")
	write(t, mixed, withCluster(east, eu), onlyNative)
	write(t, mixed, withCluster(west, us), onlyClassic)
	return worlds{
		one: filled("one", onlyClassic, eu), replicas: filled("replicas", onlyClassic, withReplica(eu)), stale: filled("stale", onlyClassic, withStaleReplica(eu)),
		clusters: filled("clusters", onlyClassic, append(withCluster(east, eu), withCluster(west, us)...)),
		native:   filled("native", onlyNative, withReplica(eu)), both: filled("both", formats{classic: true, native: true}, eu),
		mixed: mixed, nothing: start("nothing"),
	}
}

func TestDashboardValues(t *testing.T) {
	boards := check.Must(shipped.ReadDashboards(check.Must(shipped.Root())(t)))(t)
	w := startWorlds(t)
	shownSomewhere := map[string]bool{}

	// each calls verify for every query of every view, with what is expected of it.
	each := func(t *testing.T, change func(view) view, verify func(t *testing.T, v view, q boardQuery, expected map[string][]float64)) {
		for _, v := range views() {
			all := queries(boards[v.board])
			expected := expectations(t, v, all)
			v = change(v)
			for _, q := range all {
				want, ok := expected[q.title]
				check.That(t, ok, "%s says nothing of %q", v.file, q.title)
				verify(t, v, q, want)
				delete(expected, q.title)
			}
			for title := range expected {
				t.Errorf("%s has %q, and %s has not", v.file, title, v.board)
			}
		}
	}
	same := func(prometheus *program, strip string) func(t *testing.T, v view, q boardQuery, expected map[string][]float64) {
		return func(t *testing.T, v view, q boardQuery, expected map[string][]float64) {
			got := map[string][]float64{}
			for labels, values := range q.run(t, prometheus, v, now) {
				got[withoutLabel(labels, strip)] = values
				shownSomewhere[v.board+" "+q.title] = true
			}
			diff := difference(expected, got)
			check.That(t, diff == "", "%s, %q:\n%s%s", v.file, q.title, diff, shipped.Fill(q.expr, v.variables, shown))
		}
	}
	t.Run("are those of the exporter", func(t *testing.T) {
		each(t, anyCluster, same(w.one, ""))
		for file, board := range boards {
			for _, q := range queries(board) {
				if !shownSomewhere[file+" "+q.title] && !emptyByDesign(file, q.title) {
					t.Errorf("%s: no view shows anything in %q", file, q.title)
				}
			}
		}
	})
	oneReplica := func(v view) view {
		v = anyCluster(v)
		if v.board == "exporter.json" { // it has each replica by itself
			v = v.of("instance", "one")
		}
		return v
	}
	t.Run("are the same with two replicas", func(t *testing.T) {
		each(t, oneReplica, same(w.replicas, ""))
	})
	t.Run("are the same with a replica that has lost the API server", func(t *testing.T) {
		each(t, oneReplica, same(w.stale, ""))
	})
	t.Run("are the same where Prometheus keeps only native histograms", func(t *testing.T) {
		each(t, oneReplica, same(w.native, ""))
	})
	t.Run("are the same where Prometheus keeps histograms in both formats", func(t *testing.T) {
		each(t, anyCluster, same(w.both, ""))
	})
	t.Run("add up over a cluster with native histograms and one with classic ones", func(t *testing.T) {
		fleet := view{board: "fleet.json", file: "fleet.txt"}
		all := queries(boards[fleet.board])
		expected := expectations(t, fleet, all)
		for _, q := range all {
			if q.title == "How long outages lasted" {
				diff := difference(expected[q.title], q.run(t, w.mixed, fleet.of("cluster", ".*"), now))
				check.That(t, diff == "", "%q:\n%s", q.title, diff)
			}
		}
	})
	t.Run("are those of one cluster among two", func(t *testing.T) {
		each(t, func(v view) view { return v.in(east) }, same(w.clusters, `cluster="`+east+`"`))
	})
	t.Run("tell clusters apart", func(t *testing.T) {
		each(t, func(v view) view { return v.of("cluster", ".*") }, func(t *testing.T, v view, q boardQuery, expected map[string][]float64) {
			if v.board != "fleet.json" {
				return
			}
			ours := map[string][]float64{}
			for labels, values := range q.run(t, w.clusters, v, now) {
				if strings.Contains(labels, `cluster="`+east+`"`) {
					ours[withoutLabel(labels, `cluster="`+east+`"`)] = values
				} else if !strings.Contains(labels, `cluster="`+west+`"`) {
					return // a total, see below
				}
			}
			if diff := difference(expected, ours); diff != "" {
				t.Errorf("%q of one cluster, beside another:\n%s", q.title, diff)
			}
		})
	})
	t.Run("add up over clusters, and leave alone what has the same name", func(t *testing.T) {
		falco := map[string]string{"namespace": "security", "daemonset": "falco"}
		for _, c := range []struct {
			view  view
			title string
			want  map[string][]float64
		}{
			{view{board: "fleet.json"}.of("cluster", ".*"), "Data age", map[string][]float64{`{cluster="` + east + `"}`: {20}, `{cluster="` + west + `"}`: {5}}},
			{view{board: "fleet.json"}.of("cluster", ".*"), "Coverage", map[string][]float64{`{}`: {19.0 / 25}}},
			{view{board: "fleet.json"}.of("cluster", ".*"), "Gaps, node Ready", map[string][]float64{`{}`: {1}}},
			{view{board: "fleet.json"}.of("cluster", ".*"), "Gaps, node failed", map[string][]float64{`{}`: {4}}},
			{view{board: "fleet.json"}.of("cluster", ".*"), "Not Ready", map[string][]float64{`{}`: {2}}},
			{view{board: "fleet.json"}.of("cluster", ".*"), "Nodes", map[string][]float64{`{}`: {13}}},
			{view{board: "fleet.json"}.in(west), "Broken", map[string][]float64{`{}`: {0}}},
			{view{board: "fleet.json"}.in(west), "Not Ready", map[string][]float64{`{}`: {0}}},
			{view{board: "fleet.json"}.in(west), "Which node lacks what", map[string][]float64{}},
			{view{board: "daemonset.json", variables: falco}.in(west), "Coverage", map[string][]float64{`{cluster="` + west + `", daemonset="falco", namespace="security"}`: {1}}},
			{view{board: "daemonset.json", variables: falco}.in(west), "Waiting", map[string][]float64{`{}`: {0}}},
			{view{board: "node.json"}.in(west).of("node", "n1"), "Status", map[string][]float64{`{}`: {5}}},
			{view{board: "exporter.json"}.of("cluster", ".*").of("instance", ".*"), "Exporters", map[string][]float64{`{}`: {2}}},
		} {
			for _, q := range queries(boards[c.view.board]) {
				if q.title != c.title {
					continue
				}
				if diff := difference(c.want, q.run(t, w.clusters, c.view, now)); diff != "" {
					t.Errorf("%s, %q, %v:\n%s", c.view.board, c.title, c.view.variables, diff)
				}
			}
		}
	})
	t.Run("are none where nothing is scraped", func(t *testing.T) {
		each(t, anyCluster, func(t *testing.T, v view, q boardQuery, _ map[string][]float64) {
			got := q.run(t, w.nothing, v, now)
			if limit := strings.HasPrefix(q.expr, "vector("); len(got) > 0 && !limit {
				t.Errorf("%s, %q makes up %v", v.board, q.title, got)
			}
		})
	})
	t.Run("are none after the exporter has gone", func(t *testing.T) {
		later := now.Add(10 * time.Minute)
		each(t, anyCluster, func(t *testing.T, v view, q boardQuery, _ map[string][]float64) {
			// What looks back over a window, or an hour, shows the past and says so.
			if !q.instant || strings.ContainsAny(q.expr, "[") && q.title != "Data age" || strings.Contains(q.expr, "offset") {
				return
			}
			got := q.run(t, w.one, v, later)
			want := map[string][]float64{}
			if q.title == "Data age" {
				want["{}"] = []float64{-1} // "not scraped"
			}
			if diff := difference(want, got); diff != "" {
				t.Errorf("%s, %q:\n%s", v.board, q.title, diff)
			}
		})
	})
}

// anyCluster lets a board show a Prometheus that adds no label.
func anyCluster(v view) view { return v.of("cluster", anyOf(v.board)) }

// anyOf returns what the variable cluster of a board is where there is no such label.
func anyOf(board string) string {
	if board == "fleet.json" || board == "exporter.json" {
		return ".*"
	}
	return ""
}

// emptyByDesign reports whether the world has nothing for a query.
func emptyByDesign(board, title string) bool {
	return slices.Contains([]string{
		"fleet.json Taints that exclude nodes B",  // an hour ago there was none
		"daemonset.json Rollout and its budget C", // falco does not surge
		"exporter.json annotation Critical alerts",
		"daemonset.json annotation Critical alerts",
	}, board+" "+title)
}

// withoutLabel takes a label out of the text of labels.
func withoutLabel(labels, label string) string {
	inner := strings.Trim(labels, "{}")
	parts := slices.DeleteFunc(strings.Split(inner, ", "), func(part string) bool { return part == label })
	return "{" + strings.Join(parts, ", ") + "}"
}
