package server_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/daemonset-exporter/daemonset_exporter/collector/server"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// config returns a configuration that serves a single gauge.
func config() server.Config {
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "daemonset_answer", Help: "Of everything."})
	gauge.Set(42)
	return server.Config{
		Collector:     gauge,
		TelemetryPath: "/metrics",
		Health:        func() []informers.ResourceHealth { return nil },
		Synced:        func() bool { return true },
		Logger:        log.NewNopLogger(),
	}
}

// serve runs a server for the duration of the test and returns its URL.
func serve(t testing.TB, config server.Config) string {
	t.Helper()
	listener := check.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	config.Listen = func(server *http.Server) error { return server.Serve(listener) }
	server := check.Must(server.New(config))(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return "http://" + listener.Addr().String()
}

// answer is a response that has been read.
type answer struct {
	code   int
	header http.Header
	text   string
}

// ask sends a request with headers, "Name: text" each.
func ask(t testing.TB, method, url string, headers ...string) answer {
	t.Helper()
	request := check.Must(http.NewRequestWithContext(t.Context(), method, url, nil))(t)
	for _, header := range headers {
		key, text, _ := strings.Cut(header, ": ")
		request.Header.Set(key, text)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	check.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var body io.Reader = response.Body
	if response.Header.Get("Content-Encoding") == "gzip" {
		body = check.Must(gzip.NewReader(body))(t)
	}
	text := check.Must(io.ReadAll(body))(t)
	return answer{response.StatusCode, response.Header, string(text)}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	url := serve(t, config()) + "/metrics"
	for _, tc := range []struct{ name, accept, contentType, contains string }{
		{"text", "", "text/plain; version=0.0.4", "\ndaemonset_answer 42\n"},
		{"OpenMetrics", "application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version=1.0.0", "# EOF\n"},
		{
			"protobuf", "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
			"application/vnd.google.protobuf", "daemonset_answer",
		},
	} {
		t.Run("a client that asks for "+tc.name+" gets it", func(t *testing.T) {
			t.Parallel()
			for _, encoding := range []string{"identity", "gzip"} {
				got := ask(t, http.MethodGet, url, "Accept: "+tc.accept, "Accept-Encoding: "+encoding)
				if format := got.header.Get("Content-Type"); !strings.HasPrefix(format, tc.contentType) {
					t.Errorf("%s: the format is %q", encoding, format)
				}
				if sent := got.header.Get("Content-Encoding"); (sent == "gzip") != (encoding == "gzip") {
					t.Errorf("%s: the encoding is %q", encoding, sent)
				}
				for _, metric := range []string{tc.contains, "go_goroutines", "process_cpu_seconds_total"} {
					check.That(t, strings.Contains(got.text, metric), "%s: %q is missing", encoding, metric)
				}
			}
		})
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	plain, profiling, atRoot := config(), config(), config()
	profiling.Profiling = true
	profiling.TelemetryPath = "/probe/"
	atRoot.TelemetryPath = "/"
	urls := map[string]string{"plain": serve(t, plain), "profiling": serve(t, profiling), "at root": serve(t, atRoot)}
	for _, tc := range []struct {
		server, method, path string
		code                 int
		contains             string
	}{
		{"plain", http.MethodGet, "/", http.StatusOK, `href="/metrics"`},
		{"plain", http.MethodGet, "/favicon.ico", http.StatusNotFound, ""},
		{"plain", http.MethodGet, "/metrics/x", http.StatusNotFound, ""},
		{"plain", http.MethodHead, "/metrics", http.StatusOK, ""},
		{"plain", http.MethodPost, "/metrics", http.StatusMethodNotAllowed, ""},
		{"plain", http.MethodGet, "/-/ready", http.StatusOK, "ready\n"},
		{"plain", http.MethodGet, "/debug/pprof/", http.StatusNotFound, ""},
		{"profiling", http.MethodGet, "/debug/pprof/", http.StatusOK, "heap"},
		{"profiling", http.MethodGet, "/debug/pprof/cmdline", http.StatusOK, ""},
		{"profiling", http.MethodGet, "/probe/", http.StatusOK, "daemonset_answer 42"},
		{"profiling", http.MethodGet, "/metrics", http.StatusNotFound, ""},
		{"at root", http.MethodGet, "/", http.StatusOK, "daemonset_answer 42"},
	} {
		t.Run(tc.server+" "+tc.method+" "+tc.path, func(t *testing.T) {
			t.Parallel()
			if got := ask(t, tc.method, urls[tc.server]+tc.path); got.code != tc.code || !strings.Contains(got.text, tc.contains) {
				t.Errorf("answers %d %q", got.code, got.text)
			}
		})
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	health := func() []informers.ResourceHealth {
		return []informers.ResourceHealth{
			{Resource: informers.Nodes, Synced: true, Fresh: true},
			{Resource: informers.Pods, Err: &informers.RequestError{Kind: informers.ErrorUnreachable, Err: errors.New("10.0.0.1 refused")}},
			{Resource: informers.DaemonSets},
			{Resource: "others", Synced: true},
		}
	}
	const states = "[+]nodes watching\n[-]pods unreachable\n[-]daemonsets waiting\n[-]others stale\n"
	for name, tc := range map[string]struct {
		synced bool
		query  string
		code   int
		text   string
	}{
		"it tells the state of each resource until all have synced": {false, "", http.StatusServiceUnavailable, states + "not ready\n"},
		"it is ready although a watch is lost":                      {true, "", http.StatusOK, "ready\n"},
		"it tells more if it is asked":                              {true, "?verbose", http.StatusOK, states + "ready\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := config()
			asked.Health, asked.Synced = health, func() bool { return tc.synced }
			if got := ask(t, http.MethodGet, serve(t, asked)+server.ReadyPath+tc.query); got.code != tc.code || got.text != tc.text {
				t.Errorf("answers %d %q", got.code, got.text)
			}
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	t.Run("metrics that contradict each other are an error", func(t *testing.T) {
		t.Parallel()
		twice := config()
		twice.Collector = prometheus.NewGauge(prometheus.GaugeOpts{Name: "go_goroutines", Help: "Taken."})
		if _, err := server.New(twice); err == nil {
			t.Error("no error")
		}
	})
	for path, problem := range map[string]string{
		"metrics": "it must begin with /", "/a b": "it must not contain", "/{id}": "it must not contain",
		"//metrics": `write it as "/metrics"`, "/a/../b": `write it as "/b"`, "//": `write it as "/"`, "/a//": `write it as "/a"`,
		"/-/healthy": "is reserved", "/debug/pprof/heap": "is reserved",
	} {
		t.Run("telemetry path "+path+" is an error", func(t *testing.T) {
			t.Parallel()
			wrong := config()
			wrong.TelemetryPath = path
			if _, err := server.New(wrong); err == nil || !strings.Contains(err.Error(), problem) {
				t.Errorf("error %v, want %q", err, problem)
			}
		})
	}
}

func TestServerRun(t *testing.T) {
	t.Parallel()
	t.Run("it returns the error of a listener", func(t *testing.T) {
		t.Parallel()
		deaf := config()
		deaf.Listen = func(*http.Server) error { return errors.New("address in use") }
		server := check.Must(server.New(deaf))(t)
		if err := server.Run(t.Context()); err == nil || err.Error() != "serving HTTP: address in use" {
			t.Errorf("the error is %v", err)
		}
	})
}
