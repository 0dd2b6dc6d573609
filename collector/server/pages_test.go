package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/collector/server"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/replay"
)

// withPages returns a configuration that serves the pages of a collector that has these
// objects, a minute after Noon.
func withPages(t testing.TB, synced bool, cluster ...any) server.Config {
	t.Helper()
	clock := testingclock.NewFakeClock(objects.Noon)
	collecting, err := collector.New(collector.Config{
		Clock: clock, Logger: log.NewNopLogger(), Health: func() []informers.ResourceHealth { return nil },
		JoinGrace: collector.DefaultJoinGrace, StartupGrace: collector.DefaultStartupGrace,
	})
	if err != nil {
		t.Fatal(err)
	}
	replay.NewWatch(collecting).Set(cluster...)
	if synced {
		collecting.Synced()
	}
	clock.SetTime(objects.At(60))
	paged := config()
	paged.Pages, paged.Clock = collecting, clock
	return paged
}

// hostile is what a label may not hold in the API, and what a page must not run.
const hostile = `<script>alert("x")</script>`

// exampleCluster is a DaemonSet on three nodes: well, dead, and one that is tainted.
func exampleCluster() []any {
	return []any{
		objects.DaemonSet("agent", objects.Created(-8000)),
		objects.Node("well", objects.Created(-9000), objects.Ready(-8990)),
		objects.Node("dead", objects.Created(-9000), objects.Ready(-8990), objects.Unreachable(0), objects.Label("topology.kubernetes.io/zone", hostile)),
		objects.Node("tainted", objects.Created(-9000), objects.Ready(-8990), objects.Taint("gpu", hostile, "NoSchedule"), objects.Cordoned()),
		objects.PodOf("agent", "well", objects.Created(-7000), objects.Ready(-6990)),
		objects.PodOf("agent", "dead", objects.Created(-7000), objects.Ready(-6990)),
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	url := serve(t, withPages(t, true, exampleCluster()...))
	for _, tc := range []struct {
		name, path string
		code       int
		contains   []string
		lacks      []string
	}{
		{
			"the table of what is in trouble", "/coverage", http.StatusOK,
			[]string{
				"Nodes in trouble: 2 of 3", `<a href="explain?daemonset=default%2Fagent&amp;node=dead">node_unreachable</a> 60s`,
				`<a href="explain?daemonset=default%2Fagent&amp;node=tainted">excluded: taint</a>`, "&lt;script&gt;",
				`<th scope="row"><a href="coverage?all=1&amp;node=dead">dead</a>`, `<small>1 of 2</small>`,
				`<a href="coverage?reason=taint">taint</a> (1)`, `<label for="zone">Zone</label><select id="zone"`,
			},
			[]string{"<script", ">well<"},
		},
		{
			"all nodes", "/coverage?all=1", http.StatusOK,
			[]string{"Nodes: 3 of 3", `<td class="c">covered`, `<option selected value="1">all</option>`},
			[]string{"<script"},
		},
		{
			"a filter that is set can be removed", "/coverage?reason=taint&zone=nowhere", http.StatusOK,
			[]string{"No node matches the filters.", `<b>taint</b> (1) <a href="coverage?zone=nowhere" aria-label="remove the filter taint">remove</a>`, `<option selected value="nowhere">nowhere (0)</option>`},
			nil,
		},
		{"a page that is no number", "/coverage?page=x", http.StatusBadRequest, []string{"page must be a number"}, nil},
		{
			"a filter that is no name", "/coverage?node=" + "%3Cscript%3E", http.StatusOK, []string{`value="&lt;script&gt;"`, "No node matches the filters."}, []string{"<script"},
		},
		{
			"why a node is dead", "/explain?daemonset=default/agent&node=dead", http.StatusOK,
			[]string{
				`<h1>default/agent on node dead: <span class="g">gap, node_unreachable</span></h1>`, "<dt>Gap</dt><dd>since 2026-11-23 12:00:00 UTC (60s)</dd>",
				"&lt;script&gt;", "bring node dead back", "<dt>DaemonSet controller</dt>",
			},
			[]string{"<script"},
		},
		{
			"why a node is excluded", "/explain?daemonset=default/agent&node=tainted", http.StatusOK,
			[]string{`<th scope="row">taint</th><td class="x">excludes</td>`, "add the toleration", "&lt;script&gt;"},
			[]string{"<script"},
		},
		{"a node that is not there", "/explain?daemonset=default/agent&node=x", http.StatusNotFound, []string{"there is no node x"}, nil},
		{"nothing", "/explain", http.StatusBadRequest, []string{"explain what?"}, nil},
		{"a node", "/explain?node=dead", http.StatusSeeOther, nil, nil},
		{"a DaemonSet", "/explain?daemonset=default/agent", http.StatusSeeOther, nil, nil},
		{"the landing page", "/", http.StatusOK, []string{`href="/coverage"`}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, http.MethodGet, url+tc.path)
			if got.code != tc.code {
				t.Fatalf("answers %d %s", got.code, got.text)
			}
			for _, text := range tc.contains {
				if !strings.Contains(got.text, text) {
					t.Errorf("%q is not in\n%s", text, got.text)
				}
			}
			for _, text := range tc.lacks {
				if strings.Contains(got.text, text) {
					t.Errorf("%q is in\n%s", text, got.text)
				}
			}
		})
	}
	t.Run("may load their style and nothing else", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/coverage", "/explain?daemonset=default/agent&node=dead", "/api/v1/coverage"} {
			got := ask(t, http.MethodGet, url+path)
			if policy := got.header.Get("Content-Security-Policy"); policy != "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" {
				t.Errorf("%s: the policy is %q", path, policy)
			}
			if regexp.MustCompile(`(?i) style=| on[a-z]+=|javascript:`).MatchString(got.text) {
				t.Errorf("%s needs what the policy forbids", path)
			}
		}
		if style := ask(t, http.MethodGet, url+"/style.css"); style.code != http.StatusOK || !strings.HasPrefix(style.header.Get("Content-Type"), "text/css") {
			t.Errorf("the style answers %d, %s", style.code, style.header.Get("Content-Type"))
		}
	})
	t.Run("take no other methods", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/coverage", "/explain", "/api/v1/coverage", "/api/v1/explain"} {
			if got := ask(t, http.MethodPost, url+path); got.code != http.StatusMethodNotAllowed {
				t.Errorf("%s answers %d", path, got.code)
			}
		}
	})
	t.Run("are not there before all objects have come in", func(t *testing.T) {
		t.Parallel()
		starting := serve(t, withPages(t, false, exampleCluster()...))
		for _, path := range []string{"/coverage", "/explain?daemonset=default/agent&node=dead", "/api/v1/coverage"} {
			if got := ask(t, http.MethodGet, starting+path); got.code != http.StatusServiceUnavailable {
				t.Errorf("%s answers %d", path, got.code)
			}
		}
	})
	t.Run("are not there if they are turned off", func(t *testing.T) {
		t.Parallel()
		without := serve(t, config())
		for _, path := range []string{"/coverage", "/explain", "/style.css", "/api/v1/coverage", "/api/v1/explain"} {
			if got := ask(t, http.MethodGet, without+path); got.code != http.StatusNotFound {
				t.Errorf("%s answers %d", path, got.code)
			}
		}
		if page := ask(t, http.MethodGet, without+"/"); strings.Contains(page.text, "coverage\"") {
			t.Error("the landing page leads to them")
		}
	})
	t.Run("are refused beyond the limit", func(t *testing.T) {
		t.Parallel()
		slow := withPages(t, true, exampleCluster()...)
		held := stuckPages{slow.Pages, make(chan struct{}), make(chan struct{})}
		slow.Pages = held
		url := serve(t, slow) + "/coverage"
		answers := make(chan int)
		const allowed = 10
		for range allowed {
			go func() { answers <- ask(t, http.MethodGet, url).code }()
			<-held.entered
		}
		if got := ask(t, http.MethodGet, url); got.code != http.StatusServiceUnavailable {
			t.Errorf("one too many answers %d", got.code)
		}
		close(held.released)
		for range allowed {
			if code := <-answers; code != http.StatusOK {
				t.Errorf("one of the others answers %d", code)
			}
		}
	})
}

