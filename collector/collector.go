// Package collector turns what the informers see into metrics. It is the only
// package that knows Prometheus.
//
// Events come in through the methods of informers.Handler and go to the ledger
// of package coverage; a scrape reads the ledger's sums and open gaps. One lock
// guards both, and is held for the time of an event or of reading a scrape's
// values, never while they are sent. Changes that time alone makes come from
// the ledger's timers, which Run serves.
package collector

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Config is what a Collector needs.
type Config struct {
	Clock  clock.Clock
	Logger log.Logger
	// Health tells how the watching goes.
	Health func() []informers.ResourceHealth
	// LeaseRenewTime reads a node's last sign of life; nil leaves detection
	// times out.
	LeaseRenewTime LeaseRenewTime
	// MaxGapSeries caps the series that there is one of for each open gap.
	MaxGapSeries int
	// JoinGrace is how long a new node counts as joining.
	JoinGrace time.Duration
	// LeavingTaints announce a node's end, beside those that are known.
	LeavingTaints []string
	// NodeLabels become labels of the metrics that have the label zone.
	NodeLabels []NodeLabel
}

// Collector is the custom Collector. It implements prometheus.Collector and
// informers.Handler.
type Collector struct {
	config  Config
	metrics *metrics
	build   prometheus.Collector
	// kick tells Run that a timer has been set that is due before all others.
	kick chan struct{}
	// failures are the nodes whose Lease is to be read.
	failures chan failure

	mu      sync.Mutex
	ledger  *coverage.Ledger
	history *history
	// alarm is when Run wakes up next; the zero time for never.
	alarm time.Time
}

var (
	_ prometheus.Collector = (*Collector)(nil)
	_ informers.Handler    = (*Collector)(nil)
)

// New makes a Collector. It fails if a node label cannot become a label of
// metrics.
func New(config Config) (*Collector, error) {
	if err := CheckNodeLabels(config.NodeLabels); err != nil {
		return nil, fmt.Errorf("node labels: %w", err)
	}
	keys := []string{zoneLabel().Node}
	for _, label := range config.NodeLabels {
		keys = append(keys, label.Node)
	}
	rules := readiness.Rules{JoinGrace: config.JoinGrace, LeavingTaints: slices.Clone(config.LeavingTaints)}
	c := &Collector{
		config:   config,
		metrics:  newMetrics(config.NodeLabels),
		build:    versioncollector.NewCollector("daemonset_exporter"),
		kick:     make(chan struct{}, 1),
		failures: make(chan failure, maxFailures),
		ledger:   coverage.NewLedger(rules, keys...),
	}
	c.history = newHistory(c.metrics)
	c.history.terminating = rescheduling.NewTerminations(c.history, c.ledger)
	c.history.unreachable = c.noteUnreachable
	c.ledger.Observe(c.history)
	return c, nil
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	c.build.Describe(descs)
	for _, row := range c.metrics.rows {
		descs <- row.desc
	}
}

// Collect implements prometheus.Collector. Before all informers have synced it
// gives the exporter's own metrics only.
func (c *Collector) Collect(sink chan<- prometheus.Metric) {
	c.build.Collect(sink)
	shared := pairs{}
	for _, part := range []struct {
		name string
		read func(emit)
	}{
		{"coverage", c.readCoverage},
		{"nodes", c.readNodes},
		{"rescheduling", c.readRescheduling},
		{"exporter", c.readExporter},
	} {
		for _, metric := range c.run(part.name, part.read, shared) {
			sink <- metric
		}
	}
	if c.running() {
		c.history.collect(sink)
	}
	c.history.clockSkew.Collect(sink)
}

func (c *Collector) running() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ledger.Running()
}

// emit takes one sample.
type emit func(metric *Metric, value float64, labels ...string)

// run reads one part of a scrape, and says how long that took and whether it
// succeeded. A part that fails gives nothing and leaves the others alone.
func (c *Collector) run(part string, read func(emit), shared pairs) (samples []prometheus.Metric) {
	begun := c.config.Clock.Now()
	success := 1.0
	func() {
		defer func() {
			if failure := recover(); failure != nil {
				level.Error(c.config.Logger).Log("msg", "a part of the scrape failed; please report this", "part", part, "err", failure)
				samples, success = nil, 0
			}
		}()
		read(func(metric *Metric, value float64, labels ...string) {
			samples = append(samples, metric.with(shared, value, labels...))
		})
	}()
	return append(samples,
		c.metrics.collectorSuccess.with(shared, success, part),
		c.metrics.collectorDuration.with(shared, c.config.Clock.Since(begun).Seconds(), part))
}

// Node implements informers.Handler.
func (c *Collector) Node(old, new *slim.Node) {
	c.handle(func(now time.Time) {
		switch {
		case new == nil:
			c.ledger.DeleteNode(old, now)
			c.history.terminating.NodeChanged(old.NameText, now)
		case old != nil && old.Same(new):
			c.ledger.SetNode(new, now) // a heartbeat
		default:
			c.ledger.SetNode(new, now)
			c.history.terminating.NodeChanged(new.NameText, now)
		}
	})
}

// Pod implements informers.Handler.
func (c *Collector) Pod(old, new *slim.Pod) {
	c.handle(func(now time.Time) {
		if new == nil {
			c.ledger.DeletePod(old, now)
			c.history.terminating.DeletePod(old, now)
		} else {
			c.ledger.SetPod(old, new, now)
			c.history.terminating.SetPod(old, new, now)
		}
	})
}

// DaemonSet implements informers.Handler.
func (c *Collector) DaemonSet(old, new *slim.DaemonSet) {
	c.handle(func(now time.Time) {
		if new == nil {
			c.ledger.DeleteDaemonSet(old, now)
			return
		}
		c.ledger.SetDaemonSet(new, now)
		if old == nil {
			c.history.prepare(new)
		}
	})
}

// Synced implements informers.Handler.
func (c *Collector) Synced() {
	c.handle(func(now time.Time) {
		c.ledger.Start(now)
		c.history.terminating.Start(now)
	})
}

// handle applies an event and wakes Run if that set an earlier timer.
func (c *Collector) handle(event func(now time.Time)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	event(c.config.Clock.Now())
	if next := c.ledger.NextWake(); !next.IsZero() && (c.alarm.IsZero() || next.Before(c.alarm)) {
		select {
		case c.kick <- struct{}{}:
		default: // Run has been told already
		}
	}
}

// Run makes the changes that time alone makes and reads the Leases of nodes that
// turn unreachable, until ctx is done.
func (c *Collector) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { c.detect(ctx) })
	for {
		now := c.config.Clock.Now()
		c.mu.Lock()
		c.ledger.Advance(now)
		c.alarm = c.ledger.NextWake()
		wait := c.alarm.Sub(now)
		idle := c.alarm.IsZero()
		c.mu.Unlock()
		if idle {
			wait = longest
		}
		timer := c.config.Clock.NewTimer(max(0, min(wait, longest)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-c.kick:
			timer.Stop()
		case <-timer.C():
		}
	}
}

// longest bounds how long Run sleeps, so that a clock which was set cannot
// leave a timer behind for long.
const longest = time.Minute
