package coverage_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// decision is a placement's in words. Sole is the key of the taint that alone
// excludes the node.
type decision struct{ Upstream, Ours, Sole string }

func decide(ds *appsv1.DaemonSet, node *corev1.Node) decision { return decideIn(nil, ds, node) }

// decideIn decides for a DaemonSet in a namespace that selects nodes.
func decideIn(namespace labels.Selector, ds *appsv1.DaemonSet, node *corev1.Node) decision {
	var view coverage.View
	view.Show(slim.FromNode(node), &readiness.TaintRules{})
	got := coverage.NewPlacement(&slim.FromDaemonSet(ds).Template, namespace).Decide(&view)
	words := decision{Upstream: got.Upstream.String(), Ours: got.Exclusion.String()}
	if got.Sole >= 0 {
		words.Sole = node.Spec.Taints[got.Sole].Key
	}
	return words
}

type placementCase struct {
	ds   options
	node options
	want decision
}

func checkPlacements(t *testing.T, cases map[string]placementCase) {
	t.Helper()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			check.Equal(t, decide(objects.DaemonSet("agent", test.ds...), objects.Node("a", test.node...)), test.want)
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
func TestPlacement(t *testing.T) {
	t.Parallel()
	wrongSelector, wrongAffinity := objects.NodeSelector("disk", "ssd"), objects.NodeAffinity(objects.MatchLabel("zone", "In", "z1"))
	gpu := objects.Tainted("gpu", "NoExecute")
	checkPlacements(t, map[string]placementCase{
		"a DaemonSet without rules runs everywhere":                            {nil, nil, expected},
		"the node name comes before the selector":                              {options{objects.NodeName("b"), wrongSelector, wrongAffinity}, options{gpu}, byName},
		"the selector comes before the affinity":                               {options{objects.NodeName("a"), wrongSelector, wrongAffinity}, options{gpu}, bySelector},
		"the affinity comes before the taints":                                 {options{objects.NodeName("a"), wrongAffinity}, options{gpu}, byAffinity},
		"the taints come last":                                                 {options{objects.NodeName("a")}, options{gpu}, decision{"stop", "taint", "gpu"}},
		"a selector that holds does not make up for an affinity that does not": {options{objects.NodeSelector("disk", "ssd"), wrongAffinity}, options{objects.Label("disk", "ssd")}, byAffinity},
		"a label of another value does not match":                              {options{wrongSelector}, options{objects.Label("disk", "hdd")}, bySelector},
	})
}

// OpenShift's controller asks the namespace after everything else, and only where it
// would run a pod.
func TestPlacementNamespaceSelector(t *testing.T) {
	t.Parallel()
	byNamespace := decision{"stop", "namespace_selector", ""}
	poolA, gpu := objects.Label("pool", "a"), objects.Tainted("gpu", "NoSchedule")
	for name, test := range map[string]struct {
		selector string
		ds, node options
		want     decision
	}{
		"a node that it selects is expected":            {"pool=a", nil, options{poolA}, expected},
		"a node of another value is excluded":           {"pool=b", nil, options{poolA}, byNamespace},
		"a node without the label is excluded":          {"pool=a", nil, nil, byNamespace},
		"all labels must match":                         {"pool=a,disk=ssd", nil, options{poolA}, byNamespace},
		"it may be any label selector":                  {"pool in (a,b),!gpu", nil, options{poolA}, expected},
		"an empty one selects all nodes":                {"", nil, nil, expected},
		"it does not make up for the template's":        {"pool=a", options{objects.NodeSelector("disk", "ssd")}, options{poolA}, bySelector},
		"the node name comes before it":                 {"pool=b", options{objects.NodeName("b")}, nil, byName},
		"it comes before the template's selector":       {"pool=b", options{objects.NodeSelector("disk", "ssd")}, nil, byNamespace},
		"it comes before the affinity":                  {"pool=b", options{objects.NodeAffinity(objects.MatchLabel("zone", "In", "z1"))}, nil, byNamespace},
		"it comes before the taints, which say keep":    {"pool=b", nil, options{gpu}, decision{"keep", "namespace_selector", ""}},
		"taints say stop":                               {"pool=b", nil, options{objects.Tainted("gpu", "NoExecute")}, byNamespace},
		"a tolerated taint says nothing":                {"pool=b", options{objects.Tolerating(objects.TolerateAll())}, options{gpu}, byNamespace},
		"a dead node is excluded as well":               {"pool=b", nil, options{objects.Unreachable(0)}, decision{"keep", "namespace_selector", ""}},
		"a dead node that it selects is still expected": {"pool=a", nil, options{poolA, objects.Unreachable(0)}, decision{"keep", "expected", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			selector := check.Must(labels.Parse(test.selector))(t)
			got := decideIn(selector, objects.DaemonSet("agent", test.ds...), objects.Node("a", test.node...))
			check.Equal(t, got, test.want)
		})
	}
}

func TestPlacementAffinity(t *testing.T) {
	t.Parallel()
	zone1 := options{objects.Label("zone", "z1"), objects.Label("cores", "8")}
	broken := objects.MatchLabel("zone", "Roughly", "z1")
	checkPlacements(t, map[string]placementCase{
		"In holds for one of its values":               {options{objects.NodeAffinity(objects.MatchLabel("zone", "In", "z0", "z1"))}, zone1, expected},
		"In does not hold for another":                 {options{objects.NodeAffinity(objects.MatchLabel("zone", "In", "z2"))}, zone1, byAffinity},
		"NotIn holds for another value":                {options{objects.NodeAffinity(objects.MatchLabel("zone", "NotIn", "z2"))}, zone1, expected},
		"NotIn holds without the label":                {options{objects.NodeAffinity(objects.MatchLabel("rack", "NotIn", "r1"))}, zone1, expected},
		"NotIn does not hold for its value":            {options{objects.NodeAffinity(objects.MatchLabel("zone", "NotIn", "z1"))}, zone1, byAffinity},
		"Exists holds with the label":                  {options{objects.NodeAffinity(objects.MatchLabel("zone", "Exists"))}, zone1, expected},
		"Exists does not hold without":                 {options{objects.NodeAffinity(objects.MatchLabel("rack", "Exists"))}, zone1, byAffinity},
		"DoesNotExist holds without the label":         {options{objects.NodeAffinity(objects.MatchLabel("rack", "DoesNotExist"))}, zone1, expected},
		"DoesNotExist does not hold with it":           {options{objects.NodeAffinity(objects.MatchLabel("zone", "DoesNotExist"))}, zone1, byAffinity},
		"Gt compares numbers":                          {options{objects.NodeAffinity(objects.MatchLabel("cores", "Gt", "7"))}, zone1, expected},
		"Gt does not hold for the same number":         {options{objects.NodeAffinity(objects.MatchLabel("cores", "Gt", "8"))}, zone1, byAffinity},
		"Lt compares numbers, not texts":               {options{objects.NodeAffinity(objects.MatchLabel("cores", "Lt", "10"))}, zone1, expected},
		"Gt of a text does not hold":                   {options{objects.NodeAffinity(objects.MatchLabel("zone", "Gt", "1"))}, zone1, byAffinity},
		"all requirements of a term must hold":         {options{objects.NodeAffinity(corev1.NodeSelectorTerm{MatchExpressions: append(objects.MatchLabel("zone", "Exists").MatchExpressions, objects.MatchLabel("rack", "Exists").MatchExpressions...)})}, zone1, byAffinity},
		"one of several terms must hold":               {options{objects.NodeAffinity(objects.MatchLabel("rack", "Exists"), objects.MatchLabel("zone", "Exists"))}, zone1, expected},
		"a field matches the node's name":              {options{objects.NodeAffinity(objects.MatchName("In", "a"))}, zone1, expected},
		"a field does not match another name":          {options{objects.NodeAffinity(objects.MatchName("In", "b"))}, zone1, byAffinity},
		"a field may rule a name out":                  {options{objects.NodeAffinity(objects.MatchName("NotIn", "a"))}, zone1, byAffinity},
		"no terms match no node":                       {options{objects.NodeAffinity()}, zone1, byAffinity},
		"an empty term matches no node":                {options{objects.NodeAffinity(corev1.NodeSelectorTerm{})}, zone1, byAffinity},
		"an empty term does not spoil another":         {options{objects.NodeAffinity(corev1.NodeSelectorTerm{}, objects.MatchLabel("zone", "Exists"))}, zone1, expected},
		"a term that cannot be parsed matches no node": {options{objects.NodeAffinity(broken)}, zone1, byAffinity},
		"it does not spoil another":                    {options{objects.NodeAffinity(broken, objects.MatchLabel("zone", "Exists"))}, zone1, expected},
		"In without values cannot be parsed":           {options{objects.NodeAffinity(objects.MatchLabel("zone", "In"))}, zone1, byAffinity},
		"a preference excludes nobody": {options{objects.Change(func(ds *appsv1.DaemonSet) {
			ds.Spec.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
				PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 100, Preference: objects.MatchLabel("rack", "Exists")}},
			}}
		})}, zone1, expected},
	})
}

