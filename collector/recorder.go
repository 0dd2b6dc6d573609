package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// recorder updates counters and histograms for events. It implements
// state.Recorder. What belongs to a node or a DaemonSet goes with it.
type recorder struct {
	gapDuration                               *histograms
	nodesLost                                 *counters
	nodeFailures, nodeTransitions             *counters
	detection, outage, startup                *histograms
	rescheduling, reschedulingStage           *histograms
	terminationDuration                       *histograms
	terminations, restarts, negativeDurations *counters

	// nodeLabels are the names of the labels that come from nodes, zone first.
	nodeLabels []string
	// silenced takes the nodes that turn unreachable; nil to drop them.
	silenced *leaseQueue
	// revisions takes the DaemonSets whose revision is to be read; nil to drop them.
	revisions *revisionQueue
}

var _ state.Recorder = (*recorder)(nil)

func newRecorder(m *metrics, silenced *leaseQueue, revisions *revisionQueue) *recorder {
	r := &recorder{
		gapDuration:         m.gapDuration.newHistogram(),
		nodesLost:           m.nodesLost.newCounter(),
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
		negativeDurations:   m.negativeDurations.newCounter(),
		nodeLabels:          append([]string{labelZone}, m.nodeLabels...),
		silenced:            silenced,
		revisions:           revisions,
	}
	// What is there from the start.
	r.negativeDurations.add(0)
	r.detection.begin()
	r.startup.begin(stageReady)
	r.startup.begin(stageCovered)
	return r
}

// ofDaemonSets returns the families whose labels begin with namespace and
// daemonset.
func (r *recorder) ofDaemonSets() []*family {
	return []*family{
		&r.nodesLost.family, &r.gapDuration.family, &r.rescheduling.family, &r.reschedulingStage.family,
		&r.terminationDuration.family, &r.terminations.family, &r.restarts.family,
	}
}

// collect adds the present values of all families; only the exporter's own before the
// start.
func (r *recorder) collect(to *scrape, started bool) {
	families := []*family{&r.negativeDurations.family}
	if started {
		families = append(append(families, r.ofDaemonSets()...), &r.nodeFailures.family, &r.nodeTransitions.family,
			&r.detection.family, &r.outage.family, &r.startup.family)
	}
	for _, family := range families {
		to.series[family.row.index] = family.read()
	}
}

// observe takes a duration, unless it is negative: clocks disagree.
func (r *recorder) observe(histograms *histograms, duration time.Duration, labels ...string) {
	if duration < 0 {
		r.negativeDurations.add(1)
		return
	}
	histograms.observe(duration, labels...)
}

// DaemonSetAdded implements state.Recorder. The counters of a DaemonSet begin at
// zero, so that the first increase shows.
func (r *recorder) DaemonSetAdded(ds *slim.DaemonSet) {
	namespace, name := ds.Namespace.Value(), ds.Name
	for exclusion := coverage.NotExcluded + 1; exclusion < coverage.Exclusions; exclusion++ {
		r.nodesLost.add(0, namespace, name, exclusion.String())
	}
	for outcome := range rescheduling.Outcomes {
		r.terminations.add(0, namespace, name, outcome.String())
	}
	for _, reason := range restartReasons() {
		r.restarts.add(0, namespace, name, reason)
	}
}

// DaemonSetDeleted implements state.Recorder.
func (r *recorder) DaemonSetDeleted(ds *slim.DaemonSet) {
	for _, family := range r.ofDaemonSets() {
		family.delete(prometheus.Labels{
			labelNamespace: ds.Namespace.Value(),
			labelDaemonSet: ds.Name,
		})
	}
	if r.revisions != nil {
		r.revisions.forget(ds.UID)
	}
}

// RevisionUnknown implements state.Recorder.
func (r *recorder) RevisionUnknown(ds *slim.DaemonSet, last slim.ControllerRevision) {
	if r.revisions != nil {
		r.revisions.add(ds, last)
	}
}

// NodeLost implements state.Recorder.
func (r *recorder) NodeLost(ds *slim.DaemonSet, exclusion coverage.Exclusion) {
	r.nodesLost.add(1, ds.Namespace.Value(), ds.Name, exclusion.String())
}

// GapClosed implements state.Recorder.
func (r *recorder) GapClosed(ds *slim.DaemonSet, cause coverage.Cause, lifecycle readiness.Lifecycle, duration time.Duration) {
	r.observe(r.gapDuration, duration, ds.Namespace.Value(), ds.Name, cause.String(), lifecycle.String())
}

