package collector

import (
	"fmt"
	"regexp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// The labels of the metrics. What their values mean stands in docs/metrics.md.
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
)

// NodeLabel is a label of nodes that becomes a label of metrics.
type NodeLabel struct {
	// Node is the key on the Node object, such as "node.kubernetes.io/pool".
	Node string
	// Metric is the label's name, such as "pool".
	Metric string
}

// zoneLabel is there without being asked for.
func zoneLabel() NodeLabel { return NodeLabel{Node: corev1.LabelTopologyZone, Metric: labelZone} }

// reservedLabels cannot be given to a node label: metrics have them already, or
// Prometheus gives them a meaning.
func reservedLabels() []string {
	return []string{
		labelNamespace, labelDaemonSet, labelNode, labelZone, labelStatus, labelLifecycle,
		labelCause, labelReason, labelVerdict, labelField, labelTaintKey, labelTaintEffect,
		labelTrigger, labelStage, labelOutcome, labelState, labelPart, labelResource,
		"le", "quantile", "job", "instance",
	}
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// CheckNodeLabels tells what is wrong with a list of node labels.
func CheckNodeLabels(nodeLabels []NodeLabel) error {
	seen := map[string]bool{}
	for _, label := range nodeLabels {
		switch {
		case label.Node == "":
			return fmt.Errorf("metric label %q: name the node label that it is taken from", label.Metric)
		case !labelName.MatchString(label.Metric) || len(label.Metric) > 1 && label.Metric[:2] == "__":
			return fmt.Errorf("%q is no metric label: use letters, digits and underscores, without two in front", label.Metric)
		case slices.Contains(reservedLabels(), label.Metric):
			return fmt.Errorf("metric label %q is taken: choose another name for node label %q", label.Metric, label.Node)
		case seen[label.Metric]:
			return fmt.Errorf("metric label %q is given twice", label.Metric)
		}
		seen[label.Metric] = true
	}
	return nil
}
