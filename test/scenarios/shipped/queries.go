package shipped

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
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
