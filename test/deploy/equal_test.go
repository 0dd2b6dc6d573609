package deploy

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// installation is the same thing, said to kustomize and to Helm.
type installation struct {
	name       string
	components []string
	values     []string
}

func installations() []installation {
	return []installation{
		{name: "the base alone"},
		{
			name:       "Prometheus Operator and Grafana",
			components: []string{"prometheus-operator", "grafana"},
			values:     []string{"serviceMonitor.enabled=true", "prometheusRule.enabled=true", "dashboards.enabled=true"},
		},
		{name: "annotations", components: []string{"annotations"}, values: []string{"scrapeAnnotations=true"}},
		{name: "TLS", components: []string{"tls"}, values: []string{"web.configSecret=daemonset-exporter-web"}},
		{name: "a few namespaces", components: []string{"namespaced"}, values: []string{"namespaces={kube-system}"}},
		{name: "two replicas", components: []string{"two-replicas"}, values: []string{"replicas=2"}},
		{
			name:       "everything",
			components: []string{"prometheus-operator", "annotations", "grafana", "tls", "namespaced", "two-replicas"},
			values: []string{
				"serviceMonitor.enabled=true", "prometheusRule.enabled=true", "dashboards.enabled=true", "scrapeAnnotations=true",
				"web.configSecret=daemonset-exporter-web", "namespaces={kube-system}", "replicas=2",
			},
		},
	}
}

func TestKustomizeAndHelmInstallTheSame(t *testing.T) {
	t.Parallel()
	for _, tc := range installations() {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			kustomize, helm := comparable(t, kustomized(t, tc.components...)), comparable(t, templated(t, tc.values...))
			if diff := cmp.Diff(kustomize, helm); diff != "" {
				t.Errorf("-kustomize +helm:\n%s", diff)
			}
		})
	}
}

func TestShippedOverlaysAreBaseAndComponents(t *testing.T) {
	t.Parallel()
	for overlay, components := range map[string][]string{
		"operator": {"namespace", "prometheus-operator", "grafana"},
		"plain":    {"namespace", "annotations"},
	} {
		got := comparable(t, tool(t, "kustomize", "build", root+"/deploy/kustomize/"+overlay))
		if diff := cmp.Diff(comparable(t, kustomized(t, components...)), got); diff != "" {
			t.Errorf("%s: %s", overlay, diff)
		}
	}
}

func TestAlertsAndDashboardsAreThoseOfTheRepository(t *testing.T) {
	t.Parallel()
	manifest := objects(t, kustomized(t, "prometheus-operator", "grafana"))
	content, err := os.ReadFile(root + "/" + shipped.RuleFile)
	if err != nil {
		t.Fatal(err)
	}
	var rules map[string]any
	if err := yaml.Unmarshal(content, &rules); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rules, manifest["PrometheusRule/"+namespace+"/"+release].Object["spec"]); diff != "" {
		t.Errorf("rules, -file +installed:\n%s", diff)
	}
	entries, err := os.ReadDir(root + "/" + shipped.Dashboards)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name, isDashboard := strings.CutSuffix(entry.Name(), ".json")
		if !isDashboard {
			continue
		}
		object := manifest["ConfigMap/"+namespace+"/"+release+"-dashboard-"+name]
		if object == nil {
			t.Errorf("%s is not installed: name it in dashboards/kustomization.yaml", entry.Name())
			continue
		}
		installed, _, _ := unstructured.NestedString(object.Object, "data", entry.Name())
		if len(installed) > 200<<10 {
			t.Errorf("%s is too large: kubectl apply keeps a copy in an annotation, of at most 256 KiB", entry.Name())
		}
		source, err := os.ReadFile(root + "/" + shipped.Dashboards + "/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(installed) != strings.TrimSpace(string(source)) {
			t.Errorf("%s is installed otherwise than it is", entry.Name())
		}
	}
}

func TestChartRefusesValuesThatCannotWork(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"replica=2", "replicas=-1", "replicas=two", "namespaces={Kube_System}", "image.digest=sha256:1", "web.probes=exec",
		"networkPolicy.apiServerPorts={0}", "serviceMonitor.interval=often", "args={log.level=debug}", "priorityClass.value=2000000000",
	} {
		if out, err := tryTool(t, "helm", templateArgs(value)...); err == nil {
			t.Errorf("%s is accepted:\n%s", value, out)
		} else if !strings.Contains(err.Error(), "don't meet the specifications of the schema") {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestChartIsLinted(t *testing.T) {
	t.Parallel()
	tool(t, "helm", "lint", "--strict", "--kube-version", "1.37.2", chart)
}

func TestChartRendersForATableOfValues(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, value, want string }{
		{"a digest wins over the tag", "image.digest=sha256:" + strings.Repeat("0", 64), "daemonset_exporter@sha256:000"},
		{"probes that only connect, for kubelets without a password", "web.probes=tcp", "tcpSocket:"},
		{"a service account that exists", "serviceAccount.create=false,serviceAccount.name=mine", "serviceAccountName: mine"},
		{"a priority class that exists", "priorityClass.create=false,priorityClass.name=high", "priorityClassName: high"},
		{"flags", "args={--log.level=debug}", "- --log.level=debug"},
		{"namespaces, each with a role", "namespaces={a,b}", "--namespaces=a,b"},
		{"a label by which a Prometheus selects", "serviceMonitor.enabled=true,serviceMonitor.labels.release=mine", "release: mine"},
		{"labels of the pods", "podLabels.team=x", "team: x"},
	} {
		rendered := templated(t, tc.value)
		if !strings.Contains(rendered, tc.want) {
			t.Errorf("%s: %q is missing in\n%s", tc.name, tc.want, rendered)
		}
		objects(t, rendered)
	}
}
