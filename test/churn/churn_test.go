package churn

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/churn"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

var long = flag.Bool("long", false, "Ten times the nodes, twice the DaemonSets, and more hours.")

// handler gives the API server what happens, without the time in between.
type handler struct {
	t      *testing.T
	server *apiserver.Server
}

// Set implements churn.Handler.
func (h handler) Set(_ float64, object metav1.Object) { h.server.Put(h.typed(object)) }

// Delete implements churn.Handler.
func (h handler) Delete(_ float64, object metav1.Object) { h.server.Delete(h.typed(object)) }

func (h handler) typed(object metav1.Object) apiserver.Object {
	typed, ok := object.(apiserver.Object)
	check.Require(h.t, ok, "%T is no object of the API", object)
	return typed
}

// An hour in which all pods, a tenth of the nodes and some namespaces were replaced leaves
// nothing in the process: no memory, no goroutine, no series. Timers are looked at by
// TestChurn of package collector.
func TestChurn(t *testing.T) {
	nodes, daemonSets, hours := 200, 5, 3
	if *long {
		nodes, daemonSets, hours = 3000, 10, 5
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	server := apiserver.New(t)
	cluster := churn.New(nodes, daemonSets, handler{t, server})
	p := start(ctx, t, server)
	hour := func() {
		cluster.Hour()
		p.catchUp(ctx, nodes, daemonSets)
	}
	hour() // most of what is born with the first event of its kind is there from now on
	hour()
	before := p.held(ctx)
	growing := before.series // the metrics whose number of series has grown in each hour
	last := before
	for range hours {
		hour()
		var after held
		p.await(ctx, func() error {
			after = p.held(ctx)
			switch {
			case float64(after.heap) > 1.05*float64(before.heap)+noise:
				return fmt.Errorf("the heap grew from %d to %d bytes", before.heap, after.heap)
			case after.goroutines > before.goroutines:
				return fmt.Errorf("goroutines: %d, before %d", after.goroutines, before.goroutines)
			}
			return nil
		})
		t.Logf("after an hour: %+v", after)
		still := map[string]int{}
		for name, number := range after.series {
			if _, grew := growing[name]; grew && number > last.series[name] {
				still[name] = number
			}
		}
		growing, last = still, after
	}
	t.Logf("before: %+v", before)
	// What is born with the first event of its kind may be born late, and once.
	check.That(t, len(growing) == 0, "metrics with more series after each hour: %v", growing)
}

// noise is memory that comes and goes: buckets of histograms that no duration fell into
// before, buffers of the responses of this test.
const noise = 1 << 20

// process is a running exporter, and its API server.
type process struct {
	*exporter.Exporter
	t      *testing.T
	server *apiserver.Server
}

func start(ctx context.Context, t *testing.T, server *apiserver.Server) process {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	check.NoError(t, os.WriteFile(kubeconfig, fmt.Appendf(nil, `{apiVersion: v1, kind: Config, current-context: world,
		contexts: [{name: world, context: {cluster: world}}], clusters: [{name: world, cluster: {server: %q}}]}`, server.URL()), 0o600))
	started := check.Must(exporter.Start(ctx, exporter.Config{
		Kubeconfig: kubeconfig,
		// Graces that are over at once: here an hour passes in seconds.
		Args: []string{"--web.enable-pprof", "--node.join-grace=1s", "--node.startup-grace=1s"},
	}))(t)
	t.Cleanup(func() { check.NoError(t, started.Stop()) })
	return process{started, t, server}
}

// await tries until there is no error.
func (p process) await(ctx context.Context, try func() error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			p.t.Fatal(err)
		}
	}
}

// catchUp waits until the exporter has seen all that has happened: a last object of each
// resource that comes and goes.
func (p process) catchUp(ctx context.Context, nodes, daemonSets int) {
	p.t.Helper()
	last := []apiserver.Object{
		objects.Node("last"), objects.Pod("last", objects.On("nowhere")),
		objects.DaemonSet("last", objects.NodeSelector("there", "is no such node")),
	}
	known := func(more int) func() error {
		return func() error {
			samples, err := p.Scrape(ctx)
			if err != nil {
				return err
			}
			for resource, want := range map[string]int{"nodes": nodes, "daemonsets": daemonSets, "pods": nodes * daemonSets} {
				got := samples.Sum("daemonset_exporter_informer_objects", exporter.Labels{"resource": resource})
				if int(got) != want+more {
					return fmt.Errorf("%v %s are known, there are %d", got, resource, want+more)
				}
			}
			return nil
		}
	}
	p.server.Put(last...)
	p.await(ctx, known(1))
	p.server.Delete(last...)
	p.await(ctx, known(0))
}

// held is what the process holds.
type held struct {
	heap, goroutines int
	series           map[string]int
}

// held returns what the process holds after its garbage was collected.
func (p process) held(ctx context.Context) held {
	p.t.Helper()
	p.get(ctx, "/debug/pprof/heap?gc=1") // what package unique holds goes with the second collection
	heap := p.number(p.get(ctx, "/debug/pprof/heap?gc=1&debug=1"), `# HeapAlloc = (\d+)`)
	goroutines := p.number(p.get(ctx, "/debug/pprof/goroutine?debug=1"), `goroutine profile: total (\d+)`)
	return held{heap, goroutines, seriesIn(p.get(ctx, "/metrics"))}
}

func (p process) get(ctx context.Context, path string) string {
	p.t.Helper()
	status, body, err := p.Get(ctx, path)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: HTTP %d: %s", path, status, body)
	}
	check.NoError(p.t, err)
	return body
}

func (p process) number(text, pattern string) int {
	p.t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	check.Require(p.t, found != nil, "no %s in %s", pattern, text)
	return check.Must(strconv.Atoi(found[1]))(p.t)
}

// seriesIn returns how many series there are of each metric of ours, by name: a series
// of a node may be that of another node an hour before.
func seriesIn(text string) map[string]int {
	found := map[string]int{}
	for line := range strings.Lines(text) {
		if end := strings.IndexAny(line, "{ "); strings.HasPrefix(line, "daemonset_") {
			found[line[:end]]++
		}
	}
	return found
}
