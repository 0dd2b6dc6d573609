package server_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/daemonset-exporter/daemonset_exporter/collector/server"
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

// half is a collector that gathers some metrics and an error.
type half struct{ prometheus.Collector }

func (half) Gather() ([]*dto.MetricFamily, error) {
	families, err := prometheus.NewRegistry().Gather()
	return families, errors.Join(err, errors.New("the other half is missing"))
}

func TestFailedGathering(t *testing.T) {
	t.Parallel()
	config := config()
	config.Collector = half{config.Collector}
	got := ask(t, http.MethodGet, serve(t, config)+"/metrics", "Accept-Encoding: gzip")
	check.Equal(t, got.code, http.StatusInternalServerError, "status")
	check.That(t, strings.Contains(got.text, "the other half is missing"), "answered %q", got.text)
	check.That(t, !strings.Contains(got.text, "go_goroutines"), "answered %q", got.text)
}
