package upstream

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func choose[T any](d dice, from ...T) T { return from[d.Roll(len(from))] }

func secondsAgo(seconds int) metav1.Time {
	return metav1.NewTime(now.Add(-time.Duration(seconds) * time.Second))
}

// randomCluster makes up eight nodes and thirty DaemonSets, with none to three
// pods in each cell: old and new, bound or not, asked to end, ended.
func randomCluster(d dice) *cluster {
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

func (c *cluster) addPods(d dice, ds *appsv1.DaemonSet, node string) {
	for range choose(d, 0, 1, 1, 1, 1, 2, 2, 3) {
		c.pods = append(c.pods, randomPod(d, ds, node, fmt.Sprintf("%s-%04d-%d", ds.Name, d.Roll(10000), len(c.pods))))
	}
}

func randomNode(d dice, name string) *corev1.Node {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: name, UID: types.UID(name), Labels: map[string]string{"type": choose(d, "worker", "worker", "gpu")},
	}}
	switch d.Roll(6) {
	case 0:
		node.Spec.Taints = []corev1.Taint{
			{Key: "node.kubernetes.io/unreachable", Effect: "NoSchedule"}, {Key: "node.kubernetes.io/unreachable", Effect: "NoExecute"},
		}
	case 1:
		node.Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: choose[corev1.TaintEffect](d, "NoSchedule", "NoExecute")}}
	}
	return node
}

func randomDaemonSet(d dice, name string) *appsv1.DaemonSet {
	app := map[string]string{"app": name}
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, UID: types.UID(name), Generation: 2,
			Annotations: map[string]string{appsv1.DeprecatedTemplateGeneration: "2"},
		},
		Spec: appsv1.DaemonSetSpec{
			Selector:             &metav1.LabelSelector{MatchLabels: app},
			RevisionHistoryLimit: new(int32),
			MinReadySeconds:      choose[int32](d, 0, 0, 30),
			UpdateStrategy:       appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType},
			Template:             corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: app}},
		},
	}
	spec := &ds.Spec.Template.Spec
	if d.Roll(3) == 0 {
		spec.NodeSelector = map[string]string{"type": "worker"}
	}
	switch d.Roll(4) {
	case 0:
		spec.Tolerations = tolerateAll
	case 1:
		spec.Tolerations = []corev1.Toleration{{Key: "gpu", Operator: "Exists"}}
	}
	return ds
}

// randomPod has stamps up to a minute old: some Ready pods are not yet available
// and some of a cell are of the same age.
func randomPod(d dice, ds *appsv1.DaemonSet, node, name string) *corev1.Pod {
	generation := choose(d, "1", "2", "2")
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, UID: types.UID(name), CreationTimestamp: secondsAgo(60 + d.Roll(3)),
			Labels: map[string]string{
				"app": ds.Name, "pod-template-generation": generation, "controller-revision-hash": "hash-" + generation,
			},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(ds, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))},
		},
		Spec: corev1.PodSpec{NodeName: node},
		Status: corev1.PodStatus{
			Phase: choose[corev1.PodPhase](d, "Running", "Running", "Running", "Running", "Pending", "Failed", "Succeeded"),
			Conditions: []corev1.PodCondition{{
				Type: "Ready", Status: choose[corev1.ConditionStatus](d, "True", "True", "True", "False", "Unknown"),
				LastTransitionTime: secondsAgo(d.Roll(60)),
			}},
		},
	}
	if d.Roll(6) == 0 {
		pod.Spec.NodeName = ""
		pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In", Values: []string{node}}},
			}}},
		}}
	}
	if d.Roll(5) == 0 {
		grace, deadline := int64(30), metav1.NewTime(now.Add(10*time.Second))
		pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &deadline, &grace
	}
	return pod
}
