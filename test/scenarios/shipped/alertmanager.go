package shipped

import (
	"fmt"
	"os"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

// Inhibition is an inhibit_rule of Alertmanager.
type Inhibition struct {
	Source []string `json:"source_matchers"`
	Target []string `json:"target_matchers"`
	Equal  []string `json:"equal"`
}

// ReadInhibitions returns the inhibit rules of an Alertmanager configuration.
func ReadInhibitions(path string) ([]Inhibition, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read Alertmanager configuration: %w", err)
	}
	var config struct {
		Inhibitions []Inhibition `json:"inhibit_rules"`
	}
	if err := yaml.Unmarshal(content, &config); err != nil {
		return nil, fmt.Errorf("read Alertmanager configuration %s: %w", path, err)
	}
	return config.Inhibitions, nil
}

// Inhibits reports whether a firing source can inhibit target, given equal
// values of the labels in Equal.
func (i Inhibition) Inhibits(source, target Rule) (bool, error) {
	fromSource, err := matches(i.Source, source)
	if err != nil || !fromSource {
		return false, err
	}
	return matches(i.Target, target)
}

// matches reports whether matchers select an alert by its name and the labels of
// its rule. They are written as in PromQL.
func matches(matchers []string, alert Rule) (bool, error) {
	parsed, err := parser.NewParser(parser.Options{}).ParseMetricSelector("{" + strings.Join(matchers, ",") + "}")
	if err != nil {
		return false, fmt.Errorf("matchers %v: %w", matchers, err)
	}
	value := func(matcher *labels.Matcher) string {
		if matcher.Name == labels.AlertName {
			return alert.Alert
		}
		return alert.Labels[matcher.Name]
	}
	for _, matcher := range parsed {
		if !matcher.Matches(value(matcher)) {
			return false, nil
		}
	}
	return true, nil
}
