package scenarios

import (
	"bytes"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/prompb"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// formats are those of histograms that a Prometheus keeps.
type formats struct{ classic, native bool }

// write fills a Prometheus that scrapes nothing with a world, by remote write.
func write(t *testing.T, p *program, world []line, keeps formats) {
	t.Helper()
	var request prompb.WriteRequest
	for _, l := range world {
		if len(l.durations) == 0 {
			request.Timeseries = append(request.Timeseries, floats(l))
			continue
		}
		scraped := scrapeHistogram(t, l)
		if keeps.classic {
			request.Timeseries = append(request.Timeseries, classic(l, scraped)...)
		}
		if keeps.native {
			request.Timeseries = append(request.Timeseries, native(l, scraped))
		}
	}
	body := snappy.Encode(nil, check.Must(request.Marshal())(t))
	post := check.Must(http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/api/v1/write", bytes.NewReader(body)))(t)
	post.Header.Set("Content-Type", "application/x-protobuf")
	post.Header.Set("Content-Encoding", "snappy")
	response, err := http.DefaultClient.Do(post)
	check.NoError(t, err)
	defer response.Body.Close()
	check.Require(t, response.StatusCode == http.StatusNoContent, "remote write: %s", response.Status)
}

// moment is the time of a scrape.
func moment(scrape int) int64 {
	return origin.Add(time.Duration(scrape) * scrapeInterval).UnixMilli()
}

func labelled(name string, labels map[string]string) []prompb.Label {
	all := []prompb.Label{{Name: model.MetricNameLabel, Value: name}}
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, prompb.Label{Name: label, Value: labels[label]})
	}
	return all
}

func floats(l line) prompb.TimeSeries {
	series := prompb.TimeSeries{Labels: labelled(l.name, l.labels)}
	for i, value := range l.values {
		if !math.IsNaN(value) {
			series.Samples = append(series.Samples, prompb.Sample{Value: value, Timestamp: moment(i)})
		}
	}
	return series
}

// scrapeHistogram returns a histogram as client_golang writes it, at each scrape; nil
// before it is there.
func scrapeHistogram(t *testing.T, l line) []*dto.Histogram {
	t.Helper()
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: l.name, Help: "Durations.", Buckets: []float64{0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
	})
	all := make([]*dto.Histogram, scrapes)
	there := false
	for i := range scrapes {
		for _, d := range l.durations {
			if d.at != i {
				continue
			}
			there = true
			if !math.IsNaN(d.seconds) {
				histogram.Observe(d.seconds)
			}
		}
		if there {
			var metric dto.Metric
			check.NoError(t, histogram.Write(&metric))
			all[i] = metric.GetHistogram()
		}
	}
	return all
}

// classic returns the series of a classic histogram. Prometheus writes the bound 1 as 1.0.
func classic(l line, scraped []*dto.Histogram) []prompb.TimeSeries {
	part := func(suffix, le string, value func(*dto.Histogram) float64) prompb.TimeSeries {
		one := line{name: l.name + suffix, labels: maps.Clone(l.labels), values: slices.Repeat([]float64{math.NaN()}, scrapes)}
		if le != "" {
			one.labels["le"] = le
		}
		for i, h := range scraped {
			if h != nil {
				one.values[i] = value(h)
			}
		}
		return floats(one)
	}
	count := func(h *dto.Histogram) float64 { return float64(h.GetSampleCount()) }
	all := []prompb.TimeSeries{
		part("_count", "", count), part("_bucket", "+Inf", count),
		part("_sum", "", func(h *dto.Histogram) float64 { return h.GetSampleSum() }),
	}
	for b, bucket := range scraped[scrapes-1].GetBucket() {
		le := strconv.FormatFloat(bucket.GetUpperBound(), 'f', -1, 64)
		if bucket.GetUpperBound() == math.Trunc(bucket.GetUpperBound()) {
			le += ".0"
		}
		all = append(all, part("_bucket", le, func(h *dto.Histogram) float64 { return float64(h.GetBucket()[b].GetCumulativeCount()) }))
	}
	return all
}

// native returns the series of a native histogram.
func native(l line, scraped []*dto.Histogram) prompb.TimeSeries {
	series := prompb.TimeSeries{Labels: labelled(l.name, l.labels)}
	for i, h := range scraped {
		if h == nil {
			continue
		}
		sample := prompb.Histogram{
			Count: &prompb.Histogram_CountInt{CountInt: h.GetSampleCount()}, Sum: h.GetSampleSum(), Schema: h.GetSchema(),
			ZeroThreshold: h.GetZeroThreshold(), ZeroCount: &prompb.Histogram_ZeroCountInt{ZeroCountInt: h.GetZeroCount()},
			PositiveDeltas: h.GetPositiveDelta(), Timestamp: moment(i),
		}
		for _, span := range h.GetPositiveSpan() {
			sample.PositiveSpans = append(sample.PositiveSpans, prompb.BucketSpan{Offset: span.GetOffset(), Length: span.GetLength()})
		}
		series.Histograms = append(series.Histograms, sample)
	}
	return series
}
