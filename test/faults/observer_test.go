//go:build linux

package faults

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// observer scrapes an exporter all the time and compares with what may be true.
type observer struct {
	f        *controlPlane
	exporter *exporter.Exporter
	count    atomic.Int64

	mu sync.Mutex
	// from and to are the numbers before and after what happens. Meanwhile some of the
	// expected nodes may not be covered yet, or no more.
	from, to counts
	last     exporter.Samples
	// settled is set when the numbers are those after it, and must stay so.
	settled bool
	// false is the last of what cannot be true.
	false string
	// right is how long the last await took.
	right time.Duration
}

// watch starts an exporter and observes it until the test ends.
func (f *controlPlane) watch(kubeconfig string) *observer {
	f.t.Helper()
	started := check.Must(exporter.Start(f.t.Context(), exporter.Config{
		Kubeconfig: kubeconfig, Log: &testLog{f.t},
		Args: []string{"--node.join-grace=0s", "--namespaces.node-selector=off"},
	}))(f.t)
	o := &observer{f: f, exporter: started} // it compares from begin on
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { o.run(ctx) })
	f.t.Cleanup(func() {
		cancel()
		running.Wait()
		_ = started.Kill()
	})
	return o
}

func (o *observer) run(ctx context.Context) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		samples, err := o.exporter.Scrape(ctx)
		if ctx.Err() != nil {
			return
		}
		o.compare(samples, err)
	}
}

// compare notes what a scrape has that cannot be true.
func (o *observer) compare(samples exporter.Samples, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = samples
	if err != nil {
		o.false = err.Error()
		return
	}
	if o.to == (counts{}) || len(samples.Select("daemonset_expected_nodes", nil)) == 0 {
		return
	}
	o.count.Add(1)
	got := countsOf(samples)
	within := (got.expected == o.from.expected || got.expected == o.to.expected) && got.covered <= got.expected && got.covered >= min(o.from.covered, o.to.covered)
	if !within || o.settled && got != o.to {
		o.false = fmt.Sprintf("it serves %+v between %+v and %+v (settled: %t)", got, o.from, o.to, o.settled)
	}
}

// begin says between which numbers the truth is from now on.
func (o *observer) begin(from, to counts) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from, o.to, o.settled = from, to, false
	o.count.Store(0)
}

// rest ends the comparison until begin, and forgets what was false.
func (o *observer) rest() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from, o.to, o.settled, o.false = counts{}, counts{}, false, ""
}

// await waits until an exporter that is fresh serves these numbers.
func (o *observer) await(want counts) {
	o.f.t.Helper()
	start := time.Now()
	async.Within(o.f.t, patience, 20*time.Millisecond, fmt.Sprintf("the exporter to serve %+v", want), func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.last != nil && o.last.Sum("daemonset_exporter_informer_fresh", nil) == sources && countsOf(o.last) == want
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.right = time.Since(start)
	if o.to == (counts{}) {
		return
	}
	o.from, o.to, o.settled = want, want, true
}

// holds waits for more scrapes.
func (o *observer) holds() {
	o.f.t.Helper()
	until := o.count.Load() + 40
	async.Within(o.f.t, patience, 20*time.Millisecond, "40 scrapes", func() bool { return o.count.Load() >= until })
}

func (o *observer) falsehood() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.false
}

func (o *observer) scrapes() int { return int(o.count.Load()) }

// failures returns how many requests failed for a reason.
func (o *observer) failures(reason string) float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last.Sum("daemonset_exporter_informer_watch_errors_total", exporter.Labels{"reason": reason})
}
