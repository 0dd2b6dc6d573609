package server_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/daemonset-exporter/daemonset_exporter/collector/server"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// handler returns the handler of a server.
func handler(t *testing.T, config server.Config) http.Handler {
	t.Helper()
	server, err := server.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return server.Handler()
}

// gathering is a collector that counts its collections and, unless released is nil,
// holds each until it is closed.
type gathering struct {
	prometheus.Collector
	count    *atomic.Int32
	released chan struct{}
}

func newGathering(released chan struct{}) gathering {
	return gathering{config().Collector, &atomic.Int32{}, released}
}

func (g gathering) Collect(sink chan<- prometheus.Metric) {
	g.count.Add(1)
	if g.released != nil {
		<-g.released
	}
	g.Collector.Collect(sink)
}

func scrape(handler http.Handler, w http.ResponseWriter) {
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
}

func TestConcurrentScrapes(t *testing.T) {
	t.Parallel()
	t.Run("they share one gathering, up to a limit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			collector := newGathering(make(chan struct{}))
			config := config()
			config.Collector = collector
			handler := handler(t, config)
			const allowed = 100
			answers := make([]*httptest.ResponseRecorder, allowed)
			for i := range answers {
				answers[i] = httptest.NewRecorder()
				go scrape(handler, answers[i])
			}
			synctest.Wait()
			refused := httptest.NewRecorder()
			scrape(handler, refused)
			if refused.Code != http.StatusServiceUnavailable {
				t.Errorf("one too many answers %d", refused.Code)
			}
			close(collector.released)
			synctest.Wait()
			for _, answer := range answers {
				if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "\ndaemonset_answer 42\n") {
					t.Errorf("one answers %d %q", answer.Code, answer.Body)
				}
			}
			if got := collector.count.Load(); got != 1 {
				t.Errorf("%d gatherings, want 1", got)
			}
		})
	})
	t.Run("one that is read slowly gives no other old metrics", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			collector := newGathering(nil)
			config := config()
			config.Collector = collector
			handler := handler(t, config)
			slow := slowWriter{httptest.NewRecorder(), make(chan struct{})}
			go scrape(handler, slow)
			synctest.Wait()
			scrape(handler, httptest.NewRecorder())
			if got := collector.count.Load(); got != 2 {
				t.Errorf("%d gatherings, want 2", got)
			}
			close(slow.released)
		})
	})
}

// slowWriter is a client that reads nothing until it is released.
type slowWriter struct {
	*httptest.ResponseRecorder
	released chan struct{}
}

func (w slowWriter) Write(text []byte) (int, error) {
	<-w.released
	return w.ResponseRecorder.Write(text)
}

func TestMetricsOnRequest(t *testing.T) {
	t.Parallel()
	url := serve(t, config()) + "/metrics"
	t.Run("only those that the client names are served", func(t *testing.T) {
		t.Parallel()
		got := ask(t, http.MethodGet, url+"?name[]=daemonset_answer&name[]=go_goroutines&name[]=nothing")
		for metric, want := range map[string]bool{"daemonset_answer": true, "go_goroutines": true, "process_cpu": false} {
			if strings.Contains(got.text, metric) != want {
				t.Errorf("%s is there: %t\n%s", metric, !want, got.text)
			}
		}
	})
	t.Run("a client that reads zstd gets it", func(t *testing.T) {
		t.Parallel()
		got := ask(t, http.MethodGet, url, "Accept-Encoding: zstd")
		if got.header.Get("Content-Encoding") != "zstd" || !strings.HasPrefix(got.text, "\x28\xb5\x2f\xfd") {
			t.Errorf("got %q in %q", got.text[:4], got.header.Get("Content-Encoding"))
		}
	})
}

// failing is a collector that gathers what the test says.
type failing struct {
	prometheus.Collector
	gather func() ([]*dto.MetricFamily, error)
}

func (f failing) Gather() ([]*dto.MetricFamily, error) { return f.gather() }

func TestFailedGathering(t *testing.T) {
	t.Parallel()
	half, err := prometheus.NewRegistry().Gather()
	check.NoError(t, err)
	for name, test := range map[string]struct {
		gather func() ([]*dto.MetricFamily, error)
		// logged is what is logged of it, once.
		logged string
	}{
		"its own metrics, of which the collector logs the error": {
			gather: func() ([]*dto.MetricFamily, error) { return half, errors.New("the other half is missing") },
		},
		"a family that cannot be written, after others": {
			gather: func() ([]*dto.MetricFamily, error) {
				return []*dto.MetricFamily{{Name: new("zzz_missing"), Help: new("the other half is missing")}}, nil
			},
			logged: "Failed to write metrics",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := config()
			var logs async.Buffer
			config.Logger = log.NewLogfmtLogger(&logs)
			config.Collector = failing{config.Collector, test.gather}
			url := serve(t, config)
			for range 3 {
				got := ask(t, http.MethodGet, url+"/metrics", "Accept-Encoding: gzip")
				check.Equal(t, got.code, http.StatusInternalServerError, "status")
				check.That(t, strings.Contains(got.text, "missing"), "answered %q", got.text)
				check.That(t, !strings.Contains(got.text, "\ngo_goroutines"), "answered %q", got.text)
				check.Equal(t, got.header.Get("Content-Encoding"), "", "compression")
			}
			expectLogged(t, logs.String(), test.logged)
		})
	}
}

// What the collector does not log itself, such as an error of the process's metrics, is
// logged by the server: the first of a row.
func TestFailedRegistry(t *testing.T) {
	t.Parallel()
	fails := &atomic.Bool{}
	config := config()
	var logs async.Buffer
	config.Logger = log.NewLogfmtLogger(&logs)
	config.Collector = invalid{config.Collector, fails}
	url := serve(t, config)
	for row := range 2 {
		fails.Store(true)
		for range 3 {
			got := ask(t, http.MethodGet, url+"/metrics")
			check.Equal(t, got.code, http.StatusInternalServerError, "status")
		}
		check.Equal(t, strings.Count(logs.String(), "\n"), row+1, "lines of the log, one for each row of failures")
		fails.Store(false)
		check.Equal(t, ask(t, http.MethodGet, url+"/metrics").code, http.StatusOK, "status")
	}
	for line := range strings.Lines(logs.String()) {
		check.That(t, strings.Contains(line, "level=error") && strings.Contains(line, "Scrape failed") && strings.Contains(line, "no answer"), "logged %s", line)
	}
}

// invalid is a collector, and no gatherer, that may collect an error.
type invalid struct {
	prometheus.Collector
	fails *atomic.Bool
}

func (i invalid) Collect(sink chan<- prometheus.Metric) {
	if i.fails.Load() {
		sink <- prometheus.NewInvalidMetric(prometheus.NewDesc("daemonset_answer", "Of everything.", nil, nil), errors.New("no answer"))
		return
	}
	i.Collector.Collect(sink)
}

// expectLogged checks that one line says what is wanted, and none if that is empty.
func expectLogged(t *testing.T, logs, want string) {
	t.Helper()
	lines := 0
	if want != "" {
		lines = 1
	}
	check.That(t, strings.Count(logs, "\n") == lines && strings.Contains(logs, want), "logged %q, want one line: %q", logs, want)
}
