package coverage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// decision is a placement's in words. Sole is the key of the taint that alone
// excludes the node.
type decision struct{ Upstream, Ours, Sole string }

func decide(ds *slim.DaemonSet, node *slim.Node) decision {
	var view coverage.View
	view.Show(node)
	got := coverage.NewPlacement(&ds.Template).Decide(&view)
	words := decision{Upstream: got.Upstream.String(), Ours: got.Exclusion.String()}
	if got.Sole >= 0 {
		words.Sole = node.Taints[got.Sole].Key
	}
	return words
}

func onNode(name string) func(*appsv1.DaemonSet) {
	return func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.NodeName = name }
}

func hostNetwork(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.HostNetwork = true }

// requiring sets the terms of the required node affinity.
func requiring(terms ...corev1.NodeSelectorTerm) func(*appsv1.DaemonSet) {
	return func(ds *appsv1.DaemonSet) {
		ds.Spec.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: terms},
		}}
	}
}

func labels(key string, operator corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: operator, Values: values}}}
}

func name(operator corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: operator, Values: values}}}
}

type placementCase struct {
	ds   []func(*appsv1.DaemonSet)
	node []func(*corev1.Node)
	want decision
}

func check(t *testing.T, cases map[string]placementCase) {
	t.Helper()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, decide(daemonSet("agent", test.ds...), node("a", test.node...))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

var (
	expected   = decision{"run", "expected", ""}
	byName     = decision{"stop", "node_name", ""}
	bySelector = decision{"stop", "node_selector", ""}
	byAffinity = decision{"stop", "node_affinity", ""}
)

// The checks come in the order in which the controller makes them; the first
// that excludes a node names the reason.
func TestFirstExclusionNamesTheReason(t *testing.T) {
	t.Parallel()
	wrongSelector, wrongAffinity := selecting("disk", "ssd"), requiring(labels("zone", "In", "z1"))
	gpu := tainted("gpu", "NoExecute")
	check(t, map[string]placementCase{
		"a DaemonSet without rules runs everywhere": {nil, nil, expected},
		"the node name comes before the selector": {
			[]func(*appsv1.DaemonSet){onNode("b"), wrongSelector, wrongAffinity}, []func(*corev1.Node){gpu}, byName,
		},
		"the selector comes before the affinity": {
			[]func(*appsv1.DaemonSet){onNode("a"), wrongSelector, wrongAffinity}, []func(*corev1.Node){gpu}, bySelector,
		},
		"the affinity comes before the taints": {
			[]func(*appsv1.DaemonSet){onNode("a"), wrongAffinity}, []func(*corev1.Node){gpu}, byAffinity,
		},
		"the taints come last": {
			[]func(*appsv1.DaemonSet){onNode("a")}, []func(*corev1.Node){gpu}, decision{"stop", "taint", "gpu"},
		},
		"a selector that holds does not make up for an affinity that does not": {
			[]func(*appsv1.DaemonSet){selecting("disk", "ssd"), wrongAffinity}, []func(*corev1.Node){labelled("disk", "ssd")}, byAffinity,
		},
		"a label of another value does not match": {
			[]func(*appsv1.DaemonSet){wrongSelector}, []func(*corev1.Node){labelled("disk", "hdd")}, bySelector,
		},
	})
}

func TestRequiredNodeAffinity(t *testing.T) {
	t.Parallel()
	type options = []func(*appsv1.DaemonSet)
	zone1 := []func(*corev1.Node){labelled("zone", "z1"), labelled("cores", "8")}
	broken := labels("zone", "Roughly", "z1")
	check(t, map[string]placementCase{
		"In holds for one of its values":               {options{requiring(labels("zone", "In", "z0", "z1"))}, zone1, expected},
		"In does not hold for another":                 {options{requiring(labels("zone", "In", "z2"))}, zone1, byAffinity},
		"NotIn holds for another value":                {options{requiring(labels("zone", "NotIn", "z2"))}, zone1, expected},
		"NotIn holds without the label":                {options{requiring(labels("rack", "NotIn", "r1"))}, zone1, expected},
		"NotIn does not hold for its value":            {options{requiring(labels("zone", "NotIn", "z1"))}, zone1, byAffinity},
		"Exists holds with the label":                  {options{requiring(labels("zone", "Exists"))}, zone1, expected},
		"Exists does not hold without":                 {options{requiring(labels("rack", "Exists"))}, zone1, byAffinity},
		"DoesNotExist holds without the label":         {options{requiring(labels("rack", "DoesNotExist"))}, zone1, expected},
		"DoesNotExist does not hold with it":           {options{requiring(labels("zone", "DoesNotExist"))}, zone1, byAffinity},
		"Gt compares numbers":                          {options{requiring(labels("cores", "Gt", "7"))}, zone1, expected},
		"Gt does not hold for the same number":         {options{requiring(labels("cores", "Gt", "8"))}, zone1, byAffinity},
		"Lt compares numbers, not texts":               {options{requiring(labels("cores", "Lt", "10"))}, zone1, expected},
		"Gt of a text does not hold":                   {options{requiring(labels("zone", "Gt", "1"))}, zone1, byAffinity},
		"all requirements of a term must hold":         {options{requiring(corev1.NodeSelectorTerm{MatchExpressions: append(labels("zone", "Exists").MatchExpressions, labels("rack", "Exists").MatchExpressions...)})}, zone1, byAffinity},
		"one of several terms must hold":               {options{requiring(labels("rack", "Exists"), labels("zone", "Exists"))}, zone1, expected},
		"a field matches the node's name":              {options{requiring(name("In", "a"))}, zone1, expected},
		"a field does not match another name":          {options{requiring(name("In", "b"))}, zone1, byAffinity},
		"a field may rule a name out":                  {options{requiring(name("NotIn", "a"))}, zone1, byAffinity},
		"no terms match no node":                       {options{requiring()}, zone1, byAffinity},
		"an empty term matches no node":                {options{requiring(corev1.NodeSelectorTerm{})}, zone1, byAffinity},
		"an empty term does not spoil another":         {options{requiring(corev1.NodeSelectorTerm{}, labels("zone", "Exists"))}, zone1, expected},
		"a term that cannot be parsed matches no node": {options{requiring(broken)}, zone1, byAffinity},
		"it does not spoil another":                    {options{requiring(broken, labels("zone", "Exists"))}, zone1, expected},
		"In without values cannot be parsed":           {options{requiring(labels("zone", "In"))}, zone1, byAffinity},
		"a preference excludes nobody": {options{func(ds *appsv1.DaemonSet) {
			ds.Spec.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
				PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 100, Preference: labels("rack", "Exists")}},
			}}
		}}, zone1, expected},
	})
}

