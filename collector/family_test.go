package collector

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A range of durations that outgrows the native buckets halves their resolution, and
// takes away no count: neither after an hour nor at once.
func TestHistogramsAreNeverReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		row := newMetrics(nil).gapDuration
		histograms := row.newHistogram()
		const observations = 400
		for i := range observations {
			<-time.After(time.Minute)
			// From a millisecond to a hundred days, in steps that each need a bucket.
			seconds := math.Pow(10, -3+10*float64(i)/observations)
			histograms.observe(time.Duration(seconds*float64(time.Second)), "default", "agent", "pod", "active")
		}
		got := histograms.read()[0].Histogram
		if got.GetSampleCount() != observations {
			t.Errorf("%d observations are counted, want %d", got.GetSampleCount(), observations)
		}
		if last := got.Bucket[len(got.Bucket)-1].GetCumulativeCount(); last < observations/2 {
			t.Errorf("the classic buckets hold %d observations", last)
		}
		if buckets := len(got.PositiveDelta); buckets == 0 || buckets > 161 {
			t.Errorf("%d native buckets, want at most 160", buckets)
		}
	})
}

// What was read is not read again, unless a series has changed or gone.
func TestFamilyRead(t *testing.T) {
	t.Parallel()
	total := func(c *counters) (sum float64) {
		for _, metric := range c.read() {
			sum += metric.GetCounter().GetValue()
		}
		return sum
	}
	row := newMetrics(nil).nodeTransitions
	c := row.newCounter()
	for _, step := range []struct {
		why    string
		change func()
		want   float64
		series int
	}{
		{"empty", func() {}, 0, 0},
		{"zeros are there", func() { c.add(0, "b") }, 0, 1},
		{"sums", func() { c.add(2, "b"); c.add(1, "a") }, 3, 2},
		{"nothing new", func() {}, 3, 2},
		{"another series goes", func() { c.delete(prometheus.Labels{labelNode: "none"}) }, 3, 2},
		{"one goes", func() { c.delete(prometheus.Labels{labelNode: "b"}) }, 1, 1},
	} {
		c.read()
		step.change()
		if got := total(c); got != step.want || len(c.read()) != step.series {
			t.Errorf("%s: %v in %d series, want %v in %d", step.why, got, len(c.read()), step.want, step.series)
		}
	}
}
