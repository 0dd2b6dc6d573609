package collector

// metrics holds every metric of the exporter. Each is declared here and nowhere
// else.
type metrics struct {
	table

	expectedNodes, coveredNodes, gapNodes, gapStart      *Metric
	excludedNodes, repelledNodes, misplacedNodes         *Metric
	withheldNodes, nodesLost                             *Metric
	expectedNodeSeconds, gapNodeSeconds                  *Metric
	outdatedNodes, maxUnavailableNodes, unavailableNodes *Metric
	maxSurgeNodes                                        *Metric
	statusDifference, gapDuration                        *Metric
	clusterNodes, nodeNotReadyStart, nodeGaps            *Metric
	nodeLifecycleStart, suspectPods                      *Metric
	nodeFailures, nodeTransitions                        *Metric
	nodeDetection, nodeOutage, nodeStartup               *Metric
	rescheduling, reschedulingStage, reschedulingPending *Metric
	terminationDuration, terminations, terminating       *Metric
	containerRestarts, podRestarts                       *Metric
	scrapeFailures, collectorDuration                    *Metric
	informerSynced, informerObjects                      *Metric
	informerFresh, informerUnwatched                     *Metric
	informerWatchErrors, informerLastEvent               *Metric
	seriesDropped, revisionInferred, negativeDurations   *Metric
	leaseReadsDropped                                    *Metric
}

// Metrics returns the table of metrics, for the documentation and for checks of
// rules and dashboards.
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
	m.expectedNodes = m.gauge(Metric{
		Name:   "daemonset_expected_nodes",
		Help:   "Number of nodes expected to run an available pod of the DaemonSet.",
		Notes:  "A node is expected if the placement of the DaemonSet fits it, ignoring condition taints, such as those of a failed or cordoned node. A DaemonSet that is being deleted expects nothing. Failed nodes stay counted; excluded nodes are not counted.",
		Labels: []string{labelNamespace, labelDaemonSet, labelLifecycle},
		Stable: true,
	})
	m.coveredNodes = m.gauge(Metric{
		Name:   "daemonset_covered_nodes",
		Help:   "Number of expected nodes that are Ready and run an available pod of the DaemonSet.",
		Notes:  "A pod is available once it has been Ready for `minReadySeconds`. Pods on nodes that are not Ready are not counted, whatever their status says.",
		Labels: []string{labelNamespace, labelDaemonSet, labelLifecycle},
		Stable: true,
	})
	m.gapNodes = m.gauge(Metric{
		Name:   "daemonset_gap_nodes",
		Help:   "Number of expected nodes that are not covered, by the first matching reason.",
		Notes:  "Active nodes have a series for every reason, including zeros; the other lifecycles only where the value is not zero.",
		Labels: []string{labelNamespace, labelDaemonSet, labelLifecycle, labelCause, labelReason},
		Stable: true,
	})
	m.gapStart = m.gauge(Metric{
		Name:   "daemonset_gap_start_timestamp_seconds",
		Help:   "Unix time at which the open gap of the DaemonSet on the node began.",
		Notes:  "This is the time at which the exporter saw the gap begin. A gap older than the exporter is dated by the timestamps of the objects, or, if the pod was already missing, by the start of the exporter. One series per open gap, at most `--coverage.max-gap-series`; gaps with cause `node` are dropped first.",
		Labels: []string{labelNamespace, labelDaemonSet, labelNode, labelZone, labelLifecycle, labelCause, labelReason},
		Stable: true,
	})
	m.excludedNodes = m.gauge(Metric{
		Name:   "daemonset_excluded_nodes",
		Help:   "Number of nodes not expected to run a pod of the DaemonSet, by the first matching reason.",
		Notes:  "The taints of a failed or cordoned node exclude nothing. Active nodes have a series for every reason, including zeros; the other lifecycles only where the value is not zero.",
		Labels: []string{labelNamespace, labelDaemonSet, labelLifecycle, labelReason},
		Stable: true,
	})
	m.repelledNodes = m.gauge(Metric{
		Name:   "daemonset_repelled_nodes",
		Help:   "Number of nodes that only this untolerated taint excludes from the DaemonSet.",
		Notes:  "Nodes with two such taints, or excluded for another reason as well, are not counted. Zeros are not exposed.",
		Labels: []string{labelNamespace, labelDaemonSet, labelLifecycle, labelTaintKey, labelTaintEffect},
		Stable: true,
	})
	m.withheldNodes = m.gauge(Metric{
		Name:   "daemonset_withheld_nodes",
		Help:   "Number of expected nodes without a pod for which the controller makes none because of this condition taint.",
		Notes:  "A condition taint says how the node is, not whom it is for: it excludes nothing. Of several such taints the first that the DaemonSet does not tolerate counts. Zeros are not exposed. At most `--coverage.max-gap-series` series.",
		Labels: []string{labelNamespace, labelDaemonSet, labelLifecycle, labelTaintKey, labelTaintEffect},
	})
	m.nodesLost = m.counter(Metric{
		Name:   "daemonset_nodes_lost_total",
		Help:   "Total number of nodes that are still there and turned from expected to excluded, by the reason.",
		Notes:  "Counted by identity: one pool that grows while another shrinks loses nothing. Nodes that are deleted or leaving are not counted.",
		Labels: []string{labelNamespace, labelDaemonSet, labelReason},
	})
	m.misplacedNodes = m.gauge(Metric{
		Name:   "daemonset_misplaced_nodes",
		Help:   "Number of nodes that run a pod of the DaemonSet but are not expected to, by what its controller does with the pod.",
		Notes:  "Active nodes have a series for both verdicts, including zeros; the other lifecycles only where the value is not zero.",
		Labels: []string{labelNamespace, labelDaemonSet, labelLifecycle, labelVerdict},
		Stable: true,
	})
	m.expectedNodeSeconds = m.counter(Metric{
		Name:   "daemonset_expected_node_seconds_total",
		Help:   "Total node-seconds for which active and cordoned nodes were expected to be covered.",
		Notes:  "Integrated exactly, up to the scrape, since the exporter started. Joining and leaving nodes are not counted.",
		Labels: []string{labelNamespace, labelDaemonSet},
	})
	m.gapNodeSeconds = m.counter(Metric{
		Name:   "daemonset_gap_node_seconds_total",
		Help:   "Total node-seconds for which active and cordoned nodes were expected to be covered and were not, by cause.",
		Notes:  "The part of `daemonset_expected_node_seconds_total` that was a gap: `1 - increase(gap) / increase(expected)` is availability over any window. Open gaps count up to the scrape.",
		Labels: []string{labelNamespace, labelDaemonSet, labelCause},
	})
	m.gapDuration = m.histogram(Metric{
		Name:   "daemonset_gap_duration_seconds",
		Help:   "Duration of closed gaps in seconds, by the cause that held longest and the lifecycle at the opening.",
		Notes:  "Recorded when a gap closes: the node is covered, no longer expected, or gone. A gap is one observation, whatever reasons it went through. Gaps of a DaemonSet that is deleted are not recorded.",
		Labels: []string{labelNamespace, labelDaemonSet, labelCause, labelLifecycle},
		Stable: true,
	})
}

