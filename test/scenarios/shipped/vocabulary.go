package shipped

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
)

// Vocabulary holds the series, labels and label values that queries can refer to.
type Vocabulary struct {
	labels map[string][]string            // of each series, by its name
	values map[string]map[string][]string // of each enum, by series and label
}

// scraped returns the labels that scraping adds, or may add.
func scraped() []string { return []string{"cluster", "instance", "job", "exported_namespace"} }

// NewVocabulary returns the vocabulary of what the exporter serves and what the
// rules record.
func NewVocabulary(rules *Rules) (*Vocabulary, error) {
	v := &Vocabulary{labels: map[string][]string{}, values: map[string]map[string][]string{}}
	for _, metric := range collector.Metrics() {
		suffixes := []string{""}
		if metric.Type == dto.MetricType_HISTOGRAM {
			suffixes = []string{"", "_sum", "_count", "_bucket"}
		}
		for _, suffix := range suffixes {
			name, labels := metric.Name+suffix, metric.Labels
			if suffix == "_bucket" {
				labels = append(slices.Clone(labels), "le")
			}
			v.add(name, labels)
			v.values[name] = metric.LabelValues()
		}
	}
	// What libraries and Prometheus add to the table.
	v.add("daemonset_exporter_build_info", []string{"version", "revision", "branch", "goversion", "goos", "goarch", "tags"})
	v.add("up", nil)
	v.add("process_resident_memory_bytes", nil)
	v.add("process_cpu_seconds_total", nil)
	v.add("process_start_time_seconds", nil)
	v.add("go_goroutines", nil)
	alertLabels := []string{"alertname", "alertstate"}
	for _, rule := range rules.All() {
		identity, err := rule.Identity()
		if err != nil {
			return nil, err
		}
		if rule.Record != "" {
			v.add(rule.Record, identity)
			continue
		}
		alertLabels = append(alertLabels, identity...)
		alertLabels = slices.AppendSeq(alertLabels, maps.Keys(rule.Labels))
	}
	v.add("ALERTS", alertLabels)
	v.add("ALERTS_FOR_STATE", alertLabels)
	return v, nil
}

// Knows reports whether there is a series with this name or, if it ends in *, one
// whose name begins so.
func (v *Vocabulary) Knows(name string) bool {
	prefix, isPrefix := strings.CutSuffix(name, "*")
	for known := range v.labels {
		if known == name || isPrefix && strings.HasPrefix(known, prefix) {
			return true
		}
	}
	return false
}

func (v *Vocabulary) add(name string, labels []string) {
	v.labels[name] = append(scraped(), labels...)
}

// resultLabels returns the labels of the result of an expression: those of its
// first aggregation, or of the recorded series that it begins with.
func resultLabels(expr parser.Expr) []string {
	var result []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if aggregate, ok := node.(*parser.AggregateExpr); ok && !aggregate.Without && result == nil {
			result = aggregate.Grouping
		}
		if selector, ok := node.(*parser.VectorSelector); ok && result == nil && strings.Contains(selector.Name, ":") {
			result = []string{"namespace", "daemonset"}
		}
		return nil
	})
	return result
}

// Check returns an error that names everything in a query that does not exist.
func (v *Vocabulary) Check(query string) error {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return fmt.Errorf("%w in %s", err, query)
	}
	var faults []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.VectorSelector:
			faults = append(faults, v.checkSelector(node)...)
		case *parser.AggregateExpr:
			faults = append(faults, v.checkGrouping(node, node.Grouping)...)
		case *parser.BinaryExpr:
			if node.VectorMatching != nil {
				faults = append(faults, v.checkGrouping(node, node.VectorMatching.MatchingLabels)...)
			}
		}
		return nil
	})
	if faults != nil {
		return fmt.Errorf("%s in %s", strings.Join(faults, "; "), query)
	}
	return nil
}

func (v *Vocabulary) checkSelector(selector *parser.VectorSelector) []string {
	known, ok := v.labels[selector.Name]
	if !ok {
		return []string{fmt.Sprintf("no metric %q", selector.Name)}
	}
	var faults []string
	for _, matcher := range selector.LabelMatchers {
		switch {
		case matcher.Name == model.MetricNameLabel:
		case !slices.Contains(known, matcher.Name):
			faults = append(faults, fmt.Sprintf("%s has no label %q", selector.Name, matcher.Name))
		default:
			faults = append(faults, v.checkValues(selector.Name, matcher)...)
		}
	}
	return faults
}

// checkValues returns the values of a matcher that its label never has. Matchers
// with a variable of a dashboard, or with more of a regular expression than
// alternatives, are not checked.
func (v *Vocabulary) checkValues(metric string, matcher *labels.Matcher) []string {
	enum, ok := v.values[metric][matcher.Name]
	if !ok || strings.ContainsAny(matcher.Value, "$.") {
		return nil
	}
	var faults []string
	for _, value := range strings.Split(matcher.Value, "|") {
		if value != "" && !slices.Contains(enum, value) {
			faults = append(faults, fmt.Sprintf("label %s of %s is never %q", matcher.Name, metric, value))
		}
	}
	return faults
}

func (v *Vocabulary) checkGrouping(node parser.Node, grouping []string) []string {
	known := map[string]bool{}
	parser.Inspect(node, func(inner parser.Node, _ []parser.Node) error {
		switch inner := inner.(type) {
		case *parser.VectorSelector:
			for _, label := range v.labels[inner.Name] {
				known[label] = true
			}
		case *parser.Call: // label_replace and label_join make labels
			if len(inner.Args) > 1 {
				if made, ok := inner.Args[1].(*parser.StringLiteral); ok {
					known[made.Val] = true
				}
			}
		}
		return nil
	})
	var faults []string
	for _, label := range grouping {
		if !known[label] && label != "pod" {
			faults = append(faults, fmt.Sprintf("nothing has the label %q of a by, on or without", label))
		}
	}
	return faults
}
