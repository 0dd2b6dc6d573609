package upstream

import (
	"fmt"
	"math/rand/v2"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// In the middle of an update the controller replaces as many pods that work as
// the budget leaves: the ledger's budget less what, by the ledger, spends it.
func TestBudgetAgainstTheController(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{fixedSeed, rand.Uint64()} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			random := dice{rand.New(rand.NewPCG(seed, 2))}
			seen := map[string]int{}
			for number := range 8 {
				cluster := updatingCluster(random)
				done := cluster.run(t)
				for summary := range cluster.ledger(done.statuses).Summaries() {
					spent := 0
					for _, nodes := range summary.Totals.Unavailable {
						spent += int(nodes)
					}
					working, replaced := cluster.workingOldPods(summary.DaemonSet, done.deleted)
					want := min(max(0, summary.MaxUnavailable()-spent), working)
					if replaced != want {
						t.Errorf("cluster %d of seed %d: the controller replaces %d of %d working pods of %s, the budget is %d, spent %d",
							number, seed, replaced, working, summary.DaemonSet.Name, summary.MaxUnavailable(), spent)
					}
					seen["replaced"] += replaced
					seen["spent"] += spent
					if want < working && want > 0 {
						seen["partly"]++
					}
				}
			}
			t.Logf("updates of seed %d: %v", seed, seen)
			for _, what := range []string{"replaced", "spent", "partly"} {
				if seen[what] < 10 {
					t.Errorf("%s: %d in all updates together prove too little", what, seen[what])
				}
			}
		})
	}
}

// workingOldPods counts the pods of the old template that are available and that
// nobody but the update asks to end, and those of them that were deleted.
func (c *cluster) workingOldPods(ds *slim.DaemonSet, deleted map[string]bool) (working, replaced int) {
	for _, pod := range c.pods {
		if slim.FromPod(pod).Owner != ds.UID || pod.Labels["pod-template-generation"] != "1" || pod.DeletionTimestamp != nil {
			continue
		}
		ready := pod.Status.Conditions[0]
		if ready.Status == corev1.ConditionTrue && now.Sub(ready.LastTransitionTime.Time).Seconds() >= float64(ds.MinReadySeconds) {
			working++
			if deleted[pod.Name] {
				replaced++
			}
		}
	}
	return working, replaced
}

// updatingCluster is one in which the controller has nothing to do but to
// update: where a pod should run there is one, and nowhere else but on nodes
// where it may stay.
func updatingCluster(d dice) *cluster {
	random := randomCluster(d)
	c := &cluster{nodes: random.nodes}
	for _, ds := range random.sets {
		ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{
			Type: appsv1.RollingUpdateDaemonSetStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDaemonSet{
				MaxUnavailable: choose(d, parsed("1"), parsed("3"), parsed("10%"), parsed("34%"), parsed("60%"), parsed("100%")),
				MaxSurge:       parsed("0"),
			},
		}
		c.sets = append(c.sets, ds)
		o := oracle{logger: quiet()}
		for _, node := range c.nodes {
			switch o.upstream(ds, node).String() {
			case "run":
				c.addLivePod(d, ds, node.Name)
			case "keep":
				if d.Roll(2) == 0 {
					c.addLivePod(d, ds, node.Name)
				}
			}
		}
	}
	return c
}

// addLivePod adds a pod that has not ended: most have long been Ready, some are
// being deleted, and some of those have a successor.
func (c *cluster) addLivePod(d dice, ds *appsv1.DaemonSet, node string) {
	ending := d.Roll(12) == 0
	for {
		pod := randomPod(d, ds, node, fmt.Sprintf("%s-%d", ds.Name, len(c.pods)))
		if pod.Status.Phase != corev1.PodRunning || (pod.DeletionTimestamp != nil) != ending {
			continue
		}
		if d.Roll(4) != 0 {
			pod.Status.Conditions[0].Status, pod.Status.Conditions[0].LastTransitionTime = corev1.ConditionTrue, secondsAgo(60)
		}
		c.pods = append(c.pods, pod)
		if !ending || d.Roll(2) == 0 {
			return
		}
		ending = false
	}
}

func parsed(text string) *intstr.IntOrString {
	value := intstr.Parse(text)
	return &value
}
