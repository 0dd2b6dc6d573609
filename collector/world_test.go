package collector

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
)

// samples are what a scrape gives that is not zero, with names cut to what tells
// them apart: without the prefix daemonset_, without labels that are the same
// for all (namespace, daemonset, zone), without lifecycle="active", without the
// cause that goes with a reason. Of a histogram they hold count and sum.
type samples map[string]float64

// world is a collector on a fake clock, with all that it needs.
type world struct {
	t         testing.TB
	clock     *testingclock.FakeClock
	collector *Collector
	registry  *prometheus.Registry
	// leases says when a node's Lease was last renewed, at some time.
	leases func(node string, now time.Time) time.Time
	// read are the nodes whose Lease was read, in that order.
	read []string
	// settle waits until the collector has done what there is to do; nothing
	// to wait for unless it runs.
	settle func()
}

func newWorld(t testing.TB, now time.Time) *world {
	t.Helper()
	w := &world{t: t, clock: testingclock.NewFakeClock(now), registry: prometheus.NewPedanticRegistry()}
	w.leases = func(string, time.Time) time.Time { return time.Time{} }
	w.settle = func() { w.collector.mu.Lock(); w.collector.ledger.Advance(w.clock.Now()); w.collector.mu.Unlock() }
	c, err := New(Config{
		Clock:          w.clock,
		Logger:         log.NewNopLogger(),
		Health:         func() []informers.ResourceHealth { return nil },
		LeaseRenewTime: w.renewTime,
		MaxGapSeries:   100,
		JoinGrace:      time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.collector = c
	w.registry.MustRegister(c)
	return w
}

func (w *world) renewTime(_ context.Context, node string) (time.Time, error) {
	w.read = append(w.read, node)
	renewed := w.leases(node, w.clock.Now())
	if renewed.IsZero() {
		return time.Time{}, errors.New("no such lease")
	}
	return renewed, nil
}

// run serves the collector's timers and Leases for the rest of the test, which
// must be in a synctest bubble.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.collector.Run(ctx) }()
	w.settle = synctest.Wait
	w.t.Cleanup(func() { cancel(); <-done })
	synctest.Wait()
}

// at lets time pass until now, stopping at everything that is due on the way.
func (w *world) at(now time.Time) {
	w.t.Helper()
	for range 1000 {
		w.collector.mu.Lock()
		next := w.collector.ledger.NextWake()
		w.collector.mu.Unlock()
		if next.IsZero() || next.After(now) {
			w.clock.SetTime(now)
			w.settle()
			return
		}
		w.clock.SetTime(next)
		w.settle()
	}
	w.t.Fatal("timers never end")
}

// do delivers an event.
func (w *world) do(event func()) {
	event()
	w.settle()
}

// scrape gives the samples that are not zero.
func (w *world) scrape() samples {
	w.t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	got := samples{}
	for _, family := range families {
		for _, metric := range family.Metric {
			name := strings.TrimPrefix(family.GetName(), "daemonset_")
			labels := shortLabels(metric.GetLabel())
			switch family.GetType() {
			case dto.MetricType_HISTOGRAM:
				got[name+"_count"+labels] += float64(metric.GetHistogram().GetSampleCount())
				got[name+"_sum"+labels] += metric.GetHistogram().GetSampleSum()
			case dto.MetricType_COUNTER:
				got[name+labels] += metric.GetCounter().GetValue()
			default:
				got[name+labels] += metric.GetGauge().GetValue()
			}
		}
	}
	return got
}

func shortLabels(labels []*dto.LabelPair) string {
	var kept []string
	reason := slices.ContainsFunc(labels, func(l *dto.LabelPair) bool { return l.GetName() == labelReason })
	for _, label := range labels {
		switch name, value := label.GetName(), label.GetValue(); {
		case name == labelNamespace, name == labelDaemonSet && value == "agent", name == labelZone && value == "",
			name == labelLifecycle && value == "active", name == labelCause && reason:
		default:
			kept = append(kept, name+"="+value)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return "{" + strings.Join(kept, ",") + "}"
}

// told are the families that compare looks at: all that tell of coverage, of
// nodes and of what happens over time.
func told(name string) bool {
	family, _, _ := strings.Cut(name, "{")
	switch family {
	case "expected_nodes", "covered_nodes", "gap_nodes", "gap_start_timestamp_seconds", "misplaced_nodes",
		"cluster_nodes", "node_not_ready_start_timestamp_seconds", "node_gaps", "exporter_clock_skew_total":
		return true
	}
	for _, prefix := range []string{
		"gap_duration_", "node_failures_", "node_transitions_", "node_detection_", "node_outage_", "node_startup_",
		"pod_", "pods_", "container_",
	} {
		if strings.HasPrefix(family, prefix) {
			return true
		}
	}
	return false
}

// compare tells where a scrape differs from what it must say. Times agree to
// the millisecond.
func (w *world) compare(why string, want samples) {
	w.t.Helper()
	keep := func(all samples) samples {
		kept := samples{}
		for name, value := range all {
			if told(name) && math.Abs(value) > 1e-6 {
				kept[name] = value
			}
		}
		return kept
	}
	if diff := cmp.Diff(keep(want), keep(w.scrape()), cmpopts.EquateApprox(0, 0.001)); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", why, diff)
	}
}

// compareLedger checks that nothing is left once pods and DaemonSets are gone.
func (w *world) compareLedger() {
	w.t.Helper()
	h := w.collector.history
	if open := h.cells.Open(); open != 0 {
		w.t.Errorf("%d reschedulings are left", open)
	}
	if open := h.terminating.Open(); open != 0 {
		w.t.Errorf("%d terminations are left", open)
	}
}
