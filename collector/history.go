package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// history counts what is finished: gaps, outages, reschedulings, terminations.
// It implements coverage.Observer and rescheduling.Recorder. What belongs to a
// node or a DaemonSet goes with it.
type history struct {
	gapDuration                       *prometheus.HistogramVec
	nodeFailures, nodeTransitions     *prometheus.CounterVec
	detection, outage, startup        *prometheus.HistogramVec
	rescheduling, reschedulingStage   *prometheus.HistogramVec
	terminationDuration               *prometheus.HistogramVec
	terminations, restarts, clockSkew *prometheus.CounterVec

	// cells and terminating are told what the ledger sees.
	cells       *rescheduling.Tracker
	terminating *rescheduling.Terminations
	// unreachable is told of nodes that turn unreachable.
	unreachable func(node string, at time.Time)
}

var (
	_ coverage.Observer     = (*history)(nil)
	_ rescheduling.Recorder = (*history)(nil)
)

func newHistory(m *metrics) *history {
	h := &history{
		gapDuration:         m.gapDuration.newHistogram(),
		nodeFailures:        m.nodeFailures.newCounter(),
		nodeTransitions:     m.nodeTransitions.newCounter(),
		detection:           m.nodeDetection.newHistogram(),
		outage:              m.nodeOutage.newHistogram(),
		startup:             m.nodeStartup.newHistogram(),
		rescheduling:        m.rescheduling.newHistogram(),
		reschedulingStage:   m.reschedulingStage.newHistogram(),
		terminationDuration: m.terminationDuration.newHistogram(),
		terminations:        m.terminations.newCounter(),
		restarts:            m.containerRestarts.newCounter(),
		clockSkew:           m.clockSkew.newCounter(),
	}
	h.clockSkew.WithLabelValues() // it is there from the start
	h.cells = rescheduling.NewTracker(h)
	return h
}

// ofDaemonSets are the parts whose series begin with namespace and DaemonSet.
func (h *history) ofDaemonSets() []interface {
	prometheus.Collector
	DeletePartialMatch(prometheus.Labels) int
} {
	return []interface {
		prometheus.Collector
		DeletePartialMatch(prometheus.Labels) int
	}{
		h.gapDuration, h.rescheduling, h.reschedulingStage,
		h.terminationDuration, h.terminations, h.restarts,
	}
}

// collect gives everything but the clock skew, which is the exporter's own.
func (h *history) collect(sink chan<- prometheus.Metric) {
	for _, part := range h.ofDaemonSets() {
		part.Collect(sink)
	}
	h.nodeFailures.Collect(sink)
	h.nodeTransitions.Collect(sink)
	h.detection.Collect(sink)
	h.outage.Collect(sink)
	h.startup.Collect(sink)
}

// observe takes a duration, unless it is negative: clocks disagree.
func (h *history) observe(histogram *prometheus.HistogramVec, duration time.Duration, labels ...string) {
	if duration < 0 {
		h.clockSkew.WithLabelValues().Inc()
		return
	}
	histogram.WithLabelValues(labels...).Observe(duration.Seconds())
}

// CellSettled implements coverage.Observer.
func (h *history) CellSettled(change *coverage.Change, now time.Time) {
	h.cells.CellSettled(change, now)
}

// GapClosed implements coverage.Observer.
func (h *history) GapClosed(ds *slim.DaemonSet, first coverage.Cause, duration time.Duration) {
	h.observe(h.gapDuration, duration, ds.Namespace.Value(), ds.Name, first.String())
}

// NodeTurned implements coverage.Observer.
func (h *history) NodeTurned(node *slim.Node, labels coverage.NodeLabels, turn readiness.Transition) {
	values := func(status readiness.Status) []string {
		return append([]string{status.String()}, valuesOf(labels)...)
	}
	switch {
	case turn.From == readiness.StatusNeverReady:
		return
	case turn.From == readiness.StatusReady:
		h.nodeFailures.WithLabelValues(values(turn.To)...).Inc()
		h.nodeTransitions.WithLabelValues(node.Name).Inc()
	case turn.To == readiness.StatusReady:
		h.observe(h.outage, turn.Outage, values(turn.Failure)...)
		h.nodeTransitions.WithLabelValues(node.Name).Inc()
	}
	if turn.Silenced {
		h.unreachable(node.Name, turn.At)
	}
}

// NodeReady implements coverage.Observer.
func (h *history) NodeReady(startup time.Duration) { h.observe(h.startup, startup, stageReady) }

// NodeCovered implements coverage.Observer.
func (h *history) NodeCovered(startup time.Duration) { h.observe(h.startup, startup, stageCovered) }

// The stages of a node's startup.
const (
	stageReady   = "ready"
	stageCovered = "covered"
)

// NodeDeleted implements coverage.Observer.
func (h *history) NodeDeleted(node *slim.Node) { h.nodeTransitions.DeleteLabelValues(node.Name) }

// DaemonSetDeleted implements coverage.Observer.
func (h *history) DaemonSetDeleted(ds *slim.DaemonSet) {
	for _, part := range h.ofDaemonSets() {
		part.DeletePartialMatch(prometheus.Labels{
			labelNamespace: ds.Namespace.Value(),
			labelDaemonSet: ds.Name,
		})
	}
}

// Rescheduled implements rescheduling.Recorder.
func (h *history) Rescheduled(ds *slim.DaemonSet, trigger rescheduling.Trigger, stages [rescheduling.Stages]time.Duration) {
	namespace, name := ds.Namespace.Value(), ds.Name
	total := time.Duration(0)
	for _, duration := range stages {
		total += duration
	}
	if total < 0 {
		h.clockSkew.WithLabelValues().Inc()
		return
	}
	for stage, duration := range stages {
		h.observe(h.reschedulingStage, duration, namespace, name, rescheduling.Stage(stage).String())
	}
	h.observe(h.rescheduling, total, namespace, name, trigger.String())
}

// Terminated implements rescheduling.Recorder.
func (h *history) Terminated(ds *slim.DaemonSet, outcome rescheduling.Outcome, duration time.Duration) {
	h.terminations.WithLabelValues(ds.Namespace.Value(), ds.Name, outcome.String()).Inc()
	if duration != rescheduling.Unmeasured {
		h.observe(h.terminationDuration, duration, ds.Namespace.Value(), ds.Name)
	}
}

// Restarted implements rescheduling.Recorder.
func (h *history) Restarted(ds *slim.DaemonSet, ending slim.TerminationReason, times int32) {
	h.restarts.WithLabelValues(ds.Namespace.Value(), ds.Name, endingLabel(ending)).Add(float64(times))
}

// prepare makes the counters of a DaemonSet begin at zero, so that the first
// increase shows.
func (h *history) prepare(ds *slim.DaemonSet) {
	namespace, name := ds.Namespace.Value(), ds.Name
	for outcome := range rescheduling.Outcomes {
		h.terminations.WithLabelValues(namespace, name, outcome.String())
	}
	for ending := slim.TerminationCompleted; ending <= slim.TerminationOther; ending++ {
		h.restarts.WithLabelValues(namespace, name, endingLabel(ending))
	}
}

// endingLabel is the value of the label reason of restarts.
func endingLabel(ending slim.TerminationReason) string {
	switch ending {
	case slim.TerminationOOMKilled:
		return "OOMKilled"
	case slim.TerminationError:
		return "Error"
	case slim.TerminationCompleted:
		return "Completed"
	case slim.TerminationNone, slim.TerminationUnknown, slim.TerminationOther:
		return "other"
	default:
		return "other"
	}
}
