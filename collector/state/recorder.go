package state

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Recorder receives what has happened and is over, as it happens. It is the Cluster's
// only way out. It must not call back into the Cluster. Durations are negative where
// clocks disagree.
type Recorder interface {
	// DaemonSetAdded is called when a DaemonSet is seen for the first time, also
	// before Start.
	DaemonSetAdded(ds *slim.DaemonSet)
	// DaemonSetDeleted is called when a DaemonSet object is gone.
	DaemonSetDeleted(ds *slim.DaemonSet)
	// RevisionUnknown is called once for each generation of a DaemonSet whose template's
	// revision is not known, when its controller has processed that generation. The
	// answer is Cluster.SetRevision; until then the revision is inferred. last is the
	// one that was known last, of an earlier template; zero for none.
	RevisionUnknown(ds *slim.DaemonSet, last slim.ControllerRevision)
	// NodeLost is called when a node that is still there and not leaving turned from
	// expected to excluded.
	NodeLost(ds *slim.DaemonSet, exclusion coverage.Exclusion)
	// GapClosed is called when a cell with a gap is covered, is no longer expected,
	// or has lost its node; cause is the one that held longest, lifecycle what the
	// node was when the gap opened. It is not called for a DaemonSet that is gone or
	// being deleted.
	GapClosed(ds *slim.DaemonSet, cause coverage.Cause, lifecycle readiness.Lifecycle, duration time.Duration)

	// NodeTransition is called when a node ceases to be Ready or becomes it again,
	// and when one way of not being Ready turns into another.
	NodeTransition(node *slim.Node, labels NodeLabels, lifecycle readiness.Lifecycle, transition readiness.Transition)
	// NodeLabelsAdded is called when the first node with these labels is seen,
	// NodeLabelsDeleted when the last one is gone.
	NodeLabelsAdded(labels NodeLabels)
	NodeLabelsDeleted(labels NodeLabels)
	// NodeReady is called when a node is Ready for the first time, with the time
	// since its creation.
	NodeReady(startup time.Duration)
	// NodeCovered is called when all expected DaemonSets cover a node for the first
	// time, with the time since its creation.
	NodeCovered(startup time.Duration)
	// NodeDeleted is called when a Node object is gone.
	NodeDeleted(node *slim.Node)

	// Rescheduled is called when a pod that was needed is available.
	Rescheduled(ds *slim.DaemonSet, result *rescheduling.Result)
	// Terminated is called when a pod of the DaemonSet is gone.
	Terminated(ds *slim.DaemonSet, outcome rescheduling.Outcome)
	// TerminationMeasured is called after Terminated, where both the request and the
	// removal were seen, with the time between them.
	TerminationMeasured(ds *slim.DaemonSet, duration time.Duration)
	// ContainersRestarted is called when containers of the DaemonSet were started
	// again; reason is how the run before ended.
	ContainersRestarted(ds *slim.DaemonSet, reason slim.TerminationReason, times int32)
}