func (m *metrics) declareRollout() {
	m.outdatedNodes = m.gauge(Metric{
		Name:   "daemonset_rollout_outdated_nodes",
		Help:   "Number of expected nodes whose pod is not of the DaemonSet's current revision.",
		Notes:  "Covered nodes and gaps alike. Of several pods on a node the available one decides. Nodes without a pod are not counted. The current revision is read from the ControllerRevisions; see `daemonset_exporter_revision_inferred`. A pod of another template that the DaemonSet adopted counts, although `.status` may call it updated.",
		Labels: []string{labelNamespace, labelDaemonSet},
		Stable: true,
	})
	m.maxUnavailableNodes = m.gauge(Metric{
		Name:   "daemonset_rollout_max_unavailable_nodes",
		Help:   "Number of nodes that may be unavailable during a rolling update (maxUnavailable).",
		Notes:  "A percentage is taken of the nodes that the DaemonSet controller counts as desired. 0 for `OnDelete` and for updates that surge.",
		Labels: []string{labelNamespace, labelDaemonSet},
		Stable: true,
	})
	m.maxSurgeNodes = m.gauge(Metric{
		Name:   "daemonset_rollout_max_surge_nodes",
		Help:   "Number of nodes that may run a new pod beside the old one during a rolling update (maxSurge).",
		Notes:  "A percentage is taken of the nodes that the DaemonSet controller counts as desired. 0 for `OnDelete` and for updates that do not surge. The alert DaemonSetRolloutSurgeStuck needs it: maxUnavailable is 0 for `OnDelete` as well, where outdated nodes are intended.",
		Labels: []string{labelNamespace, labelDaemonSet},
	})
	m.unavailableNodes = m.gauge(Metric{
		Name:   "daemonset_rollout_unavailable_nodes",
		Help:   "Number of nodes that count against maxUnavailable by the rules of the DaemonSet controller.",
		Notes:  "Computed at all times, not only during an update. `cause` is that of the gap on the node, `other` if there is none. 0 for `OnDelete` and for updates that surge.",
		Labels: []string{labelNamespace, labelDaemonSet, labelCause},
		Stable: true,
	})
	m.statusDifference = m.gauge(Metric{
		Name:   "daemonset_status_difference_nodes",
		Help:   "Difference between a count in the DaemonSet's .status and the same count recomputed from the objects.",
		Notes:  "Recomputed by the rules of the DaemonSet controller. It differs from 0 for moments during changes; if it does for longer, `.status` is stale.",
		Labels: []string{labelNamespace, labelDaemonSet, labelField},
		Stable: true,
	})
}

