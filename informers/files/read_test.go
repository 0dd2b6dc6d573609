package files_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// typed returns objects with their kinds, as kubectl prints them.
func typed() (node *corev1.Node, ds *appsv1.DaemonSet, pod *corev1.Pod) {
	node, ds, pod = objects.Node("n"), objects.DaemonSet("agent"), objects.PodOf("agent", "n", objects.Ready(30))
	node.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Node"}
	ds.TypeMeta = metav1.TypeMeta{APIVersion: "apps/v1", Kind: "DaemonSet"}
	pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	pod.Annotations = map[string]string{
		"words": `with "quotes", {braces} and [brackets]: \`,
		"long":  strings.Repeat(`more than is read at once, " and \ `, 10_000),
	}
	return node, ds, pod
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.MarshalIndent(value, "", "    ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func asYAML(t *testing.T, value any) string {
	t.Helper()
	text, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// kubectlList is a list as kubectl prints it: items before the kind.
type kubectlList struct {
	APIVersion string            `json:"apiVersion"`
	Items      []any             `json:"items"`
	Kind       string            `json:"kind"`
	Metadata   map[string]string `json:"metadata"`
}

func listOf(items ...any) kubectlList {
	return kubectlList{"v1", items, "List", map[string]string{"resourceVersion": ""}}
}

// All forms in which people have the objects of a cluster.
func TestLoad(t *testing.T) {
	t.Parallel()
	node, ds, pod := typed()
	config := &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: metav1.ObjectMeta{Name: "other"}}
	bareNode, bareDS, barePod := node.DeepCopy(), ds.DeepCopy(), pod.DeepCopy()
	bareNode.TypeMeta, bareDS.TypeMeta, barePod.TypeMeta = metav1.TypeMeta{}, metav1.TypeMeta{}, metav1.TypeMeta{}
	old := pod.DeepCopy()
	old.ResourceVersion = "3"
	renewed := pod.DeepCopy()
	renewed.ResourceVersion = "4"
	nodeList := asJSON(t, corev1.NodeList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "NodeList"}, Items: []corev1.Node{*bareNode}})
	podList := asJSON(t, corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, Items: []corev1.Pod{*barePod}})
	dsList := asJSON(t, appsv1.DaemonSetList{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "DaemonSetList"}, Items: []appsv1.DaemonSet{*bareDS}})
	const logs = "==== START logs for container agent of pod default/agent-n ====\n{\"level\": not JSON\n[\n==== END logs for container agent of pod default/agent-n ====\n"

	for name, test := range map[string]struct {
		// files are read from a folder, and from an archive of it; text from a file and
		// standard input.
		files map[string]string
		text  string
	}{
		"kubectl get -o json":                        {text: asJSON(t, listOf(node, config, ds, pod))},
		"kubectl get -o yaml":                        {text: asYAML(t, listOf(node, config, ds, pod))},
		"YAML with indented lists":                   {text: "apiVersion: v1\nkind: List\nitems:\n" + indented(t, node, ds, pod)},
		"several YAML documents":                     {text: asYAML(t, node) + "---\n" + asYAML(t, ds) + "---\n" + asYAML(t, pod)},
		"JSON documents one after the other":         {text: asJSON(t, node) + asJSON(t, ds) + "\n" + asJSON(t, pod)},
		"lists whose elements do not say their kind": {text: nodeList + dsList + podList},
		"an array":                  {text: asJSON(t, []any{node, ds, pod})},
		"a file for each kind":      {files: map[string]string{"a.json": asJSON(t, listOf(node)), "b.yaml": asYAML(t, listOf(ds)), "c.yml": asYAML(t, pod)}},
		"kubectl cluster-info dump": {text: nodeList + "\n" + podList + "\n" + dsList + "\n" + logs},
		"kubectl cluster-info dump to a folder": {files: map[string]string{
			"nodes.json": nodeList, "default/pods.json": podList, "default/daemonsets.json": dsList, "default/agent-n/logs.txt": logs,
		}},
		"a support bundle": {files: map[string]string{
			"support-bundle/cluster-resources/nodes.json": asJSON(t, []any{bareNode}), "support-bundle/cluster-resources/pods/default.json": asJSON(t, []any{barePod}),
			"support-bundle/cluster-resources/daemonsets/default.json": asJSON(t, []any{bareDS}), "support-bundle/cluster-resources/pods/logs/default/agent-n/agent.log": logs,
			"support-bundle/analysis.json": "[]",
		}},
		"an OpenShift must-gather": {files: map[string]string{
			"must-gather/quay-io/cluster-scoped-resources/core/nodes/n.yaml": "---\n" + asYAML(t, node),
			"must-gather/quay-io/namespaces/default/core/pods.yaml":          asYAML(t, kubectlList{"v1", []any{old}, "PodList", nil}),
			"must-gather/quay-io/namespaces/default/pods/a/a.yaml":           "---\n" + asYAML(t, renewed),
			"must-gather/quay-io/namespaces/default/apps/daemonsets.yaml":    asYAML(t, kubectlList{"apps/v1", []any{ds}, "DaemonSetList", nil}),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.files == nil {
				checkLoaded(t, "-", test.text)
				checkLoaded(t, writeFile(t, "some.file", []byte(test.text)), "")
				checkLoaded(t, writeFile(t, "some.file.gz", compressed(t, []byte(test.text))), "")
				return
			}
			folder := t.TempDir()
			for name, text := range test.files {
				path := filepath.Join(folder, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			checkLoaded(t, folder, "")
			checkLoaded(t, "-", string(compressed(t, archived(t, test.files))))
			checkLoaded(t, writeFile(t, "bundle.tar", archived(t, test.files)), "")
		})
	}
}

// checkLoaded expects the three objects.
func checkLoaded(t *testing.T, path, stdin string) {
	t.Helper()
	snapshot, err := files.Load(path, strings.NewReader(stdin))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	nodes, daemonSets, pods := snapshot.Nodes(), snapshot.DaemonSets(), snapshot.Pods()
	if len(nodes) != 1 || len(daemonSets) != 1 || len(pods) != 1 {
		t.Fatalf("%s: %d nodes, %d DaemonSets, %d pods, skipped %v", path, len(nodes), len(daemonSets), len(pods), snapshot.Skipped)
	}
	if nodes[0].Name != "n" || daemonSets[0].Name != "agent" || pods[0].NodeName.Value() != "n" || pods[0].Owner != daemonSets[0].UID {
		t.Errorf("%s: node %s, DaemonSet %s, pod on %s", path, nodes[0].Name, daemonSets[0].Name, pods[0].NodeName.Value())
	}
	if want := objects.At(30); !snapshot.Time.Equal(want) || snapshot.Stated {
		t.Errorf("%s: now is %s, want the newest stamp %s", path, snapshot.Time, want)
	}
	if len(snapshot.Missing()) != 0 || len(snapshot.Skipped) != 0 {
		t.Errorf("%s: missing %v, skipped %v", path, snapshot.Missing(), snapshot.Skipped)
	}
}

func indented(t *testing.T, items ...any) string {
	t.Helper()
	var b strings.Builder
	for _, item := range items {
		mark := "  - "
		for line := range strings.Lines(asYAML(t, item)) {
			b.WriteString(mark + line)
			mark = "    "
		}
	}
	return b.String()
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func compressed(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func archived(t *testing.T, texts map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range texts {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"nothing":               {"", "there is no JSON or YAML in it"},
		"JSON that ends early":  {`{"kind":"List","items":[{"kind":"Pod",`, "unexpected EOF"},
		"a list of numbers":     {`{"kind":"List","items":[1,2]}`, "a list has something other than objects"},
		"an object of nonsense": {`{"apiVersion":"v1","kind":"Node","metadata":7}`, "Node: json"},
		"YAML of nonsense":      {"a: [", "yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := files.Load("-", strings.NewReader(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q in it", err, test.want)
			}
		})
	}
	t.Run("a broken file of many is skipped, and named", func(t *testing.T) {
		t.Parallel()
		node, _, _ := typed()
		path := writeFile(t, "bundle.tar", archived(t, map[string]string{"good.json": asJSON(t, node), "broken.json": "{"}))
		snapshot, err := files.Load(path, nil)
		if err != nil || len(snapshot.Nodes()) != 1 || len(snapshot.Skipped) != 1 || !strings.HasPrefix(snapshot.Skipped[0], "broken.json: ") {
			t.Errorf("%v, skipped %v", err, snapshot.Skipped)
		}
		if diff := cmp.Diff([]string{"pods", "daemonsets"}, snapshot.Missing()); diff != "" {
			t.Errorf("missing (-want +got):\n%s", diff)
		}
	})
}