func TestTaintsAndTolerations(t *testing.T) {
	t.Parallel()
	type node = []func(*corev1.Node)
	gpu := func(effect corev1.TaintEffect) func(*corev1.Node) {
		return func(n *corev1.Node) {
			n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: "gpu", Value: "yes", Effect: effect})
		}
	}
	tolerate := func(key string, operator corev1.TolerationOperator, value string, effect corev1.TaintEffect) []func(*appsv1.DaemonSet) {
		return []func(*appsv1.DaemonSet){tolerating(corev1.Toleration{Key: key, Operator: operator, Value: value, Effect: effect})}
	}
	keep, stop := decision{"keep", "taint", "gpu"}, decision{"stop", "taint", "gpu"}
	check(t, map[string]placementCase{
		"NoSchedule keeps what is there":                 {nil, node{gpu("NoSchedule")}, keep},
		"NoExecute stops what is there":                  {nil, node{gpu("NoExecute")}, stop},
		"PreferNoSchedule excludes nobody":               {nil, node{gpu("PreferNoSchedule")}, expected},
		"an effect that does not exist excludes nobody":  {nil, node{gpu("NoLunch")}, expected},
		"Exists tolerates any value":                     {tolerate("gpu", "Exists", "", "NoSchedule"), node{gpu("NoSchedule")}, expected},
		"Equal tolerates its value":                      {tolerate("gpu", "Equal", "yes", "NoSchedule"), node{gpu("NoSchedule")}, expected},
		"Equal does not tolerate another":                {tolerate("gpu", "Equal", "no", "NoSchedule"), node{gpu("NoSchedule")}, keep},
		"no operator is Equal":                           {tolerate("gpu", "", "yes", "NoSchedule"), node{gpu("NoSchedule")}, expected},
		"no effect tolerates every effect":               {tolerate("gpu", "Exists", "", ""), node{gpu("NoSchedule"), gpu("NoExecute")}, expected},
		"an effect tolerates itself alone":               {tolerate("gpu", "Exists", "", "NoSchedule"), node{gpu("NoSchedule"), gpu("NoExecute")}, stop},
		"no key and Exists tolerate everything":          {tolerate("", "Exists", "", ""), node{gpu("NoSchedule"), gpu("NoExecute")}, expected},
		"no key and Equal tolerate every key of a value": {tolerate("", "Equal", "yes", ""), node{gpu("NoExecute")}, expected},
		"Gt is an alpha feature that is off":             {tolerate("gpu", "Gt", "0", ""), node{gpu("NoSchedule")}, keep},
		"Lt is an alpha feature that is off":             {tolerate("gpu", "Lt", "9", ""), node{gpu("NoSchedule")}, keep},
		"an operator that does not exist tolerates none": {tolerate("gpu", "Like", "yes", ""), node{gpu("NoSchedule")}, keep},
	})
}

