package collector

// metrics are all metrics of the exporter, each declared here and nowhere else.
type metrics struct {
	table

	expectedNodes, coveredNodes, gapNodes, gapStart      *Metric
	excludedNodes, repelledNodes, misplacedNodes         *Metric
	outdatedNodes, maxUnavailableNodes, unavailableNodes *Metric
	statusDifference, gapDuration                        *Metric
	clusterNodes, nodeNotReadyStart, nodeGaps            *Metric
	nodeFailures, nodeTransitions                        *Metric
	nodeDetection, nodeOutage, nodeStartup               *Metric
	rescheduling, reschedulingStage, reschedulingPending *Metric
	terminationDuration, terminations, terminating       *Metric
	containerRestarts                                    *Metric
	collectorSuccess, collectorDuration                  *Metric
	informerSynced, informerObjects                      *Metric
	informerWatchErrors, informerLastEvent               *Metric
	gapSeriesDropped, clockSkew                          *Metric
}

// Metrics lists the table of metrics, for documentation and for checks of rules
// and dashboards.
func Metrics(nodeLabels ...NodeLabel) []*Metric { return newMetrics(nodeLabels).rows }

func newMetrics(nodeLabels []NodeLabel) *metrics {
	m := &metrics{}
	for _, label := range nodeLabels {
		m.nodeLabels = append(m.nodeLabels, label.Metric)
	}
	m.declareCoverage()
	m.declareRollout()
	m.declareNodes()
	m.declareOutages()
	m.declareRescheduling()
	m.declareTerminations()
	m.declareExporter()
	return m
}

func (m *metrics) declareCoverage() {
	m.expectedNodes = m.gauge("daemonset_expected_nodes",
		"Nodes that should hold a working pod of the DaemonSet: its placement fits once the taints of a failed node are left out. Nodes that fail stay counted; excluded nodes are left out.",
		labelNamespace, labelDaemonSet, labelLifecycle)
	m.coveredNodes = m.gauge("daemonset_covered_nodes",
		"Expected nodes that are Ready and hold an available pod of the DaemonSet, one that has been Ready for minReadySeconds. Pods on nodes that are not Ready are left out, whatever they claim.",
		labelNamespace, labelDaemonSet, labelLifecycle)
	m.gapNodes = m.gauge("daemonset_gap_nodes",
		"Expected nodes that are not covered, by the first reason that holds. For active nodes every reason is given, zeros too; for other lifecycles only what is not zero.",
		labelNamespace, labelDaemonSet, labelLifecycle, labelCause, labelReason)
	m.gapStart = m.gauge("daemonset_gap_start_timestamp_seconds",
		"When the node's open gap began, in Unix time: when the exporter saw it begin or, for a gap older than the exporter, what the objects' stamps say. A pod that was missing already is dated by the exporter's start. One series for each open gap, at most --coverage.max-gap-series; gaps that a node causes are left out first.",
		labelNamespace, labelDaemonSet, labelNode, labelZone, labelLifecycle, labelCause, labelReason)
	m.excludedNodes = m.gauge("daemonset_excluded_nodes",
		"Nodes that are not expected to hold a pod of the DaemonSet, by the first reason that holds. The taints of a failed or cordoned node exclude nothing. For active nodes every reason is given, zeros too.",
		labelNamespace, labelDaemonSet, labelLifecycle, labelReason)
	m.repelledNodes = m.gauge("daemonset_repelled_nodes",
		"Nodes that only this untolerated taint excludes from the DaemonSet. Nodes with two such taints, or excluded by anything else, are left out; only what is not zero is given.",
		labelNamespace, labelDaemonSet, labelLifecycle, labelTaintKey, labelTaintEffect)
	m.misplacedNodes = m.gauge("daemonset_misplaced_nodes",
		"Nodes that are not expected to hold a pod of the DaemonSet and do, by what its controller will do with the pod: keep or stop it. For active nodes both are given, zeros too.",
		labelNamespace, labelDaemonSet, labelLifecycle, labelVerdict)
	m.gapDuration = m.histogram("daemonset_gap_duration_seconds",
		"How long gaps lasted, whatever reasons they went through, by the cause with which they opened. Counted when a gap closes: the node is covered, is no longer expected, or is gone. Gaps of a DaemonSet that was deleted are left out.",
		labelNamespace, labelDaemonSet, labelCause)
}

