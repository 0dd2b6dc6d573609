package exposition_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/daemonset-exporter/daemonset_exporter/collector/exposition"
)

// metrics is a registry with a metric of each type.
type metrics struct {
	registry *prometheus.Registry
	gauge    *prometheus.GaugeVec
	counter  prometheus.Counter
	duration prometheus.Histogram
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		gauge:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "gap_nodes", Help: "Gaps."}, []string{"reason"}),
		counter:  prometheus.NewCounter(prometheus.CounterOpts{Name: "failures_total", Help: "Failures."}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "gap_seconds", Help: "Durations.", Buckets: []float64{0.5, 60}}),
	}
	m.registry.MustRegister(m.gauge, m.counter, m.duration)
	return m
}

func (m *metrics) gather(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func expect(t *testing.T, write func(text *bytes.Buffer) error, want string) {
	t.Helper()
	var text bytes.Buffer
	if err := write(&text); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimLeft(want, "\n"), text.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	m.gauge.WithLabelValues(`a "b"`).Set(2)
	m.counter.Inc()
	m.duration.Observe(30)
	families := m.gather(t)
	t.Run("text", func(t *testing.T) {
		t.Parallel()
		expect(t, func(text *bytes.Buffer) error { return exposition.WriteText(text, families) }, `
# HELP failures_total Failures.
# TYPE failures_total counter
failures_total 1
# HELP gap_nodes Gaps.
# TYPE gap_nodes gauge
gap_nodes{reason="a \"b\""} 2
# HELP gap_seconds Durations.
# TYPE gap_seconds histogram
gap_seconds_bucket{le="0.5"} 0
gap_seconds_bucket{le="60"} 1
gap_seconds_bucket{le="+Inf"} 1
gap_seconds_sum 30
gap_seconds_count 1
`)
	})
	t.Run("OpenMetrics", func(t *testing.T) {
		t.Parallel()
		expect(t, func(text *bytes.Buffer) error { return exposition.WriteOpenMetrics(text, families) }, `
# HELP failures Failures.
# TYPE failures counter
failures_total 1.0
# HELP gap_nodes Gaps.
# TYPE gap_nodes gauge
gap_nodes{reason="a \"b\""} 2.0
# HELP gap_seconds Durations.
# TYPE gap_seconds histogram
gap_seconds_bucket{le="0.5"} 0
gap_seconds_bucket{le="60.0"} 1
gap_seconds_bucket{le="+Inf"} 1
gap_seconds_sum 30.0
gap_seconds_count 1
# EOF
`)
	})
	t.Run("JSON", func(t *testing.T) {
		t.Parallel()
		expect(t, func(text *bytes.Buffer) error {
			return exposition.WriteJSON(text, time.Unix(0, 5e8), families[1:])
		}, `
{
  "apiVersion": "daemonset-exporter/v1",
  "kind": "Metrics",
  "time": "1970-01-01T00:00:00.5Z",
  "metrics": [
    {
      "name": "gap_nodes",
      "help": "Gaps.",
      "type": "gauge",
      "samples": [
        {
          "labels": {
            "reason": "a \"b\""
          },
          "value": 2
        }
      ]
    },
    {
      "name": "gap_seconds",
      "help": "Durations.",
      "type": "histogram",
      "samples": [
        {
          "labels": {},
          "count": 1,
          "sum": 30,
          "buckets": {
            "0.5": 0,
            "60": 1
          }
        }
      ]
    }
  ]
}
`)
	})
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	var timeline exposition.Timeline
	for second := range int64(4) {
		switch second {
		case 1:
			m.gauge.WithLabelValues("a").Set(1)
			m.gauge.WithLabelValues("b").Set(5)
		case 2:
			m.gauge.DeleteLabelValues("a")
			m.duration.Observe(1)
		case 3:
			m.gauge.WithLabelValues("a").Set(1)
			m.counter.Inc()
		}
		timeline.Add(time.Unix(second, 250e6), m.gather(t))
	}
	expect(t, func(text *bytes.Buffer) error { return timeline.WriteOpenMetrics(text) }, `
# HELP failures Failures.
# TYPE failures counter
failures_total 0.0 0.25
failures_total 0.0 1.25
failures_total 0.0 2.25
failures_total 1.0 3.25
# HELP gap_nodes Gaps.
# TYPE gap_nodes gauge
gap_nodes{reason="a"} 1.0 1.25
gap_nodes{reason="a"} 1.0 3.25
gap_nodes{reason="b"} 5.0 1.25
gap_nodes{reason="b"} 5.0 2.25
gap_nodes{reason="b"} 5.0 3.25
# HELP gap_seconds Durations.
# TYPE gap_seconds histogram
gap_seconds_bucket{le="0.5"} 0 0.25
gap_seconds_bucket{le="60.0"} 0 0.25
gap_seconds_bucket{le="+Inf"} 0 0.25
gap_seconds_sum 0.0 0.25
gap_seconds_count 0 0.25
gap_seconds_bucket{le="0.5"} 0 1.25
gap_seconds_bucket{le="60.0"} 0 1.25
gap_seconds_bucket{le="+Inf"} 0 1.25
gap_seconds_sum 0.0 1.25
gap_seconds_count 0 1.25
gap_seconds_bucket{le="0.5"} 0 2.25
gap_seconds_bucket{le="60.0"} 1 2.25
gap_seconds_bucket{le="+Inf"} 1 2.25
gap_seconds_sum 1.0 2.25
gap_seconds_count 1 2.25
gap_seconds_bucket{le="0.5"} 0 3.25
gap_seconds_bucket{le="60.0"} 1 3.25
gap_seconds_bucket{le="+Inf"} 1 3.25
gap_seconds_sum 1.0 3.25
gap_seconds_count 1 3.25
# EOF
`)
}
