// Package recorder has a state.Recorder for tests that look at the state alone.
package recorder

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Nothing records nothing. Embed it to record a part.
type Nothing struct{}

var _ state.Recorder = Nothing{}

// DaemonSetAdded implements state.Recorder.
func (Nothing) DaemonSetAdded(*slim.DaemonSet) {}

// DaemonSetDeleted implements state.Recorder.
func (Nothing) DaemonSetDeleted(*slim.DaemonSet) {}

// RevisionUnknown implements state.Recorder.
func (Nothing) RevisionUnknown(*slim.DaemonSet, slim.ControllerRevision) {}

// GapClosed implements state.Recorder.
func (Nothing) GapClosed(*slim.DaemonSet, coverage.Cause, readiness.Lifecycle, time.Duration) {}

// NodeLost implements state.Recorder.
func (Nothing) NodeLost(*slim.DaemonSet, coverage.Exclusion) {}

// NodeTransition implements state.Recorder.
func (Nothing) NodeTransition(*slim.Node, state.NodeLabels, readiness.Lifecycle, readiness.Transition) {
}

// NodeLabelsAdded implements state.Recorder.
func (Nothing) NodeLabelsAdded(state.NodeLabels) {}

// NodeLabelsDeleted implements state.Recorder.
func (Nothing) NodeLabelsDeleted(state.NodeLabels) {}

// NodeReady implements state.Recorder.
func (Nothing) NodeReady(time.Duration) {}

// NodeCovered implements state.Recorder.
func (Nothing) NodeCovered(time.Duration) {}

// NodeDeleted implements state.Recorder.
func (Nothing) NodeDeleted(*slim.Node) {}

// Rescheduled implements state.Recorder.
func (Nothing) Rescheduled(*slim.DaemonSet, *rescheduling.Result) {}

// Terminated implements state.Recorder.
func (Nothing) Terminated(*slim.DaemonSet, rescheduling.Outcome) {}

// TerminationMeasured implements state.Recorder.
func (Nothing) TerminationMeasured(*slim.DaemonSet, time.Duration) {}

// ContainersRestarted implements state.Recorder.
func (Nothing) ContainersRestarted(*slim.DaemonSet, slim.TerminationReason, int32) {}
