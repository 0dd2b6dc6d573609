package upstream

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/random"
)

// During an update the controller replaces as many available pods as the exporter's
// budget minus its unavailable nodes.
func TestBudget(t *testing.T) {
	t.Parallel()
	for name, seed := range random.Seeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dice := random.Seeded(seed, 2)
			seen := map[string]int{}
			for number := range 8 {
				cluster := updatingCluster(dice)
				done := cluster.run(t)
				for summary := range cluster.state(done.statuses).Summaries() {
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
				check.That(t, seen[what] >= 10, "%s: only %d in all updates", what, seen[what])
			}
		})
	}
}

// workingOldPods returns the number of available pods of the old template that are not
// terminating, and how many of them were deleted.
func (c *cluster) workingOldPods(ds *slim.DaemonSet, deleted map[string]bool) (working, replaced int) {
	for _, pod := range c.pods {
		if slim.FromPod(pod).Owner != ds.UID || pod.Labels["pod-template-generation"] != "1" || pod.DeletionTimestamp != nil {
			continue
		}
		ready := pod.Status.Conditions[0]
		if ready.Status == corev1.ConditionTrue && objects.Noon.Sub(ready.LastTransitionTime.Time).Seconds() >= float64(ds.MinReadySeconds) {
			working++
			if deleted[pod.Name] {
				replaced++
			}
		}
	}
	return working, replaced
}

// updatingCluster returns a cluster in which the controller has nothing to do but to
// update: every node that should run a pod has one, and of the others only nodes
// where it may stay.
func updatingCluster(d *random.Dice) *cluster {
	all := randomCluster(d)
	c := &cluster{nodes: all.nodes}
	for _, ds := range all.sets {
		objects.RollingUpdate(random.Choose(d, "1", "3", "10%", "34%", "60%", "100%"), "0")(ds)
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
// terminating, and some of those have a successor.
func (c *cluster) addLivePod(d *random.Dice, ds *appsv1.DaemonSet, node string) {
	ending := d.Roll(12) == 0
	for {
		pod := randomPod(d, ds, node, fmt.Sprintf("%s-%d", ds.Name, len(c.pods)))
		if pod.Status.Phase != corev1.PodRunning || (pod.DeletionTimestamp != nil) != ending {
			continue
		}
		if d.Roll(4) != 0 {
			objects.Ready(-60)(pod)
		}
		c.pods = append(c.pods, pod)
		if !ending || d.Roll(2) == 0 {
			return
		}
		ending = false
	}
}