func TestPlacementTaints(t *testing.T) {
	t.Parallel()
	gpu := func(effect corev1.TaintEffect) objects.Option {
		return objects.Taint("gpu", "yes", effect)
	}
	tolerate := func(key string, operator corev1.TolerationOperator, value string, effect corev1.TaintEffect) options {
		return options{objects.Tolerating(corev1.Toleration{Key: key, Operator: operator, Value: value, Effect: effect})}
	}
	keep, stop := decision{"keep", "taint", "gpu"}, decision{"stop", "taint", "gpu"}
	checkPlacements(t, map[string]placementCase{
		"NoSchedule keeps what is there":                 {nil, options{gpu("NoSchedule")}, keep},
		"NoExecute stops what is there":                  {nil, options{gpu("NoExecute")}, stop},
		"PreferNoSchedule excludes nobody":               {nil, options{gpu("PreferNoSchedule")}, expected},
		"an effect that does not exist excludes nobody":  {nil, options{gpu("NoLunch")}, expected},
		"Exists tolerates any value":                     {tolerate("gpu", "Exists", "", "NoSchedule"), options{gpu("NoSchedule")}, expected},
		"Equal tolerates its value":                      {tolerate("gpu", "Equal", "yes", "NoSchedule"), options{gpu("NoSchedule")}, expected},
		"Equal does not tolerate another":                {tolerate("gpu", "Equal", "no", "NoSchedule"), options{gpu("NoSchedule")}, keep},
		"no operator is Equal":                           {tolerate("gpu", "", "yes", "NoSchedule"), options{gpu("NoSchedule")}, expected},
		"no effect tolerates every effect":               {tolerate("gpu", "Exists", "", ""), options{gpu("NoSchedule"), gpu("NoExecute")}, expected},
		"an effect tolerates itself alone":               {tolerate("gpu", "Exists", "", "NoSchedule"), options{gpu("NoSchedule"), gpu("NoExecute")}, stop},
		"no key and Exists tolerate everything":          {tolerate("", "Exists", "", ""), options{gpu("NoSchedule"), gpu("NoExecute")}, expected},
		"no key and Equal tolerate every key of a value": {tolerate("", "Equal", "yes", ""), options{gpu("NoExecute")}, expected},
		"Gt is an alpha feature that is off":             {tolerate("gpu", "Gt", "0", ""), options{gpu("NoSchedule")}, keep},
		"Lt is an alpha feature that is off":             {tolerate("gpu", "Lt", "9", ""), options{gpu("NoSchedule")}, keep},
		"an operator that does not exist tolerates none": {tolerate("gpu", "Like", "yes", ""), options{gpu("NoSchedule")}, keep},
	})
}

