package collector

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
)

// emit adds one sample to a scrape.
type emit func(metric *Metric, value float64, labels ...string)

// emitCoverage emits the gauges of each DaemonSet and of each open gap.
func (c *Collector) emitCoverage(emit emit) {
	c.cluster.Settle(c.config.Clock.Now()) // before all that reads gaps
	inferred := 0
	for summary := range c.cluster.Summaries() {
		c.emitPlacement(summary, emit)
		c.emitRollout(summary, emit)
		if summary.RevisionInferred {
			inferred++
		}
	}
	if !c.cluster.Started() {
		return
	}
	c.emitTaints(c.metrics.repelledNodes, c.cluster.Repelled, emit)
	c.emitTaints(c.metrics.withheldNodes, c.cluster.Withheld, emit)
	gaps, dropped := c.cluster.Gaps(c.config.MaxGapSeries)
	var labels []string
	for i := range gaps {
		gap := &gaps[i]
		labels = append(labels[:0], gap.DaemonSet.Namespace.Value(), gap.DaemonSet.Name, gap.Node.Name)
		labels = state.AppendNodeLabels(labels, gap.Labels)
		labels = append(labels, gap.Lifecycle.String(), gap.Reason.Cause().String(), gap.Reason.String())
		emit(c.metrics.gapStart, unixSeconds(gap.Opened), labels...)
	}
	emit(c.metrics.seriesDropped, float64(dropped), c.metrics.gapStart.Name)
	emit(c.metrics.revisionInferred, float64(inferred))
}

// emitTaints emits counts of nodes by taint.
func (c *Collector) emitTaints(metric *Metric, taints func(limit int) ([]state.TaintNodes, int), emit emit) {
	all, dropped := taints(c.config.MaxGapSeries)
	for _, of := range all {
		emit(metric, float64(of.Nodes), of.DaemonSet.Namespace.Value(), of.DaemonSet.Name,
			of.Taint.Lifecycle.String(), of.Taint.Key, of.Taint.Effect)
	}
	emit(c.metrics.seriesDropped, float64(dropped), metric.Name)
}

// emitPlacement emits the counts of one DaemonSet's nodes: all of them for active
// nodes; for other lifecycles expected and covered, and what is not zero.
func (c *Collector) emitPlacement(summary state.Summary, emit emit) {
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
	seconds := summary.NodeSeconds(c.config.Clock.Now())
	emit(c.metrics.expectedNodeSeconds, seconds.Expected.Seconds(), namespace, name)
	for cause, duration := range seconds.Gaps {
		emit(c.metrics.gapNodeSeconds, duration.Seconds(), namespace, name, coverage.Cause(cause).String())
	}
}

// emitRollout emits the revision and budget of one DaemonSet, and how its .status
// differs from upstream's own rules.
func (c *Collector) emitRollout(summary state.Summary, emit emit) {
	namespace, name := summary.DaemonSet.Namespace.Value(), summary.DaemonSet.Name
	emit(c.metrics.outdatedNodes, float64(summary.Totals.Outdated), namespace, name)
	emit(c.metrics.maxUnavailableNodes, float64(summary.MaxUnavailable()), namespace, name)
	emit(c.metrics.maxSurgeNodes, float64(summary.MaxSurge()), namespace, name)
	for cause := range coverage.Causes {
		emit(c.metrics.unavailableNodes, float64(summary.Totals.Unavailable[cause]), namespace, name, cause.String())
	}
	for _, difference := range summary.StatusDifferences() {
		emit(c.metrics.statusDifference, float64(difference.Nodes), namespace, name, difference.Field)
	}
}

