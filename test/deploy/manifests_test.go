package deploy

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// installation is one installation, by kustomize and by Helm.
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
		{
			name: "PodMonitor", components: []string{"prometheus-operator", "pod-monitor", "kubernetes-auth", "tls"},
			values: []string{
				"podMonitor.enabled=true", "prometheusRule.enabled=true", "web.kubernetesAuth.enabled=true", "web.configSecret=daemonset-exporter-web",
			},
		},
		{name: "namespaces that select nodes", components: []string{"openshift-namespaces"}, values: []string{"rbac.openshiftNamespaces=true"}},
		{name: "OpenShift", components: []string{"openshift", "openshift-route"}, values: []string{"openshift=true", "route.enabled=true"}},
		{
			name: "Grafana Operator", components: []string{"grafana", "grafana-operator"},
			values: []string{"dashboards.enabled=true", "dashboards.grafanaOperator.enabled=true"},
		},
		{
			name: "Kubernetes decides who may look", components: []string{"prometheus-operator", "kubernetes-auth"},
			values: []string{"serviceMonitor.enabled=true", "prometheusRule.enabled=true", "web.kubernetesAuth.enabled=true"},
		},
		{name: "two replicas", components: []string{"two-replicas"}, values: []string{"replicas=2"}},
		{
			name: "everything",
			components: []string{
				"prometheus-operator", "annotations", "grafana", "grafana-operator", "kubernetes-auth", "namespaced", "openshift", "openshift-route",
				"tls", "two-replicas",
			},
			values: []string{
				"serviceMonitor.enabled=true", "prometheusRule.enabled=true", "dashboards.enabled=true", "dashboards.grafanaOperator.enabled=true",
				"scrapeAnnotations=true", "web.configSecret=daemonset-exporter-web", "web.kubernetesAuth.enabled=true", "namespaces={kube-system}",
				"openshift=true", "route.enabled=true", "replicas=2",
			},
		},
	}
}

func TestKustomize(t *testing.T) {
	t.Parallel()
	for _, tc := range installations() {
		t.Run("installs the same as Helm: "+tc.name, func(t *testing.T) {
			t.Parallel()
			kustomize, helm := comparable(t, kustomized(t, tc.components...)), comparable(t, templated(t, tc.values...))
			check.Equal(t, helm, kustomize, "by Helm, as by kustomize")
		})
	}
	for overlay, components := range map[string][]string{
		"operator": {"namespace", "prometheus-operator", "grafana"},
		"plain":    {"namespace", "annotations"},
	} {
		t.Run("overlay "+overlay+" is the base with components", func(t *testing.T) {
			t.Parallel()
			got := comparable(t, tool(t, "kustomize", "build", root+"/deploy/kustomize/"+overlay))
			check.Equal(t, got, comparable(t, kustomized(t, components...)))
		})
	}
	t.Run("installs the alerts and dashboards of the repository", func(t *testing.T) {
		t.Parallel()
		manifest := objects(t, kustomized(t, "prometheus-operator", "grafana"))
		var rules map[string]any
		check.NoError(t, yaml.Unmarshal(read(t, root+"/"+shipped.RuleFile), &rules))
		check.Equal(t, manifest["PrometheusRule/"+namespace+"/"+release].Object["spec"], any(rules), "the rules that are installed")
		entries := check.Must(os.ReadDir(root + "/" + shipped.Dashboards))(t)
		for _, entry := range entries {
			name, isDashboard := strings.CutSuffix(entry.Name(), ".json")
			if !isDashboard {
				continue
			}
			object := manifest["ConfigMap/"+namespace+"/"+release+"-dashboard-"+name]
			if object == nil {
				t.Errorf("%s is not installed: add it to dashboards/kustomization.yaml", entry.Name())
				continue
			}
			installed, _, _ := unstructured.NestedString(object.Object, "data", entry.Name())
			check.That(t, len(installed) <= 200<<10, "%s is too large: kubectl apply copies it into an annotation of at most 256 KiB", entry.Name())
			source := string(read(t, root+"/"+shipped.Dashboards+"/"+entry.Name()))
			check.That(t, strings.TrimSpace(installed) == strings.TrimSpace(source), "%s differs from what is installed", entry.Name())
		}
	})
}

func TestChart(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"replica=2", "replicas=-1", "replicas=two", "namespaces={Kube_System}", "image.digest=sha256:1", "web.probes=exec",
		"networkPolicy.apiServerPorts={0}", "serviceMonitor.interval=often", "serviceMonitor.enabled=true,podMonitor.enabled=true",
		"extraVolumes[0].name=web", "commonLabels.team=a b", "openshift=yes", "podDisruptionBudget.maxUnavailable=half", "nameOverride=A",
		"web.kubernetesAuth.paths={metrics}", "global.imagePullSecrets[0].key=x", "hostUsers=1", "args={log.level=debug}", "priorityClass.value=2000000000",
		"namespaceLabel=exported-namespace", "prometheusRule.alerts.DaemonSetNodeDwon.for=5m", "prometheusRule.alerts.DaemonSetNodeDown.fro=5m",
		"prometheusRule.alerts.DaemonSetNodeDown.for=soon", "prometheusRule.thresholds.node_cordoned=1", "prometheusRule.thresholds.node_cordoned_limit=1d",
	} {
		t.Run("rejects "+value, func(t *testing.T) {
			t.Parallel()
			out, err := tryTool(t, "helm", templateArgs(value)...)
			check.That(t, err != nil && strings.Contains(err.Error(), "don't meet the specifications of the schema"), "got %v\n%s", err, out)
		})
	}
	t.Run("passes helm lint", func(t *testing.T) {
		t.Parallel()
		tool(t, "helm", "lint", "--strict", "--kube-version", kubernetesVersion(), chart)
	})
}

// What a kubelet makes of GOMEMLIMIT is a value that the Go runtime takes, and lower than
// the memory limit.
func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	deployment := objects(t, kustomized(t))["Deployment/"+namespace+"/"+release]
	containers, _, _ := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	var container corev1.Container
	check.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(containers[0].(map[string]any), &container))
	check.Require(t, len(container.Env) == 2, "the variables are %v", container.Env)
	source := container.Env[0].ValueFrom.ResourceFieldRef
	check.Equal(t, source.Resource, "limits.memory", "what the kubelet reads")
	limit, divisor := container.Resources.Limits.Memory().Value(), source.Divisor.Value()
	variable, value := container.Env[0].Name, container.Env[1].Value
	check.Equal(t, container.Env[1].Name, "GOMEMLIMIT", "the second variable")
	value = strings.ReplaceAll(value, "$("+variable+")", strconv.FormatInt((limit+divisor-1)/divisor, 10))
	bytes := check.Must(strconv.ParseInt(value, 10, 64))(t)
	check.That(t, bytes > limit*9/10 && bytes < limit*97/100, "%d of %d bytes", bytes, limit)
	command := exec.CommandContext(t.Context(), binary(t), "--version")
	command.Env = append(os.Environ(), "GOMEMLIMIT="+value)
	out, err := command.CombinedOutput()
	check.That(t, err == nil, "the exporter ends with %v: %s", err, out)
}
