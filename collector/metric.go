package collector

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Metric is one row of the table of metrics.
type Metric struct {
	// Name is the full name, including the unit.
	Name string
	// Help is one short sentence about what is measured. It is sent with every
	// scrape.
	Help string
	// Notes holds what is left out, when a value is recorded, and what to beware
	// of. They are Markdown, and appear in docs/metrics.md only.
	Notes string
	// Type is gauge, counter or histogram.
	Type dto.MetricType
	// Labels holds the label names, in the order in which values are passed.
	Labels []string

	desc *prometheus.Desc
	// sorted holds the indexes of Labels in the order of the names.
	sorted []int
}

// table builds the rows.
type table struct {
	nodeLabels []string
	rows       []*Metric
}

func (t *table) gauge(row Metric) *Metric { return t.add(dto.MetricType_GAUGE, row) }

func (t *table) counter(row Metric) *Metric { return t.add(dto.MetricType_COUNTER, row) }

func (t *table) histogram(row Metric) *Metric { return t.add(dto.MetricType_HISTOGRAM, row) }

// add appends a row. Where a row has the zone, the node labels that a flag asks
// for follow it.
func (t *table) add(metricType dto.MetricType, row Metric) *Metric {
	row.Type = metricType
	if zone := slices.Index(row.Labels, labelZone); zone >= 0 {
		row.Labels = slices.Insert(slices.Clone(row.Labels), zone+1, t.nodeLabels...)
	}
	row.desc = prometheus.NewDesc(row.Name, row.Help, row.Labels, nil)
	row.sorted = make([]int, len(row.Labels))
	for i := range row.sorted {
		row.sorted[i] = i
	}
	slices.SortFunc(row.sorted, func(a, b int) int { return strings.Compare(row.Labels[a], row.Labels[b]) })
	t.rows = append(t.rows, &row)
	return &row
}

// buckets returns the bounds of all histograms, in seconds. The timestamps that
// durations are computed from have a resolution of one second.
func buckets() []float64 {
	return []float64{0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600}
}

// newHistogram returns the histogram of a row, with classic and native buckets.
func (m *Metric) newHistogram() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:                            m.Name,
		Help:                            m.Help,
		Buckets:                         buckets(),
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: time.Hour,
	}, m.Labels)
}

// newCounter returns the counter of a row.
func (m *Metric) newCounter() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.Labels)
}

// sample is one value of a metric, ready to be written. It does what
// prometheus.NewConstMetric does at a fraction of the cost, which dominates a
// scrape with many gaps.
type sample struct {
	metric *Metric
	value  float64
	gauge  dto.Gauge
	labels []*dto.LabelPair
}

// pairs holds the label pairs of one scrape, so that the same few names and
// values are allocated once.
type pairs map[[2]string]*dto.LabelPair

func (p pairs) pair(name *string, value string) *dto.LabelPair {
	key := [2]string{*name, value}
	pair := p[key]
	if pair == nil {
		valid := strings.ToValidUTF8(value, "\uFFFD")
		pair = &dto.LabelPair{Name: name, Value: &valid}
		p[key] = pair
	}
	return pair
}

// with returns a sample. values are those of Labels, in the same order.
func (m *Metric) with(p pairs, value float64, values ...string) prometheus.Metric {
	s := &sample{metric: m, value: value, labels: make([]*dto.LabelPair, len(values))}
	for place, i := range m.sorted {
		s.labels[place] = p.pair(&m.Labels[i], values[i])
	}
	return s
}

// Desc implements prometheus.Metric.
func (s *sample) Desc() *prometheus.Desc { return s.metric.desc }

// Write implements prometheus.Metric.
func (s *sample) Write(out *dto.Metric) error {
	out.Label = s.labels
	if s.metric.Type == dto.MetricType_COUNTER {
		out.Counter = &dto.Counter{Value: &s.value}
		return nil
	}
	s.gauge.Value = &s.value
	out.Gauge = &s.gauge
	return nil
}