// emitNodes emits the gauges of the cluster's nodes, and of each that is in trouble.
func (c *Collector) emitNodes(emit emit) {
	if c.cluster.Started() {
		c.emitSuspects(emit)
	}
	for group, count := range c.cluster.NodeGroups() {
		labels := state.AppendNodeLabels([]string{group.Status.String(), group.Lifecycle.String()}, group.Labels)
		emit(c.metrics.clusterNodes, float64(count), labels...)
	}
	var labels []string
	for report := range c.cluster.TroubledNodes() {
		node := report.State
		labels = state.AppendNodeLabels(append(labels[:0], node.Object().Name), report.Labels)
		lifecycle := node.Lifecycle().String()
		if node.Status() != readiness.StatusReady {
			emit(c.metrics.nodeNotReadyStart, unixSeconds(node.Since()),
				append(labels, node.Status().String(), lifecycle)...)
		}
		if node.Lifecycle().Dated() {
			emit(c.metrics.nodeLifecycleStart, unixSeconds(node.LifecycleSince()), append(labels, lifecycle)...)
		}
		if report.Gaps > 0 {
			emit(c.metrics.nodeGaps, float64(report.Gaps), append(labels, lifecycle)...)
		}
	}
}

// emitSuspects emits the pods that may have broken their nodes.
func (c *Collector) emitSuspects(emit emit) {
	suspects, dropped := c.cluster.Suspects(c.config.MaxGapSeries)
	for _, suspect := range suspects {
		labels := []string{suspect.DaemonSet.Namespace.Value(), suspect.DaemonSet.Name, suspect.Node.Name}
		emit(c.metrics.suspectPods, 1, append(state.AppendNodeLabels(labels, suspect.Labels), suspect.Reason.String())...)
	}
	emit(c.metrics.seriesDropped, float64(dropped), c.metrics.suspectPods.Name)
}

// emitRestarts emits the pods that restart again and again.
func (c *Collector) emitRestarts(emit emit) {
	pods, dropped := c.cluster.PodRestarts(c.config.MaxGapSeries)
	for _, pod := range pods {
		labels := []string{pod.DaemonSet.Namespace.Value(), pod.DaemonSet.Name, pod.Node}
		emit(c.metrics.podRestarts, float64(pod.Times), state.AppendNodeLabels(labels, pod.Labels)...)
	}
	emit(c.metrics.seriesDropped, float64(dropped), c.metrics.podRestarts.Name)
}

// emitRescheduling emits the gauges of reschedulings and terminations in progress.
func (c *Collector) emitRescheduling(emit emit) {
	if c.cluster.Started() {
		c.emitRestarts(emit)
	}
	for summary := range c.cluster.Summaries() {
		namespace, name := summary.DaemonSet.Namespace.Value(), summary.DaemonSet.Name
		for trigger, count := range summary.Pending {
			if count != 0 {
				emit(c.metrics.reschedulingPending, float64(count), namespace, name, rescheduling.Trigger(trigger).String())
			}
		}
		for state, count := range summary.Terminating {
			emit(c.metrics.terminating, float64(count), namespace, name, rescheduling.State(state).String())
		}
	}
}

// emitExporter emits the gauges about the exporter itself.
func (c *Collector) emitExporter(emit emit) {
	for _, health := range c.config.Health() {
		emit(c.metrics.informerSynced, boolValue(health.Synced), health.Resource)
		emit(c.metrics.informerObjects, float64(health.Objects), health.Resource)
		emit(c.metrics.informerFresh, boolValue(health.Fresh), health.Resource)
		emit(c.metrics.informerUnwatched, float64(health.Unwatched), health.Resource)
		emit(c.metrics.informerLastEvent, unixSeconds(health.LastEvent), health.Resource)
		for _, kind := range informers.ErrorKinds() {
			emit(c.metrics.informerWatchErrors, float64(health.Errors[kind]), health.Resource, string(kind))
		}
	}
	emit(c.metrics.scrapeFailures, float64(c.scrapeFailures))
	emit(c.metrics.leaseReadsDropped, float64(c.silenced.droppedReads()))
}

// unixSeconds returns a time in seconds since 1970; 0 for no time.
func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func boolValue(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}
