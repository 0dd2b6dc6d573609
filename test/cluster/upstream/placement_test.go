package upstream

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"
	"k8s.io/kubernetes/pkg/controller/daemon"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/random"
)

// nodesEach is the number of nodes for each DaemonSet, whose rules are parsed once.
const nodesEach = 10

// quiet returns a logger for upstream, which logs each toleration with an unknown
// operator.
func quiet() klog.Logger {
	return textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(io.Discard)))
}

// Every decision equals that of NodeShouldRunDaemonPod for the same objects. Whether
// the cell is expected equals its decision for the node without the taints that report
// the node's condition, and the exclusion is the first of node name, selector, affinity
// and taints for which it returns false.
func TestPlacement(t *testing.T) {
	t.Parallel()
	pairsOf := map[string]int{"fixed seed": 240_000, "new seed": newPairs(t)}
	for name, seed := range random.Seeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pairs := pairsOf[name]
			o := oracle{dice: random.Seeded(seed, 0), logger: quiet(), seen: map[string]int{}}
			for o.pairs < pairs {
				if problem := o.compare(); problem != "" {
					t.Fatalf("pair %d of seed %d: %s", o.pairs, seed, problem)
				}
			}
			t.Logf("%d pairs of seed %d, not one difference: %v", o.pairs, seed, o.seen)
			for what, least := range map[string]float64{
				"run": 0.05, "keep": 0.03, "stop": 0.05, "expected": 0.05,
				"node_name": 0.03, "node_selector": 0.03, "node_affinity": 0.03, "taint": 0.05,
				"sole taint": 0.03, "expected, not run": 0.01,
			} {
				if share := float64(o.seen[what]) / float64(o.pairs); share < least {
					t.Errorf("%q in %.1f %% of all pairs, want at least %.0f %%", what, 100*share, 100*least)
				}
			}
		})
	}
}

// newPairs returns the number of pairs of the new seed: $PLACEMENT_PAIRS, or what a
// suite has the time for.
func newPairs(t *testing.T) int {
	t.Helper()
	text := os.Getenv("PLACEMENT_PAIRS")
	if text == "" {
		return 60_000
	}
	pairs, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("PLACEMENT_PAIRS is no number: %v", err)
	}
	return pairs
}

type oracle struct {
	dice   *random.Dice
	logger klog.Logger
	pairs  int
	seen   map[string]int
}

// compare returns the first difference for one DaemonSet and some nodes.
func (o *oracle) compare() string {
	ds := random.DaemonSet(o.dice)
	placement := coverage.NewPlacement(&slim.FromDaemonSet(ds).Template, nil)
	var view coverage.View
	for range nodesEach {
		o.pairs++
		node := random.Node(o.dice)
		view.Show(slim.FromNode(node), &readiness.TaintRules{})
		got := placement.Decide(&view)
		want := o.decide(ds, node)
		if got != want {
			return fmt.Sprintf("%s\nupstream: %s\nnode %q, labels %v, taints %v\nDaemonSet %+v",
				words(got), words(want), node.Name, node.Labels, node.Spec.Taints, ds.Spec.Template.Spec)
		}
		o.seen[got.Upstream.String()]++
		o.seen[got.Exclusion.String()]++
		if got.Sole >= 0 {
			o.seen["sole taint"]++
		}
		if got.Withheld >= 0 {
			o.seen["withheld"]++
		}
		if got.Exclusion == coverage.NotExcluded && got.Upstream != coverage.VerdictRun {
			o.seen["expected, not run"]++
		}
	}
	return ""
}

func words(d coverage.Decision) string {
	return fmt.Sprintf("%v, %v, sole taint %d, withheld by %d", d.Upstream, d.Exclusion, d.Sole, d.Withheld)
}

func (o *oracle) upstream(ds *appsv1.DaemonSet, node *corev1.Node) coverage.Verdict {
	switch run, keep := daemon.NodeShouldRunDaemonPod(o.logger, node, ds); {
	case run:
		return coverage.VerdictRun
	case keep:
		return coverage.VerdictKeep
	default:
		return coverage.VerdictStop
	}
}

// decide returns the decision according to upstream.
func (o *oracle) decide(ds *appsv1.DaemonSet, node *corev1.Node) coverage.Decision {
	bare := random.WithoutConditions(node)
	decision := coverage.Decision{Upstream: o.upstream(ds, node), Exclusion: coverage.NotExcluded, Sole: -1, Withheld: -1}
	if o.upstream(ds, bare) == coverage.VerdictRun {
		decision.Withheld, decision.HeldBack = o.withholding(ds, bare, node.Spec.Taints)
		return decision
	}
	if decision.Exclusion = o.exclusion(&ds.Spec.Template.Spec, bare); decision.Exclusion == coverage.ExcludedByTaint {
		decision.Sole = o.sole(ds, node)
	}
	return decision
}

// exclusion returns the first rule that alone excludes the node, by upstream.
func (o *oracle) exclusion(spec *corev1.PodSpec, node *corev1.Node) coverage.Exclusion {
	for _, rule := range []struct {
		alone     corev1.PodSpec
		exclusion coverage.Exclusion
	}{
		{corev1.PodSpec{NodeName: spec.NodeName, Tolerations: []corev1.Toleration{objects.TolerateAll()}}, coverage.ExcludedByNodeName},
		{corev1.PodSpec{NodeSelector: spec.NodeSelector, Tolerations: []corev1.Toleration{objects.TolerateAll()}}, coverage.ExcludedByNodeSelector},
		{corev1.PodSpec{Affinity: spec.Affinity, Tolerations: []corev1.Toleration{objects.TolerateAll()}}, coverage.ExcludedByNodeAffinity},
	} {
		var part appsv1.DaemonSet
		part.Spec.Template.Spec = rule.alone
		if o.upstream(&part, node) != coverage.VerdictRun {
			return rule.exclusion
		}
	}
	return coverage.ExcludedByTaint
}

// withholding is the index of the first of the taints for which alone upstream would
// not run the pod on a node where it runs otherwise; -1 if there is none. Those that
// repeat the Ready condition come last.
func (o *oracle) withholding(ds *appsv1.DaemonSet, bare *corev1.Node, taints []corev1.Taint) (index int8, heldBack bool) {
	first := int8(-1)
	for i, taint := range taints {
		with := *bare
		with.Spec.Taints = append(slices.Clone(bare.Spec.Taints), taint)
		switch {
		case o.upstream(ds, &with) == coverage.VerdictRun:
		case taint.Key != corev1.TaintNodeNotReady && taint.Key != corev1.TaintNodeUnreachable:
			return int8(i), true
		case first < 0:
			first = int8(i)
		}
	}
	return first, false
}

// sole is the index of the taint without which upstream would run the pod, once
// the node's condition is left out; -1 if there is no such taint.
func (o *oracle) sole(ds *appsv1.DaemonSet, node *corev1.Node) int8 {
	for i := range node.Spec.Taints {
		without := *node
		without.Spec.Taints = slices.Concat(node.Spec.Taints[:i], node.Spec.Taints[i+1:])
		if o.upstream(ds, random.WithoutConditions(&without)) == coverage.VerdictRun {
			return int8(i)
		}
	}
	return -1
}