func (m *metrics) declareNodes() {
	m.clusterNodes = m.gauge(Metric{
		Name:   "daemonset_cluster_nodes",
		Help:   "Number of nodes in the cluster.",
		Notes:  "All nodes, whether a DaemonSet is expected on them or not. Zeros are not exposed.",
		Labels: []string{labelStatus, labelLifecycle, labelZone},
		Stable: true,
	})
	m.nodeNotReadyStart = m.gauge(Metric{
		Name:   "daemonset_node_not_ready_start_timestamp_seconds",
		Help:   "Unix time at which the node stopped being Ready.",
		Notes:  "For a node that was never Ready, its creation time. Only nodes that are not Ready have a series.",
		Labels: []string{labelNode, labelZone, labelStatus, labelLifecycle},
		Stable: true,
	})
	m.nodeLifecycleStart = m.gauge(Metric{
		Name:   "daemonset_node_lifecycle_start_timestamp_seconds",
		Help:   "Unix time since which the node has been cordoned or leaving.",
		Notes:  "What the taint's `timeAdded`, the condition's or the deletion's timestamp says, else when the exporter saw it. Other lifecycles are not exposed.",
		Labels: []string{labelNode, labelZone, labelLifecycle},
	})
	m.suspectPods = m.gauge(Metric{
		Name:   "daemonset_node_suspect_pods",
		Help:   "Pod that fails for a reason of its own on a node whose kubelet reports the node as not ready.",
		Notes:  "The agent that may have broken its node, such as a CNI. Pods that only cannot start there, or that were marked not ready with their node, are not exposed, nor are those of unreachable nodes. At most `--coverage.max-gap-series` series.",
		Labels: []string{labelNamespace, labelDaemonSet, labelNode, labelZone, labelReason},
	})
	m.nodeGaps = m.gauge(Metric{
		Name:   "daemonset_node_gaps",
		Help:   "Number of DaemonSets that are expected to cover the node and do not.",
		Notes:  "Only nodes with gaps have a series.",
		Labels: []string{labelNode, labelZone, labelLifecycle},
	})
}

func (m *metrics) declareOutages() {
	m.nodeFailures = m.counter(Metric{
		Name:   "daemonset_node_failures_total",
		Help:   "Total number of transitions of nodes from Ready to not Ready, by the status entered and the lifecycle then.",
		Notes:  "Counted on the watch, so transitions between two scrapes are included. A change from one status that is not Ready to another is not a second failure. `lifecycle` distinguishes planned removals: their nodes are leaving. Series of the zones that have nodes exist from the start.",
		Labels: []string{labelStatus, labelLifecycle, labelZone},
		Stable: true,
	})
	m.nodeTransitions = m.counter(Metric{
		Name:   "daemonset_node_transitions_total",
		Help:   "Total number of transitions of the node between Ready and not Ready, in both directions.",
		Notes:  "The first time that a new node becomes Ready is not counted. Only nodes with a transition since the exporter started have a series, which ends with the Node object.",
		Labels: []string{labelNode},
		Stable: true,
	})
	m.nodeDetection = m.histogram(Metric{
		Name:   "daemonset_node_detection_duration_seconds",
		Help:   "Time in seconds from the last renewal of a node's Lease until the node turned unreachable.",
		Notes:  "Recorded once per failure. Not recorded if the Lease cannot be read.",
		Stable: true,
	})
	m.nodeOutage = m.histogram(Metric{
		Name:   "daemonset_node_outage_duration_seconds",
		Help:   "Time in seconds for which nodes were not Ready, by the status in which that began.",
		Notes:  "Recorded when the node is Ready again. Nodes that were never Ready, and nodes deleted before they returned, are not recorded.",
		Labels: []string{labelStatus, labelZone},
		Stable: true,
	})
	m.nodeStartup = m.histogram(Metric{
		Name:   "daemonset_node_startup_duration_seconds",
		Help:   "Time in seconds from the creation of a node until it reached the stage for the first time.",
		Notes:  "`ready`: the node is Ready. `covered`: the node is Ready and every DaemonSet expected on it covers it. Nodes that were Ready before the exporter started are not recorded.",
		Labels: []string{labelStage},
		Stable: true,
	})
}

