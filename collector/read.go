package collector

import (
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
)

// readCoverage gives what there is to say of each DaemonSet and each gap.
func (c *Collector) readCoverage(emit emit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for summary := range c.ledger.Summaries() {
		c.readPlacement(summary, emit)
		c.readRollout(summary, emit)
	}
	if !c.ledger.Running() {
		return
	}
	gaps, dropped := c.ledger.Gaps(c.config.MaxGapSeries)
	var labels []string
	for i := range gaps {
		gap := &gaps[i]
		labels = append(labels[:0], gap.DaemonSet.Namespace.Value(), gap.DaemonSet.Name, gap.Node.Name)
		labels = appendValues(labels, gap.Labels)
		labels = append(labels, gap.Lifecycle.String(), gap.Reason.Cause().String(), gap.Reason.String())
		emit(c.metrics.gapStart, unix(gap.Opened), labels...)
	}
	emit(c.metrics.gapSeriesDropped, float64(dropped))
}

// readPlacement gives the counts of one DaemonSet's nodes: all of them for
// active nodes; for other lifecycles expected and covered, and what is not zero.
func (c *Collector) readPlacement(summary coverage.Summary, emit emit) {
	namespace, name := summary.DaemonSet.Namespace.Value(), summary.DaemonSet.Name
	totals := summary.Totals
	for lifecycle := range readiness.Lifecycles {
		label := lifecycle.String()
		emit(c.metrics.expectedNodes, float64(totals.Expected[lifecycle]), namespace, name, label)
		emit(c.metrics.coveredNodes, float64(totals.Covered[lifecycle]), namespace, name, label)
		for reason := coverage.ReasonNone + 1; reason < coverage.Reasons; reason++ {
			if count := totals.Gaps[lifecycle][reason]; count != 0 || lifecycle == readiness.LifecycleActive {
				emit(c.metrics.gapNodes, float64(count), namespace, name, label, reason.Cause().String(), reason.String())
			}
		}
		for reason := coverage.NotExcluded + 1; reason < coverage.Exclusions; reason++ {
			if count := totals.Excluded[lifecycle][reason]; count != 0 || lifecycle == readiness.LifecycleActive {
				emit(c.metrics.excludedNodes, float64(count), namespace, name, label, reason.String())
			}
		}
		for verdict := coverage.VerdictStop; verdict < coverage.VerdictRun; verdict++ {
			if count := totals.Misplaced[lifecycle][verdict]; count != 0 || lifecycle == readiness.LifecycleActive {
				emit(c.metrics.misplacedNodes, float64(count), namespace, name, label, verdict.String())
			}
		}
	}
	for repulsion, count := range totals.Repelled {
		emit(c.metrics.repelledNodes, float64(count), namespace, name,
			repulsion.Lifecycle.String(), repulsion.Key, repulsion.Effect)
	}
}

func (c *Collector) readRollout(summary coverage.Summary, emit emit) {
	namespace, name := summary.DaemonSet.Namespace.Value(), summary.DaemonSet.Name
	emit(c.metrics.outdatedNodes, float64(summary.Totals.Outdated), namespace, name)
	emit(c.metrics.maxUnavailableNodes, float64(summary.MaxUnavailable()), namespace, name)
	for cause := range coverage.Causes {
		emit(c.metrics.unavailableNodes, float64(summary.Totals.Unavailable[cause]), namespace, name, cause.String())
	}
	for _, difference := range summary.StatusDifferences() {
		emit(c.metrics.statusDifference, float64(difference.Nodes), namespace, name, difference.Field)
	}
}

// readNodes gives the nodes of the cluster, and each that is in trouble.
func (c *Collector) readNodes(emit emit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for group, count := range c.ledger.NodeGroups() {
		labels := append([]string{group.Status.String(), group.Lifecycle.String()}, valuesOf(group.Labels)...)
		emit(c.metrics.clusterNodes, float64(count), labels...)
	}
	for report := range c.ledger.TroubledNodes() {
		state := report.State
		node := append([]string{state.Record().Name}, valuesOf(report.Labels)...)
		lifecycle := state.Lifecycle().String()
		if state.Status() != readiness.StatusReady {
			emit(c.metrics.nodeNotReadyStart, unix(state.Since()),
				append(node[:len(node):len(node)], state.Status().String(), lifecycle)...)
		}
		if report.Gaps > 0 {
			emit(c.metrics.nodeGaps, float64(report.Gaps), append(node[:len(node):len(node)], lifecycle)...)
		}
	}
}

// readRescheduling gives what still waits, for pods to come and to go.
func (c *Collector) readRescheduling(emit emit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for summary := range c.ledger.Summaries() {
		ds := summary.DaemonSet
		namespace, name := ds.Namespace.Value(), ds.Name
		for trigger := range rescheduling.Triggers {
			if count := c.history.cells.Pending(ds.UID, trigger); count != 0 {
				emit(c.metrics.reschedulingPending, float64(count), namespace, name, trigger.String())
			}
		}
		for state := range rescheduling.States {
			emit(c.metrics.terminating, float64(c.history.terminating.Count(ds.UID, state)), namespace, name, state.String())
		}
	}
}

// readExporter gives what there is to say of the exporter itself.
func (c *Collector) readExporter(emit emit) {
	for _, health := range c.config.Health() {
		emit(c.metrics.informerSynced, boolean(health.Synced), health.Resource)
		emit(c.metrics.informerObjects, float64(health.Objects), health.Resource)
		emit(c.metrics.informerWatchErrors, float64(health.WatchErrors), health.Resource)
		emit(c.metrics.informerLastEvent, unix(health.LastEvent), health.Resource)
	}
}

// valuesOf are the values of the zone and of the node labels that a flag asked
// for.
func valuesOf(labels coverage.NodeLabels) []string { return appendValues(nil, labels) }

func appendValues(values []string, labels coverage.NodeLabels) []string {
	for value := range strings.SplitSeq(labels.Value(), coverage.NodeLabelSeparator) {
		values = append(values, value)
	}
	return values
}

// unix is a time in seconds since 1970; 0 for no time.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func boolean(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}
