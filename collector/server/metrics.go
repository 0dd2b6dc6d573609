package server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/prometheus/client_golang/prometheus/promhttp/zstd" // offers this compression
	dto "github.com/prometheus/client_model/go"
)

// metricsHandler returns the handler of the telemetry path. It serves any format
// and compression that the client accepts, and only some metrics if the client names
// them with name[]. Scrapes that come together share one gathering. If some metrics
// cannot be gathered it serves none, and the error with the status 500: half of them
// would look like health.
func metricsHandler(config Config) (http.Handler, error) {
	gatherer, err := gathererOf(config)
	if err != nil {
		return nil, err
	}
	return buffered(promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{
		ErrorLog:            &errorLog{logger: config.Logger},
		ErrorHandling:       promhttp.PanicOnError, // see buffered: it can still answer 500,
		MaxRequestsInFlight: maxScrapes,
		CoalesceGather:      true,
		EnableOpenMetrics:   true,
	})), nil
}

// gathererOf returns a gatherer of the exporter's metrics and those of the Go runtime
// and the process. A registry checks what a collector describes; a collector that is a
// gatherer itself need not be checked and sorted at each scrape, and logs its errors.
func gathererOf(config Config) (prometheus.Gatherer, error) {
	checked, process := prometheus.NewRegistry(), prometheus.NewRegistry()
	for _, registry := range []*prometheus.Registry{checked, process} {
		for _, collector := range []prometheus.Collector{
			collectors.NewGoCollector(),
			collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		} {
			registry.MustRegister(collector) // they do not contradict each other
		}
	}
	if err := checked.Register(config.Collector); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	if own, ok := config.Collector.(prometheus.Gatherer); ok {
		return disjoint{own, &logged{gatherer: process, logger: config.Logger}}, nil
	}
	return disjoint{&logged{gatherer: checked, logger: config.Logger}}, nil
}

// logged is a gatherer that logs its error: the first of gatherings that fail in the same
// way, not each scrape.
type logged struct {
	gatherer prometheus.Gatherer
	logger   log.Logger

	mu      sync.Mutex
	failing string
}

// Gather implements prometheus.Gatherer.
func (l *logged) Gather() ([]*dto.MetricFamily, error) {
	families, err := l.gatherer.Gather()
	failing := ""
	if err != nil {
		failing = err.Error()
	}
	l.mu.Lock()
	changed := failing != l.failing
	l.failing = failing
	l.mu.Unlock()
	if err != nil && changed {
		level.Error(l.logger).Log("msg", "Scrape failed, and no metrics were returned (logged once)", "err", err)
	}
	return families, err
}

// reported is an error that has been logged where it happened.
type reported struct{ error }

// Unwrap returns the error.
func (r reported) Unwrap() error { return r.error }

// disjoint gathers from gatherers that have no family in common.
type disjoint []prometheus.Gatherer

// Gather implements prometheus.Gatherer.
func (d disjoint) Gather() ([]*dto.MetricFamily, error) {
	var all []*dto.MetricFamily
	var failures []error
	for _, gatherer := range d {
		families, err := gatherer.Gather()
		all, failures = append(all, families...), append(failures, err)
	}
	slices.SortFunc(all, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	if err := errors.Join(failures...); err != nil {
		return nil, reported{err}
	}
	return all, nil
}

// errorLog adapts the logger to promhttp. It logs the first of errors of one text, and
// none that gathering has logged.
type errorLog struct {
	logger log.Logger

	mu   sync.Mutex
	last string
}

// Println implements promhttp.Logger.
func (l *errorLog) Println(values ...any) {
	for _, value := range values {
		if err, ok := value.(error); ok && errors.As(err, new(reported)) {
			return
		}
	}
	text := strings.TrimSpace(fmt.Sprintln(values...))
	l.mu.Lock()
	changed := text != l.last
	l.last = text
	l.mu.Unlock()
	if changed {
		level.Error(l.logger).Log("msg", "Failed to write metrics (logged once)", "err", text)
	}
}