// A node failure is not a change of placement: upstream says keep or stop, we
// still expect the pod.
func TestPlacementNodeCondition(t *testing.T) {
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
		got := decide(objects.DaemonSet("agent"), objects.Node("a", objects.Tainted(prefix+test.key, test.effect)))
		if want := (decision{test.upstream, "expected", ""}); got != want {
			t.Errorf("%s:%s gives %v, want %v", test.key, test.effect, got, want)
		}
	}
	checkPlacements(t, map[string]placementCase{
		"a cordoned node still expects its pod":              {nil, options{objects.Cordoned()}, expected},
		"a node that died still expects its pod":             {nil, options{objects.Unreachable(0)}, decision{"keep", "expected", ""}},
		"a host network needs no network":                    {options{objects.HostNetwork()}, options{objects.Tainted(prefix+"network-unavailable", "NoSchedule")}, expected},
		"a host network is no protection from eviction":      {options{objects.HostNetwork()}, options{objects.Tainted(prefix+"network-unavailable", "NoExecute")}, decision{"stop", "expected", ""}},
		"a DaemonSet that tolerates all runs on a dead node": {options{objects.Tolerating(objects.TolerateAll())}, options{objects.Unreachable(0)}, expected},
		"out-of-service is set on a node that is dead":       {nil, options{objects.Tainted(prefix+"out-of-service", "NoExecute")}, decision{Upstream: "stop", Ours: "expected"}},
		"a machine that is switched off is expected":         {nil, options{objects.Tainted("node.cloudprovider.kubernetes.io/shutdown", "NoSchedule")}, decision{Upstream: "keep", Ours: "expected"}},
		"a cloud's uninitialized node is expected":           {nil, options{objects.Tainted("node.cloudprovider.kubernetes.io/uninitialized", "NoSchedule")}, decision{Upstream: "keep", Ours: "expected"}},
		"a node that is leaving is excluded":                 {nil, options{objects.Tainted("ToBeDeletedByClusterAutoscaler", "NoSchedule")}, decision{"keep", "taint", "ToBeDeletedByClusterAutoscaler"}},
	})
}

