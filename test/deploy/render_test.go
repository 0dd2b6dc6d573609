package deploy

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
)

const (
	root      = "../.."
	namespace = "daemonset-exporter"
	release   = "daemonset-exporter"
	chart     = root + "/deploy/helm/daemonset-exporter"
)

// programs returns the directory of the programs of tools/manifests.
var programs = sync.OnceValues(func() (string, error) {
	return build.Manifests(context.Background(), os.Stderr)
})

// tool runs a program of tools/manifests and returns its output.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	return check.Must(tryTool(t, name, args...))(t)
}

func tryTool(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), filepath.Join(dir, name), args...)
	home := t.TempDir()
	command.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return string(out), nil
}

// kustomized renders an overlay of the base with components.
func kustomized(t *testing.T, components ...string) string {
	t.Helper()
	dir := t.TempDir()
	deploy := check.Must(filepath.Abs(root + "/deploy/kustomize"))(t)
	relative := check.Must(filepath.Rel(dir, deploy))(t)
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- %s/base\ntransformers:\n- namespace.yaml\ncomponents:\n", relative)
	for _, component := range components {
		fmt.Fprintf(&b, "- %s/components/%s\n", relative, component)
	}
	transformer := check.Must(os.ReadFile(filepath.Join(deploy, "operator/namespace.yaml")))(t)
	for name, content := range map[string][]byte{"kustomization.yaml": []byte(b.String()), "namespace.yaml": transformer} {
		check.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return tool(t, "kustomize", "build", dir)
}

// kubernetesVersion returns the version of the test's clusters.
func kubernetesVersion() string {
	return strings.TrimPrefix(cmp.Or(os.Getenv(clustertest.Kubernetes), "v1.37.2"), "v")
}

// templated renders the chart. A Helm that is built from its module has no default
// for the version of Kubernetes.
func templated(t *testing.T, values ...string) string {
	t.Helper()
	return tool(t, "helm", templateArgs(values...)...)
}

func templateArgs(values ...string) []string {
	args := []string{"template", release, chart, "--namespace", namespace, "--kube-version", kubernetesVersion()}
	for _, value := range values {
		args = append(args, "--set", value)
	}
	return args
}

// objects returns the objects of a manifest by kind, namespace and name. A key that
// is there twice, in an object or of an object, is an error.
func objects(t *testing.T, manifest string) map[string]*unstructured.Unstructured {
	t.Helper()
	found := map[string]*unstructured.Unstructured{}
	for _, document := range strings.Split("\n"+manifest, "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict([]byte(document), &object.Object); err != nil {
			t.Fatalf("read manifest: %v\n%s", err, document)
		}
		if len(object.Object) == 0 {
			continue
		}
		key := strings.Join([]string{object.GetKind(), object.GetNamespace(), object.GetName()}, "/")
		check.That(t, found[key] == nil, "%s is defined twice", key)
		found[key] = object
	}
	return found
}

// comparable returns the objects of a manifest without allowed differences between
// kustomize and Helm: Helm's own labels, the order of flags, and trailing newlines.
func comparable(t *testing.T, manifest string) map[string]map[string]any {
	t.Helper()
	plain := map[string]map[string]any{}
	for key, object := range objects(t, manifest) {
		labels := object.GetLabels()
		delete(labels, "helm.sh/chart")
		delete(labels, "app.kubernetes.io/managed-by")
		object.SetLabels(labels)
		switch object.GetKind() {
		case "Deployment":
			container := object.Object["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)
			args := container["args"].([]any)
			slices.SortFunc(args, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		case "ConfigMap":
			data := object.Object["data"].(map[string]any)
			for name, content := range data {
				data[name] = strings.TrimSpace(content.(string))
			}
		}
		plain[key] = object.Object
	}
	return plain
}
