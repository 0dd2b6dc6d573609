// Package exposition writes gathered metrics: as a scrape reads them, as JSON, and as
// OpenMetrics with timestamps over a time.
package exposition

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// WriteText writes metrics in the text format of Prometheus.
func WriteText(w io.Writer, families []*dto.MetricFamily) error {
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return fmt.Errorf("writing %s: %w", family.GetName(), err)
		}
	}
	return nil
}

// WriteOpenMetrics writes metrics in OpenMetrics 1.0.
func WriteOpenMetrics(w io.Writer, families []*dto.MetricFamily) error {
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToOpenMetrics(w, family); err != nil {
			return fmt.Errorf("writing %s: %w", family.GetName(), err)
		}
	}
	return endOpenMetrics(w)
}

func endOpenMetrics(w io.Writer) error {
	if _, err := expfmt.FinalizeOpenMetrics(w); err != nil {
		return fmt.Errorf("writing the end: %w", err)
	}
	return nil
}

// Snapshot is all metrics of a moment, for JSON.
type Snapshot struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Time       time.Time `json:"time"`
	Metrics    []Family  `json:"metrics"`
}

// Family is one metric with all its samples.
type Family struct {
	Name    string   `json:"name"`
	Help    string   `json:"help"`
	Type    string   `json:"type"`
	Samples []Sample `json:"samples"`
}

// Sample is what one set of labels has: a value or, of a histogram, the rest.
type Sample struct {
	Labels map[string]string `json:"labels"`
	Value  *float64          `json:"value,omitempty"`
	Count  *uint64           `json:"count,omitempty"`
	Sum    *float64          `json:"sum,omitempty"`
	// Buckets holds how many observations were at most the bound, by the bound in
	// seconds.
	Buckets map[string]uint64 `json:"buckets,omitempty"`
}

// The shape of a Snapshot.
const (
	snapshotVersion = "daemonset-exporter/v1"
	snapshotKind    = "Metrics"
)

// WriteJSON writes the metrics of a moment as a Snapshot.
func WriteJSON(w io.Writer, now time.Time, families []*dto.MetricFamily) error {
	snapshot := Snapshot{APIVersion: snapshotVersion, Kind: snapshotKind, Time: now.UTC(), Metrics: []Family{}}
	for _, family := range families {
		written := Family{Name: family.GetName(), Help: family.GetHelp(), Type: strings.ToLower(family.GetType().String()), Samples: []Sample{}}
		for _, metric := range family.Metric {
			written.Samples = append(written.Samples, sampleOf(metric))
		}
		snapshot.Metrics = append(snapshot.Metrics, written)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(snapshot); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

func sampleOf(metric *dto.Metric) Sample {
	sample := Sample{Labels: map[string]string{}}
	for _, label := range metric.Label {
		sample.Labels[label.GetName()] = label.GetValue()
	}
	histogram := metric.Histogram
	if histogram == nil {
		value := valueOf(metric)
		sample.Value = &value
		return sample
	}
	sample.Count, sample.Sum, sample.Buckets = histogram.SampleCount, histogram.SampleSum, map[string]uint64{}
	for _, bucket := range histogram.Bucket {
		sample.Buckets[bound(bucket.GetUpperBound())] = bucket.GetCumulativeCount()
	}
	return sample
}

func bound(upper float64) string {
	if math.IsInf(upper, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(upper, 'g', -1, 64)
}

// valueOf returns the value of a gauge or counter.
func valueOf(metric *dto.Metric) float64 {
	if metric.Counter != nil {
		return metric.Counter.GetValue()
	}
	return metric.Gauge.GetValue()
}
