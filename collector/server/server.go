package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/pprof"
	urlpath "path"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/exporter-toolkit/web"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
)

// The paths besides the telemetry path.
const (
	HealthyPath = "/-/healthy"
	ReadyPath   = "/-/ready"
	pprofPath   = "/debug/pprof/"
)

// Limits of the HTTP server. A scrape takes milliseconds: a client slower than
// this is broken or hostile.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	// writeTimeout leaves room for the CPU profile of one minute to which the
	// landing page links.
	writeTimeout   = 2 * time.Minute
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
	// shutdownTimeout is how long scrapes in progress may take at shutdown.
	shutdownTimeout = 3 * time.Second
	// maxScrapes is how many scrapes are served at once. Those that come together
	// share one gathering, but each needs memory for its response.
	maxScrapes = 100
)

// Config configures a Server.
type Config struct {
	// Collector collects the exporter's metrics; if it is a prometheus.Gatherer, too,
	// that is what is served. The server adds those of the Go runtime and of the process.
	Collector prometheus.Collector
	// TelemetryPath is the path under which metrics are served.
	TelemetryPath string
	// Health returns the state of each watched resource, for readiness.
	Health func() []informers.ResourceHealth
	// Synced reports whether all informer caches have synced.
	Synced func() bool
	// Pages is what the pages and the API show; nil turns them off.
	Pages Pages
	// Clock tells the pages' time, and ages the verdicts of Review.
	Clock clock.PassiveClock
	// Profiling enables profiles of the Go runtime under /debug/pprof/.
	Profiling bool
	// Review decides who may look; nil: everybody.
	Review Review
	// Version is shown on the landing page.
	Version string
	// Listen serves until the server is shut down. The flags decide about
	// address, TLS and authentication.
	Listen func(*http.Server) error
	// Logger logs errors of gathering and sending metrics.
	Logger log.Logger
}

// Server serves the exporter's metrics and pages. It runs once.
type Server struct {
	http   *http.Server
	config Config
}

// New returns a server that does not listen yet. It fails if the telemetry
// path cannot be served or if metrics contradict each other.
func New(config Config) (*Server, error) {
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

// Run serves until ctx is done and then waits for the scrapes in progress, for
// shutdownTimeout at most. It returns an error if it cannot listen.
func (s *Server) Run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- s.config.Listen(s.http) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving HTTP: %w", err)
	case <-ctx.Done():
	}
	level.Info(s.config.Logger).Log("msg", "Shutting down")
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := s.http.Shutdown(ending); err != nil {
		level.Warn(s.config.Logger).Log("msg", "Cutting off slow scrapes", "err", err)
		_ = s.http.Close() // its errors concern the connections that it cuts off
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving HTTP: %w", err)
	}
	return nil
}

// newHandler returns the mux of all paths.
func newHandler(config Config) (http.Handler, error) {
	if err := config.checkPath(); err != nil {
		return nil, err
	}
	metrics, err := metricsHandler(config)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+exactPattern(config.TelemetryPath), metrics)
	mux.HandleFunc("GET "+HealthyPath, healthy)
	mux.Handle("GET "+ReadyPath, readiness{health: config.Health, synced: config.Synced})
	if config.Pages != nil {
		pages, err := newPages(config.Pages, config.Clock, config.Logger)
		if err != nil {
			return nil, err
		}
		pages.register(mux)
	}
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
	return protect(mux, config), nil
}

// checkPath returns an error for a telemetry path that http.ServeMux would panic
// at or take for a pattern, and for paths of the server's own.
func (c *Config) checkPath() error {
	path := c.TelemetryPath
	switch {
	case !strings.HasPrefix(path, "/"):
		return fmt.Errorf("telemetry path %q is not valid: it must begin with /", path)
	case !isClean(path):
		return fmt.Errorf("telemetry path %q is not valid: write it as %q", path, urlpath.Clean(path))
	case strings.ContainsAny(path, "{} ?#"):
		return fmt.Errorf("telemetry path %q is not valid: it must not contain a space or any of { } ? #", path)
	case slices.Contains([]string{HealthyPath, ReadyPath}, path), slices.Contains(pagePaths(), path), strings.HasPrefix(path, pprofPath):
		return fmt.Errorf("telemetry path %q is reserved", path)
	default:
		return nil
	}
}

// isClean reports whether a path has no dots and no slash too many: http.ServeMux
// redirects all others, and panics if a pattern is one.
func isClean(path string) bool {
	clean := urlpath.Clean(path)
	return path == clean || clean != "/" && path == clean+"/"
}

// exactPattern returns the pattern that matches the path and nothing below it.
func exactPattern(path string) string {
	if strings.HasSuffix(path, "/") {
		return path + "{$}"
	}
	return path
}

// landingLinks returns what the landing page links to.
func landingLinks(config Config) []web.LandingLinks {
	var links []web.LandingLinks
	if config.Pages != nil {
		links = append(links, web.LandingLinks{
			Address: CoveragePath, Text: "Coverage", Description: "which node lacks a working pod of which DaemonSet, since when, and why",
		})
	}
	return append(links,
		web.LandingLinks{Address: config.TelemetryPath, Text: "Metrics"},
		web.LandingLinks{Address: ReadyPath, Text: "Ready", Description: "whether all informer caches have synced"},
		web.LandingLinks{Address: HealthyPath, Text: "Healthy", Description: "whether the process answers"},
	)
}

// landingPage returns the handler of the page at /, which links to the others.
func landingPage(config Config) (http.Handler, error) {
	landing, err := web.NewLandingPage(web.LandingConfig{
		Name:        "daemonset_exporter",
		Description: "Which node lacks a working pod of which DaemonSet, since when, and why",
		Version:     config.Version,
		Profiling:   fmt.Sprint(config.Profiling),
		Links:       landingLinks(config),
	})
	if err != nil {
		return nil, fmt.Errorf("rendering the landing page: %w", err)
	}
	return landing, nil
}
