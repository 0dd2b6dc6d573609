package collector

import (
	"flag"
	"fmt"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

var flapping = flag.Int("flapping", 1_000, "how many nodes flap in TestFlappingFleet")

// A whole fleet flaps while all its pods terminate, and is scraped meanwhile: as the
// informers do, each resource brings its events on a goroutine of its own. What is left
// in the end is the truth; the race detector sees the rest.
func TestFlappingFleet(t *testing.T) {
	t.Parallel()
	flappingNodes := *flapping
	e := newExporter(t, objects.Noon)
	agent := objects.DaemonSet("agent", objects.Created(-8000))
	ready := make([]*slim.Node, flappingNodes)
	lost := make([]*slim.Node, flappingNodes)
	running := make([]*slim.Pod, flappingNodes)
	ending := make([]*slim.Pod, flappingNodes)
	for number := range flappingNodes {
		name := fmt.Sprintf("n%05d", number)
		node := objects.Node(name, objects.Created(-9000), objects.Ready(-8990))
		ready[number], lost[number] = slim.FromNode(node), slim.FromNode(objects.Updated(node, objects.ReadyUnknown(1)))
		pod := objects.PodOf("agent", name)
		running[number], ending[number] = slim.FromPod(pod), slim.FromPod(objects.Updated(pod, objects.Terminating(1, 30)))
	}
	c := e.collector
	c.DaemonSet(nil, slim.FromDaemonSet(agent))
	for number := range flappingNodes {
		c.Node(nil, ready[number])
		c.Pod(nil, running[number])
	}
	c.Synced()

	var events, scrapes sync.WaitGroup
	done := make(chan struct{})
	events.Go(func() {
		for number := range flappingNodes {
			c.Node(ready[number], lost[number])
			c.Node(lost[number], ready[number])
		}
	})
	events.Go(func() {
		for number := range flappingNodes {
			c.Pod(running[number], ending[number])
		}
	})
	for range 3 {
		scrapes.Go(func() {
			registry := prometheus.NewRegistry()
			registry.MustRegister(c)
			for {
				_, err := registry.Gather()
				check.That(t, err == nil, "a scrape: %v", err)
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	events.Wait()
	close(done)
	scrapes.Wait()

	for _, name := range []string{
		"daemonset_expected_nodes", "daemonset_covered_nodes", "daemonset_node_failures_total",
		"daemonset_pods_terminating", "daemonset_cluster_nodes",
	} {
		check.Equal(t, sumOf(t, e.registry, name), float64(flappingNodes), name)
	}
}

// sumOf returns the sum of all series of a metric.
func sumOf(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	sum := 0.0
	for _, family := range check.Must(registry.Gather())(t) {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			sum += metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
	}
	return sum
}
