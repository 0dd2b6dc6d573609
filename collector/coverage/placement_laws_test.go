package coverage_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/random"
)

// The laws of placement on random pairs. That every decision is upstream's, and names
// the right taint, is for test/cluster/upstream, where upstream's own code is the oracle.
func TestPlacementLaws(t *testing.T) {
	t.Parallel()
	for name, seed := range random.Seeds() {
		t.Run(name, func(t *testing.T) {
			t.Logf("3000 pairs of seed %d", seed)
			dice := random.Seeded(seed, 0)
			for pair := range 3000 {
				if problem := wrongPlacement(dice); problem != "" {
					t.Fatalf("pair %d of seed %d: %s", pair, seed, problem)
				}
			}
		})
	}
}

func FuzzPlacement(f *testing.F) {
	for number := range uint64(16) {
		f.Add(random.Bytes(number, 120))
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		if problem := wrongPlacement(random.FromBytes(bytes)); problem != "" {
			t.Fatal(problem)
		}
	})
}

// wrongPlacement decides on one pair and returns which law the decision breaks,
// or "".
func wrongPlacement(dice *random.Dice) string {
	ds, node := random.DaemonSet(dice), random.Node(dice)
	before := fmt.Sprint(ds.Spec.Template.Spec, node.Spec)
	decide := func(node *corev1.Node) coverage.Decision {
		var view coverage.View
		view.Show(slim.FromNode(node), &readiness.TaintRules{})
		return coverage.NewPlacement(&slim.FromDaemonSet(ds).Template, nil).Decide(&view)
	}
	got, bare := decide(node), decide(random.WithoutConditions(node))
	wrong := ""
	switch {
	case (got.Exclusion == coverage.NotExcluded) != (bare.Upstream == coverage.VerdictRun):
		wrong = "expected is not run without the taints of the node's condition"
	case got.Exclusion != bare.Exclusion:
		wrong = fmt.Sprintf("the taints of the node's condition change the exclusion from %v", bare.Exclusion)
	case got.Upstream == coverage.VerdictRun && got.Exclusion != coverage.NotExcluded:
		wrong = "upstream runs what is excluded"
	case bare.Upstream < got.Upstream:
		wrong = fmt.Sprintf("fewer taints make upstream say %v", bare.Upstream)
	case (got.Withheld >= 0) != (got.Exclusion == coverage.NotExcluded && got.Upstream != coverage.VerdictRun):
		wrong = "a pod is withheld that is not expected, or that the controller makes"
	case got.Withheld >= 0 && firstWithholding(decide, node) != int(got.Withheld):
		wrong = fmt.Sprintf("taint %d is the first that withholds the pod", firstWithholding(decide, node))
	case fmt.Sprint(ds.Spec.Template.Spec, node.Spec) != before:
		wrong = "deciding changes the objects"
	}
	for i := range node.Spec.Taints {
		without := node.DeepCopy()
		without.Spec.Taints = slices.Delete(without.Spec.Taints, i, i+1)
		alone := got.Exclusion == coverage.ExcludedByTaint && decide(without).Exclusion == coverage.NotExcluded
		if alone != (int(got.Sole) == i) {
			wrong = fmt.Sprintf("taint %d alone excludes the node: %v", i, alone)
		}
	}
	if wrong == "" {
		wrong = wrongNamespace(dice, ds, node, got)
	}
	if wrong == "" {
		return ""
	}
	return fmt.Sprintf("%s, the decision is %+v\nnode %q with labels %v, taints %v\nDaemonSet %+v", wrong, got,
		node.Name, node.Labels, node.Spec.Taints, ds.Spec.Template.Spec)
}

// wrongNamespace puts the DaemonSet into a namespace that selects nodes by one of the
// node's labels or by a label that none has, and returns what is wrong with the
// decision there, or "". got is the decision in a namespace that selects all.
func wrongNamespace(dice *random.Dice, ds *appsv1.DaemonSet, node *corev1.Node, got coverage.Decision) string {
	key := random.Choose(dice, append(slices.Sorted(maps.Keys(node.Labels)), "stranger")...)
	_, matches := node.Labels[key]
	exists, err := labels.NewRequirement(key, selection.Exists, nil)
	if err != nil {
		return "" // not the key of a label
	}
	var view coverage.View
	view.Show(slim.FromNode(node), &readiness.TaintRules{})
	inside := coverage.NewPlacement(&slim.FromDaemonSet(ds).Template, labels.NewSelector().Add(*exists)).Decide(&view)
	want := got
	if !matches {
		if got.Exclusion != coverage.ExcludedByNodeName {
			want = coverage.Decision{Upstream: got.Upstream, Exclusion: coverage.ExcludedByNamespaceSelector, Sole: -1, Withheld: -1}
		}
		if got.Upstream == coverage.VerdictRun {
			want.Upstream = coverage.VerdictStop
		}
	}
	if inside != want {
		return fmt.Sprintf("in a namespace that selects %s it is %+v", key, inside)
	}
	return ""
}

// firstWithholding returns the first taint of the node's condition for which alone
// upstream would not run the pod; -1 for none. Those that repeat the Ready condition
// come last.
func firstWithholding(decide func(*corev1.Node) coverage.Decision, node *corev1.Node) int {
	bare, first := random.WithoutConditions(node), -1
	for i, taint := range node.Spec.Taints {
		with := bare.DeepCopy()
		with.Spec.Taints = append(with.Spec.Taints, taint)
		switch {
		case decide(with).Upstream == coverage.VerdictRun:
		case taint.Key != corev1.TaintNodeNotReady && taint.Key != corev1.TaintNodeUnreachable:
			return i
		case first < 0:
			first = i
		}
	}
	return first
}
