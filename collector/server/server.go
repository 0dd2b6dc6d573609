// Package server puts the collector on HTTP: the telemetry path, health and
// readiness, a landing page, and profiles where they are asked for. It knows
// paths, formats and limits; listening, TLS and authentication are
// exporter-toolkit's.
package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
)

// The paths beside the telemetry path.
const (
	HealthyPath = "/-/healthy"
	ReadyPath   = "/-/ready"
	pprofPath   = "/debug/pprof/"
)

// Limits of the HTTP server. A client that is slower than this is broken or
// means harm; a scrape takes milliseconds.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	// writeTimeout leaves room for a CPU profile of a minute, which the landing
	// page links to.
	writeTimeout   = 2 * time.Minute
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
	// shutdownTimeout is how long scrapes that have begun may take to end.
	shutdownTimeout = 3 * time.Second
	// maxScrapes at once: two Prometheis and somebody who looks.
	maxScrapes = 10
)

// Config is what is served.
type Config struct {
	// Collector gives the exporter's metrics. Those of the Go runtime and of the
	// process are added.
	Collector prometheus.Collector
	// TelemetryPath is where the metrics are.
	TelemetryPath string
	// Health and Synced tell what readiness still waits for.
	Health func() []informers.ResourceHealth
	Synced func() bool
	// Profiling serves profiles of the Go runtime.
	Profiling bool
	// Version is shown on the landing page.
	Version string
	// Listen serves until the server is shut down, where and with what TLS and
	// authentication the flags say.
	Listen func(*http.Server) error
	// Logger is told what goes wrong while metrics are gathered and sent.
	Logger log.Logger
}

// Server serves what the exporter has to say. It runs once.
type Server struct {
	http   *http.Server
	config Config
}

// NewServer makes the server. It fails if the telemetry path cannot be served or
// metrics contradict each other. It does not listen yet.
func NewServer(config Config) (*Server, error) {
	handler, err := newHandler(config)
	if err != nil {
		return nil, err
	}
	return &Server{config: config, http: &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
	}}, nil
}

// Run serves until ctx is done, and lets scrapes that have begun end. It fails
// if it cannot listen.
func (s *Server) Run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- s.config.Listen(s.http) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving HTTP: %w", err)
	case <-ctx.Done():
	}
	level.Info(s.config.Logger).Log("msg", "stopping")
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := s.http.Shutdown(ending); err != nil {
		level.Warn(s.config.Logger).Log("msg", "scrapes that took too long are cut off", "err", err)
		_ = s.http.Close() // what it says of the connections that it breaks helps nobody
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving HTTP: %w", err)
	}
	return nil
}

// newHandler puts everything on its path.
func newHandler(config Config) (http.Handler, error) {
	if err := checkPath(config.TelemetryPath); err != nil {
		return nil, err
	}
	metrics, err := telemetry(config)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+exactly(config.TelemetryPath), metrics)
	mux.HandleFunc("GET "+HealthyPath, healthy)
	mux.Handle("GET "+ReadyPath, readiness{health: config.Health, synced: config.Synced})
	if config.Profiling {
		mux.HandleFunc(pprofPath, pprof.Index)
		mux.HandleFunc(pprofPath+"cmdline", pprof.Cmdline)
		mux.HandleFunc(pprofPath+"profile", pprof.Profile)
		mux.HandleFunc(pprofPath+"symbol", pprof.Symbol)
		mux.HandleFunc(pprofPath+"trace", pprof.Trace)
	}
	if config.TelemetryPath != "/" {
		landing, err := landingPage(config)
		if err != nil {
			return nil, err
		}
		mux.Handle("GET /{$}", landing)
	}
	return mux, nil
}

// checkPath refuses what http.ServeMux would panic at or take for a pattern.
func checkPath(path string) error {
	switch {
	case !strings.HasPrefix(path, "/"):
		return fmt.Errorf("the telemetry path %q does not begin with a slash", path)
	case strings.ContainsAny(path, "{} ?#"):
		return fmt.Errorf("the telemetry path %q contains a character that has a meaning of its own", path)
	case slices.Contains([]string{HealthyPath, ReadyPath}, path), strings.HasPrefix(path, pprofPath):
		return fmt.Errorf("the telemetry path %q is taken", path)
	default:
		return nil
	}
}

// exactly makes a pattern of a path that matches nothing below it.
func exactly(path string) string {
	if strings.HasSuffix(path, "/") {
		return path + "{$}"
	}
	return path
}

func landingPage(config Config) (http.Handler, error) {
	landing, err := web.NewLandingPage(web.LandingConfig{
		Name:        "daemonset_exporter",
		Description: "Which node lacks a working pod of which DaemonSet, since when, and why",
		Version:     config.Version,
		Profiling:   fmt.Sprint(config.Profiling),
		Links: []web.LandingLinks{
			{Address: config.TelemetryPath, Text: "Metrics"},
			{Address: ReadyPath, Text: "Ready", Description: "are all initial objects known"},
			{Address: HealthyPath, Text: "Healthy", Description: "does the process answer"},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("making the landing page: %w", err)
	}
	return landing, nil
}