// A dump says when it was made and what it has.
func TestStated(t *testing.T) {
	t.Parallel()
	node, _, _ := typed()
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"List","items":[%s],"time":"2026-11-23T13:00:00.5Z","resources":["nodes","pods"]}`, asJSON(t, node))
	snapshot, err := files.Load("-", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if want := objects.At(3600.5); !snapshot.Stated || !snapshot.Time.Equal(want) {
		t.Errorf("now is %s, want %s", snapshot.Time.UTC().Format(time.RFC3339Nano), want)
	}
	if missing := snapshot.Missing(); !slices.Equal(missing, []string{"daemonsets"}) {
		t.Errorf("missing %v", missing)
	}
}

// OpenShift's namespaces select nodes; others do not.
func TestNodeSelectors(t *testing.T) {
	t.Parallel()
	const namespaces = `
{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"own","annotations":{"openshift.io/node-selector":"pool=a"}}}
{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"plain","annotations":{"openshift.io/sa.scc.mcs":"s0"}}}`
	const scheduler = `{"apiVersion":"config.openshift.io/v1","kind":"Scheduler","metadata":{"name":"cluster"},"spec":{"defaultNodeSelector":"type=worker"}}`
	for name, test := range map[string]struct {
		text string
		want map[string]string
	}{
		"of OpenShift, with a default": {namespaces + scheduler, map[string]string{"own": "pool=a", "plain": "type=worker"}},
		"of OpenShift, without":        {namespaces, map[string]string{"own": "pool=a"}},
		"of another cluster":           {`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"own","annotations":{"scheduler.alpha.kubernetes.io/node-selector":"pool=a"}}}`, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			snapshot, err := files.Load("-", strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}
			selectors, err := snapshot.NodeSelectors(t.Context(), []string{"own", "plain"})
			got := map[string]string{}
			for namespace, selector := range selectors {
				got[namespace] = selector.String()
			}
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}