// NodeTransition implements state.Recorder.
func (r *recorder) NodeTransition(node *slim.Node, labels state.NodeLabels, lifecycle readiness.Lifecycle, transition readiness.Transition) {
	values := func(status readiness.Status) []string {
		return state.AppendNodeLabels([]string{status.String()}, labels)
	}
	switch {
	case transition.From == readiness.StatusNeverReady:
		return
	case transition.From == readiness.StatusReady:
		r.nodeFailures.add(1, failureLabels(transition.To, lifecycle, labels)...)
		r.nodeTransitions.add(1, node.Name)
	case transition.To == readiness.StatusReady:
		r.observe(r.outage, transition.Outage, values(transition.Failure)...)
		r.nodeTransitions.add(1, node.Name)
	}
	if transition.Silenced {
		r.silenced.add(silencedNode{node.Name, transition.At})
	}
}

// failureLabels are the values of the labels of failures.
func failureLabels(status readiness.Status, lifecycle readiness.Lifecycle, labels state.NodeLabels) []string {
	return state.AppendNodeLabels([]string{status.String(), lifecycle.String()}, labels)
}

// NodeLabelsAdded implements state.Recorder. The failures of a zone begin at zero, so
// that the first shows.
func (r *recorder) NodeLabelsAdded(labels state.NodeLabels) {
	for _, status := range []readiness.Status{readiness.StatusNotReady, readiness.StatusUnreachable} {
		for lifecycle := range readiness.Lifecycles {
			r.nodeFailures.add(0, failureLabels(status, lifecycle, labels)...)
		}
	}
}

// NodeLabelsDeleted implements state.Recorder.
func (r *recorder) NodeLabelsDeleted(labels state.NodeLabels) {
	gone := prometheus.Labels{}
	for i, value := range state.AppendNodeLabels(nil, labels) {
		gone[r.nodeLabels[i]] = value
	}
	r.nodeFailures.delete(gone)
	r.outage.delete(gone)
}

// NodeReady implements state.Recorder.
func (r *recorder) NodeReady(startup time.Duration) { r.observe(r.startup, startup, stageReady) }

// NodeCovered implements state.Recorder.
func (r *recorder) NodeCovered(startup time.Duration) { r.observe(r.startup, startup, stageCovered) }

// The stages of a node's startup.
const (
	stageReady   = "ready"
	stageCovered = "covered"
)

// NodeDeleted implements state.Recorder.
func (r *recorder) NodeDeleted(node *slim.Node) {
	r.nodeTransitions.deleteOne(node.Name)
}

// Rescheduled implements state.Recorder.
func (r *recorder) Rescheduled(ds *slim.DaemonSet, result *rescheduling.Result) {
	namespace, name := ds.Namespace.Value(), ds.Name
	total := result.Duration()
	if total >= 0 {
		for stage, duration := range result.Stages {
			r.observe(r.reschedulingStage, duration, namespace, name, rescheduling.Stage(stage).String())
		}
	}
	r.observe(r.rescheduling, total, namespace, name, result.Trigger.String())
}

// Terminated implements state.Recorder.
func (r *recorder) Terminated(ds *slim.DaemonSet, outcome rescheduling.Outcome) {
	r.terminations.add(1, ds.Namespace.Value(), ds.Name, outcome.String())
}

// TerminationMeasured implements state.Recorder.
func (r *recorder) TerminationMeasured(ds *slim.DaemonSet, duration time.Duration) {
	r.observe(r.terminationDuration, duration, ds.Namespace.Value(), ds.Name)
}

// ContainersRestarted implements state.Recorder.
func (r *recorder) ContainersRestarted(ds *slim.DaemonSet, reason slim.TerminationReason, times int32) {
	r.restarts.add(float64(times), ds.Namespace.Value(), ds.Name, restartReason(reason))
}

// restartReasons returns all values of the label reason of restarts.
func restartReasons() []string {
	return []string{"Completed", "Error", "OOMKilled", "StartError", "other"}
}

// restartReason returns the value of the label reason of restarts.
func restartReason(reason slim.TerminationReason) string {
	switch reason {
	case slim.TerminationOOMKilled:
		return "OOMKilled"
	case slim.TerminationError:
		return "Error"
	case slim.TerminationCompleted:
		return "Completed"
	case slim.TerminationStartError:
		return "StartError"
	case slim.TerminationNone, slim.TerminationUnknown, slim.TerminationOther:
		return "other"
	default:
		return "other"
	}
}
