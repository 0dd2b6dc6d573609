package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// projects makes the API server serve the group by which OpenShift is known.
const projects = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: projects.project.openshift.io, annotations: {api-approved.kubernetes.io: "for a test"}}
spec:
  group: project.openshift.io
  scope: Cluster
  names: {kind: Project, plural: projects}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
`

// onlyPoolA refuses the pods that OpenShift's controller would not make: those for
// nodes other than a and b.
const onlyPoolA = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: pool-a}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  validations:
  - expression: >-
      object.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.all(
      term, term.matchFields.all(field, field.values.all(name, name in ["a", "b"])))
    message: the project selects other nodes
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: pool-a}
spec: {policyName: pool-a, validationActions: [Deny]}
`

// A namespace selects the nodes of its DaemonSets, as on OpenShift.
func TestNamespaceNodeSelector(t *testing.T) {
	t.Parallel()
	nodes := workers("a", "b", "c", "d")
	nodes[0].Labels["pool"], nodes[1].Labels["pool"] = "a", "a"
	f := newFixture(t, nodes)
	f.selectNodes(`"pool=a"`)
	f.must(f.Apply(t.Context(), []byte(onlyPoolA)))
	f.waitRefused("c")
	f.must(f.Apply(t.Context(), daemonSet{name: "agent"}.manifest()))

	f.expect("without the API group of OpenShift the annotation changes nothing",
		`daemonset_expected_nodes{daemonset="agent"} 4`,
		`daemonset_covered_nodes{daemonset="agent"} 2`,
		`daemonset_gap_nodes{daemonset="agent",cause="scheduling",reason="pod_missing"} 2`,
		`daemonset_excluded_nodes{daemonset="agent"} 0`)

	f.must(f.Apply(t.Context(), []byte(projects)))
	f.waitGroup("project.openshift.io")
	f.must(f.exporter.Kill())
	f.startExporter()
	f.expect("with it the nodes that the namespace does not select are excluded",
		`daemonset_expected_nodes{daemonset="agent",lifecycle="active"} 2`,
		`daemonset_covered_nodes{daemonset="agent",lifecycle="active"} 2`,
		`daemonset_excluded_nodes{daemonset="agent",lifecycle="active",reason="namespace_selector"} 2`,
		`daemonset_excluded_nodes{daemonset="agent"} 2`,
		`daemonset_gap_nodes{daemonset="agent"} 0`,
		`daemonset_gap_duration_seconds_count{daemonset="agent"} 0`)

	// A new DaemonSet has its namespace read at once.
	f.selectNodes("null")
	f.must(f.Apply(t.Context(), daemonSet{name: "second"}.manifest()))
	f.expect("without the annotation all nodes are expected",
		`daemonset_expected_nodes{daemonset="agent",lifecycle="active"} 4`,
		`daemonset_covered_nodes{daemonset="agent",lifecycle="active"} 2`,
		`daemonset_gap_nodes{daemonset="agent",cause="scheduling",reason="pod_missing"} 2`,
		`daemonset_gap_nodes{daemonset="second",cause="scheduling",reason="pod_missing"} 2`,
		`daemonset_excluded_nodes{daemonset="agent"} 0`,
		`daemonset_nodes_lost_total{daemonset="agent"} 0`)

	f.selectNodes(`"pool=a"`)
	f.must(f.Apply(t.Context(), daemonSet{name: "third"}.manifest()))
	f.expect("with it again the others are lost, and a new DaemonSet has no gap there",
		`daemonset_expected_nodes{daemonset="agent"} 2`,
		`daemonset_gap_nodes{daemonset="agent"} 0`,
		`daemonset_nodes_lost_total{daemonset="agent",reason="namespace_selector"} 2`,
		`daemonset_nodes_lost_total{daemonset="agent"} 2`,
		`daemonset_covered_nodes{daemonset="third"} 2`,
		`daemonset_gap_nodes{daemonset="third"} 0`,
		`daemonset_gap_duration_seconds_count{daemonset="third"} 2`,
		`daemonset_nodes_lost_total{daemonset="third"} 0`)

	f.must(f.exporter.Kill())
	f.startExporter("--namespaces.node-selector=off")
	f.expect("unless it is switched off",
		`daemonset_expected_nodes{daemonset="agent"} 4`,
		`daemonset_gap_nodes{daemonset="agent"} 2`,
		`daemonset_excluded_nodes{daemonset="agent"} 0`)
}

// selectNodes annotates the namespace default with a selector, in JSON.
func (f *fixture) selectNodes(selector string) {
	f.t.Helper()
	patch := fmt.Sprintf(`{"metadata": {"annotations": {"openshift.io/node-selector": %s}}}`, selector)
	check.Must(f.Client().CoreV1().Namespaces().Patch(f.t.Context(), metav1.NamespaceDefault, types.MergePatchType, []byte(patch), metav1.PatchOptions{}))(f.t)
}

// waitRefused waits until the API server refuses DaemonSet pods for a node.
func (f *fixture) waitRefused(node string) {
	f.t.Helper()
	ctx, cancel := f.deadline()
	defer cancel()
	term := corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}}}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "refused"},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "main", Image: "example.com/agent:1"}},
			Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{term}},
			}},
		},
	}
	f.must(f.Wait(ctx, "pods to be refused", func(ctx context.Context) (bool, string, error) {
		_, err := f.Client().CoreV1().Pods(metav1.NamespaceDefault).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		refused := err != nil && strings.Contains(err.Error(), "the project selects other nodes")
		return refused, fmt.Sprint(err), nil
	}))
}

// waitGroup waits until the API server serves a group.
func (f *fixture) waitGroup(name string) {
	f.t.Helper()
	ctx, cancel := f.deadline()
	defer cancel()
	f.must(f.Wait(ctx, "the group "+name, func(ctx context.Context) (bool, string, error) {
		err := f.Client().Discovery().RESTClient().Get().AbsPath("/apis/" + name).Do(ctx).Error()
		if apierrors.IsNotFound(err) {
			return false, "not served", nil
		}
		return err == nil, fmt.Sprint(err), err
	}))
}