func (m *metrics) declareRollout() {
	m.outdatedNodes = m.gauge("daemonset_rollout_outdated_nodes",
		"Expected nodes, covered or not, whose pod is not of the DaemonSet's current revision. Of several pods the available one counts. Nodes without a pod are left out.",
		labelNamespace, labelDaemonSet)
	m.maxUnavailableNodes = m.gauge("daemonset_rollout_max_unavailable_nodes",
		"The budget of a rolling update, maxUnavailable in nodes, a percentage taken of the nodes that the DaemonSet's controller counts as desired. 0 for OnDelete and for updates that surge.",
		labelNamespace, labelDaemonSet)
	m.unavailableNodes = m.gauge("daemonset_rollout_unavailable_nodes",
		"Nodes that spend the budget of a rolling update by the rules of the DaemonSet's controller, during an update or not, by the cause of their gap; other for nodes that have none. 0 for OnDelete and for updates that surge.",
		labelNamespace, labelDaemonSet, labelCause)
	m.statusDifference = m.gauge("daemonset_status_difference_nodes",
		"The DaemonSet's .status minus what the rules of its controller give on the same objects, for each of its counts. Other than 0 for moments during changes; for longer when .status is stale.",
		labelNamespace, labelDaemonSet, labelField)
}

func (m *metrics) declareNodes() {
	m.clusterNodes = m.gauge("daemonset_cluster_nodes",
		"All nodes of the cluster, whether a DaemonSet expects to run there or not. Only what is not zero is given.",
		labelStatus, labelLifecycle, labelZone)
	m.nodeNotReadyStart = m.gauge("daemonset_node_not_ready_start_timestamp_seconds",
		"When the node ceased to be Ready, in Unix time; its creation if it never was. Only for nodes that are not Ready now.",
		labelNode, labelZone, labelStatus, labelLifecycle)
	m.nodeGaps = m.gauge("daemonset_node_gaps",
		"DaemonSets that expect to cover the node and do not. Only for nodes with gaps.",
		labelNode, labelZone, labelLifecycle)
}

func (m *metrics) declareOutages() {
	m.nodeFailures = m.counter("daemonset_node_failures_total",
		"Turns of a node from Ready to not Ready since the exporter started, by the status it turned to. Seen on the watch, so that turns between two scrapes count. One way of not being Ready that turns into another is no second failure.",
		labelStatus, labelZone)
	m.nodeTransitions = m.counter("daemonset_node_transitions_total",
		"Turns of the node between Ready and not Ready, both ways, since the exporter started. The first Ready of a new node is left out. Only for nodes that have turned; ends with the Node object.",
		labelNode)
	m.nodeDetection = m.histogram("daemonset_node_detection_duration_seconds",
		"From a node's last sign of life, the renewal of its Lease, to the moment it turned unreachable. Counted once for each failure; left out where the Lease cannot be read.")
	m.nodeOutage = m.histogram("daemonset_node_outage_duration_seconds",
		"How long nodes were not Ready, by the status in which that began. Counted when a node is Ready again. Nodes that never were, and nodes that are deleted before, are left out.",
		labelStatus, labelZone)
	m.nodeStartup = m.histogram("daemonset_node_startup_duration_seconds",
		"From the creation of a Node object to the stage: ready, its first Ready; covered, when it is Ready and all DaemonSets that expect to cover it do for the first time. Nodes that were Ready before the exporter started are left out.",
		labelStage)
}

