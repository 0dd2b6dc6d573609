package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/replay"
)

// exporter is a Collector on a fake clock, and a watch that feeds it. It
// implements replay.Handler.
type exporter struct {
	t         testing.TB
	clock     *testingclock.FakeClock
	collector *Collector
	registry  *prometheus.Registry
	watch     *replay.Watch
	// leases returns when a node's Lease was last renewed, at some time.
	leases func(node string, now time.Time) time.Time
	// leasesRead are the nodes whose Lease was read, in that order.
	leasesRead []string
	leasesMu   sync.Mutex
	// newestRevisions answers a reading of a namespace's ControllerRevisions.
	newestRevisions func(namespace string) (map[slim.UID]slim.ControllerRevision, error)
	// revisionsRead are the namespaces whose ControllerRevisions were read.
	revisionsRead []string
	// logs are what the collector has logged.
	logs *bytes.Buffer
	// wait waits until the collector has handled everything that is due.
	wait func()
}

func newExporter(t testing.TB, now time.Time, adapt ...func(*Config)) *exporter {
	t.Helper()
	e := &exporter{t: t, clock: testingclock.NewFakeClock(now), registry: prometheus.NewPedanticRegistry(), logs: &bytes.Buffer{}}
	e.watch = replay.NewWatch(e)
	e.leases = func(string, time.Time) time.Time { return time.Time{} }
	e.newestRevisions = func(string) (map[slim.UID]slim.ControllerRevision, error) { return nil, nil }
	e.wait = func() {
		for e.collector.advance() == 0 {
			continue
		}
	}
	config := Config{
		Clock:           e.clock,
		Logger:          log.NewLogfmtLogger(log.NewSyncWriter(e.logs)),
		Health:          func() []informers.ResourceHealth { return nil },
		LeaseRenewTime:  e.renewTime,
		NewestRevisions: e.readRevisions,
		MaxGapSeries:    100,
		JoinGrace:       time.Minute,
		StartupGrace:    3 * time.Minute,
	}
	for _, change := range adapt {
		change(&config)
	}
	c := check.Must(New(config))(t)
	e.collector = c
	e.registry.MustRegister(c)
	return e
}

func (e *exporter) renewTime(_ context.Context, node string) (time.Time, error) {
	e.leasesMu.Lock()
	defer e.leasesMu.Unlock()
	e.leasesRead = append(e.leasesRead, node)
	renewed := e.leases(node, e.clock.Now())
	if renewed.IsZero() {
		return time.Time{}, errors.New("no such lease")
	}
	return renewed, nil
}

func (e *exporter) readRevisions(_ context.Context, namespace string) (map[slim.UID]slim.ControllerRevision, error) {
	e.revisionsRead = append(e.revisionsRead, namespace)
	return e.newestRevisions(namespace)
}

func (e *exporter) Node(old, new *slim.Node)           { e.collector.Node(old, new); e.wait() }
func (e *exporter) Pod(old, new *slim.Pod)             { e.collector.Pod(old, new); e.wait() }
func (e *exporter) DaemonSet(old, new *slim.DaemonSet) { e.collector.DaemonSet(old, new); e.wait() }
func (e *exporter) Synced()                            { e.collector.Synced(); e.wait() }

// run serves the collector's timers and Leases for the rest of the test, which
// must be in a synctest bubble.
func (e *exporter) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); e.collector.Run(ctx) }()
	e.wait = synctest.Wait
	e.t.Cleanup(func() { cancel(); <-done })
	synctest.Wait()
}

// advance lets time pass until now, stopping at everything that is due on the
// way. now may also be in the past.
func (e *exporter) advance(now time.Time) {
	e.t.Helper()
	for range 1000 {
		e.collector.mu.Lock()
		next := e.collector.cluster.NextWake()
		e.collector.mu.Unlock()
		if next.IsZero() || next.After(now) {
			e.clock.SetTime(now)
			e.wait()
			return
		}
		e.clock.SetTime(next)
		e.wait()
	}
	e.t.Fatal("timers never end")
}

// restarted returns another exporter that finds the objects as they are.
func (e *exporter) restarted() *exporter {
	e.t.Helper()
	next := newExporter(e.t, e.clock.Now())
	next.watch.Set(e.watch.Objects()...)
	next.Synced()
	return next
}

