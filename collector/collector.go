package collector

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Config is what a Collector needs.
type Config struct {
	Clock  clock.Clock
	Logger log.Logger
	// Health returns how the watches are doing.
	Health func() []informers.ResourceHealth
	// LeaseRenewTime reads a node's last sign of life; nil leaves detection
	// times out.
	LeaseRenewTime LeaseRenewTime
	// NewestRevisions reads the current revisions of a namespace's DaemonSets; nil
	// leaves them to inference.
	NewestRevisions NewestRevisions
	// NamespaceSelectors reads the node selectors of namespaces; nil where they are no
	// part of placement.
	NamespaceSelectors NamespaceSelectors
	// MaxGapSeries caps the series that there is one of for each open gap.
	MaxGapSeries int
	// JoinGrace is how long a new node counts as joining.
	JoinGrace time.Duration
	// StartupGrace is how long a node with a startup taint counts as joining, from its
	// creation.
	StartupGrace time.Duration
	// LeavingTaints announce a node's end, StartupTaints and ConditionTaints say how it
	// is, beside those that are known. A key that ends in "*" stands for a prefix.
	LeavingTaints, StartupTaints, ConditionTaints []string
	// NodeLabels become labels of the metrics that have the label zone.
	NodeLabels []NodeLabel
}

// The defaults of the flags.
const (
	DefaultMaxGapSeries = 10_000
	// The graces of a new node.
	DefaultJoinGrace    = 5 * time.Minute
	DefaultStartupGrace = 15 * time.Minute
)

// Collector collects the metrics of all DaemonSets and nodes. It implements prometheus.Collector,
// prometheus.Gatherer and informers.Handler.
type Collector struct {
	config  Config
	rules   readiness.Rules
	metrics *metrics
	build   prometheus.Collector
	// buildInfo is what build collects, which never changes.
	buildInfo []*dto.MetricFamily
	// wake wakes Run for a timer that is due before all others.
	wake chan struct{}
	// silenced are the nodes whose Lease is to be read; nil if none is.
	silenced *leaseQueue
	// revisions are the DaemonSets whose current revision is to be read; nil if none is.
	revisions *revisionQueue
	// reading is done when Run has ended: nobody waits for a selector then.
	reading     context.Context
	stopReading context.CancelFunc
	// selectorsFailed tells Run that the selector of a namespace could not be read.
	selectorsFailed chan struct{}

	mu       sync.Mutex
	cluster  *state.Cluster
	recorder *recorder
	// selectorsFailing reports whether the last reading of selectors failed.
	selectorsFailing bool
	// sizes is how many series each row had at the last scrape.
	sizes []int
	// scrapeFailures counts the scrapes that failed, scrapeFailing is how the last one did.
	scrapeFailures int
	scrapeFailing  string
	// wakeAt is when Run wakes up next; the zero time for never.
	wakeAt time.Time
}

var (
	_ prometheus.Collector = (*Collector)(nil)
	_ prometheus.Gatherer  = (*Collector)(nil)
	_ informers.Handler    = (*Collector)(nil)
)

// New returns a Collector. It fails if a node label cannot become a label of
// metrics.
func New(config Config) (*Collector, error) {
	if err := CheckNodeLabels(config.NodeLabels); err != nil {
		return nil, fmt.Errorf("node labels: %w", err)
	}
	keys := []string{zoneLabel().Node}
	for _, label := range config.NodeLabels {
		keys = append(keys, label.Node)
	}
	var silenced *leaseQueue
	if config.LeaseRenewTime != nil {
		silenced = newLeaseQueue()
	}
	var revisions *revisionQueue
	if config.NewestRevisions != nil {
		revisions = newRevisionQueue()
	}
	metrics := newMetrics(config.NodeLabels)
	recorder := newRecorder(metrics, silenced, revisions)
	rules := readiness.Rules{
		JoinGrace:    config.JoinGrace,
		StartupGrace: config.StartupGrace,
		Taints: readiness.TaintRules{
			Condition: slices.Clone(config.ConditionTaints),
			Startup:   slices.Clone(config.StartupTaints),
			Leaving:   slices.Clone(config.LeavingTaints),
		},
	}
	cluster := state.New(rules, recorder, keys...)
	cluster.LimitGaps(config.MaxGapSeries)
	build := versioncollector.NewCollector("daemonset_exporter")
	registry := prometheus.NewRegistry()
	if err := registry.Register(build); err != nil {
		return nil, fmt.Errorf("registering the build information: %w", err)
	}
	buildInfo, err := registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gathering the build information: %w", err)
	}
	reading, stopReading := context.WithCancel(context.Background())
	return &Collector{
		config:          config,
		rules:           rules,
		metrics:         metrics,
		build:           build,
		buildInfo:       buildInfo,
		wake:            make(chan struct{}, 1),
		silenced:        silenced,
		revisions:       revisions,
		reading:         reading,
		stopReading:     stopReading,
		selectorsFailed: make(chan struct{}, 1),
		cluster:         cluster,
		recorder:        recorder,
	}, nil
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	c.build.Describe(descs)
	for _, row := range c.metrics.rows {
		descs <- row.desc
	}
}

// Collect implements prometheus.Collector. Until all informers have synced it sends
// only the exporter's own metrics. If the scrape fails it sends that error alone.
func (c *Collector) Collect(sink chan<- prometheus.Metric) {
	scrape, err := c.read()
	if err != nil {
		sink <- prometheus.NewInvalidMetric(c.metrics.scrapeFailures.desc, err)
		return
	}
	c.build.Collect(sink)
	for i, row := range c.metrics.rows {
		for _, series := range scrape.series[i] {
			sink <- sample{row.desc, series}
		}
	}
}

