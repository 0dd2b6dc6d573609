package coverage_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func explained(t *testing.T, namespace string, ds, node options) coverage.Explanation {
	t.Helper()
	selector, err := labels.Parse(namespace)
	if err != nil {
		t.Fatal(err)
	}
	return coverage.Explain(&slim.FromDaemonSet(objects.DaemonSet("agent", ds...)).Template, selector,
		slim.FromNode(objects.Node("a", node...)), &readiness.TaintRules{})
}

// The evidence of each rule, written down by hand.
func TestExplainRules(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		namespace string
		ds, node  options
		want      coverage.Rule
	}{
		"another node name excludes": {
			ds:   options{objects.NodeName("b")},
			want: coverage.Rule{Name: "node_name", Verdict: coverage.RuleExcludes, NodeName: "b"},
		},
		"a namespace's selector shows what the node has": {
			namespace: "pool in (x,w),!spot", node: options{objects.Label("pool", "y")},
			want: coverage.Rule{Name: "namespace_selector", Verdict: coverage.RuleExcludes, Requirements: []coverage.Requirement{
				{Key: "pool", Operator: "In", Values: []string{"w", "x"}, Has: "y"},
				{Key: "spot", Operator: "DoesNotExist", Holds: true, Absent: true},
			}},
		},
		"a node selector shows that a label is absent": {
			ds: options{objects.NodeSelector("disk", "ssd")},
			want: coverage.Rule{Name: "node_selector", Verdict: coverage.RuleExcludes, Requirements: []coverage.Requirement{
				{Key: "disk", Operator: "In", Values: []string{"ssd"}, Absent: true},
			}},
		},
		"a node selector that holds passes": {
			ds: options{objects.NodeSelector("disk", "ssd")}, node: options{objects.Label("disk", "ssd")},
			want: coverage.Rule{Name: "node_selector", Verdict: coverage.RulePasses, Requirements: []coverage.Requirement{
				{Key: "disk", Operator: "In", Values: []string{"ssd"}, Has: "ssd", Holds: true},
			}},
		},
		"each term of an affinity is shown, also one that cannot be parsed": {
			ds:   options{objects.NodeAffinity(objects.MatchLabel("zone", "Roughly", "z1"), objects.MatchName("In", "b"), corev1.NodeSelectorTerm{})},
			node: options{objects.Label("zone", "z1")},
			want: coverage.Rule{Name: "node_affinity", Verdict: coverage.RuleExcludes, Terms: []coverage.Term{
				{Requirements: []coverage.Requirement{{Key: "zone", Operator: "Roughly", Values: []string{"z1"}, Has: "z1", Invalid: true}}},
				{Requirements: []coverage.Requirement{{Key: "metadata.name", Operator: "In", Values: []string{"b"}, Has: "a", Field: true}}},
				{},
			}},
		},
		"a taint names the toleration, and whose it is": {
			ds:   options{objects.Tolerating(objects.Tolerate("gpu"))},
			node: options{objects.Taint("gpu", "true", "NoSchedule"), objects.Tainted(corev1.TaintNodeDiskPressure, "NoSchedule"), objects.Tainted("spot", "PreferNoSchedule")},
			want: coverage.Rule{Name: "taint", Verdict: coverage.RulePasses, Taints: []coverage.Taint{
				{Key: "gpu", Value: "true", Effect: "NoSchedule", Class: "placement", Verdict: coverage.RulePasses, Toleration: new(objects.Tolerate("gpu")), ToleratedBy: "template"},
				{
					Key: corev1.TaintNodeDiskPressure, Effect: "NoSchedule", Class: "condition", Verdict: coverage.RulePasses, ToleratedBy: "controller",
					Toleration: &corev1.Toleration{Key: corev1.TaintNodeDiskPressure, Operator: "Exists", Effect: "NoSchedule"},
				},
				{Key: "spot", Effect: "PreferNoSchedule", Class: "placement", Verdict: coverage.RulePasses},
			}},
		},
		"a condition taint withholds": {
			node: options{objects.Tainted("node.cilium.io/agent-not-ready", "NoSchedule")},
			want: coverage.Rule{Name: "taint", Verdict: coverage.RuleWithholds, Taints: []coverage.Taint{
				{Key: "node.cilium.io/agent-not-ready", Effect: "NoSchedule", Class: "startup", Verdict: coverage.RuleWithholds},
			}},
		},
		"a taint that excludes counts for more": {
			node: options{objects.Tainted(corev1.TaintNodeNotReady, "NoSchedule"), objects.Tainted("ToBeDeletedByClusterAutoscaler", "NoSchedule")},
			want: coverage.Rule{Name: "taint", Verdict: coverage.RuleExcludes, Taints: []coverage.Taint{
				{Key: corev1.TaintNodeNotReady, Effect: "NoSchedule", Class: "condition", Verdict: coverage.RuleWithholds},
				{Key: "ToBeDeletedByClusterAutoscaler", Effect: "NoSchedule", Class: "leaving", Verdict: coverage.RuleExcludes},
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, rule := range explained(t, test.namespace, test.ds, test.node).Rules {
				if rule.Name != test.want.Name {
					continue
				}
				if diff := cmp.Diff(test.want, rule); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestExplainAdvice(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		namespace string
		ds, node  options
		want      []string
	}{
		"a covered node needs none": {},
		"a label that is absent": {
			ds: options{objects.NodeSelector("disk", "ssd")},
			want: []string{
				"daemonset: remove disk=ssd from the nodeSelector of the pod template",
				"node: label the node with disk=ssd",
			},
		},
		"a taint with a value": {
			node: options{objects.Taint("gpu", "true", "NoSchedule")},
			want: []string{
				`daemonset: add the toleration {key: gpu, operator: Equal, value: "true", effect: NoSchedule}`,
				"node: remove the taint gpu=true:NoSchedule from the node",
			},
		},
		"the term of an affinity that a node can meet": {
			ds: options{objects.NodeAffinity(objects.MatchName("In", "b"), objects.MatchLabel("cores", "Gt", "7"))},
			want: []string{
				"daemonset: add a term that matches the node to the required node affinity (matchFields metadata.name In [a])",
				"node: label the node with cores=8",
			},
		},
		"a label that must go": {
			ds: options{objects.NodeAffinity(objects.MatchLabel("spot", "DoesNotExist"))}, node: options{objects.Label("spot", "yes")},
			want: []string{
				"daemonset: add a term that matches the node to the required node affinity (matchFields metadata.name In [a])",
				"node: remove the label spot from the node",
			},
		},
		"another node name cannot be changed on the node": {
			ds:   options{objects.NodeName("b")},
			want: []string{"daemonset: remove nodeName b from the pod template"},
		},
		"labels that contradict each other are not advised": {
			ds: options{objects.NodeSelector("zone", "a"), objects.NodeAffinity(objects.MatchLabel("zone", "In", "b"))},
			want: []string{
				"daemonset: remove zone=a from the nodeSelector of the pod template; add a term that matches the node to the required node affinity (matchFields metadata.name In [a])",
			},
		},
		"all that is wrong is changed": {
			namespace: "pool=x", ds: options{objects.NodeSelector("disk", "ssd")}, node: options{objects.Tainted("gpu", "NoExecute")},
			want: []string{
				`daemonset: set the namespace's annotation openshift.io/node-selector to ""; remove disk=ssd from the nodeSelector of the pod template; add the toleration {key: gpu, operator: Exists, effect: NoExecute}`,
				"node: label the node with pool=x; label the node with disk=ssd; remove the taint gpu:NoExecute from the node",
			},
		},
		"a condition taint on a node that is Ready": {
			node: options{objects.Tainted("readiness.k8s.io/gpu", "NoSchedule")},
			want: []string{"daemonset: add the toleration {key: readiness.k8s.io/gpu, operator: Exists, effect: NoSchedule}"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, plan := range explained(t, test.namespace, test.ds, test.node).Plans {
				var texts []string
				for _, change := range plan.Changes {
					texts = append(texts, change.Text)
				}
				got = append(got, plan.On+": "+strings.Join(texts, "; "))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExplainNotes(t *testing.T) {
	t.Parallel()
	windows := objects.Label(corev1.LabelOSStable, "windows")
	const note = "node a is Windows, and the template selects no operating system (nodeSelector kubernetes.io/os)"
	for name, test := range map[string]struct {
		ds, node options
		want     []string
	}{
		"a Windows node of a template without a system": {nil, options{windows}, []string{note}},
		"a Linux node":                                       {nil, options{objects.Label(corev1.LabelOSStable, "linux")}, nil},
		"a template that selects Windows":                    {options{objects.NodeSelector(corev1.LabelOSStable, "windows")}, options{windows}, nil},
		"a template that selects the system by its affinity": {options{objects.NodeAffinity(objects.MatchLabel(corev1.LabelOSStable, "Exists"))}, options{windows}, nil},
		"a Windows node that is excluded":                    {options{objects.NodeName("b")}, options{windows}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, explained(t, "", test.ds, test.node).Notes); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a dead node says why the controller counts it out", func(t *testing.T) {
		t.Parallel()
		got := explained(t, "", nil, options{objects.Unreachable(0)})
		want := "the taint node.kubernetes.io/unreachable:NoSchedule makes the DaemonSet controller count node a out; it says how the node is, not whom it is for"
		if !got.Expected || got.Upstream != "keep" || got.Difference != want {
			t.Errorf("expected: %v, upstream: %s, difference: %s", got.Expected, got.Upstream, got.Difference)
		}
	})
}