// scenario is an exporter and a cluster whose objects change one at a time. It
// begins at objects.Noon with Nodes, the DaemonSet agent, and its Pod on each
// Node, which is called a-1 on Node a.
type scenario struct {
	*exporter
	nodes      map[string]*corev1.Node
	daemonSets map[string]*appsv1.DaemonSet
	pods       map[string]*corev1.Pod
}

func newScenario(t testing.TB, nodes ...string) *scenario {
	t.Helper()
	s := &scenario{
		exporter: newExporter(t, objects.Noon),
		nodes:    map[string]*corev1.Node{}, daemonSets: map[string]*appsv1.DaemonSet{}, pods: map[string]*corev1.Pod{},
	}
	s.daemonSet("agent", objects.Created(-8000))
	for _, name := range nodes {
		s.node(name, objects.Created(-9000), objects.Ready(-8990))
		s.pod(name+"-1", objects.Created(-7000), objects.Scheduled(-7000), objects.StartTime(-7000), objects.Ready(-6990))
	}
	return s
}

// runScenarios runs each scenario as a subtest, with the Node a, after all
// informers have synced.
func runScenarios(t *testing.T, all map[string]func(s *scenario)) {
	t.Helper()
	t.Parallel()
	for name, run := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(newScenario(t, "a").synced())
		})
	}
}

func (s *scenario) synced() *scenario {
	s.Synced()
	return s
}

// at advances the clock to seconds after noon.
func (s *scenario) at(seconds float64) *scenario {
	s.t.Helper()
	s.advance(objects.At(seconds))
	return s
}

// created returns the options of an object that is created now.
func (s *scenario) created(name string) []objects.Option {
	now := objects.Seconds(s.clock.Now())
	return []objects.Option{objects.UID(types.UID(fmt.Sprint(name, "@", now))), objects.Created(now)}
}

// node creates or changes a Node.
func (s *scenario) node(name string, options ...objects.Option) {
	if old := s.nodes[name]; old != nil {
		s.nodes[name] = objects.Updated(old, options...)
	} else {
		s.nodes[name] = objects.Node(name, append(s.created(name), options...)...)
	}
	s.watch.Set(s.nodes[name])
}

// daemonSet creates or changes a DaemonSet.
func (s *scenario) daemonSet(name string, options ...objects.Option) {
	if old := s.daemonSets[name]; old != nil {
		s.daemonSets[name] = objects.Updated(old, options...)
		s.daemonSets[name].Generation++
	} else {
		s.daemonSets[name] = objects.DaemonSet(name, append(s.created(name), options...)...)
	}
	s.watch.Set(s.daemonSets[name])
}

// pod creates or changes a Pod. A new one is of the DaemonSet agent, on the Node
// that its name begins with, and its container is being created.
func (s *scenario) pod(name string, options ...objects.Option) {
	if old := s.pods[name]; old != nil {
		s.pods[name] = objects.Updated(old, options...)
	} else {
		node, _, _ := strings.Cut(name, "-")
		created := append(s.created(name), objects.On(node), objects.OwnedBy(s.daemonSets["agent"]), objects.JustCreated(objects.Seconds(s.clock.Now())))
		s.pods[name] = objects.Pod(name, append(created, options...)...)
	}
	s.watch.Set(s.pods[name])
}

func (s *scenario) deleteNode(name string) { s.watch.Delete(s.nodes[name]); delete(s.nodes, name) }

func (s *scenario) deleteDaemonSet(name string) {
	s.watch.Delete(s.daemonSets[name])
	delete(s.daemonSets, name)
}

func (s *scenario) deletePod(name string) { s.watch.Delete(s.pods[name]); delete(s.pods, name) }

// missPod deletes a Pod while the watch is interrupted: a relist finds it gone.
func (s *scenario) missPod(name string) {
	s.watch.Delete(slim.MissedPod(slim.FromPod(s.pods[name])))
	delete(s.pods, name)
}

// restarted returns the scenario after a restart of the exporter.
func (s *scenario) restarted() *scenario {
	s.t.Helper()
	return &scenario{s.exporter.restarted(), maps.Clone(s.nodes), maps.Clone(s.daemonSets), maps.Clone(s.pods)}
}
