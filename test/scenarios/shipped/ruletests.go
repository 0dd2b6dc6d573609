package shipped

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// WithRuleTestHead returns the content of a file of rule tests with what all of
// them have in common: the rule file and the order of its groups, without which
// promtool evaluates them in any order.
func WithRuleTestHead(content []byte, rules *Rules) ([]byte, error) {
	comment, rest, found := bytes.Cut(content, []byte("rule_files:"))
	head, tests, ended := bytes.Cut(rest, []byte("\ntests:\n"))
	interval := evaluationInterval.Find(head)
	if !found || !ended || interval == nil {
		return nil, fmt.Errorf("rule tests have no rule_files, no evaluation_interval or no tests")
	}
	var b strings.Builder
	b.Write(comment)
	b.WriteString("rule_files: [../daemonset_exporter.rules.yaml]\n")
	b.Write(interval)
	b.WriteString("group_eval_order:\n")
	for _, group := range rules.Groups {
		b.WriteString("- " + group.Name + "\n")
	}
	b.WriteString("tests:\n")
	b.Write(tests)
	return []byte(b.String()), nil
}

var evaluationInterval = regexp.MustCompile(`(?m)^evaluation_interval:.*\n`)

var inSamples = regexp.MustCompile(`alertname="(\w+)"`)

// FiringInTests returns the names of the alerts that a file of rule tests
// expects to fire.
func FiringInTests(path string) ([]string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read rule tests: %w", err)
	}
	var file struct {
		Tests []struct {
			Alerts []struct {
				Name     string `json:"alertname"`
				Expected []any  `json:"exp_alerts"`
			} `json:"alert_rule_test"`
			Expressions []struct {
				Expected []struct {
					Labels string `json:"labels"`
				} `json:"exp_samples"`
			} `json:"promql_expr_test"`
		} `json:"tests"`
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("read rule tests %s: %w", path, err)
	}
	var firing []string
	for _, test := range file.Tests {
		for _, alert := range test.Alerts {
			if len(alert.Expected) > 0 {
				firing = append(firing, alert.Name)
			}
		}
		for _, expression := range test.Expressions {
			for _, sample := range expression.Expected {
				if name := inSamples.FindStringSubmatch(sample.Labels); name != nil {
					firing = append(firing, name[1])
				}
			}
		}
	}
	return firing, nil
}