func (m *metrics) declareRescheduling() {
	m.rescheduling = m.histogram(Metric{
		Name:   "daemonset_pod_rescheduling_duration_seconds",
		Help:   "Time in seconds from when a Ready node needed a pod until a pod was available on it.",
		Notes:  "Time during which the node is not Ready does not count. Not recorded: pods that were available when their node turned Ready or are within a second of that, pods that lose and regain Ready in place, and reschedulings that end because the pod is no longer expected.",
		Labels: []string{labelNamespace, labelDaemonSet, labelTrigger},
		Stable: true,
	})
	m.reschedulingStage = m.histogram(Metric{
		Name:   "daemonset_pod_rescheduling_stage_duration_seconds",
		Help:   "Time in seconds that each stage of a rescheduling took.",
		Notes:  "The stages add up to `daemonset_pod_rescheduling_duration_seconds`. They end when the pod that became available was created (`create`), bound (`schedule`), had its containers started (`start`) and was available (`ready`). A stage that took no time is recorded as 0.",
		Labels: []string{labelNamespace, labelDaemonSet, labelStage},
		Stable: true,
	})
	m.reschedulingPending = m.gauge(Metric{
		Name:   "daemonset_pod_rescheduling_pending",
		Help:   "Number of pods that are needed on a Ready node and not available yet.",
		Notes:  "If the node fails meanwhile, the pod is not counted until the node is Ready again. Zeros are not exposed.",
		Labels: []string{labelNamespace, labelDaemonSet, labelTrigger},
		Stable: true,
	})
}

func (m *metrics) declareTerminations() {
	m.terminationDuration = m.histogram(Metric{
		Name:   "daemonset_pod_termination_duration_seconds",
		Help:   "Time in seconds from the deletion request for a pod until its removal.",
		Notes:  "Not recorded: pods whose deletion request or removal was not seen, and pods that had ended before, such as evicted ones that their controller cleans up.",
		Labels: []string{labelNamespace, labelDaemonSet},
		Stable: true,
	})
	m.terminations = m.counter(Metric{
		Name:   "daemonset_pod_terminations_total",
		Help:   "Total number of removed pods, by the first matching outcome of their termination.",
		Notes:  "`forced`: no grace period, containers still running. `node_lost`: the node was not Ready, or gone. `not_running`: no container ran when the deletion was requested. `oom_killed`: a container ran out of memory after that. `grace_exceeded`: a container was killed (137), or ended when the grace period was over, or nobody saw its end and the pod was removed more than 2 s after the grace period. `graceful`: all containers ended in time, even if a finalizer or a volume kept the pod. `unknown`: what happened cannot be determined. Sidecars are not considered: Kubernetes ends them last, often by SIGKILL.",
		Labels: []string{labelNamespace, labelDaemonSet, labelOutcome},
		Stable: true,
	})
	m.terminating = m.gauge(Metric{
		Name:   "daemonset_pods_terminating",
		Help:   "Number of terminating pods that had not ended before their deletion was requested.",
		Notes:  "`within_grace`: the grace period is not over. `overdue`: it is over, and the pod is still there. `node_lost`: the node is not Ready, or gone.",
		Labels: []string{labelNamespace, labelDaemonSet, labelState},
		Stable: true,
	})
	m.podRestarts = m.counter(Metric{
		Name:   "daemonset_pod_restarts_total",
		Help:   "Total number of container restarts of a pod that the exporter saw restart at least twice.",
		Notes:  "A slow crash loop, with a restart every ten minutes, shows nowhere else. The series ends with the pod. At most `--coverage.max-gap-series` series.",
		Labels: []string{labelNamespace, labelDaemonSet, labelNode, labelZone},
	})
	m.containerRestarts = m.counter(Metric{
		Name:   "daemonset_container_restarts_total",
		Help:   "Total number of container restarts, by how the previous run ended.",
		Notes:  "`reason` is `OOMKilled`, `Error`, `Completed`, `StartError` (the command cannot be executed) or `other`, such as a power cut. Restarts before the exporter first saw the pod are not counted.",
		Labels: []string{labelNamespace, labelDaemonSet, labelReason},
	})
}

