package shipped

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Superseded is the recorded series of the replicas that have lost the API server while
// another of their cluster has not.
const Superseded = "daemonset_exporter:superseded:info"

// inTemplate matches the queries in the texts of an alert.
var inTemplate = regexp.MustCompile(`\{\{-? *with (?:printf|query) ("(?:[^"\\]|\\.)*")`)

// TextQueries returns the queries in the annotations of a rule. Labels of the alert
// have the value "label".
func (r Rule) TextQueries() ([]string, error) {
	var queries []string
	for _, name := range slices.Sorted(maps.Keys(r.Annotations)) {
		for _, match := range inTemplate.FindAllStringSubmatch(r.Annotations[name], -1) {
			query, err := strconv.Unquote(match[1])
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w in %s", name, r.Alert, err, match[1])
			}
			queries = append(queries, strings.ReplaceAll(query, "%q", `"label"`))
		}
	}
	return queries, nil
}

// OfStaleReplicas returns the names of the series in a query, among those that the
// exporter serves about the cluster, from which replicas that are superseded are not
// left out.
func OfStaleReplicas(query string) ([]string, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return nil, fmt.Errorf("%w in %s", err, query)
	}
	var names []string
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if ok && aboutCluster(selector.Name) && !leftOut(append(slices.Clone(path), node)) {
			names = append(names, selector.Name)
		}
		return nil
	})
	return names, nil
}

// aboutCluster reports whether the exporter serves this about the cluster and not about
// itself.
func aboutCluster(name string) bool {
	return strings.HasPrefix(name, "daemonset_") && !strings.HasPrefix(name, "daemonset_exporter_") && !strings.Contains(name, ":")
}

// leftOut reports whether superseded replicas are left out of what a path leads to,
// before the replicas cannot be told apart.
func leftOut(path []parser.Node) bool {
	for i := len(path) - 2; i >= 0; i-- {
		switch node := path[i].(type) {
		case *parser.AggregateExpr:
			if slices.Contains(node.Grouping, "instance") == node.Without {
				return false
			}
		case *parser.BinaryExpr:
			if node.Op == parser.LUNLESS && path[i+1] == node.LHS && node.VectorMatching.On &&
				slices.Equal(node.VectorMatching.MatchingLabels, []string{"cluster", "instance"}) && isSuperseded(node.RHS) {
				return true
			}
		}
	}
	return false
}

func isSuperseded(expr parser.Expr) bool {
	selector, ok := expr.(*parser.VectorSelector)
	return ok && selector.Name == Superseded
}

// OfManyClusters returns the parts of a query that do not tell clusters apart: aggregations
// and matches that lose the label cluster. If it may have totals, what adds up is none.
func OfManyClusters(query string, totals bool) ([]string, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return nil, fmt.Errorf("%w in %s", err, query)
	}
	var parts []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		loses := false
		switch node := node.(type) {
		case *parser.AggregateExpr:
			selects := node.Op == parser.TOPK || node.Op == parser.BOTTOMK
			adds := node.Op == parser.SUM || node.Op == parser.COUNT
			loses = !selects && (!adds || !totals) && !ofSettings(node.Expr) && slices.Contains(node.Grouping, "cluster") == node.Without
		case *parser.BinaryExpr:
			m := node.VectorMatching
			loses = m != nil && slices.Contains(m.MatchingLabels, "cluster") != m.On && !isAbsent(node.LHS) &&
				!ofSettings(node.LHS) && !ofSettings(node.RHS)
		}
		if loses {
			parts = append(parts, node.String())
		}
		return nil
	})
	return parts, nil
}

// OfAllClusters returns the names of the series in a query that are not of a certain
// cluster: neither by a matcher, nor because they are matched with what is.
func OfAllClusters(query string) ([]string, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return nil, fmt.Errorf("%w in %s", err, query)
	}
	var names []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok || isSetting(selector.Name) || selector.Name == Superseded {
			return nil
		}
		if !slices.ContainsFunc(selector.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == "cluster" }) {
			names = append(names, selector.Name)
		}
		return nil
	})
	return names, nil
}

// isSetting reports whether a recorded series is a threshold, which holds for all clusters.
func isSetting(name string) bool {
	return strings.HasPrefix(name, "daemonset_exporter:") && !strings.HasSuffix(name, ":info")
}

// ofSettings reports whether an expression reads thresholds and nothing else.
func ofSettings(expr parser.Expr) bool {
	selectors := parser.ExtractSelectors(expr)
	return len(selectors) > 0 && !slices.ContainsFunc(selectors, func(matchers []*labels.Matcher) bool {
		return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return m.Name == model.MetricNameLabel && isSetting(m.Value) })
	})
}

// isAbsent reports whether an expression says that there is nothing, in no cluster.
func isAbsent(expr parser.Expr) bool {
	call, ok := expr.(*parser.Call)
	return ok && call.Func.Name == "absent"
}

// WithoutFirst returns the names of the counters in a query whose first event it does not
// see: of rate and its like, unless begins says that the counter begins at zero, or the
// query adds the value with which a series was born within the same window.
func WithoutFirst(query string, begins func(name string) bool) ([]string, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return nil, fmt.Errorf("%w in %s", err, query)
	}
	var names []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		call, ok := node.(*parser.Call)
		if !ok || !slices.Contains([]string{"rate", "irate", "increase", "changes", "resets"}, call.Func.Name) {
			return nil
		}
		var window string
		var name string
		switch argument := call.Args[0].(type) {
		case *parser.MatrixSelector:
			window, name = argument.Range.String(), argument.VectorSelector.(*parser.VectorSelector).Name
		case *parser.SubqueryExpr:
			window, name = argument.Range.String(), argument.Expr.String()
		}
		if !begins(name) && !addsBorn(expr, name, window) {
			names = append(names, name)
		}
		return nil
	})
	return names, nil
}

// addsBorn reports whether an expression has "… unless X offset window" of a series.
func addsBorn(expr parser.Expr, name, window string) bool {
	found := false
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		binary, ok := node.(*parser.BinaryExpr)
		if !ok || binary.Op != parser.LUNLESS {
			return nil
		}
		selector, ok := binary.RHS.(*parser.VectorSelector)
		found = found || ok && selector.Name == name && selector.OriginalOffset.String() == window
		return nil
	})
	return found
}

// Zeros returns the names of the series that an expression takes for zeros where it has
// nothing better: "… or 0 * X".
func Zeros(query string) ([]string, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return nil, fmt.Errorf("%w in %s", err, query)
	}
	var names []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		or, ok := node.(*parser.BinaryExpr)
		if !ok || or.Op != parser.LOR {
			return nil
		}
		product, ok := or.RHS.(*parser.BinaryExpr)
		if !ok || product.Op != parser.MUL {
			return nil
		}
		if zero, ok := product.LHS.(*parser.NumberLiteral); !ok || zero.Val != 0 {
			return nil
		}
		for _, selector := range parser.ExtractSelectors(product.RHS) {
			for _, matcher := range selector {
				if matcher.Name == model.MetricNameLabel {
					names = append(names, matcher.Value)
				}
			}
		}
		return nil
	})
	return names, nil
}
