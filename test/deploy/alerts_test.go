package deploy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-jsonnet"
	"sigs.k8s.io/yaml"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// ruleSet returns the rules of the PrometheusRule in a manifest.
func ruleSet(t *testing.T, manifest string) *shipped.Rules {
	t.Helper()
	for _, object := range objects(t, manifest) {
		if object.GetKind() != "PrometheusRule" {
			continue
		}
		var rules shipped.Rules
		check.NoError(t, yaml.UnmarshalStrict(check.Must(yaml.Marshal(object.Object["spec"]))(t), &rules))
		return &rules
	}
	t.Fatal("there is no PrometheusRule")
	return nil
}

// TestChartRules shows that chart and mixin do the same with the same settings.
func TestChartRules(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"rules", "records"} {
		t.Run("those of ci/"+name+"-values.yaml are those of the mixin", func(t *testing.T) {
			t.Parallel()
			file := valuesFile{name: name}
			all := values(t, file.path())
			settings := all["prometheusRule"].(map[string]any)
			for _, ofObject := range []string{"enabled", "namespace", "labels", "annotations"} {
				delete(settings, ofObject)
			}
			if label, ok := all["namespaceLabel"]; ok {
				settings["namespaceLabel"] = label
			}
			order := check.Must(shipped.ReadRules(root + "/" + shipped.RuleFile))(t)
			mixin := check.Must(shipped.RenderMixin(root, settings))(t)
			check.Equal(t, ruleSet(t, file.render(t)), mixin.Both(order))
		})
	}
	t.Run("dashboards use the name of the label namespace", func(t *testing.T) {
		t.Parallel()
		mixin := check.Must(shipped.RenderMixin(root, map[string]any{"namespaceLabel": "agent_namespace"}))(t)
		manifest := objects(t, templated(t, "dashboards.enabled=true", "namespaceLabel=agent_namespace"))
		for file, want := range mixin.Dashboards {
			own := strings.TrimPrefix(file, "daemonset-exporter-")
			object := manifest["ConfigMap/"+namespace+"/"+release+"-dashboard-"+strings.TrimSuffix(own, ".json")]
			check.Require(t, object != nil, "there is no ConfigMap for %s", own)
			var got any
			check.NoError(t, json.Unmarshal([]byte(object.Object["data"].(map[string]any)[own].(string)), &got))
			check.Equal(t, got, want, own)
		}
	})
}

// TestKustomizeAlerts shows that the three examples of docs/alerts.md work, and do the same.
func TestKustomizeAlerts(t *testing.T) {
	t.Parallel()
	page := string(read(t, root+"/docs/alerts.md"))
	example := func(section string) string {
		_, rest, _ := strings.Cut(page, "\n## "+section+"\n")
		block := regexp.MustCompile("(?s)```\\w+\n(.*?)```").FindStringSubmatch(rest)
		check.Require(t, block != nil, "docs/alerts.md has no example for %s", section)
		return block[1]
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	check.NoError(t, os.WriteFile(file, []byte(example("Helm")), 0o600))
	manifest := tool(t, "helm", append(templateArgs(), "-f", file)...)

	t.Run("kustomize", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		relative := check.Must(filepath.Rel(dir, check.Must(filepath.Abs(root+"/deploy/kustomize/operator"))(t)))(t)
		overlay := regexp.MustCompile(`https://\S+deploy/kustomize/operator\S*`).ReplaceAllLiteralString(example("kustomize"), relative)
		check.NoError(t, os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(overlay), 0o600))
		// A patch by path cannot add a label to all.
		got, want := ruleSet(t, tool(t, "kustomize", "build", dir)), ruleSet(t, manifest)
		for _, alert := range want.Alerts() {
			if alert.Labels["team"] == "platform" {
				delete(alert.Labels, "team")
			}
		}
		check.Equal(t, got, want)
	})
	t.Run("the mixin", func(t *testing.T) {
		t.Parallel()
		snippet := strings.ReplaceAll(example("Jsonnet"), "github.com/daemonset-exporter/daemonset_exporter", check.Must(filepath.Abs(root))(t))
		text := check.Must(jsonnet.MakeVM().EvaluateAnonymousSnippet("example.jsonnet", snippet))(t)
		var mixin shipped.Mixin
		check.NoError(t, json.Unmarshal([]byte(text), &mixin.Alerts))
		want := ruleSet(t, manifest)
		check.Equal(t, mixin.Both(want), want)
	})
}
