package deploy

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// valuesFile is a file of values in the chart's directory ci.
type valuesFile struct {
	name string
	// expect holds what the chart must render: of the object of this kind and, where
	// there are several, whose name has this suffix, what a JSONPath finds.
	expect []expectation
	// refused is what Pod Security restricted finds wrong with the pod.
	refused string
	// unready reports that no pod becomes Ready: the test's cluster lacks something.
	unready bool
}

type expectation struct{ object, path, want string }

const (
	pod       = "{.spec.template.spec"
	container = pod + ".containers[0]"
)

func (f valuesFile) path() string { return chart + "/ci/" + f.name + "-values.yaml" }

func valuesFiles() []valuesFile {
	return []valuesFile{
		{name: "air-gapped", expect: []expectation{
			{"Deployment", container + ".image}", "registry.example.com:5000/mirror/daemonset-exporter/daemonset_exporter:v0.1.0"},
			{"Deployment", container + ".imagePullPolicy}", "Always"},
			{"Deployment", pod + ".imagePullSecrets[*].name}", "registry-password"},
		}},
		{name: "global-registry", expect: []expectation{
			{"Deployment", container + ".image}", "registry.example.com/daemonset-exporter/daemonset_exporter:v0.1.0"},
			{"Deployment", pod + ".imagePullSecrets[*].name}", "shared own"},
		}},
		{name: "digest", expect: []expectation{
			{"Deployment", container + ".image}", "ghcr.io/mirror/daemonset_exporter@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
		}},
		{name: "name-override", expect: []expectation{
			{"Deployment", "{.metadata.name}", "name-override-coverage"},
			{"Deployment", `{.spec.selector.matchLabels.app\.kubernetes\.io/name}`, "coverage"},
			{"Service", `{.spec.selector.app\.kubernetes\.io/name}`, "coverage"},
		}},
		{name: "fullname-override", expect: []expectation{
			{"Deployment", "{.metadata.name}", "coverage-of-daemonsets"},
			{"ClusterRole", "{.metadata.name}", "coverage-of-daemonsets"},
		}},
		{name: "namespace-override", expect: []expectation{
			{"Deployment", "{.metadata.namespace}", "elsewhere"},
			{"ServiceMonitor", "{.metadata.namespace}", "elsewhere"},
			{"ServiceMonitor", "{.spec.namespaceSelector}", ""},
			{"ClusterRoleBinding", "{.subjects[0].namespace}", "elsewhere"},
			{"ConfigMap-node", "{.metadata.namespace}", "elsewhere"},
		}},
		{name: "labels-annotations", expect: []expectation{
			{"Deployment", "{.metadata.labels.team}", "platform"},
			{"Deployment", `{.metadata.labels.app\.kubernetes\.io/name}`, "daemonset-exporter"},
			{"Deployment", "{.metadata.annotations.owner} {.metadata.annotations.tier}", "platform@example.com two"},
			{"Deployment", "{.spec.template.metadata.labels.team}", "observability"},
			{"Deployment", `{.spec.template.metadata.annotations.prometheus\.io/port}`, "8080"},
			{"ClusterRole", "{.metadata.labels.team} {.metadata.annotations.tier}", "platform one"},
		}},
		{name: "two-replicas", expect: []expectation{
			{"Deployment", "{.spec.replicas}", "2"},
			{"PodDisruptionBudget", "{.spec.maxUnavailable}", "1"},
		}},
		{name: "budget-minimum", expect: []expectation{
			{"PodDisruptionBudget", "{.spec.minAvailable} {.spec.maxUnavailable} {.spec.unhealthyPodEvictionPolicy}", "50%  IfHealthyBudget"},
		}},
		{name: "budget-off", expect: []expectation{{"PodDisruptionBudget", "{.metadata.name}", ""}}},
		{name: "budget-of-one", expect: []expectation{{"PodDisruptionBudget", "{.spec.maxUnavailable}", "0"}}},
		{name: "proxy", expect: []expectation{
			{"Deployment", container + ".args}", `["--web.listen-address=:10479","--log.level=debug"]`},
			{"Deployment", container + ".env[*].name}", "MEMORY_LIMIT_MIB GOMEMLIMIT HTTPS_PROXY POD_NAME"},
			{"Deployment", container + ".volumeMounts[*].name}", "authorities"},
			{"Deployment", pod + ".volumes[*].configMap.name}", "authorities"},
			{"NetworkPolicy", "{.spec.egress[*].ports[*].port}", "443 6443 3128"},
		}},
		{name: "extra-manifests", expect: []expectation{
			{"ConfigMap-object", "{.data.namespace} {.metadata.labels.release}", "values-extra-manifests extra-manifests"},
			{"ConfigMap-text", "{.data.version}", "0.1.0"},
		}},
		{name: "probes", expect: []expectation{
			{"Deployment", container + ".livenessProbe.httpGet.path} " + container + ".livenessProbe.periodSeconds}", "/-/healthy 30"},
			{"Deployment", container + ".readinessProbe.httpGet} " + container + ".readinessProbe.tcpSocket.port}", " metrics"},
			{"Deployment", container + ".readinessProbe.timeoutSeconds}", "1"},
		}},
		{name: "tcp-probes", expect: []expectation{
			{"Deployment", container + ".livenessProbe.tcpSocket.port}", "metrics"},
			{"Deployment", pod + ".volumes[0].secret}", `{"defaultMode":288,"secretName":"daemonset-exporter-web"}`},
		}},
		{name: "tls", expect: []expectation{
			{"Deployment", container + ".readinessProbe.httpGet.scheme}", "HTTPS"},
			{"Deployment", container + ".volumeMounts[*].name}", "web scratch"},
			{"Deployment", `{.spec.template.metadata.annotations.prometheus\.io/scheme}`, "https"},
			{"ServiceMonitor", "{.spec.endpoints[0].scheme} {.spec.endpoints[0].tlsConfig.serverName}", "https tls-daemonset-exporter"},
		}},
		{name: "tls-own-endpoint", expect: []expectation{
			{"ServiceMonitor", "{.spec.endpoints[0].tlsConfig}", `{"insecureSkipVerify":true}`},
			{"ServiceMonitor", "{.spec.endpoints[0].interval} {.spec.endpoints[0].honorLabels}", "10s false"},
		}},
		{name: "password-only", expect: []expectation{
			{"ServiceMonitor", "{.spec.endpoints[0].scheme} {.spec.endpoints[0].tlsConfig}", "http "},
			{"ServiceMonitor", "{.spec.endpoints[0].basicAuth.username.key}", "user"},
		}},
		{name: "kubernetes-auth", expect: []expectation{
			{"Deployment", container + ".args[1]}", "--web.kubernetes-auth"},
			{"ServiceMonitor", "{.spec.endpoints[0].authorization.credentials}", `{"key":"token","name":"kubernetes-auth-daemonset-exporter-scraper"}`},
			{"ServiceAccount-scraper", "{.metadata.namespace}", "monitoring"},
			{"Secret-scraper", `{.metadata.namespace} {.type} {.metadata.annotations.kubernetes\.io/service-account\.name}`, "monitoring kubernetes.io/service-account-token kubernetes-auth-daemonset-exporter-scraper"},
			{"ClusterRole-scraper", "{.rules}", `[{"nonResourceURLs":["/metrics"],"verbs":["get"]}]`},
			{"ClusterRole-readers", "{.rules}", `[{"nonResourceURLs":["/","/metrics","/debug/pprof/*"],"verbs":["get"]}]`},
			{"ClusterRoleBinding-readers", "{.subjects[*].name}", "platform prometheus"},
			{"ClusterRole-reviews", "{.rules[*].resources[*]}", "tokenreviews subjectaccessreviews"},
		}},
		{name: "kubernetes-auth-own", expect: []expectation{
			{"ServiceAccount-scraper", "{.metadata.name}", ""},
			{"ServiceMonitor", "{.spec.endpoints[0].authorization} {.spec.endpoints[0].bearerTokenFile}", " /var/run/secrets/kubernetes.io/serviceaccount/token"},
			{"ClusterRoleBinding-readers", "{.subjects[*].name}", "prometheus-k8s"},
		}},
		{name: "namespaces", expect: []expectation{
			{"Deployment", container + ".args[1]}", "--namespaces=kube-system,default"},
			{"ClusterRole", "{.rules[*].resources[*]}", "nodes"},
		}},
		{name: "service", expect: []expectation{
			{"Service", "{.spec.ports[0].port}", "80"},
			{"Service", `{.metadata.annotations.consul\.hashicorp\.com/service-sync}`, "false"},
		}},
		{name: "service-account-existing", unready: true, expect: []expectation{
			{"ServiceAccount", "{.metadata.name}", ""},
			{"Deployment", pod + ".serviceAccountName}", "existing"},
			{"ClusterRoleBinding", "{.subjects[0].name}", "existing"},
		}},
		{name: "service-account-named", expect: []expectation{
			{"ServiceAccount", "{.metadata.name}", "coverage"},
			{"ServiceAccount", `{.metadata.annotations.eks\.amazonaws\.com/role-arn}`, "arn:aws:iam::111122223333:role/none"},
			{"Deployment", pod + ".serviceAccountName}", "coverage"},
		}},
		{name: "no-roles", expect: []expectation{{"ClusterRole", "{.metadata.name}", ""}, {"RoleBinding", "{.metadata.name}", ""}}},
		{name: "openshift", expect: []expectation{
			{"Deployment", pod + ".securityContext}", `{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}}`},
			{"ClusterRole-namespaces", "{.rules[*].resources[*]}", "namespaces schedulers"},
			{"ConfigMap-fleet", `{.metadata.namespace} {.metadata.labels.console\.openshift\.io/dashboard}`, "openshift-config-managed true"},
			{"Route", "{.spec.host} {.spec.tls.termination} {.spec.tls.insecureEdgeTerminationPolicy}", "daemonsets.apps.example.com edge Redirect"},
			{"Route", `{.metadata.annotations.haproxy\.router\.openshift\.io/timeout}`, "30s"},
		}, refused: ""},
		{name: "namespace-selectors", expect: []expectation{
			{"ClusterRole-namespaces", "{.rules[*].resources[*]}", "namespaces schedulers"},
			{"Deployment", pod + ".securityContext.runAsUser}", "65532"},
		}},
		{name: "security-contexts", expect: []expectation{
			{"Deployment", pod + ".securityContext}", `{"runAsGroup":1000,"runAsNonRoot":true,"runAsUser":1000,"seccompProfile":{"type":"RuntimeDefault"},"supplementalGroups":[2000]}`},
			{"Deployment", container + ".securityContext.privileged} " + container + ".securityContext.readOnlyRootFilesystem}", "false true"},
		}},
		{name: "large", expect: []expectation{{"Deployment", container + ".resources.limits.memory}", "2Gi"}}},
		{name: "no-limits", expect: []expectation{
			{"Deployment", container + ".resources}", `{"requests":{"cpu":"20m","memory":"128Mi"}}`}, {"Deployment", container + ".env}", ""},
		}},
		{name: "memory-limit", expect: []expectation{{"Deployment", container + ".env}", `[{"name":"GOMEMLIMIT","value":"400MiB"}]`}}},
		{name: "priority-existing", expect: []expectation{
			{"PriorityClass", "{.metadata.name}", ""}, {"Deployment", pod + ".priorityClassName}", "system-cluster-critical"},
		}},
		{name: "priority-other", expect: []expectation{
			{"PriorityClass", "{.metadata.name} {.value}", "priority-other-daemonset-exporter-5000 5000"},
			{"Deployment", pod + ".priorityClassName}", "priority-other-daemonset-exporter-5000"},
		}},
		{name: "no-priority", expect: []expectation{{"PriorityClass", "{.metadata.name}", ""}, {"Deployment", pod + ".priorityClassName}", ""}}},
		{name: "scheduling", expect: []expectation{
			{"Deployment", pod + ".tolerations[*].key}", "node-role.kubernetes.io/control-plane"},
			{"Deployment", pod + ".topologySpreadConstraints[0].labelSelector.matchLabels}", `{"app.kubernetes.io/instance":"scheduling","app.kubernetes.io/name":"daemonset-exporter"}`},
			{"Deployment", pod + ".topologySpreadConstraints[1].labelSelector.matchLabels}", `{"app":"other"}`},
			{"Deployment", pod + ".affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight}", "1"},
		}},
		{name: "anywhere", expect: []expectation{{"Deployment", pod + ".topologySpreadConstraints} " + pod + ".tolerations}", " "}}},
		{name: "dns", expect: []expectation{{"Deployment", pod + ".dnsPolicy} " + pod + ".dnsConfig.nameservers[0]}", "None 192.0.2.1"}}},
		{name: "host-network", refused: "host namespaces", expect: []expectation{
			{"Deployment", pod + ".hostNetwork} " + pod + ".dnsPolicy}", "true ClusterFirstWithHostNet"}, {"NetworkPolicy", "{.metadata.name}", ""},
		}},
		{name: "user-namespace", expect: []expectation{{"Deployment", pod + ".hostUsers}", "false"}}},
		{name: "network-policy", expect: []expectation{
			{"NetworkPolicy", "{.spec.egress[*].ports[*].port}", "16443 53"},
			{"NetworkPolicy", `{.spec.ingress[0].from[0].podSelector.matchLabels.app\.kubernetes\.io/name}`, "prometheus"},
		}},
		{name: "scrape-annotations", expect: []expectation{
			{"Deployment", `{.spec.template.metadata.annotations.prometheus\.io/scrape} {.spec.template.metadata.annotations.prometheus\.io/port}`, "true 10479"},
		}},
		{name: "service-monitor", expect: []expectation{
			{"ServiceMonitor", "{.metadata.namespace} {.metadata.labels.release} {.metadata.annotations.note}", "monitoring prometheus mine"},
			{"ServiceMonitor", "{.spec.namespaceSelector.matchNames}", `["values-service-monitor"]`},
			{"ServiceMonitor", "{.spec.jobLabel} {.spec.targetLabels} {.spec.sampleLimit} {.spec.scrapeClassicHistograms}", `app.kubernetes.io/name ["app.kubernetes.io/version"] 50000 false`},
			{"ServiceMonitor", "{.spec.attachMetadata.node} {.spec.endpoints[0].interval} {.spec.endpoints[0].honorLabels}", "true 15s true"},
		}},
		{name: "pod-monitor", expect: []expectation{
			{"ServiceMonitor", "{.metadata.name}", ""},
			{"PodMonitor", "{.spec.podMetricsEndpoints[0].port} {.spec.podMetricsEndpoints[0].honorLabels} {.spec.podTargetLabels} {.spec.sampleLimit}", `metrics true ["team"] 10000`},
			{"PodMonitor", "{.spec.namespaceSelector.matchNames} {.spec.scrapeClassicHistograms}", `["values-pod-monitor"] true`},
		}},
		{name: "azure", expect: []expectation{{"ServiceMonitor", "{.apiVersion}", "azmonitoring.coreos.com/v1"}}},
		{name: "rules", expect: []expectation{
			{"PrometheusRule", "{.metadata.namespace} {.metadata.labels.release} {.metadata.annotations.note}", "monitoring prometheus mine"},
			{"PrometheusRule", `{.spec.groups[0].rules[1].expr} {.spec.groups[?(@.name=="daemonset_exporter.gaps")].rules[0].alert}`, "vector(604800) DaemonSetPodUnschedulable"},
			{"PrometheusRule", `{.spec.groups[?(@.name=="daemonset_exporter.nodes")].rules[0].labels}`, `{"area":"nodes","scope":"node","severity":"page","team":"nodes"}`},
			{"PrometheusRule", `{.spec.groups[?(@.name=="daemonset_exporter.nodes")].rules[0].for}`, "5m"},
		}},
		{name: "records", expect: []expectation{
			{"PrometheusRule", "{.spec.groups[*].rules[*].alert} {.spec.groups[0].name}", " daemonset_exporter.settings"},
		}},
		{name: "dashboards", expect: []expectation{
			{"ConfigMap-fleet", "{.metadata.namespace} {.metadata.labels.dashboard} {.metadata.labels.team}", "grafana yes platform"},
			{"ConfigMap-fleet", "{.metadata.annotations.note} {.metadata.annotations.k8s-sidecar-target-directory}", "mine Nodes"},
		}},
		{name: "grafana-operator", expect: []expectation{
			{"GrafanaDashboard-fleet", "{.spec.configMapRef.name} {.spec.configMapRef.key}", "grafana-operator-daemonset-exporter-dashboard-fleet fleet.json"},
			{"GrafanaDashboard-fleet", "{.spec.instanceSelector.matchLabels.grafana} {.spec.folder} {.spec.resyncPeriod} {.spec.allowCrossNamespaceImport}", "main Nodes 1h false"},
			{"ConfigMap-fleet", "{.metadata.labels.grafana_dashboard}", ""},
		}},
		{name: "everything", expect: []expectation{
			{"ConfigMap-extra", "{.metadata.name}", "everything-extra"},
			{"GrafanaDashboard-fleet", "{.metadata.labels.team}", "platform"},
			{"ConfigMap-fleet", "{.metadata.labels.grafana_dashboard}", "1"},
		}},
	}
}

// find returns what a JSONPath finds in the object of an expectation, without a suffix
// in the one with the shortest name; nothing if there is no such object.
func (e expectation) find(t *testing.T, manifest map[string]*unstructured.Unstructured) string {
	t.Helper()
	kind, suffix, _ := strings.Cut(e.object, "-")
	if suffix != "" {
		suffix = "-" + suffix
	}
	var names []string
	for _, object := range manifest {
		if object.GetKind() == kind && strings.HasSuffix(object.GetName(), suffix) {
			names = append(names, object.GetName())
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.SortFunc(names, func(a, b string) int { return len(a) - len(b) })
	for _, object := range manifest {
		if object.GetKind() != kind || object.GetName() != names[0] {
			continue
		}
		query := jsonpath.New(e.path).AllowMissingKeys(true)
		if err := query.Parse(e.path); err != nil {
			t.Fatalf("%s: %v", e.path, err)
		}
		var found bytes.Buffer
		if err := query.Execute(&found, object.Object); err != nil {
			t.Fatalf("%s: %v", e.path, err)
		}
		return found.String()
	}
	return ""
}

func TestValues(t *testing.T) {
	t.Parallel()
	files := valuesFiles()
	for _, file := range files {
		t.Run(file.name+" renders what it says", func(t *testing.T) {
			t.Parallel()
			rendered := objects(t, file.render(t))
			for _, expected := range file.expect {
				if got := strings.TrimRight(expected.find(t, rendered), "\n"); got != expected.want {
					t.Errorf("%s %s is %q, want %q", expected.object, expected.path, got, expected.want)
				}
			}
		})
	}
	t.Run("there is an expectation for each file", func(t *testing.T) {
		paths := check.Must(filepath.Glob(chart + "/ci/*-values.yaml"))(t)
		var listed []string
		for _, file := range files {
			listed = append(listed, filepath.Clean(file.path()))
			if len(file.expect) == 0 {
				t.Errorf("%s expects nothing", file.name)
			}
		}
		slices.Sort(listed)
		if diff := cmp.Diff(paths, listed); diff != "" {
			t.Errorf("-files +table:\n%s", diff)
		}
	})
	t.Run("each key of the chart is set by a file", func(t *testing.T) {
		unset := keys("", values(t, chart+"/values.yaml"))
		for _, file := range files {
			set := keys("", values(t, file.path()))
			unset = slices.DeleteFunc(unset, func(key string) bool {
				return slices.ContainsFunc(set, func(s string) bool { return s == key || strings.HasPrefix(s, key+".") || strings.HasPrefix(key, s+".") })
			})
		}
		if len(unset) > 0 {
			t.Errorf("no file sets %v", unset)
		}
	})
}

// rendered holds what each file renders, or is about to.
var rendered sync.Map

// render renders the chart with the file, once for all tests.
func (f valuesFile) render(t *testing.T) string {
	t.Helper()
	once, _ := rendered.LoadOrStore(f.name, sync.OnceValues(func() (string, error) {
		return tryTool(t, "helm", "template", f.name, chart, "--namespace", f.namespace(), "--kube-version", kubernetesVersion(), "--values", f.path())
	}))
	return check.Must(once.(func() (string, error))())(t)
}

func (f valuesFile) namespace() string { return "values-" + f.name }

// values reads a file of values.
func values(t *testing.T, path string) map[string]any {
	t.Helper()
	var content map[string]any
	if err := yaml.UnmarshalStrict(read(t, path), &content); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return content
}

// keys returns the paths of all leaves.
func keys(prefix string, value any) []string {
	fields, isMap := value.(map[string]any)
	if !isMap || len(fields) == 0 {
		return []string{strings.TrimPrefix(prefix, ".")}
	}
	var paths []string
	for key, field := range fields {
		paths = append(paths, keys(prefix+"."+key, field)...)
	}
	return paths
}