// A node failure is not a change of placement: upstream says keep or stop, we
// still expect the pod.
func TestNodeConditionTaintsAreLeftOut(t *testing.T) {
	t.Parallel()
	const prefix = "node.kubernetes.io/"
	for _, test := range []struct {
		key      string
		effect   corev1.TaintEffect
		upstream string
	}{
		{"not-ready", "NoExecute", "run"},
		{"not-ready", "NoSchedule", "keep"},
		{"unreachable", "NoExecute", "run"},
		{"unreachable", "NoSchedule", "keep"},
		{"disk-pressure", "NoExecute", "stop"},
		{"disk-pressure", "NoSchedule", "run"},
		{"memory-pressure", "NoExecute", "stop"},
		{"memory-pressure", "NoSchedule", "run"},
		{"pid-pressure", "NoExecute", "stop"},
		{"pid-pressure", "NoSchedule", "run"},
		{"unschedulable", "NoExecute", "stop"},
		{"unschedulable", "NoSchedule", "run"},
		{"network-unavailable", "NoExecute", "stop"},
		{"network-unavailable", "NoSchedule", "keep"},
	} {
		got := decide(daemonSet("agent"), node("a", tainted(prefix+test.key, test.effect)))
		if want := (decision{test.upstream, "expected", ""}); got != want {
			t.Errorf("%s:%s gives %v, want %v", test.key, test.effect, got, want)
		}
	}
	check(t, map[string]placementCase{
		"a cordoned node still expects its pod":              {nil, []func(*corev1.Node){cordoned}, expected},
		"a node that died still expects its pod":             {nil, []func(*corev1.Node){unreachable(0)}, decision{"keep", "expected", ""}},
		"a host network needs no network":                    {[]func(*appsv1.DaemonSet){hostNetwork}, []func(*corev1.Node){tainted(prefix+"network-unavailable", "NoSchedule")}, expected},
		"a host network is no protection from eviction":      {[]func(*appsv1.DaemonSet){hostNetwork}, []func(*corev1.Node){tainted(prefix+"network-unavailable", "NoExecute")}, decision{"stop", "expected", ""}},
		"a DaemonSet that tolerates all runs on a dead node": {[]func(*appsv1.DaemonSet){tolerating(tolerateAll())}, []func(*corev1.Node){unreachable(0)}, expected},
		"out-of-service is a decision, not a condition":      {nil, []func(*corev1.Node){tainted(prefix+"out-of-service", "NoExecute")}, decision{"stop", "taint", prefix + "out-of-service"}},
		"a cloud's uninitialized node is not expected yet":   {nil, []func(*corev1.Node){tainted("node.cloudprovider.kubernetes.io/uninitialized", "NoSchedule")}, decision{"keep", "taint", "node.cloudprovider.kubernetes.io/uninitialized"}},
	})
}

func TestSoleTaint(t *testing.T) {
	t.Parallel()
	type node = []func(*corev1.Node)
	check(t, map[string]placementCase{
		"one untolerated taint repels alone":                  {nil, node{tainted("gpu", "NoSchedule")}, decision{"keep", "taint", "gpu"}},
		"a tolerated taint before it does not matter":         {[]func(*appsv1.DaemonSet){tolerating(corev1.Toleration{Key: "cp", Operator: "Exists"})}, node{tainted("cp", "NoExecute"), tainted("gpu", "NoSchedule")}, decision{"keep", "taint", "gpu"}},
		"PreferNoSchedule beside it does not matter":          {nil, node{tainted("x", "PreferNoSchedule"), tainted("gpu", "NoSchedule")}, decision{"keep", "taint", "gpu"}},
		"that the node is dead does not matter":               {nil, node{tainted("gpu", "NoSchedule"), unreachable(0)}, decision{"keep", "taint", "gpu"}},
		"of two taints neither repels alone":                  {nil, node{tainted("gpu", "NoSchedule"), tainted("cp", "NoExecute")}, decision{"stop", "taint", ""}},
		"a taint with two effects is two taints":              {nil, node{tainted("gpu", "NoSchedule"), tainted("gpu", "NoExecute")}, decision{"stop", "taint", ""}},
		"of three taints none does":                           {nil, node{tainted("a", "NoSchedule"), tainted("b", "NoSchedule"), tainted("c", "NoSchedule")}, decision{"keep", "taint", ""}},
		"where the selector excludes the node, no taint does": {[]func(*appsv1.DaemonSet){selecting("disk", "ssd")}, node{tainted("gpu", "NoSchedule")}, bySelector},
		"a taint of the node's condition repels nobody":       {nil, node{tainted("node.kubernetes.io/not-ready", "NoSchedule")}, decision{"keep", "expected", ""}},
	})
	crowded := make(node, 300)
	for i := range crowded {
		crowded[i] = tainted("x", "PreferNoSchedule")
	}
	crowded[299] = tainted("gpu", "NoSchedule")
	if got := decide(daemonSet("agent"), nodeOf(crowded)); got.Ours != "taint" {
		t.Errorf("a node with 300 taints is %v", got)
	}
}

func nodeOf(options []func(*corev1.Node)) *slim.Node { return node("a", options...) }

// The template is shared with the informer's cache: what the controller adds
// must not be appended to it.
func TestATemplateIsNotWrittenTo(t *testing.T) {
	t.Parallel()
	spare := make([]corev1.Toleration, 1, 16)
	spare[0] = corev1.Toleration{Key: "mine"}
	template := slim.PodTemplate{Tolerations: spare, HostNetwork: true}
	coverage.NewPlacement(&template)
	if diff := cmp.Diff(make([]corev1.Toleration, 15), spare[1:16]); diff != "" {
		t.Errorf("behind the template's tolerations (-want +got):\n%s", diff)
	}
}
