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
	// Name is the whole name, with its unit.
	Name string
	// Help says what is counted, what is left out, and when.
	Help string
	// Type is gauge, counter or histogram.
	Type dto.MetricType
	// Labels are the names of the labels, in the order in which their values
	// are given.
	Labels []string

	desc *prometheus.Desc
	// sorted are the places of the labels in the order of their names.
	sorted []int
}

// table builds the rows.
type table struct {
	nodeLabels []string
	rows       []*Metric
}

func (t *table) gauge(name, help string, labels ...string) *Metric {
	return t.add(dto.MetricType_GAUGE, name, help, labels)
}

func (t *table) counter(name, help string, labels ...string) *Metric {
	return t.add(dto.MetricType_COUNTER, name, help, labels)
}

func (t *table) histogram(name, help string, labels ...string) *Metric {
	return t.add(dto.MetricType_HISTOGRAM, name, help, labels)
}

// add makes a row. The node labels that a flag asks for go where the zone goes.
func (t *table) add(kind dto.MetricType, name, help string, labels []string) *Metric {
	if zone := slices.Index(labels, labelZone); zone >= 0 {
		labels = slices.Insert(slices.Clone(labels), zone+1, t.nodeLabels...)
	}
	row := &Metric{Name: name, Help: help, Type: kind, Labels: labels}
	row.desc = prometheus.NewDesc(name, help, labels, nil)
	row.sorted = make([]int, len(labels))
	for i := range row.sorted {
		row.sorted[i] = i
	}
	slices.SortFunc(row.sorted, func(a, b int) int {
		if labels[a] < labels[b] {
			return -1
		}
		return 1
	})
	t.rows = append(t.rows, row)
	return row
}

// buckets are the bounds of all histograms, in seconds: the stamps that they
// are made of have a resolution of one.
func buckets() []float64 {
	return []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600}
}

// newHistogram makes what counts a row of type histogram, with classic and
// native buckets at once.
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

// newCounter makes what counts a row of type counter.
func (m *Metric) newCounter() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.Labels)
}

// sample is one value of a metric, ready to be written. It does what
// prometheus.NewConstMetric does at a fraction of the cost, of which a scrape of
// many gaps consists.
type sample struct {
	metric *Metric
	value  float64
	gauge  dto.Gauge
	labels []*dto.LabelPair
}

// pairs makes label pairs for the samples of one scrape. The same few names and
// values come again and again.
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

// with makes a sample; values are those of the labels, in the row's order.
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
