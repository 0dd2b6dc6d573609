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
)

// config is one that serves a single gauge.
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

// serve runs a server and gives its URL.
func serve(t *testing.T, config server.Config) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config.Listen = func(server *http.Server) error { return server.Serve(listener) }
	server, err := server.NewServer(config)
	if err != nil {
		t.Fatal(err)
	}
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

// answer is what came back.
type answer struct {
	code   int
	header http.Header
	text   string
}

// ask gives the answer to a request with headers, "Name: text" each.
func ask(t *testing.T, method, url string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		key, text, _ := strings.Cut(header, ": ")
		request.Header.Set(key, text)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var body io.Reader = response.Body
	if response.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

func TestMetricsComeInTheFormatThatIsAskedFor(t *testing.T) {
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
		t.Run(tc.name, func(t *testing.T) {
			for _, encoding := range []string{"identity", "gzip"} {
				got := ask(t, http.MethodGet, url, "Accept: "+tc.accept, "Accept-Encoding: "+encoding)
				if format := got.header.Get("Content-Type"); !strings.HasPrefix(format, tc.contentType) {
					t.Errorf("%s: the format is %q", encoding, format)
				}
				if sent := got.header.Get("Content-Encoding"); (sent == "gzip") != (encoding == "gzip") {
					t.Errorf("%s: the encoding is %q", encoding, sent)
				}
				for _, metric := range []string{tc.contains, "go_goroutines", "process_cpu_seconds_total"} {
					if !strings.Contains(got.text, metric) {
						t.Errorf("%s: %q is missing", encoding, metric)
					}
				}
			}
		})
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	plain, profiling := config(), config()
	profiling.Profiling = true
	profiling.TelemetryPath = "/probe/"
	urls := map[string]string{"plain": serve(t, plain), "profiling": serve(t, profiling)}
	for _, tc := range []struct {
		server, method, path string
		code                 int
	}{
		{"plain", http.MethodGet, "/", http.StatusOK},
		{"plain", http.MethodGet, "/favicon.ico", http.StatusNotFound},
		{"plain", http.MethodGet, "/metrics/x", http.StatusNotFound},
		{"plain", http.MethodHead, "/metrics", http.StatusOK},
		{"plain", http.MethodPost, "/metrics", http.StatusMethodNotAllowed},
		{"plain", http.MethodGet, "/-/ready", http.StatusOK},
		{"plain", http.MethodGet, "/debug/pprof/", http.StatusNotFound},
		{"profiling", http.MethodGet, "/debug/pprof/", http.StatusOK},
		{"profiling", http.MethodGet, "/debug/pprof/cmdline", http.StatusOK},
		{"profiling", http.MethodGet, "/probe/", http.StatusOK},
		{"profiling", http.MethodGet, "/metrics", http.StatusNotFound},
	} {
		t.Run(tc.server+" "+tc.method+" "+tc.path, func(t *testing.T) {
			t.Parallel()
			if got := ask(t, tc.method, urls[tc.server]+tc.path); got.code != tc.code {
				t.Errorf("answers %d", got.code)
			}
		})
	}
}

func TestMetricsOnTheRootTakeTheLandingPagesPlace(t *testing.T) {
	t.Parallel()
	atRoot := config()
	atRoot.TelemetryPath = "/"
	if got := ask(t, http.MethodGet, serve(t, atRoot)+"/"); !strings.Contains(got.text, "daemonset_answer 42") {
		t.Errorf("answers %q", got.text)
	}
}

func TestReadinessListsWhatIsMissing(t *testing.T) {
	t.Parallel()
	waiting := config()
	waiting.Synced = func() bool { return false }
	waiting.Health = func() []informers.ResourceHealth {
		return []informers.ResourceHealth{
			{Resource: informers.Nodes, Synced: true},
			{Resource: informers.Pods, Err: &informers.RequestError{Kind: informers.ErrorUnreachable, Err: errors.New("connection refused")}},
			{Resource: informers.DaemonSets},
		}
	}
	got := ask(t, http.MethodGet, serve(t, waiting)+server.ReadyPath)
	want := "not ready\n" +
		"pods: unreachable: the API server does not answer: check its address in the kubeconfig, the network, and that it runs: connection refused\n" +
		"daemonsets: waiting for the initial list\n"
	if got.code != http.StatusServiceUnavailable || got.text != want {
		t.Errorf("answers %d %q", got.code, got.text)
	}
}

// stuck is a collector that holds every scrape up until it is released.
type stuck struct {
	prometheus.Collector
	entered  chan struct{}
	released chan struct{}
}

func (s stuck) Collect(sink chan<- prometheus.Metric) {
	s.entered <- struct{}{}
	<-s.released
	s.Collector.Collect(sink)
}

func TestScrapesThatPileUpAreRefused(t *testing.T) {
	t.Parallel()
	slow := config()
	held := stuck{slow.Collector, make(chan struct{}), make(chan struct{})}
	slow.Collector = held
	url := serve(t, slow) + "/metrics"
	answers := make(chan int)
	const allowed = 10
	for range allowed {
		go func() {
			answers <- ask(t, http.MethodGet, url).code
		}()
		<-held.entered
	}
	if got := ask(t, http.MethodGet, url); got.code != http.StatusServiceUnavailable {
		t.Errorf("one too many answers %d %q", got.code, got.text)
	}
	close(held.released)
	for range allowed {
		if code := <-answers; code != http.StatusOK {
			t.Errorf("one of the others answers %d", code)
		}
	}
}

func TestAServerThatCannotListenSaysSo(t *testing.T) {
	t.Parallel()
	deaf := config()
	deaf.Listen = func(*http.Server) error { return errors.New("address in use") }
	server, err := server.NewServer(deaf)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Run(t.Context()); err == nil || err.Error() != "serving HTTP: address in use" {
		t.Errorf("the error is %v", err)
	}
}

func TestMetricsThatContradictEachOtherDoNotStart(t *testing.T) {
	t.Parallel()
	twice := config()
	twice.Collector = prometheus.NewGauge(prometheus.GaugeOpts{Name: "go_goroutines", Help: "Taken."})
	if _, err := server.NewServer(twice); err == nil {
		t.Error("it starts")
	}
}
