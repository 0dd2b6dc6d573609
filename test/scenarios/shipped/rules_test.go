package shipped_test

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	promlabels "github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped/shippedtest"
)

var update = flag.Bool("update", false, "Write the generated files.")

func read(t *testing.T, path string) string {
	t.Helper()
	return string(check.Must(os.ReadFile(path))(t))
}

func rules(t *testing.T) *shipped.Rules {
	t.Helper()
	return check.Must(shipped.ReadRules(shippedtest.Path(t, shipped.RuleFile)))(t)
}

func vocabulary(t *testing.T) *shipped.Vocabulary {
	t.Helper()
	return check.Must(shipped.NewVocabulary(rules(t)))(t)
}

func TestRules(t *testing.T) {
	t.Parallel()
	// make generate writes it.
	t.Run("the PrometheusRule equals the rule file", func(t *testing.T) {
		t.Parallel()
		want := shipped.PrometheusRule([]byte(read(t, shippedtest.Path(t, shipped.RuleFile))))
		if *update {
			check.NoError(t, os.WriteFile(shippedtest.Path(t, shipped.PrometheusRuleFile), want, 0o644))
		}
		check.That(t, read(t, shippedtest.Path(t, shipped.PrometheusRuleFile)) == string(want), "%s does not equal %s; run `make generate`", shipped.PrometheusRuleFile, shipped.RuleFile)
	})
	t.Run("query what exists", func(t *testing.T) {
		t.Parallel()
		vocabulary := vocabulary(t)
		for _, rule := range rules(t).All() {
			if err := vocabulary.Check(rule.Expr); err != nil {
				t.Errorf("%s%s: %v", rule.Alert, rule.Record, err)
			}
		}
	})
	t.Run("alerts have for, severity, annotations and a runbook", func(t *testing.T) {
		t.Parallel()
		for _, alert := range rules(t).Alerts() {
			check.That(t, alert.For != "", "%s has no for", alert.Alert)
			check.That(t, slices.Contains([]string{"critical", "warning"}, alert.Labels["severity"]), "%s: severity %q", alert.Alert, alert.Labels["severity"])
			for _, annotation := range []string{"summary", "description", "runbook_url"} {
				check.That(t, alert.Annotations[annotation] != "", "%s has no %s", alert.Alert, annotation)
			}
			// Users adjust for: a text that named it would be wrong.
			words := regexp.MustCompile(`\b(for|in|after) ` + strings.TrimSuffix(alert.For, "m") + ` ?minutes?\b`)
			for name, text := range alert.Annotations {
				check.That(t, strings.HasSuffix(alert.For, "m") && !words.MatchString(text), "the %s of %s names its for, %s: %s", name, alert.Alert, alert.For, text)
			}
			page := shipped.Runbooks + "/" + alert.Alert + ".md"
			check.That(t, strings.HasSuffix(alert.Annotations["runbook_url"], "/blob/main/"+page), "%s: runbook_url %q", alert.Alert, alert.Annotations["runbook_url"])
		}
	})
}

