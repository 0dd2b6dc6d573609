package shipped_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped/shippedtest"
)

func mixin(t *testing.T, settings map[string]any) *shipped.Mixin {
	t.Helper()
	return check.Must(shipped.RenderMixin(shippedtest.Path(t, "."), settings))(t)
}

// ruleNamed returns a rule of the mixin; the zero value for none.
func ruleNamed(m *shipped.Mixin, name string) shipped.Rule {
	for _, rule := range append(m.Alerts.All(), m.Records.All()...) {
		if rule.Alert == name || rule.Record == name {
			return rule
		}
	}
	return shipped.Rule{}
}

func TestMixin(t *testing.T) {
	t.Parallel()
	type settings = map[string]any
	t.Run("has the rules and dashboards of the repository", func(t *testing.T) {
		t.Parallel()
		m := mixin(t, nil)
		check.Equal(t, m.Both(rules(t)), rules(t))
		for _, rule := range m.Records.All() {
			check.That(t, rule.Record != "", "prometheusRules has the alert %s", rule.Alert)
		}
		check.Equal(t, len(m.Dashboards), len(dashboards(t)))
		for file := range dashboards(t) {
			var want any
			check.NoError(t, json.Unmarshal([]byte(read(t, shippedtest.Path(t, shipped.Dashboards+"/"+file))), &want))
			check.Equal(t, m.Dashboards["daemonset-exporter-"+file], want, file)
		}
	})
	t.Run("adjusts one alert", func(t *testing.T) {
		t.Parallel()
		m := mixin(t, settings{
			"alertLabels": settings{"team": "platform", "area": "nodes"}, "alertAnnotations": settings{"summary": "short", "wiki": "w"},
			"alerts": settings{
				"DaemonSetNodeFlapping": settings{"enabled": false},
				"DaemonSetNodeDown": settings{
					"for": "5m", "keepFiringFor": "10m", "severity": "page", "labels": settings{"team": "nodes"},
					"annotations": settings{"wiki": "own"}, "runbookUrl": "https://example.com/down",
				},
			},
		})
		check.Equal(t, ruleNamed(m, "DaemonSetNodeFlapping").Alert, "")
		got, before := ruleNamed(m, "DaemonSetNodeDown"), ruleNamed(mixin(t, nil), "DaemonSetNodeDown")
		check.Equal(t, got.Expr, before.Expr)
		check.Equal(t, []string{got.For, got.KeepFiringFor}, []string{"5m", "10m"})
		check.Equal(t, got.Labels, map[string]string{"severity": "page", "scope": "node", "team": "nodes", "area": "nodes"})
		check.Equal(t, got.Annotations, map[string]string{
			"summary": "short", "description": before.Annotations["description"], "wiki": "own", "runbook_url": "https://example.com/down",
		})
		other := ruleNamed(m, "DaemonSetZoneDown")
		check.Equal(t, []string{other.For, other.KeepFiringFor}, []string{"5m", ""})
		check.Equal(t, other.Labels, map[string]string{"severity": "critical", "scope": "zone", "team": "platform", "area": "nodes"})
	})
	t.Run("adjusts a threshold", func(t *testing.T) {
		t.Parallel()
		m := mixin(t, settings{"thresholds": settings{"coverage_objective": 0.999, "node_cordoned_limit": 604800}})
		check.Equal(t, ruleNamed(m, "daemonset_exporter:coverage_objective:ratio").Expr, "vector(0.999)")
		check.Equal(t, ruleNamed(m, "daemonset_exporter:node_cordoned_limit:seconds").Expr, "vector(604800)")
		check.Equal(t, ruleNamed(m, "daemonset_exporter:node_leaving_limit:seconds").Expr, "vector(86400)")
	})
	t.Run("leads to the pages", func(t *testing.T) {
		t.Parallel()
		for _, tc := range []struct{ alert, want string }{
			{"DaemonSetPodCrashLooping", "https://c.example.com/x/explain?daemonset=kube-system%2Fagent&node=a%26b"},
			{"DaemonSetRolloutStuck", "https://c.example.com/x/explain?daemonset=kube-system%2Fagent"},
			{"DaemonSetNodeDown", "https://c.example.com/x/coverage?node=a%26b"},
			{"DaemonSetZoneDown", "https://c.example.com/x/coverage?zone=z+1"},
			{"DaemonSetExporterDown", ""}, // it has none
		} {
			for _, label := range []string{"namespace", "agent_namespace"} {
				m := mixin(t, settings{"pagesUrl": "https://c.example.com/x/", "namespaceLabel": label})
				labels := map[string]string{}
				values := map[string]string{"namespace": "kube-system", "daemonset": "agent", "node": "a&b", "zone": "z 1"}
				for _, name := range identity(t, ruleNamed(mixin(t, nil), tc.alert)) {
					labels[name] = values[name]
				}
				labels[label] = labels["namespace"]
				text := "{{ $labels := .Labels }}" + ruleNamed(m, tc.alert).Annotations["coverage_url"]
				var expanded strings.Builder
				parsed := check.Must(template.New("").Option("missingkey=zero").Parse(text))(t) // as Prometheus does
				check.NoError(t, parsed.Execute(&expanded, map[string]any{"Labels": labels}))
				check.Equal(t, expanded.String(), tc.want, tc.alert)
			}
		}
		for _, alert := range mixin(t, nil).Alerts.All() {
			_, linked := alert.Annotations["coverage_url"]
			check.That(t, !linked, "%s leads nowhere", alert.Alert)
		}
	})
	t.Run("can have records without alerts", func(t *testing.T) {
		t.Parallel()
		m := mixin(t, settings{"alerting": false})
		check.Equal(t, len(m.Alerts.Groups), 0)
		check.Equal(t, len(m.Records.All()), len(rules(t).All())-len(rules(t).Alerts()))
	})
	for _, wrong := range []settings{
		{"alerts": settings{"DaemonSetNodeDwon": settings{}}},
		{"thresholds": settings{"node_cordoned_limits": 1}},
	} {
		t.Run("does not accept an unknown name", func(t *testing.T) {
			t.Parallel()
			_, err := shipped.RenderMixin(shippedtest.Path(t, "."), wrong)
			check.That(t, err != nil && strings.Contains(err.Error(), "no alert or threshold has the name"), "%v: got %v", wrong, err)
		})
	}
}

