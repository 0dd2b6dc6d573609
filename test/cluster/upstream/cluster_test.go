package upstream

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/random"
)

// randomCluster returns eight nodes and thirty DaemonSets, with up to three pods in
// each cell: old and new, bound or not, terminating, ended.
func randomCluster(d *random.Dice) *cluster {
	c := &cluster{}
	for i := range 8 {
		c.nodes = append(c.nodes, randomNode(d, fmt.Sprintf("node-%d", i)))
	}
	for i := range 30 {
		ds := randomDaemonSet(d, fmt.Sprintf("agent-%d", i))
		c.sets = append(c.sets, ds)
		for _, node := range c.nodes {
			c.addPods(d, ds, node.Name)
		}
		c.addPods(d, ds, "node-that-is-gone")
	}
	return c
}

func (c *cluster) addPods(d *random.Dice, ds *appsv1.DaemonSet, node string) {
	for range random.Choose(d, 0, 1, 1, 1, 1, 2, 2, 3) {
		c.pods = append(c.pods, randomPod(d, ds, node, fmt.Sprintf("%s-%04d-%d", ds.Name, d.Roll(10000), len(c.pods))))
	}
}

func randomNode(d *random.Dice, name string) *corev1.Node {
	node := objects.Node(name, objects.Label("type", random.Choose(d, "worker", "worker", "gpu")))
	switch d.Roll(6) {
	case 0:
		objects.Unreachable(-60)(node)
	case 1:
		objects.Tainted("gpu", random.Choose[corev1.TaintEffect](d, "NoSchedule", "NoExecute"))(node)
	}
	return node
}

func randomDaemonSet(d *random.Dice, name string) *appsv1.DaemonSet {
	ds := objects.DaemonSet(name, objects.Generation(2), objects.MinReadySeconds(random.Choose[int32](d, 0, 0, 30)), objects.OnDelete())
	app := map[string]string{"app": name}
	ds.Spec.Selector, ds.Spec.Template.Labels = &metav1.LabelSelector{MatchLabels: app}, app
	ds.Spec.RevisionHistoryLimit = new(int32)
	if d.Roll(3) == 0 {
		objects.NodeSelector("type", "worker")(ds)
	}
	switch d.Roll(4) {
	case 0:
		objects.Tolerating(objects.TolerateAll())(ds)
	case 1:
		objects.Tolerating(objects.Tolerate("gpu"))(ds)
	}
	return ds
}

// randomPod returns a pod with timestamps up to a minute old: some Ready pods are not
// yet available, and some pods of a cell are equally old.
func randomPod(d *random.Dice, ds *appsv1.DaemonSet, node, name string) *corev1.Pod {
	generation := random.Choose(d, 1, 2, 2)
	pod := objects.Pod(name, objects.On(node), objects.OwnedBy(ds), objects.Created(-60-float64(d.Roll(3))),
		objects.Label("app", ds.Name), objects.Revision(fmt.Sprint("hash-", generation), generation))
	phase := random.Choose[corev1.PodPhase](d, "Running", "Running", "Running", "Running", "Pending", "Failed", "Succeeded")
	ready := random.Choose(d, objects.Ready, objects.Ready, objects.Ready, objects.NotReady, objects.ReadyUnknown)
	ready(-float64(d.Roll(60)))(pod)
	objects.Phase(phase)(pod)
	if d.Roll(6) == 0 {
		status := pod.Status
		objects.Unbound()(pod)
		pod.Status = status // as if it were bound
	}
	if d.Roll(5) == 0 {
		objects.Terminating(-20, 30)(pod)
	}
	return pod
}