func (m *metrics) declareExporter() {
	m.scrapeFailures = m.counter(Metric{
		Name:   "daemonset_exporter_scrape_failures_total",
		Help:   "Total number of scrapes that failed and returned no metrics.",
		Notes:  "A bug of the exporter, which its log describes. Such a scrape gets the status 500, so that `up` is 0: half of the metrics would look like health.",
		Stable: true,
	})
	m.collectorDuration = m.gauge(Metric{
		Name:   "daemonset_exporter_collector_duration_seconds",
		Help:   "Duration of this part of the last scrape in seconds.",
		Labels: []string{labelPart},
		Stable: true,
	})
	m.informerSynced = m.gauge(Metric{
		Name:   "daemonset_exporter_informer_synced",
		Help:   "Whether the initial list of the resource is complete (1) or not (0).",
		Notes:  "Until the lists of all resources are complete, only the exporter's own metrics are exposed.",
		Labels: []string{labelResource},
		Stable: true,
	})
	m.informerObjects = m.gauge(Metric{
		Name:   "daemonset_exporter_informer_objects",
		Help:   "Number of objects of the resource that the exporter holds in memory.",
		Notes:  "Pods that `--pods.selector` does not match are not counted.",
		Labels: []string{labelResource},
		Stable: true,
	})
	m.informerFresh = m.gauge(Metric{
		Name:   "daemonset_exporter_informer_fresh",
		Help:   "Whether what is exposed about the resource is what the API server has (1) or the last known state (0).",
		Notes:  "1 while a watch is open and was heard of within two minutes, in which a quiet API server sends two bookmarks.",
		Labels: []string{labelResource},
	})
	m.informerUnwatched = m.gauge(Metric{
		Name:   "daemonset_exporter_informer_unwatched_namespaces",
		Help:   "Number of namespaces of --namespaces in which the API server refuses the resource.",
		Notes:  "The log names them, with the missing permissions. Their DaemonSets are not exposed. If all are refused the exporter is not ready.",
		Labels: []string{labelResource},
	})
	m.informerWatchErrors = m.counter(Metric{
		Name:   "daemonset_exporter_informer_watch_errors_total",
		Help:   "Total number of failed lists and watches of the resource, by the reason.",
		Notes:  "`forbidden`, `unauthorized` and `not_found` need a person; the log says what to do. `unreachable`: no response. `silent`: the connection is open, and nothing comes. `closed`: a watch ended before its time. `throttled`: 429. `server_error`: 5xx. After `expired` and `restored` everything is read again. Watches that the API server ends in time are not counted.",
		Labels: []string{labelResource, labelReason},
		Stable: true,
	})
	m.informerLastEvent = m.gauge(Metric{
		Name:   "daemonset_exporter_informer_last_event_timestamp_seconds",
		Help:   "Unix time of the last event, bookmark or list received for the resource.",
		Notes:  "A quiet API server sends a bookmark about once a minute. 0 before the first.",
		Labels: []string{labelResource},
		Stable: true,
	})
	m.seriesDropped = m.gauge(Metric{
		Name:   "daemonset_exporter_series_dropped",
		Help:   "Number of series of this family that are left out because of --coverage.max-gap-series.",
		Notes:  "`family` is the name of a metric with a series for each gap, node or taint key. All counts stay exact.",
		Labels: []string{labelFamily},
	})
	m.revisionInferred = m.gauge(Metric{
		Name:  "daemonset_exporter_revision_inferred",
		Help:  "Number of DaemonSets whose current revision is inferred, as their ControllerRevisions were not read.",
		Notes: "For a moment after each change of a template; for longer if the permission to list `controllerrevisions` is missing. An inferred revision can be the wrong one after a roll-back.",
	})
	m.leaseReadsDropped = m.counter(Metric{
		Name:  "daemonset_exporter_lease_reads_dropped_total",
		Help:  "Total number of nodes that turned unreachable and whose Lease was not read.",
		Notes: "Too many nodes failed at once, or the API server refused, or took too long. They are left out of `daemonset_node_detection_duration_seconds`.",
	})
	m.negativeDurations = m.counter(Metric{
		Name:  "daemonset_exporter_negative_durations_total",
		Help:  "Total number of durations that were negative and therefore not recorded.",
		Notes: "Clocks of different machines disagree, or a clock was set back.",
	})
}