// stuckPages holds every table until it is released.
type stuckPages struct {
	server.Pages
	entered, released chan struct{}
}

func (s stuckPages) Table(query collector.TableQuery) (collector.Table, bool) {
	s.entered <- struct{}{}
	<-s.released
	return s.Pages.Table(query)
}

func TestAPI(t *testing.T) {
	t.Parallel()
	url := serve(t, withPages(t, true, exampleCluster()...)) + "/api/v1/"
	get := func(t *testing.T, path string, code int, into any) {
		t.Helper()
		got := ask(t, http.MethodGet, url+path)
		if got.code != code || got.header.Get("Content-Type") != "application/json" {
			t.Fatalf("answers %d, %s: %s", got.code, got.header.Get("Content-Type"), got.text)
		}
		if err := json.Unmarshal([]byte(got.text), into); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("coverage", func(t *testing.T) {
		t.Parallel()
		var got struct {
			collector.Document
			collector.Table
		}
		get(t, "coverage?reason=node_unreachable", http.StatusOK, &got)
		if got.APIVersion != collector.APIVersion || got.Kind != "Coverage" || got.Nodes != 3 || got.Matching != 1 ||
			len(got.Rows) != 1 || got.Rows[0].Node != "dead" || got.Rows[0].Cells[0].Reason != "node_unreachable" || !got.Rows[0].Cells[0].Since.Equal(objects.Noon) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("explain", func(t *testing.T) {
		t.Parallel()
		var got collector.ExplanationList
		get(t, "explain?daemonset=default/agent&node=tainted", http.StatusOK, &got)
		if got.Kind != "ExplanationList" || len(got.Items) != 1 || got.Items[0].Reason != "taint" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("docs/api.md names all fields of coverage", func(t *testing.T) {
		t.Parallel()
		page, err := os.ReadFile("../../docs/api.md")
		if err != nil {
			t.Fatal(err)
		}
		_, section, _ := strings.Cut(string(page), "\n## Coverage\n")
		for _, field := range regexp.MustCompile(`"([a-zA-Z]+)":`).FindAllStringSubmatch(ask(t, http.MethodGet, url+"coverage?all=1").text, -1) {
			if name := field[1]; name != "apiVersion" && name != "kind" && !strings.Contains(section, "`"+name+"`") {
				t.Errorf("it does not name %s", name)
			}
		}
	})
	for path, code := range map[string]int{
		"coverage?page=0": http.StatusBadRequest, "explain?node=dead": http.StatusBadRequest, "explain?daemonset=default/x&node=dead": http.StatusNotFound,
	} {
		t.Run("an error of "+path, func(t *testing.T) {
			t.Parallel()
			var got collector.Problem
			if get(t, path, code, &got); got.Kind != "Problem" || got.Error == "" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// largeCluster has so many nodes and 30 DaemonSets. One in a hundred pods crashes, one of
// the DaemonSets selects a tenth of the nodes.
func largeCluster(nodes int) []any {
	const daemonSets = 30
	var all []any
	for d := range daemonSets {
		name := fmt.Sprintf("agent-of-some-team-%02d", d)
		options := []objects.Option{objects.Created(-8000)}
		if d == 0 {
			options = append(options, objects.NodeSelector("gpu", "yes"))
		}
		all = append(all, objects.DaemonSet(name, options...))
	}
	for n := range nodes {
		name := fmt.Sprintf("ip-10-%d-%d-%d.eu-central-1.compute.internal", n/2500, n/50%50, n%50)
		options := []objects.Option{objects.Created(-9000), objects.Ready(-8990), objects.Label("topology.kubernetes.io/zone", fmt.Sprintf("eu-central-1%c", 'a'+n%3))}
		if n%10 == 0 {
			options = append(options, objects.Label("gpu", "yes"))
		}
		all = append(all, objects.Node(name, options...))
		for d := range daemonSets {
			if d == 0 && n%10 != 0 {
				continue
			}
			state := objects.Ready(-6990)
			if (n+37*d)%100 == 0 {
				state = objects.CrashLooping(-float64(n))
			}
			all = append(all, objects.PodOf(fmt.Sprintf("agent-of-some-team-%02d", d), name, objects.Created(-7000), state))
		}
	}
	return all
}

// maxPage is how large a page of the table may be.
const maxPage = 300_000

func TestPageSize(t *testing.T) {
	t.Parallel()
	url := serve(t, withPages(t, true, largeCluster(1000)...)) // more nodes make more pages
	for _, path := range []string{"/coverage", "/coverage?page=7", "/coverage?all=1", "/coverage?reason=crash_loop", "/coverage?reason=node_selector"} {
		got := ask(t, http.MethodGet, url+path)
		t.Logf("%s: %d bytes", path, len(got.text))
		if len(got.text) > maxPage || strings.Count(got.text, `<th scope="row">`) != 100 {
			t.Errorf("%s: %d bytes, %d rows", path, len(got.text), strings.Count(got.text, `<th scope="row">`))
		}
	}
}

func BenchmarkPage(b *testing.B) {
	url := serve(b, withPages(b, true, largeCluster(5000)...))
	for _, path := range []string{"/coverage", "/coverage?all=1", "/coverage?reason=node_selector"} {
		b.Run(path, func(b *testing.B) {
			size := 0
			for b.Loop() {
				size = len(ask(b, http.MethodGet, url+path).text)
			}
			b.ReportMetric(float64(size), "bytes")
			b.ReportMetric(float64(b.Elapsed()/time.Duration(b.N))/1e6, "ms/page")
		})
	}
}
