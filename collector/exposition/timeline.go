package exposition

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Timeline holds the metrics of many moments, one after the other. OpenMetrics wants the
// samples of one series together, so all must be known before the first is written: it
// holds a value once for as long as it stays the same.
type Timeline struct {
	times    []time.Time
	families map[string]*timelineFamily
}

type timelineFamily struct {
	family *dto.MetricFamily // without its metrics
	series map[string][]run
}

// run is the metric of some moments in a row, from first up to, but not including, end.
type run struct {
	first, end int
	metric     *dto.Metric
}

// Add adds the metrics of a moment that is later than those before.
func (t *Timeline) Add(now time.Time, families []*dto.MetricFamily) {
	index := len(t.times)
	t.times = append(t.times, now)
	if t.families == nil {
		t.families = map[string]*timelineFamily{}
	}
	for _, family := range families {
		of := t.families[family.GetName()]
		if of == nil {
			of = &timelineFamily{&dto.MetricFamily{Name: family.Name, Help: family.Help, Type: family.Type}, map[string][]run{}}
			t.families[family.GetName()] = of
		}
		for _, metric := range family.Metric {
			key := keyOf(metric)
			of.series[key] = extend(of.series[key], index, metric)
		}
	}
}

// extend adds the metric of a moment to the runs of its series.
func extend(runs []run, index int, metric *dto.Metric) []run {
	if last := len(runs) - 1; last >= 0 && runs[last].end == index && same(runs[last].metric, metric) {
		runs[last].end++
		return runs
	}
	return append(runs, run{index, index + 1, metric})
}

// same reports whether two metrics of one series have the same value. Counts and sum of
// a histogram change with its buckets.
func same(a, b *dto.Metric) bool {
	if a.Histogram != nil {
		return a.Histogram.GetSampleCount() == b.Histogram.GetSampleCount() && a.Histogram.GetSampleSum() == b.Histogram.GetSampleSum()
	}
	return valueOf(a) == valueOf(b)
}

func keyOf(metric *dto.Metric) string {
	var key strings.Builder
	for _, label := range metric.Label {
		key.WriteString(label.GetName() + "\xff" + label.GetValue() + "\xff")
	}
	return key.String()
}

// WriteOpenMetrics writes all in OpenMetrics 1.0.
func (t *Timeline) WriteOpenMetrics(w io.Writer) error {
	for _, name := range slices.Sorted(maps.Keys(t.families)) {
		if err := t.writeFamily(w, t.families[name]); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return endOpenMetrics(w)
}

// writeFamily writes a family series by series, so that only one of them is in memory as
// text.
func (t *Timeline) writeFamily(w io.Writer, of *timelineFamily) error {
	var text bytes.Buffer
	for i, key := range slices.Sorted(maps.Keys(of.series)) {
		of.family.Metric = nil
		for _, run := range of.series[key] {
			for index := run.first; index < run.end; index++ {
				milliseconds := t.times[index].UnixMilli()
				of.family.Metric = append(of.family.Metric, &dto.Metric{
					Label: run.metric.Label, Gauge: run.metric.Gauge, Counter: run.metric.Counter,
					Histogram: run.metric.Histogram, TimestampMs: &milliseconds,
				})
			}
		}
		text.Reset()
		if _, err := expfmt.MetricFamilyToOpenMetrics(&text, of.family); err != nil {
			return err
		}
		of.family.Metric = nil
		written := text.Bytes()
		for i > 0 && bytes.HasPrefix(written, []byte("#")) { // said before the first
			_, written, _ = bytes.Cut(written, []byte("\n"))
		}
		if _, err := w.Write(written); err != nil {
			return err
		}
	}
	return nil
}