func (m *metrics) declareRescheduling() {
	m.rescheduling = m.histogram("daemonset_pod_rescheduling_duration_seconds",
		"From the moment a pod was needed on a Ready node to the moment one was available there. The time in which the node is not Ready does not count. Left out: pods that were available when their node turned Ready, pods that lose and regain Ready in place, and reschedulings that end because the pod is no longer expected.",
		labelNamespace, labelDaemonSet, labelTrigger)
	m.reschedulingStage = m.histogram("daemonset_pod_rescheduling_stage_duration_seconds",
		"The parts of daemonset_pod_rescheduling_duration_seconds, which add up to it: until the pod that came to work was created (create), was bound (schedule), had its containers started (start), was available (ready). Stages that took no time count as 0.",
		labelNamespace, labelDaemonSet, labelStage)
	m.reschedulingPending = m.gauge("daemonset_pod_rescheduling_pending",
		"Pods that are needed on a Ready node now and are not available yet. Those whose node has failed in the meantime are left out until it is back. Only what is not zero is given.",
		labelNamespace, labelDaemonSet, labelTrigger)
}

func (m *metrics) declareTerminations() {
	m.terminationDuration = m.histogram("daemonset_pod_termination_duration_seconds",
		"From the request to end a pod to its removal. Pods whose request or removal was not seen are left out.",
		labelNamespace, labelDaemonSet)
	m.terminations = m.counter("daemonset_pod_terminations_total",
		"Pods that were removed since the exporter started, by the first outcome that holds: forced (no grace period, containers running), node_lost (the node was not Ready, or gone), grace_exceeded (killed at the end of the grace period, or removed more than 2 s after it), graceful (all containers ended in time), not_running (none ran), unknown.",
		labelNamespace, labelDaemonSet, labelOutcome)
	m.terminating = m.gauge("daemonset_pods_terminating",
		"Pods that were asked to end and are still there: within_grace, overdue (the grace period is over), node_lost (the node is not Ready, or gone).",
		labelNamespace, labelDaemonSet, labelState)
	m.containerRestarts = m.counter("daemonset_container_restarts_total",
		"Restarts of containers that the exporter saw, by how the run before ended: OOMKilled, Error, Completed, other. Restarts from before it first saw the pod are left out.",
		labelNamespace, labelDaemonSet, labelReason)
}

func (m *metrics) declareExporter() {
	m.collectorSuccess = m.gauge("daemonset_exporter_collector_success",
		"Whether this part of the last scrape succeeded: 1 or 0.", labelPart)
	m.collectorDuration = m.gauge("daemonset_exporter_collector_duration_seconds",
		"How long this part of the last scrape took, in seconds.", labelPart)
	m.informerSynced = m.gauge("daemonset_exporter_informer_synced",
		"Whether all objects of this resource that were there at the start have come in: 1 or 0. Nothing but the exporter's own metrics is given before all have.", labelResource)
	m.informerObjects = m.gauge("daemonset_exporter_informer_objects",
		"Objects of this resource in the exporter's memory. Pods that the selector leaves out are left out.", labelResource)
	m.informerWatchErrors = m.counter("daemonset_exporter_informer_watch_errors_total",
		"Lists and watches of this resource that failed since the exporter started. Watches that the API server ends in time are left out.", labelResource)
	m.informerLastEvent = m.gauge("daemonset_exporter_informer_last_event_timestamp_seconds",
		"When the API server last gave a sign of life for this resource, an event, a bookmark or a list, in Unix time. A quiet API server sends a bookmark about every minute. 0 before the first.", labelResource)
	m.gapSeriesDropped = m.gauge("daemonset_exporter_gap_series_dropped",
		"Open gaps that daemonset_gap_start_timestamp_seconds leaves out because of --coverage.max-gap-series. All counts stay exact.")
	m.clockSkew = m.counter("daemonset_exporter_clock_skew_total",
		"Durations that came out negative and were not observed, because clocks disagree or run backwards.")
}