// Gather implements prometheus.Gatherer: what a Registry would return for Collect, but
// for the order within a family, with fewer allocations. It returns an error and no
// metrics if it cannot return all: half of them would look like health.
func (c *Collector) Gather() ([]*dto.MetricFamily, error) {
	scrape, err := c.read()
	if err != nil {
		return nil, err
	}
	families := append(scrape.families(), c.buildInfo...)
	sortFamilies(families)
	return families, nil
}

// read returns all metrics of one scrape, or why it failed. Everything is read in one
// lock window, so that no two metrics contradict each other.
func (c *Collector) read() (result *scrape, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	part := ""
	defer func() {
		if failure := recover(); failure != nil {
			result, err = nil, c.scrapeFailed(part, failure)
		}
	}()
	scrape := newScrape(&c.metrics.table)
	if c.sizes != nil {
		scrape.sizes = c.sizes
	}
	for _, next := range []struct {
		name string
		read func(emit)
	}{
		{"exporter", c.emitExporter},
		{"coverage", c.emitCoverage},
		{"nodes", c.emitNodes},
		{"rescheduling", c.emitRescheduling},
	} {
		part = next.name
		begun := c.config.Clock.Now()
		next.read(scrape.add)
		scrape.add(c.metrics.collectorDuration, c.config.Clock.Since(begun).Seconds(), part)
	}
	part = "counters"
	c.recorder.collect(scrape, c.cluster.Started())
	c.sizes, c.scrapeFailing = scrape.lengths(), ""
	return scrape, nil
}

// scrapeFailed counts a scrape whose part has panicked and returns the error. It logs the
// first of scrapes that fail in the same way.
func (c *Collector) scrapeFailed(part string, failure any) error {
	c.scrapeFailures++
	err := fmt.Errorf("collecting part %q of the metrics: %v (the log of the exporter has the details)", part, failure)
	if c.scrapeFailing != err.Error() {
		level.Error(c.config.Logger).Log("msg", "Scrape failed, and no metrics were returned: this is a bug. "+
			"Please report this line, and restart the exporter if all scrapes fail", "part", part, "err", failure, "stack", debug.Stack())
	}
	c.scrapeFailing = err.Error()
	return err
}

// Node implements informers.Handler.
func (c *Collector) Node(old, new *slim.Node) {
	c.handle(func(now time.Time) {
		if new == nil {
			c.cluster.DeleteNode(old, now)
		} else {
			c.cluster.SetNode(new, now)
		}
	})
}

// Pod implements informers.Handler.
func (c *Collector) Pod(old, new *slim.Pod) {
	c.handle(func(now time.Time) {
		if new == nil {
			c.cluster.DeletePod(old, now)
		} else {
			c.cluster.SetPod(old, new, now)
		}
	})
}

// DaemonSet implements informers.Handler.
func (c *Collector) DaemonSet(old, new *slim.DaemonSet) {
	if old == nil && new != nil {
		c.awaitSelector(new.Namespace.Value())
	}
	c.handle(func(now time.Time) {
		if new == nil {
			c.cluster.DeleteDaemonSet(old, now)
		} else {
			c.cluster.SetDaemonSet(new, now)
		}
	})
}

// Synced implements informers.Handler.
func (c *Collector) Synced() { c.handle(c.cluster.Start) }

// Complete reports whether nothing is missing of what Run reads on demand and metrics
// depend on: each revision has been read, or at least asked for, and the selectors of
// namespaces were read. An exporter need not wait for it, who asks once must.
func (c *Collector) Complete() bool {
	if c.revisions != nil && c.revisions.untried() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.selectorsFailing
}

// handle applies an event and wakes Run if that set an earlier timer.
func (c *Collector) handle(event func(now time.Time)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	event(c.config.Clock.Now())
	if next := c.cluster.NextWake(); !next.IsZero() && (c.wakeAt.IsZero() || next.Before(c.wakeAt)) {
		select {
		case c.wake <- struct{}{}:
		default: // Run will wake anyway
		}
	}
}

// Run makes the changes that time alone makes and reads the Leases of nodes that
// turn unreachable, the current revisions of DaemonSets and the selectors of
// namespaces, until ctx is done.
func (c *Collector) Run(ctx context.Context) {
	defer c.stopReading()
	var running sync.WaitGroup
	defer running.Wait()
	if c.silenced != nil {
		running.Go(func() { c.readLeases(ctx) })
	}
	if c.revisions != nil {
		running.Go(func() { c.readRevisions(ctx) })
	}
	if c.config.NamespaceSelectors != nil {
		running.Go(func() { c.readSelectors(ctx) })
	}
	for {
		wait := c.advance()
		if wait == 0 && ctx.Err() == nil {
			continue // events and scrapes had their turn
		}
		timer := c.config.Clock.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-c.wake:
			timer.Stop()
		case <-timer.C():
		}
	}
}

// advance makes changes that are due by now and returns how long to sleep: not at all
// where more are due.
func (c *Collector) advance() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.config.Clock.Now()
	c.cluster.Advance(now)
	c.wakeAt = c.cluster.NextWake()
	if c.wakeAt.IsZero() {
		return maxSleep
	}
	return max(0, min(c.wakeAt.Sub(now), maxSleep))
}

// maxSleep bounds how long Run sleeps, so that a clock which was set cannot
// leave a timer behind for long.
const maxSleep = time.Minute
