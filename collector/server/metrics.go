package server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

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
	gatherer, err := gathererOf(config.Collector)
	if err != nil {
		return nil, err
	}
	return buffered(promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{
		ErrorLog:            errorLog{config.Logger},
		ErrorHandling:       promhttp.HTTPErrorOnError,
		MaxRequestsInFlight: maxScrapes,
		CoalesceGather:      true,
		EnableOpenMetrics:   true,
	})), nil
}

// gathererOf returns a gatherer of the exporter's metrics and those of the Go runtime
// and the process. A registry checks what a collector describes; a collector that is a
// gatherer itself need not be checked and sorted at each scrape.
func gathererOf(exporter prometheus.Collector) (prometheus.Gatherer, error) {
	checked, process := prometheus.NewRegistry(), prometheus.NewRegistry()
	for _, registry := range []*prometheus.Registry{checked, process} {
		for _, collector := range []prometheus.Collector{
			collectors.NewGoCollector(),
			collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		} {
			registry.MustRegister(collector) // they do not contradict each other
		}
	}
	if err := checked.Register(exporter); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	if own, ok := exporter.(prometheus.Gatherer); ok {
		return disjoint{own, process}, nil
	}
	return checked, nil
}

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
	return all, errors.Join(failures...)
}

// errorLog adapts the logger to promhttp. The client gets the errors too, and what
// gathers the metrics logs them once and not at each scrape.
type errorLog struct{ logger log.Logger }

// Println implements promhttp.Logger.
func (l errorLog) Println(values ...any) {
	level.Debug(l.logger).Log("msg", "Failed to serve metrics", "err", strings.TrimSpace(fmt.Sprintln(values...)))
}