func TestVocabularyCheck(t *testing.T) {
	t.Parallel()
	vocabulary := vocabulary(t)
	for query, want := range map[string]string{
		`daemonset_gap_node`:                                        "no metric",
		`daemonset_gap_nodes{node="a"}`:                             "no label",
		`daemonset_gap_nodes{reason="imagepull"}`:                   "is never",
		`daemonset_gap_nodes{reason="taint"}`:                       "is never",
		`sum by (zone) (daemonset_gap_nodes)`:                       "nothing has",
		`daemonset:coverage:ratio{node="a"}`:                        "no label",
		`daemonset_gap_duration_seconds_bucket{namespace="a",x=""}`: "no label",
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			if err := vocabulary.Check(query); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestAlertScopes(t *testing.T) {
	t.Parallel()
	t.Run("an alert has the scope that its labels identify", func(t *testing.T) {
		t.Parallel()
		for _, alert := range rules(t).Alerts() {
			labels := identity(t, alert)
			has := func(label string) bool { return slices.Contains(labels, label) }
			want := "exporter"
			switch {
			case has("daemonset") && has("node"):
				want = "pod"
			case has("daemonset"):
				want = "daemonset"
			case has("node"):
				want = "node"
			case has("zone"):
				want = "zone"
			}
			check.Equal(t, alert.Labels["scope"], want, alert.Alert, "scope")
		}
	})
	t.Run("every reason of a gap on a Ready node belongs to one alert with scope pod", func(t *testing.T) {
		t.Parallel()
		for _, reason := range coverage.GapReasons() {
			if reason.Cause() == coverage.CauseNode {
				continue
			}
			gap := map[string]string{
				"lifecycle": readiness.LifecycleActive.String(), "cause": reason.Cause().String(), "reason": reason.String(),
			}
			var names []string
			for _, alert := range rules(t).Alerts() {
				if alert.Labels["scope"] == "pod" && selects(t, alert, "daemonset_gap_start_timestamp_seconds", gap) {
					names = append(names, alert.Alert)
				}
			}
			want := 1
			if reason == coverage.ReasonPodTerminating { // DaemonSetTerminationOverdue counts these pods
				want = 0
			}
			check.That(t, len(names) == want, "%s belongs to %v, want %d alerts", reason, names, want)
		}
	})
	t.Run("an alert has scope pod if it selects the reason of a gap on a Ready node, or restarts", func(t *testing.T) {
		t.Parallel()
		reason := regexp.MustCompile(`daemonset_gap_start_timestamp_seconds\{[^}]*\breason[=!]`)
		byNode := regexp.MustCompile(`\breason="node_\w+"`)
		for _, alert := range rules(t).Alerts() {
			want := reason.MatchString(alert.Expr) && !byNode.MatchString(alert.Expr) ||
				strings.Contains(alert.Expr, "daemonset_pod_restarts_total")
			check.Equal(t, alert.Labels["scope"] == "pod", want, alert.Alert, "is about pods")
		}
	})
}

// selects reports whether an alert reads the series of a metric with these
// labels.
func selects(t *testing.T, alert shipped.Rule, metric string, labels map[string]string) bool {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(alert.Expr)
	if err != nil {
		t.Fatalf("%s: %v", alert.Alert, err)
	}
	found := false
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok || selector.Name != metric {
			return nil
		}
		found = found || !slices.ContainsFunc(selector.LabelMatchers, func(matcher *promlabels.Matcher) bool {
			return matcher.Name != model.MetricNameLabel && !matcher.Matches(labels[matcher.Name])
		})
		return nil
	})
	return found
}

func ruleTests(t *testing.T) []string {
	t.Helper()
	return shippedtest.Glob(t, shipped.RuleTests+"/*.yaml")
}

// make generate writes the heads.
func TestRuleTests(t *testing.T) {
	t.Parallel()
	t.Run("every alert fires in one", func(t *testing.T) {
		t.Parallel()
		var firing []string
		for _, file := range ruleTests(t) {
			names := check.Must(shipped.FiringInTests(file))(t)
			firing = append(firing, names...)
		}
		for _, alert := range rules(t).Alerts() {
			check.That(t, slices.Contains(firing, alert.Alert), "%s fires in no test in %s", alert.Alert, shipped.RuleTests)
		}
	})
	t.Run("every alert fires among clusters", func(t *testing.T) {
		t.Parallel()
		const file = shipped.RuleTests + "/clusters.yaml"
		firing := check.Must(shipped.FiringInTests(shippedtest.Path(t, file)))(t)
		for _, alert := range rules(t).Alerts() {
			check.That(t, slices.Contains(firing, alert.Alert), "%s does not say of which cluster %s is", file, alert.Alert)
		}
	})
	t.Run("all evaluate the groups in the order of the rule file", func(t *testing.T) {
		t.Parallel()
		for _, file := range ruleTests(t) {
			got := []byte(read(t, file))
			want, err := shipped.WithRuleTestHead(got, rules(t))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			switch {
			case bytes.Equal(got, want):
			case *update:
				check.NoError(t, os.WriteFile(file, want, 0o644))
			default:
				t.Errorf("%s does not list the groups of %s in order; run `make generate`", file, shipped.RuleFile)
			}
		}
	})
}
