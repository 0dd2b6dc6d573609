package exporter

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Labels are a sample's labels.
type Labels map[string]string

// Sample is one value of a metric. A histogram has two, NAME_sum and NAME_count.
type Sample struct {
	Name   string
	Labels Labels
	Value  float64
	// Cumulative reports whether the value only grows, as of counters and histograms.
	Cumulative bool
}

// Samples holds the samples of one scrape.
type Samples []Sample

// Parse parses the text format.
func Parse(text string) (Samples, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("parse metrics: %w", err)
	}
	var samples Samples
	for _, name := range slices.Sorted(maps.Keys(families)) {
		for _, metric := range families[name].GetMetric() {
			samples = appendMetric(samples, name, metric)
		}
	}
	return samples, nil
}

func appendMetric(samples Samples, name string, metric *dto.Metric) Samples {
	labels := Labels{}
	for _, pair := range metric.GetLabel() {
		labels[pair.GetName()] = pair.GetValue()
	}
	switch {
	case metric.GetHistogram() != nil:
		histogram := metric.GetHistogram()
		return append(samples,
			Sample{name + "_sum", labels, histogram.GetSampleSum(), true},
			Sample{name + "_count", labels, float64(histogram.GetSampleCount()), true})
	case metric.GetCounter() != nil:
		return append(samples, Sample{name, labels, metric.GetCounter().GetValue(), true})
	case metric.GetGauge() != nil:
		return append(samples, Sample{name, labels, metric.GetGauge().GetValue(), false})
	default:
		return append(samples, Sample{name, labels, metric.GetUntyped().GetValue(), false})
	}
}

// Select returns the samples of a metric with these labels.
func (s Samples) Select(name string, labels Labels) Samples {
	var found Samples
	for _, sample := range s {
		if sample.Name == name && sample.Labels.has(labels) {
			found = append(found, sample)
		}
	}
	return found
}

// Sum returns the sum of the samples of a metric with these labels.
func (s Samples) Sum(name string, labels Labels) float64 {
	sum := 0.0
	for _, sample := range s.Select(name, labels) {
		sum += sample.Value
	}
	return sum
}

func (l Labels) has(labels Labels) bool {
	for name, value := range labels {
		if l[name] != value {
			return false
		}
	}
	return true
}

// String returns the sample in the text format.
func (s Sample) String() string { return fmt.Sprintf("%s %g", series(s.Name, s.Labels), s.Value) }

// series returns a name and its labels in the text format.
func series(name string, labels Labels) string {
	var pairs []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", label, labels[label]))
	}
	return fmt.Sprintf("%s{%s}", name, strings.Join(pairs, ","))
}
