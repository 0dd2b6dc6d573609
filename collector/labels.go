package collector

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
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
)

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
	return []string{
		labelNamespace, labelDaemonSet, labelNode, labelZone, labelStatus, labelLifecycle,
		labelCause, labelReason, labelVerdict, labelField, labelTaintKey, labelTaintEffect,
		labelTrigger, labelStage, labelOutcome, labelState, labelPart, labelResource,
		"le", "quantile", "job", "instance",
	}
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
