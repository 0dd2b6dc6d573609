package collector

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// family holds the counters or histograms of one row of the table, and remembers what
// they were at the last scrape: most do not change between two.
type family struct {
	row *Metric
	vec vector
	// taken are the values at the last scrape, current reports whether none has changed.
	taken   []*dto.Metric
	current bool
}

// vector is what CounterVec and HistogramVec have in common.
type vector interface {
	prometheus.Collector
	DeletePartialMatch(labels prometheus.Labels) int
}

// counters are the counters of a row.
type counters struct {
	family
	vec *prometheus.CounterVec
}

// add adds to a counter, which is there from then on, also if it is zero.
func (c *counters) add(value float64, labels ...string) {
	c.vec.WithLabelValues(labels...).Add(value)
	c.current = false
}

// deleteOne removes a series by the values of all its labels, without a look at the
// others.
func (c *counters) deleteOne(labels ...string) {
	if c.vec.DeleteLabelValues(labels...) {
		c.current = false
	}
}

// histograms are the histograms of a row.
type histograms struct {
	family
	vec *prometheus.HistogramVec
}

// begin makes a histogram without observations.
func (h *histograms) begin(labels ...string) {
	h.vec.WithLabelValues(labels...)
	h.current = false
}

func (h *histograms) observe(duration time.Duration, labels ...string) {
	h.vec.WithLabelValues(labels...).Observe(duration.Seconds())
	h.current = false
}

// delete removes the series that have all of these labels.
func (f *family) delete(labels prometheus.Labels) {
	if f.vec.DeletePartialMatch(labels) > 0 {
		f.current = false
	}
}

// read returns the present values, in the order of their labels. They must not be
// changed.
func (f *family) read() []*dto.Metric {
	if f.current {
		return f.taken
	}
	live := make(chan prometheus.Metric, chunk)
	go func() {
		defer close(live)
		f.vec.Collect(live)
	}()
	f.taken = nil
	for metric := range live {
		value := &dto.Metric{}
		if err := metric.Write(value); err == nil { // client_golang's own never fail
			f.taken = append(f.taken, value)
		}
	}
	slices.SortFunc(f.taken, func(a, b *dto.Metric) int {
		for i := range a.Label {
			if order := strings.Compare(a.Label[i].GetValue(), b.Label[i].GetValue()); order != 0 {
				return order
			}
		}
		return 0
	})
	f.current = true
	return f.taken
}

// newHistogram returns the histograms of a row, with classic and native buckets.
func (m *Metric) newHistogram() *histograms {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:                        m.Name,
		Help:                        m.Help,
		Buckets:                     buckets(),
		NativeHistogramBucketFactor: 1.1,
		// Above it the resolution is halved. Without NativeHistogramMinResetDuration
		// nothing is reset: that would take classic buckets and counts along.
		NativeHistogramMaxBucketNumber: 160,
	}, m.Labels)
	return &histograms{family{row: m, vec: vec}, vec}
}

// newCounter returns the counters of a row.
func (m *Metric) newCounter() *counters {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.Labels)
	return &counters{family{row: m, vec: vec}, vec}
}
