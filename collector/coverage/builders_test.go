package coverage_test

import (
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// at is so many seconds after noon, when the exporter starts. What it sees has
// fractions of a second; stamps have none.
func at(seconds float64) time.Time {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	return noon.Add(time.Duration(seconds * float64(time.Second)))
}

func stamp(seconds int) metav1.Time { return metav1.Unix(at(0).Unix()+int64(seconds), 0) }

// node is one that was created long before noon and has been Ready since.
func node(name string, options ...func(*corev1.Node)) *slim.Node {
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: name, UID: types.UID("node-" + name), CreationTimestamp: stamp(-9000), Labels: map[string]string{},
	}}
	nodeIs("True", -8990)(object)
	for _, change := range options {
		change(object)
	}
	return slim.FromNode(object)
}

func nodeIs(ready corev1.ConditionStatus, since int) func(*corev1.Node) {
	return func(n *corev1.Node) {
		n.Status.Conditions = []corev1.NodeCondition{{Type: "Ready", Status: ready, LastTransitionTime: stamp(since)}}
	}
}

// unreachable is what the node lifecycle controller makes of a node whose
// kubelet has gone.
func unreachable(since int) func(*corev1.Node) {
	return func(n *corev1.Node) {
		nodeIs("Unknown", since)(n)
		tainted("node.kubernetes.io/unreachable", "NoSchedule")(n)
		tainted("node.kubernetes.io/unreachable", "NoExecute")(n)
	}
}

func withoutStatus(n *corev1.Node) { n.Status.Conditions = nil }

func tainted(key string, effect corev1.TaintEffect) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Effect: effect}) }
}

func cordoned(n *corev1.Node) {
	n.Spec.Unschedulable = true
	tainted("node.kubernetes.io/unschedulable", "NoSchedule")(n)
}

func labelled(key, value string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Labels[key] = value }
}

func nodeCreated(seconds int) func(*corev1.Node) {
	return func(n *corev1.Node) { n.CreationTimestamp = stamp(seconds) }
}

func nodeUID(uid types.UID) func(*corev1.Node) { return func(n *corev1.Node) { n.UID = uid } }

// daemonSet is one that was created before noon, after the nodes. It runs
// everywhere and may replace one pod at a time.
func daemonSet(name string, options ...func(*appsv1.DaemonSet)) *slim.DaemonSet {
	one, none := intstr.FromInt32(1), intstr.FromInt32(0)
	object := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, UID: types.UID(name), CreationTimestamp: stamp(-8000), Generation: 1,
			Annotations: map[string]string{appsv1.DeprecatedTemplateGeneration: "1"},
		},
		Spec: appsv1.DaemonSetSpec{UpdateStrategy: appsv1.DaemonSetUpdateStrategy{
			Type:          appsv1.RollingUpdateDaemonSetStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &one, MaxSurge: &none},
		}},
		Status: appsv1.DaemonSetStatus{ObservedGeneration: 1},
	}
	for _, change := range options {
		change(object)
	}
	return slim.FromDaemonSet(object)
}

func selecting(key, value string) func(*appsv1.DaemonSet) {
	return func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.NodeSelector = map[string]string{key: value} }
}

func tolerating(tolerations ...corev1.Toleration) func(*appsv1.DaemonSet) {
	return func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.Tolerations = tolerations }
}

func tolerateAll() corev1.Toleration { return corev1.Toleration{Operator: corev1.TolerationOpExists} }

func minReady(seconds int32) func(*appsv1.DaemonSet) {
	return func(ds *appsv1.DaemonSet) { ds.Spec.MinReadySeconds = seconds }
}

// budget sets maxUnavailable and maxSurge.
func budget(unavailable, surge string) func(*appsv1.DaemonSet) {
	u, s := intstr.Parse(unavailable), intstr.Parse(surge)
	return func(ds *appsv1.DaemonSet) {
		ds.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &u, MaxSurge: &s}
	}
}

