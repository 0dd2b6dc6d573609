package upstream

import (
	"math/rand/v2"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/daemon"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/informers/record"
)

const (
	// fixedSeed makes every run of the first test the same.
	fixedSeed = 20261124
	// pairs is how many (DaemonSet, node) pairs each run compares.
	pairs = 200_000
)

func TestPlacementIsTheControllers(t *testing.T) {
	t.Parallel()
	t.Run("with the fixed seed", func(t *testing.T) {
		t.Parallel()
		comparePlacement(t, fixedSeed)
	})
	t.Run("with a random seed", func(t *testing.T) {
		t.Parallel()
		comparePlacement(t, rand.Uint64())
	})
}

// comparePlacement makes random pairs and finds not one difference. Few enough
// keys and values make every verdict and every exclusion occur often.
func comparePlacement(t *testing.T, seed uint64) {
	t.Helper()
	t.Logf("seed %d", seed)
	random := &generator{rand.New(rand.NewPCG(seed, 0))}
	logger := klog.Logger{}
	verdicts := map[coverage.Verdict]int{}
	exclusions := map[coverage.Exclusion]int{}
	for range pairs / 4 {
		ds := random.daemonSet()
		placement := coverage.NewPlacement(&record.FromDaemonSet(ds).Template)
		for range 4 {
			node := random.node()
			var view coverage.View
			view.Show(record.FromNode(node))
			decision := placement.Decide(&view)
			verdicts[decision.Upstream]++
			exclusions[decision.Exclusion]++

			if want := upstreamVerdict(logger, node, ds); decision.Upstream != want {
				t.Fatalf("upstream says %s, we say %s\nDaemonSet: %+v\nnode: %s %v %+v",
					want, decision.Upstream, ds.Spec.Template.Spec, node.Name, node.Labels, node.Spec.Taints)
			}
			// What is expected is what upstream runs on the same node once it
			// has no taint that reports its condition.
			healthy := node.DeepCopy()
			healthy.Spec.Taints = withoutConditions(node.Spec.Taints)
			want := upstreamVerdict(logger, healthy, ds) == coverage.Run
			if got := decision.Exclusion == coverage.Expected; got != want {
				t.Fatalf("expected is %t, want %t\nDaemonSet: %+v\nnode: %s %v %+v",
					got, want, ds.Spec.Template.Spec, node.Name, node.Labels, node.Spec.Taints)
			}
		}
	}
	t.Logf("verdicts %v, exclusions %v", verdicts, exclusions)
	for verdict := range coverage.Verdicts {
		if verdicts[verdict] < pairs/100 {
			t.Errorf("only %d pairs of %d are %s: the test says little of them", verdicts[verdict], pairs, verdict)
		}
	}
	for exclusion := range coverage.Exclusions {
		if exclusions[exclusion] < pairs/100 {
			t.Errorf("only %d pairs of %d are %s: the test says little of them", exclusions[exclusion], pairs, exclusion)
		}
	}
}

func upstreamVerdict(logger klog.Logger, node *corev1.Node, ds *appsv1.DaemonSet) coverage.Verdict {
	shouldRun, shouldContinue := daemon.NodeShouldRunDaemonPod(logger, node, ds)
	switch {
	case shouldRun:
		return coverage.Run
	case shouldContinue:
		return coverage.Keep
	default:
		return coverage.Stop
	}
}

// withoutConditions leaves out the taints of a failed or cordoned node, as the
// design lists them.
func withoutConditions(taints []corev1.Taint) []corev1.Taint {
	var kept []corev1.Taint
	for _, taint := range taints {
		switch taint.Key {
		case "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable",
			"node.kubernetes.io/disk-pressure", "node.kubernetes.io/memory-pressure",
			"node.kubernetes.io/pid-pressure", "node.kubernetes.io/network-unavailable",
			"node.kubernetes.io/unschedulable":
		default:
			kept = append(kept, taint)
		}
	}
	return kept
}
