package exporter

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// apart is how far apart, in seconds, two exporters may date one event: one by the moment
// it saw it, the other by a stamp, which has whole seconds. An event is on its way for a
// while, on a busy machine for longer.
const apart = 1.5

// own are the metrics that two exporters of one cluster need not agree on, with the
// reason. Those whose names end in "_" stand for all that begin so.
var own = map[string]string{
	"go_":       "about the runtime of its process",
	"process_":  "about its process",
	"promhttp_": "the scrapes that it answered",

	"daemonset_exporter_collector_duration_seconds":            "how long its own scrape took",
	"daemonset_exporter_informer_last_event_timestamp_seconds": "when its own watch last brought something",
	"daemonset_exporter_informer_watch_errors_total":           "requests of its own that failed",
}

// Difference is a series of which two exporters say different things; NaN is a series
// that one of them does not have.
type Difference struct {
	Name          string
	Labels        Labels
	First, Second float64
}

// String returns the series and its two values.
func (d Difference) String() string {
	value := func(v float64) string {
		if math.IsNaN(v) {
			return "none"
		}
		return fmt.Sprintf("%.15g", v)
	}
	return fmt.Sprintf("%s: %s and %s", series(d.Name, d.Labels), value(d.First), value(d.Second))
}

// Levels returns the samples of gauges.
func (s Samples) Levels() Samples {
	return slices.DeleteFunc(slices.Clone(s), func(sample Sample) bool { return sample.Cumulative })
}

// Since returns the samples with counters and histograms reduced to their increase since
// earlier samples. A series that did not exist then began at zero.
func (s Samples) Since(earlier Samples) Samples {
	before := earlier.bySeries()
	increased := slices.Clone(s)
	for i := range increased {
		if sample := &increased[i]; sample.Cumulative {
			sample.Value -= before[series(sample.Name, sample.Labels)].Value
		}
	}
	return increased
}

// Differences returns the series of which two exporters that watch one cluster say
// different things. Their own metrics are left out; times may differ by apart, and
// durations by that for each one. A series of zero is as good as none.
func Differences(first, second Samples) []Difference {
	var found []Difference
	ones, others := first.bySeries(), second.bySeries()
	for key, one := range ones {
		if other, ok := others[key]; !ok && one.Value != 0 {
			found = append(found, Difference{one.Name, one.Labels, one.Value, math.NaN()})
		} else if ok && math.Abs(one.Value-other.Value) > first.tolerance(one) {
			found = append(found, Difference{one.Name, one.Labels, one.Value, other.Value})
		}
	}
	for key, other := range others {
		if _, ok := ones[key]; !ok && other.Value != 0 {
			found = append(found, Difference{other.Name, other.Labels, math.NaN(), other.Value})
		}
	}
	slices.SortFunc(found, func(a, b Difference) int { return strings.Compare(a.String(), b.String()) })
	return found
}

// tolerance returns by how much another exporter's value may differ.
func (s Samples) tolerance(of Sample) float64 {
	switch name := of.Name; {
	case strings.HasSuffix(name, "_timestamp_seconds"):
		return apart
	case strings.HasSuffix(name, "_seconds_sum"):
		return apart * s.Sum(strings.TrimSuffix(name, "_sum")+"_count", of.Labels)
	case strings.HasSuffix(name, "_node_seconds_total"): // counts up to the scrape
		return apart * max(1, s.Sum("daemonset_expected_nodes", Labels{
			"namespace": of.Labels["namespace"], "daemonset": of.Labels["daemonset"],
		}))
	default:
		return 0
	}
}

// bySeries returns the samples by series, without an exporter's own.
func (s Samples) bySeries() map[string]Sample {
	all := map[string]Sample{}
	for _, sample := range s {
		if !isOwn(sample.Name) {
			all[series(sample.Name, sample.Labels)] = sample
		}
	}
	return all
}

func isOwn(name string) bool {
	for of := range own {
		if name == of || strings.HasSuffix(of, "_") && strings.HasPrefix(name, of) {
			return true
		}
	}
	return false
}