// TestNamespaceLabel shows that a replacement of text gives the label namespace another
// name, and changes nothing else.
func TestNamespaceLabel(t *testing.T) {
	t.Parallel()
	word := regexp.MustCompile(`\w*namespace\w*`)
	t.Run("nothing but the label has its name", func(t *testing.T) {
		t.Parallel()
		for _, file := range append(shippedtest.Glob(t, shipped.Dashboards+"/*.json"), shippedtest.Path(t, shipped.RuleFile)) {
			for _, found := range word.FindAllString(read(t, file), -1) {
				check.That(t, slices.Contains([]string{"namespace", "exported_namespace", "namespace_selector"}, found), "%s has %s, which would be renamed with the label namespace", file, found)
			}
		}
	})
	t.Run("all rules use the other name", func(t *testing.T) {
		t.Parallel()
		renamed := mixin(t, map[string]any{"namespaceLabel": "agent_namespace"}).Both(rules(t)).All()
		for i, rule := range rules(t).All() {
			check.Equal(t, labelsIn(t, renamed[i]), withAgent(labelsIn(t, rule)), rule.Alert+rule.Record)
		}
	})
	t.Run("dashboards use it, and keep the value of a reason", func(t *testing.T) {
		t.Parallel()
		for file, dashboard := range mixin(t, map[string]any{"namespaceLabel": "agent_namespace"}).Dashboards {
			text := string(check.Must(json.Marshal(dashboard))(t))
			for _, found := range word.FindAllString(text, -1) {
				check.That(t, found == "agent_namespace" || found == "namespace_selector", "%s has %s", file, found)
			}
		}
	})
}

// labelsIn returns the labels in the expression of a rule and the queries in its texts.
func labelsIn(t *testing.T, rule shipped.Rule) []string {
	t.Helper()
	var names []string
	for _, query := range append(check.Must(rule.TextQueries())(t), rule.Expr) {
		expr := check.Must(parser.NewParser(parser.Options{}).ParseExpr(query))(t)
		parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
			switch node := node.(type) {
			case *parser.VectorSelector:
				for _, matcher := range node.LabelMatchers {
					names = append(names, matcher.Name)
				}
			case *parser.AggregateExpr:
				names = append(names, node.Grouping...)
			case *parser.BinaryExpr:
				if node.VectorMatching != nil {
					names = append(names, node.VectorMatching.MatchingLabels...)
				}
			}
			return nil
		})
	}
	return names
}

func withAgent(labels []string) []string {
	var renamed []string
	for _, label := range labels {
		renamed = append(renamed, strings.ReplaceAll(label, "namespace", "agent_namespace"))
	}
	return renamed
}
