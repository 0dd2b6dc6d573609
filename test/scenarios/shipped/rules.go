package shipped

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

// Paths in the repository.
const (
	RuleFile           = "alerts/daemonset_exporter.rules.yaml"
	PrometheusRuleFile = "alerts/prometheusrule.yaml"
	AlertmanagerFile   = "alerts/alertmanager.example.yaml"
	RuleTests          = "alerts/tests"
	Runbooks           = "docs/runbooks"
	Dashboards         = "dashboards"
)

// Rules is a Prometheus rule file.
type Rules struct {
	Groups []Group `json:"groups"`
}

// Group is a group of rules.
type Group struct {
	Name     string `json:"name"`
	Interval string `json:"interval,omitempty"`
	Rules    []Rule `json:"rules"`
}

// Rule is a recording or an alerting rule.
type Rule struct {
	Record        string            `json:"record,omitempty"`
	Alert         string            `json:"alert,omitempty"`
	Expr          string            `json:"expr"`
	For           string            `json:"for,omitempty"`
	KeepFiringFor string            `json:"keep_firing_for,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// ReadRules reads a rule file.
func ReadRules(path string) (*Rules, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	var rules Rules
	if err := yaml.UnmarshalStrict(content, &rules); err != nil {
		return nil, fmt.Errorf("read rules %s: %w", path, err)
	}
	return &rules, nil
}

// All returns the rules of all groups.
func (r *Rules) All() []Rule {
	var all []Rule
	for _, group := range r.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// Alerts returns the alerting rules.
func (r *Rules) Alerts() []Rule {
	var alerts []Rule
	for _, rule := range r.All() {
		if rule.Alert != "" {
			alerts = append(alerts, rule)
		}
	}
	return alerts
}

// Identity returns the labels that tell the alerts of a rule apart.
func (r Rule) Identity() ([]string, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
	if err != nil {
		return nil, fmt.Errorf("%s%s: %w", r.Alert, r.Record, err)
	}
	return resultLabels(expr), nil
}

// PrometheusRule returns the text of a rule file as an object for the Prometheus
// Operator, with its comments.
func PrometheusRule(rules []byte) []byte {
	var b strings.Builder
	b.WriteString(`apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: daemonset-exporter
  labels:
    app.kubernetes.io/name: daemonset-exporter
spec:
`)
	for line := range strings.Lines(string(rules)) {
		if strings.TrimSpace(line) != "" {
			b.WriteString("  ")
		}
		b.WriteString(line)
	}
	return []byte(b.String())
}

// Root returns the root of the repository, from any directory in it.
func Root() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, RuleFile)); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside a checkout: found no %s above it", wd, RuleFile)
		}
	}
}