func onDelete(ds *appsv1.DaemonSet) {
	ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType}
}

// generation is that of the DaemonSet and of its template.
func generation(number int64) func(*appsv1.DaemonSet) {
	return func(ds *appsv1.DaemonSet) {
		ds.Generation, ds.Status.ObservedGeneration = number, number
		ds.Annotations[appsv1.DeprecatedTemplateGeneration] = strconv.FormatInt(number, 10)
	}
}

func daemonSetCreated(seconds int) func(*appsv1.DaemonSet) {
	return func(ds *appsv1.DaemonSet) { ds.CreationTimestamp = stamp(seconds) }
}

func daemonSetUID(uid types.UID) func(*appsv1.DaemonSet) {
	return func(ds *appsv1.DaemonSet) { ds.UID = uid }
}

func status(s appsv1.DaemonSetStatus) func(*appsv1.DaemonSet) {
	return func(ds *appsv1.DaemonSet) { s.ObservedGeneration = ds.Generation; ds.Status = s }
}

// pod is one of the DaemonSet on the node: of its first revision, created before
// noon, running and Ready.
func pod(ds, node string, options ...func(*corev1.Pod)) *slim.Pod {
	controller := true
	object := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: ds + "-" + node, UID: types.UID("pod-" + ds + "-" + node), CreationTimestamp: stamp(-7000),
			Labels:          map[string]string{"controller-revision-hash": "first", "pod-template-generation": "1"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "DaemonSet", Name: ds, UID: types.UID(ds), Controller: &controller}},
		},
		Spec: corev1.PodSpec{NodeName: node},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning,
			ContainerStatuses: []corev1.ContainerStatus{{
				Name: "agent", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
			}},
		},
	}
	podIs("True", -6990)(object)
	for _, change := range options {
		change(object)
	}
	return slim.FromPod(object)
}

func podIs(ready corev1.ConditionStatus, since int) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions = append(p.Status.Conditions,
			corev1.PodCondition{Type: corev1.PodReady, Status: ready, LastTransitionTime: stamp(since)})
	}
}

func unbound(p *corev1.Pod) {
	name := p.Spec.NodeName
	p.Spec.NodeName, p.Status = "", corev1.PodStatus{Phase: corev1.PodPending}
	p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In", Values: []string{name}}},
		}}},
	}}
}

// unschedulable is an unbound pod that the scheduler has given up on for now.
func unschedulable(message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		unbound(p)
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: "False", Reason: "Unschedulable", Message: message}}
	}
}

func containerIs(state corev1.ContainerState, restarts int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0] = corev1.ContainerStatus{Name: "agent", State: state, RestartCount: restarts}
	}
}

func waiting(reason string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
}

func running() corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
}

func terminated(code int32) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Error"}}
}

// starting is a bound pod whose image is there and whose container is not yet.
func starting(since int) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		phase("Pending")(p)
		podIs("False", since)(p)
		containerIs(waiting("ContainerCreating"), 0)(p)
	}
}

func phase(phase corev1.PodPhase) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.Phase = phase }
}

// deleted is a pod whose grace period ends at that time.
func deleted(end int, grace int64) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		deadline := stamp(end)
		p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &deadline, &grace
	}
}

// revision is what the pod's template was called and its generation.
func revision(hash string, generation int) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Labels["controller-revision-hash"], p.Labels["pod-template-generation"] = hash, strconv.Itoa(generation)
	}
}

// taken is when the kubelet took the pod.
func taken(seconds int) func(*corev1.Pod) {
	start := stamp(seconds)
	return func(p *corev1.Pod) { p.Status.StartTime = &start }
}

func podCreated(seconds int) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.CreationTimestamp = stamp(seconds) }
}

// called tells a second pod of the cell from the first.
func called(name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Name, p.UID = name, types.UID("pod-"+name) }
}
