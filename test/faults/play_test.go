//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
	"github.com/daemonset-exporter/daemonset_exporter/test/faults/proxy"
)

// patience is how long all may take to be right again. The back-off waits for half a
// minute at most, and a connection without a byte is noticed after two.
const patience = 4 * time.Minute

// play is an exporter behind a proxy before a world.
type play struct {
	t        *testing.T
	world    world
	proxy    *proxy.Proxy
	exporter *exporter.Exporter
	// token is the file of the exporter's token.
	token string
	// served is what the exporter served last.
	served counts
	// scrapes is how many answers were compared with the truth.
	scrapes int
}

// outcome is what a fault has led to.
type outcome struct {
	// requests is how many were sent while the fault lasted.
	requests int
	// lists is how many of them asked for more than one object.
	lists int
	peak  int64
	// right is how long it took, from the end of the fault, until all was right.
	right   time.Duration
	scrapes int
}

func newPlay(t *testing.T, world world) *play {
	t.Helper()
	return &play{t: t, world: world, proxy: proxy.New(t, world.url())}
}

// start starts the exporter, which need not become ready.
func (p *play) start(args ...string) {
	p.t.Helper()
	kubeconfig := filepath.Join(p.t.TempDir(), "kubeconfig")
	p.token = filepath.Join(p.t.TempDir(), "token")
	writeFile(p.t, p.token, "first")
	writeFile(p.t, kubeconfig, fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: world,
clusters: [{name: world, cluster: {server: %q, insecure-skip-tls-verify: true}}], users: [{name: somebody, user: {tokenFile: %q}}],
contexts: [{name: world, context: {cluster: world, user: somebody}}]}`, p.proxy.URL(), p.token))
	started, err := exporter.Start(p.t.Context(), exporter.Config{
		Kubeconfig: kubeconfig, Log: &testLog{p.t},
		Args: append([]string{"--node.join-grace=0s", "--namespaces.node-selector=off"}, args...),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.exporter = started
	p.t.Cleanup(func() { _ = started.Kill() })
}

func writeFile(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// peak returns the maximum of the exporter's resident memory, in bytes.
func (p *play) peak() int64 {
	p.t.Helper()
	peak, err := peakOf(p.exporter.PID())
	if err != nil {
		p.t.Fatal(err)
	}
	return peak
}

// play plays a fault and returns what it has led to.
func (p *play) play(when when, set proxy.Fault, lasts time.Duration) outcome {
	p.t.Helper()
	if when == atStart {
		p.proxy.Set(set)
		p.start()
	} else {
		p.start()
		p.awaitTruth()
		p.proxy.Set(set)
	}
	before := 0
	if when == later {
		before = len(p.proxy.Requests())
		p.proxy.Break()
	}
	p.observe(lasts)
	sent := p.watching(p.proxy.Requests()[before:])
	p.proxy.Set(nil)
	lifted := time.Now()
	p.awaitTruth()
	got := outcome{requests: len(sent), right: time.Since(lifted), scrapes: p.scrapes}
	for _, request := range sent {
		if !request.Watch && request.Query.Get("limit") != "1" {
			got.lists++
		}
	}
	got.peak = p.peak()
	return got
}

// watching returns those of some requests that are for what is watched.
func (p *play) watching(requests []proxy.Request) []proxy.Request {
	return slices.DeleteFunc(requests, func(r proxy.Request) bool {
		return !slices.Contains([]string{"nodes", "pods", "daemonsets"}, r.Resource)
	})
}

// observe compares what is served with the truth, while the world changes.
func (p *play) observe(lasts time.Duration) {
	p.t.Helper()
	over, tick := time.NewTimer(lasts), time.NewTicker(250*time.Millisecond)
	defer over.Stop()
	defer tick.Stop()
	for {
		select {
		case <-over.C:
			return
		case <-tick.C:
			p.world.change()
			if _, err := p.compare(p.t.Context()); err != nil {
				p.t.Error(err)
			}
		}
	}
}

// awaitTruth waits until what is served is the truth, and checks all that is served
// until then.
func (p *play) awaitTruth() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		right, err := p.compare(ctx)
		if err != nil {
			p.t.Fatal(err)
		}
		if right {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			p.t.Fatalf("it serves %+v after %s, want %+v", p.served, patience, p.world.truth())
		}
	}
}

// errFalse is returned for what was never true.
var errFalse = errors.New("false")

// compare scrapes, and returns an error if that says what was never true: another number
// of expected nodes, or of covered nodes than there were at some time since the last
// scrape. In the worlds that change, pods fail and do not come back. It reports whether
// the present is served.
func (p *play) compare(ctx context.Context) (right bool, err error) {
	samples, err := p.exporter.Scrape(ctx)
	if err != nil {
		return false, err
	}
	truth, got := p.world.truth(), countsOf(samples)
	if len(samples.Select("daemonset_expected_nodes", nil)) == 0 {
		return false, nil // nothing is served before all is known
	}
	p.scrapes++
	if got.expected != truth.expected || got.covered < truth.covered || p.served.expected > 0 && got.covered > p.served.covered {
		return false, fmt.Errorf("%w: it serves %+v after %+v, and the truth is %+v", errFalse, got, p.served, truth)
	}
	p.served = got
	fresh := samples.Sum("daemonset_exporter_informer_fresh", nil) == 3
	return fresh && got == p.world.truth(), nil
}

// peakOf returns the maximum of resident memory of a process, in bytes.
func peakOf(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kibibytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kibibytes << 10, err
		}
	}
	return 0, errors.New("no VmHWM")
}

// testLog passes lines on to the test's log.
type testLog struct{ t *testing.T }

func (l *testLog) Write(line []byte) (int, error) {
	if l.t.Context().Err() == nil {
		l.t.Log(strings.TrimSpace(string(line)))
	}
	return len(line), nil
}