func TestPlacementSoleTaint(t *testing.T) {
	t.Parallel()
	checkPlacements(t, map[string]placementCase{
		"one untolerated taint repels alone":                  {nil, options{objects.Tainted("gpu", "NoSchedule")}, decision{"keep", "taint", "gpu"}},
		"a tolerated taint before it does not matter":         {options{objects.Tolerating(corev1.Toleration{Key: "cp", Operator: "Exists"})}, options{objects.Tainted("cp", "NoExecute"), objects.Tainted("gpu", "NoSchedule")}, decision{"keep", "taint", "gpu"}},
		"PreferNoSchedule beside it does not matter":          {nil, options{objects.Tainted("x", "PreferNoSchedule"), objects.Tainted("gpu", "NoSchedule")}, decision{"keep", "taint", "gpu"}},
		"that the node is dead does not matter":               {nil, options{objects.Tainted("gpu", "NoSchedule"), objects.Unreachable(0)}, decision{"keep", "taint", "gpu"}},
		"of two taints neither repels alone":                  {nil, options{objects.Tainted("gpu", "NoSchedule"), objects.Tainted("cp", "NoExecute")}, decision{"stop", "taint", ""}},
		"a taint with two effects is two taints":              {nil, options{objects.Tainted("gpu", "NoSchedule"), objects.Tainted("gpu", "NoExecute")}, decision{"stop", "taint", ""}},
		"of three taints none does":                           {nil, options{objects.Tainted("a", "NoSchedule"), objects.Tainted("b", "NoSchedule"), objects.Tainted("c", "NoSchedule")}, decision{"keep", "taint", ""}},
		"where the selector excludes the node, no taint does": {options{objects.NodeSelector("disk", "ssd")}, options{objects.Tainted("gpu", "NoSchedule")}, bySelector},
		"a taint of the node's condition repels nobody":       {nil, options{objects.Tainted("node.kubernetes.io/not-ready", "NoSchedule")}, decision{"keep", "expected", ""}},
	})
	crowded := make(options, 300)
	for i := range crowded {
		crowded[i] = objects.Tainted("x", "PreferNoSchedule")
	}
	crowded[299] = objects.Tainted("gpu", "NoSchedule")
	if got := decide(objects.DaemonSet("agent"), objects.Node("a", crowded...)); got.Ours != "taint" {
		t.Errorf("a node with 300 taints is %v", got)
	}
}

// The template is shared with the informer's cache: what the controller adds
// must not be appended to it.
func TestPlacementTemplate(t *testing.T) {
	t.Parallel()
	spare := make([]corev1.Toleration, 1, 16)
	spare[0] = corev1.Toleration{Key: "mine"}
	template := slim.PodTemplate{Tolerations: spare, HostNetwork: true}
	coverage.NewPlacement(&template, nil)
	check.Equal(t, spare[1:16], make([]corev1.Toleration, 15), "behind the template's tolerations")
}
