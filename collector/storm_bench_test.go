package collector

import (
	"fmt"
	"math"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// BenchmarkStorm measures how long the lock is held in the worst hour of a fleet: its
// nodes are lost while all pods terminate, come back, grace periods end, and everything
// is replaced. It reports the longest event of each kind and the longest scrape. Each
// of them counts as fast as it was in the fastest of b.N storms, so that neither the
// garbage collector nor other work of the machine shows: use -benchtime=5x.
func BenchmarkStorm(b *testing.B) {
	for _, size := range []fleetSize{{1000, 20}, {5000, 30}} {
		b.Run(size.String(), func(b *testing.B) {
			world := newStormWorld(b, size)
			fastest := map[string][]time.Duration{}
			for b.Loop() {
				now := testingclock.NewFakeClock(objects.Noon)
				s := &storm{stormWorld: world, clock: now, collector: newFleetCollector(b, now), took: map[string][]time.Duration{}}
				s.blow(b)
				for kind, took := range s.took {
					if fastest[kind] == nil {
						fastest[kind] = took
					}
					for i, duration := range took {
						fastest[kind][i] = min(fastest[kind][i], duration)
					}
				}
			}
			for kind, took := range fastest {
				longest := time.Duration(math.MinInt64)
				for _, duration := range took {
					longest = max(longest, duration)
				}
				b.ReportMetric(float64(longest.Nanoseconds())/1e3, "µs/"+kind)
			}
		})
	}
}

// stormWorld holds the versions of all objects.
type stormWorld struct {
	ready, lost, replaced []*slim.Node
	daemonSets            []*slim.DaemonSet
	running, ending       []*slim.Pod
}

func newStormWorld(b *testing.B, size fleetSize) *stormWorld {
	w := &stormWorld{}
	for index := range size.nodes {
		w.ready = append(w.ready, size.node(b, index, corev1.ConditionTrue))
		w.lost = append(w.lost, size.node(b, index, corev1.ConditionUnknown))
		w.replaced = append(w.replaced, slim.FromNode(objects.Node(fmt.Sprintf("new-%d", index), objects.Created(0), objects.Ready(60),
			objects.Label("node.example.com/label-number-7", "value-7"))))
	}
	for set := range size.daemonSets {
		w.daemonSets = append(w.daemonSets, size.daemonSet(set, 1))
		for node := range size.nodes {
			pod := size.pod(set, node, true, 1)
			w.running = append(w.running, pod)
			ending := *pod
			ending.DeletionTimestamp, ending.DeletionGracePeriodSeconds = slim.StampOf(new(objects.Stamp(30))), 30
			w.ending = append(w.ending, &ending)
		}
	}
	return w
}

// storm is one storm, and how long each of its events took by kind.
type storm struct {
	*stormWorld
	clock     *testingclock.FakeClock
	collector *Collector
	took      map[string][]time.Duration
}

func (s *storm) timed(kind string, event func()) {
	begun := time.Now()
	event()
	s.took[kind] = append(s.took[kind], time.Since(begun))
}

// pass lets time pass, as Run does.
func (s *storm) pass(kind string, duration time.Duration) {
	s.clock.Step(duration)
	for wait := time.Duration(0); wait == 0; {
		s.timed(kind, func() { wait = s.collector.advance() })
	}
}

// blow is the storm, from a fleet of which all is well to one of other nodes.
func (s *storm) blow(b *testing.B) {
	b.Helper()
	c := s.collector
	for _, node := range s.ready {
		c.Node(nil, node)
	}
	for _, ds := range s.daemonSets {
		c.DaemonSet(nil, ds)
	}
	for _, pod := range s.running {
		c.Pod(nil, pod)
	}
	c.Synced()
	s.scrape(b)
	for i, node := range s.ready {
		s.timed("node-lost", func() { c.Node(node, s.lost[i]) })
	}
	s.scrape(b)
	for i, pod := range s.running {
		s.timed("pod-terminating", func() { c.Pod(pod, s.ending[i]) })
	}
	s.scrape(b)
	for i, node := range s.lost {
		s.timed("node-back", func() { c.Node(node, s.ready[i]) })
	}
	s.scrape(b)
	s.pass("grace-over", time.Minute) // all grace periods end, and the pods are removed
	for _, pod := range s.ending {
		s.timed("pod-gone", func() { c.Pod(pod, nil) })
	}
	s.scrape(b)
	for i, node := range s.ready {
		s.timed("node-new", func() { c.Node(nil, s.replaced[i]) })
		s.timed("node-gone", func() { c.Node(node, nil) })
	}
	s.scrape(b)
	s.pass("joined", time.Hour) // all new nodes cease to be joining
	for _, ds := range s.daemonSets {
		changed := *ds
		changed.Generation++
		s.timed("template", func() { c.DaemonSet(ds, &changed) })
		s.timed("daemonset-gone", func() { c.DaemonSet(&changed, nil) })
	}
	s.pass("daemonsets-ended", 0)
}

func (s *storm) scrape(b *testing.B) {
	b.Helper()
	s.timed("scrape", func() { check.Must(s.collector.read())(b) })
}
