package shipped_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped/shippedtest"
)

// withoutCase returns the reasons of a gap that no end-to-end case shows, and
// why. A case that shows one takes it off the list.
func withoutCase() map[string]string {
	return map[string]string{
		"pod_unschedulable": "no case yet: a second DaemonSet with the same hostPort would show it",
		"pod_terminating":   "scenario finalizer causes it, and DaemonSetTerminationOverdue counts such pods by their state",
		"pod_evicted":       "no case yet: the DaemonSet controller deletes a Failed pod at once, until it has failed several times",
		"pod_failed":        "no case yet: the DaemonSet controller deletes a Failed pod at once, until it has failed several times",
		"readiness_gate":    "no case yet: the kubelet of the end-to-end tests ignores readiness gates",
		"other":             "stands for what Kubernetes does not do yet",
	}
}

// withoutAlert returns the reasons of a gap that no alert selects, and why.
func withoutAlert() map[string]string {
	return map[string]string{
		"pod_terminating": "DaemonSetTerminationOverdue counts such pods by their state",
	}
}

func TestGapReasons(t *testing.T) {
	t.Parallel()
	var reasons []string
	for _, reason := range coverage.GapReasons() {
		reasons = append(reasons, reason.String())
	}
	t.Run("each is shown by an end-to-end case", func(t *testing.T) {
		t.Parallel()
		shown := slices.Concat(shownByCases(t), shownByScenarios(t))
		for _, problem := range unaccounted(reasons, shown, withoutCase()) {
			t.Errorf("%s; cases are in test/e2e and test/scenarios, exceptions in withoutCase", problem)
		}
	})
	t.Run("each is caught by an alert", func(t *testing.T) {
		t.Parallel()
		var caught []string
		for _, alert := range rules(t).Alerts() {
			caught = append(caught, reasonsOf(t, alert)...)
		}
		for _, problem := range unaccounted(reasons, caught, withoutAlert()) {
			t.Errorf("%s; alerts are in %s, exceptions in withoutAlert", problem, shipped.RuleFile)
		}
	})
	t.Run("each is named by the runbook of its alert, unless a node causes it", func(t *testing.T) {
		t.Parallel()
		for _, alert := range rules(t).Alerts() {
			page := shipped.Runbooks + "/" + alert.Alert + ".md"
			content := read(t, shippedtest.Path(t, page))
			for _, reason := range reasonsOf(t, alert) {
				check.That(t, strings.HasPrefix(reason, "node_") || regexp.MustCompile(`\b`+reason+`\b`).MatchString(content), "%s does not name %s, which the alert selects", page, reason)
			}
		}
	})
	t.Run("a new reason and an outdated exception are named", func(t *testing.T) {
		t.Parallel()
		got := unaccounted([]string{"old", "new", "rare"}, []string{"old"}, map[string]string{"rare": "…", "old": "…", "gone": "…"})
		want := []string{
			"gone is not a reason of a gap, but has an exception",
			"nothing is about new",
			"old has an exception that it does not need",
		}
		check.Equal(t, got, want)
	})
}

// unaccounted returns what is wrong with reasons and their exceptions, sorted:
// each reason needs a find or an exception, and not both.
func unaccounted(reasons, found []string, exceptions map[string]string) []string {
	var problems []string
	for _, reason := range reasons {
		_, excepted := exceptions[reason]
		switch {
		case slices.Contains(found, reason) && excepted:
			problems = append(problems, reason+" has an exception that it does not need")
		case !slices.Contains(found, reason) && !excepted:
			problems = append(problems, "nothing is about "+reason)
		}
	}
	for reason := range maps.Keys(exceptions) {
		if !slices.Contains(reasons, reason) {
			problems = append(problems, reason+" is not a reason of a gap, but has an exception")
		}
	}
	slices.Sort(problems)
	return problems
}

// reasonsOf returns the reasons of the gaps that an alert selects. Gaps that a
// node causes have alerts about the node, by its status.
func reasonsOf(t *testing.T, alert shipped.Rule) []string {
	t.Helper()
	var names []string
	for _, reason := range coverage.GapReasons() {
		labels := map[string]string{
			"lifecycle": readiness.LifecycleActive.String(), "cause": reason.Cause().String(), "reason": reason.String(),
		}
		if status, found := strings.CutPrefix(reason.String(), "node_"); found {
			labels["status"] = status
		}
		if selects(t, alert, "daemonset_gap_start_timestamp_seconds", labels) ||
			selects(t, alert, "daemonset_gap_nodes", labels) ||
			labels["status"] != "" && selects(t, alert, "daemonset_node_not_ready_start_timestamp_seconds", labels) {
			names = append(names, reason.String())
		}
	}
	return names
}

var (
	reasonMatcher = regexp.MustCompile(`\breason="(\w+)"`)
	statusMatcher = regexp.MustCompile(`\bstatus="(\w+)"`)
)

// shownByCases returns the reasons that the tests of test/e2e expect: in a label
// matcher, or as a field of a table of cases. A node's status is the reason of
// its gaps.
func shownByCases(t *testing.T) []string {
	t.Helper()
	var shown []string
	inspect(t, "test/e2e/*.go", func(node ast.Node) {
		switch node := node.(type) {
		case *ast.CompositeLit:
			for _, element := range node.Elts {
				shown = append(shown, text(element))
			}
		case *ast.BasicLit:
			for _, match := range reasonMatcher.FindAllStringSubmatch(text(node), -1) {
				shown = append(shown, match[1])
			}
			for _, match := range statusMatcher.FindAllStringSubmatch(text(node), -1) {
				shown = append(shown, "node_"+match[1])
			}
		}
	})
	return shown
}

// shownByScenarios returns the reasons for which a scenario wants an alert that
// selects no other reason.
func shownByScenarios(t *testing.T) []string {
	t.Helper()
	alerts := map[string]shipped.Rule{}
	for _, alert := range rules(t).Alerts() {
		alerts[alert.Alert] = alert
	}
	var shown []string
	inspect(t, "test/scenarios/cases_*.go", func(node ast.Node) {
		field, ok := node.(*ast.KeyValueExpr)
		if !ok || fmt.Sprint(field.Key) != "alert" {
			return
		}
		if reasons := reasonsOf(t, alerts[text(field.Value)]); len(reasons) == 1 {
			shown = append(shown, reasons...)
		}
	})
	return shown
}

// inspect visits the syntax of Go files of the repository.
func inspect(t *testing.T, pattern string, visit func(ast.Node)) {
	t.Helper()
	for _, name := range shippedtest.Glob(t, pattern) {
		file := check.Must(parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution))(t)
		ast.Inspect(file, func(node ast.Node) bool { visit(node); return true })
	}
}

// text returns the value of a string literal, and nothing of another expression.
func text(expr ast.Expr) string {
	literal, ok := expr.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return value
}
