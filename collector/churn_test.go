package collector

import (
	"slices"
	"testing"

	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/churn"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// churned is an exporter that sees a cluster in which everything is replaced. It implements
// churn.Handler.
type churned struct{ *exporter }

// Set implements churn.Handler.
func (c churned) Set(at float64, object metav1.Object) {
	c.passTo(at)
	c.watch.Set(object)
}

// Delete implements churn.Handler.
func (c churned) Delete(at float64, object metav1.Object) {
	c.passTo(at)
	c.watch.Delete(object)
}

// passTo lets time pass until so many seconds after objects.Noon.
func (c churned) passTo(at float64) {
	if later := objects.At(at); later.After(c.clock.Now()) {
		c.clock.SetTime(later)
		c.wait()
	}
}

// series returns the names and labels of all series.
func (c churned) series() (all []string) {
	for _, family := range check.Must(c.registry.Gather())(c.t) {
		for _, metric := range family.GetMetric() {
			all = append(all, (&dto.Metric{Label: metric.GetLabel()}).String()+family.GetName())
		}
	}
	slices.Sort(all)
	return all
}

// An hour in which everything was replaced leaves nothing: no series, no timer, no memory.
// What is born with the first event of its kind is there after the first hour.
func TestChurn(t *testing.T) { //nolint:paralleltest // it measures the heap
	c := churned{newExporter(t, objects.At(-7000), func(config *Config) {
		config.LeaseRenewTime, config.NewestRevisions = nil, nil // nobody would read what is queued for them
	})}
	cluster := churn.New(20, 4, c)
	c.collector.Synced()
	hour := func() (series []string, heap int64) {
		cluster.Hour()
		c.passTo(cluster.Now())
		return c.series(), liveHeap()
	}
	hour()
	series, heap := hour()
	for range 3 {
		seriesAfter, heapAfter := hour()
		check.Equal(t, seriesAfter, series, "the series after another hour")
		check.That(t, float64(heapAfter) <= 1.05*float64(heap), "an hour let the heap grow from %d to %d bytes", heap, heapAfter)
		check.That(t, c.collector.cluster.NextWake().IsZero(), "a timer is left, for %s", c.collector.cluster.NextWake())
	}
}
