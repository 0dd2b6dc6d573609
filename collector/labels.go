package collector

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
)

// The names of the labels. docs/metrics.md explains their values.
const (
	labelNamespace   = "namespace"
	labelDaemonSet   = "daemonset"
	labelNode        = "node"
	labelZone        = "zone"
	labelStatus      = "status"
	labelLifecycle   = "lifecycle"
	labelCause       = "cause"
	labelReason      = "reason"
	labelVerdict     = "verdict"
	labelField       = "field"
	labelTaintKey    = "taint_key"
	labelTaintEffect = "taint_effect"
	labelTrigger     = "trigger"
	labelStage       = "stage"
	labelOutcome     = "outcome"
	labelState       = "state"
	labelPart        = "part"
	labelResource    = "resource"
	labelFamily      = "family"
)

// An enum is a label with a closed set of values, on the metrics whose names
// begin with a prefix. The same label means something else on other metrics:
// the reason of a gap is none of an exclusion.
type enum struct {
	metrics, label string
	values         []string
}

// enums returns every enum. What documentation, rules, dashboards and tests know
// of label values comes from here.
func enums() []enum {
	return []enum{
		{"daemonset_", labelLifecycle, names(0, readiness.Lifecycles)},
		{"daemonset_", labelStatus, names(0, readiness.Statuses)},
		{"daemonset_", labelCause, names(0, coverage.Causes)},
		{"daemonset_gap_", labelReason, names(coverage.ReasonNone+1, coverage.Reasons)},
		{"daemonset_excluded_nodes", labelReason, names(coverage.NotExcluded+1, coverage.Exclusions)},
		{"daemonset_node_suspect_pods", labelReason, names(coverage.ReasonNone+1, coverage.Reasons)},
		{"daemonset_exporter_series_dropped", labelFamily, cappedFamilies()},
		{"daemonset_exporter_informer_watch_errors_total", labelReason, watchErrorReasons()},
		{"daemonset_nodes_lost_total", labelReason, names(coverage.NotExcluded+1, coverage.Exclusions)},
		{"daemonset_container_restarts_total", labelReason, restartReasons()},
		// A pod that its controller runs is where it should be.
		{"daemonset_misplaced_nodes", labelVerdict, names(0, coverage.VerdictRun)},
		{"daemonset_status_difference_nodes", labelField, rollout.Fields()},
		{"daemonset_pod_rescheduling_", labelTrigger, names(0, rescheduling.Triggers)},
		{"daemonset_pod_rescheduling_", labelStage, names(0, rescheduling.Stages)},
		{"daemonset_node_startup_", labelStage, []string{stageReady, stageCovered}},
		{"daemonset_pod_terminations_total", labelOutcome, names(0, rescheduling.Outcomes)},
		{"daemonset_pods_terminating", labelState, names(0, rescheduling.States)},
		{"daemonset_exporter_", labelPart, []string{"coverage", "nodes", "rescheduling", "exporter"}},
		{"daemonset_exporter_", labelResource, []string{informers.Nodes, informers.Pods, informers.DaemonSets}},
	}
}

// watchErrorReasons returns how failed lists and watches are classified.
func watchErrorReasons() []string {
	kinds := informers.ErrorKinds()
	reasons := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		reasons = append(reasons, string(kind))
	}
	return reasons
}

// cappedFamilies returns the names of the metrics that --coverage.max-gap-series caps.
func cappedFamilies() []string {
	return []string{
		"daemonset_gap_start_timestamp_seconds", "daemonset_repelled_nodes", "daemonset_withheld_nodes",
		"daemonset_node_suspect_pods", "daemonset_pod_restarts_total",
	}
}

// names returns the values of an enum from first up to, but not including, end.
func names[E interface {
	~uint8
	fmt.Stringer
}](first, end E) []string {
	all := make([]string, 0, end-first)
	for value := first; value < end; value++ {
		all = append(all, value.String())
	}
	return all
}

// LabelValues returns the values of every label whose values are an enum, by the
// name of the label, over all metrics. Metric.LabelValues is for one of them.
func LabelValues() map[string][]string {
	return valuesIn(func(enum) bool { return true })
}

// LabelValues returns the values of the metric's labels that are enums, by the
// name of the label. Labels that are not in it, such as node, can have any value.
func (m *Metric) LabelValues() map[string][]string {
	return valuesIn(func(e enum) bool {
		return strings.HasPrefix(m.Name, e.metrics) && slices.Contains(m.Labels, e.label)
	})
}

func valuesIn(wanted func(enum) bool) map[string][]string {
	values := map[string][]string{}
	for _, e := range enums() {
		if !wanted(e) {
			continue
		}
		for _, value := range e.values {
			if !slices.Contains(values[e.label], value) {
				values[e.label] = append(values[e.label], value)
			}
		}
	}
	return values
}

// NodeLabel is a label of Node objects that becomes a label of metrics.
type NodeLabel struct {
	// Node is the key on the Node object, such as "node.kubernetes.io/pool".
	Node string
	// Metric is the name of the metric label, such as "pool".
	Metric string
}

// zoneLabel returns the node label that needs no flag.
func zoneLabel() NodeLabel { return NodeLabel{Node: corev1.LabelTopologyZone, Metric: labelZone} }

// reservedLabels returns the names that no node label may have: those of the
// table of metrics, and those that have a meaning for Prometheus.
func reservedLabels() []string {
	reserved := []string{"le", "quantile", "job", "instance"}
	for _, metric := range Metrics() {
		reserved = append(reserved, metric.Labels...)
	}
	return reserved
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// CheckNodeLabels returns an error for the first node label that cannot be a
// metric label.
func CheckNodeLabels(nodeLabels []NodeLabel) error {
	seen := map[string]bool{}
	for _, label := range nodeLabels {
		switch {
		case label.Node == "":
			return fmt.Errorf("metric label %q has no node label", label.Metric)
		case !labelName.MatchString(label.Metric), strings.HasPrefix(label.Metric, "__"):
			return fmt.Errorf("%q is not a valid metric label: it must consist of letters, digits and underscores, and must not begin with a digit or two underscores", label.Metric)
		case slices.Contains(reservedLabels(), label.Metric):
			return fmt.Errorf("metric label %q is reserved: choose another one for node label %q", label.Metric, label.Node)
		case seen[label.Metric]:
			return fmt.Errorf("metric label %q is used more than once", label.Metric)
		}
		seen[label.Metric] = true
	}
	return nil
}
