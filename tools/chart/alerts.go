package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A setting is a rule that users adjust by its name.
type setting struct {
	name string
	// path is where the rule is in a PrometheusRule.
	path string
	// Of an alert.
	severity, duration string
	// Of a threshold.
	standard, meaning string
}

// writeAlerts updates the schema of the chart and the page about alerts.
func writeAlerts(root string) error {
	rules, err := os.ReadFile(filepath.Join(root, alerts))
	if err != nil {
		return err
	}
	alerts, thresholds, err := settings(rules)
	if err != nil {
		return err
	}
	schema := filepath.Join(root, chart, "values.schema.json")
	before, err := os.ReadFile(schema)
	if err != nil {
		return err
	}
	after := before
	for key, named := range map[string][]setting{"alerts": alerts, "thresholds": thresholds} {
		if after, err = allow(after, key, named); err != nil {
			return fmt.Errorf("%s: %w", schema, err)
		}
	}
	if err := writeChanged(schema, before, after); err != nil {
		return err
	}
	return replace(filepath.Join(root, page), map[string]string{"alerts": alertTable(alerts), "thresholds": thresholdTable(thresholds)})
}

// settings returns the alerts and the thresholds of a rule file.
func settings(content []byte) (alerts, thresholds []setting, err error) {
	var file struct {
		Groups []struct {
			Rules []yaml.Node `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		return nil, nil, err
	}
	for g, group := range file.Groups {
		for r, node := range group.Rules {
			var rule struct {
				Alert, Record, Expr, For string
				Labels                   map[string]string
			}
			if err := node.Decode(&rule); err != nil {
				return nil, nil, err
			}
			s := setting{name: rule.Alert, path: fmt.Sprintf("/spec/groups/%d/rules/%d", g, r), severity: rule.Labels["severity"], duration: rule.For, meaning: meaning(&node)}
			standard, isThreshold := strings.CutPrefix(rule.Expr, "vector(")
			switch {
			case rule.Alert != "":
				alerts = append(alerts, s)
			case isThreshold && s.meaning == "":
				return nil, nil, fmt.Errorf("%s has no comment", rule.Record)
			case isThreshold:
				s.name, s.standard = strings.Split(rule.Record, ":")[1], strings.TrimSuffix(standard, ")")
				thresholds = append(thresholds, s)
			}
		}
	}
	if len(alerts) == 0 || len(thresholds) == 0 {
		return nil, nil, errors.New("the rules have no alerts or no thresholds")
	}
	return alerts, thresholds, nil
}

// allow lets a map of prometheusRule have these keys only.
func allow(schema []byte, key string, named []setting) ([]byte, error) {
	names := make([]string, len(named))
	for i, s := range named {
		names[i] = s.name
	}
	list, err := json.MarshalIndent(names, strings.Repeat("  ", 7), "  ")
	if err != nil {
		return nil, err
	}
	enum := regexp.MustCompile(`("` + key + `": \{\s*"type": "object",\s*"propertyNames": \{\s*"enum": )\[[^]]*\]`)
	if found := enum.FindAll(schema, -1); len(found) != 1 {
		return nil, fmt.Errorf("%d maps %s with propertyNames", len(found), key)
	}
	return enum.ReplaceAll(schema, append([]byte("${1}"), list...)), nil
}

func alertTable(alerts []setting) string {
	var b strings.Builder
	b.WriteString("| alert | severity | for | in the PrometheusRule |\n|---|---|---|---|\n")
	for _, s := range alerts {
		fmt.Fprintf(&b, "| [%[1]s](runbooks/%[1]s.md) | %s | %s | `%s` |\n", s.name, s.severity, s.duration, s.path)
	}
	return b.String()
}

func thresholdTable(thresholds []setting) string {
	var b strings.Builder
	b.WriteString("| threshold | default | meaning | in the PrometheusRule |\n|---|---|---|---|\n")
	for _, s := range thresholds {
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", s.name, s.standard, s.meaning, s.path)
	}
	return b.String()
}
