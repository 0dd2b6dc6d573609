package collector

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// cast is a cluster whose objects change one at a time, and a collector that
// watches them. Changes are stamped with the second in which they happen.
type cast struct {
	*world
	begin time.Time
	nodes map[string]*corev1.Node
	sets  map[string]*appsv1.DaemonSet
	pods  map[string]*corev1.Pod
	// twice delivers every change twice.
	twice bool
}

// stage begins a story at second 0. Nodes are an hour old, unless told
// otherwise, and so is the DaemonSet agent, which runs on all of them.
func stage(t testing.TB, nodes ...string) *cast {
	t.Helper()
	begin := time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)
	c := &cast{
		world: newWorld(t, begin), begin: begin,
		nodes: map[string]*corev1.Node{}, sets: map[string]*appsv1.DaemonSet{}, pods: map[string]*corev1.Pod{},
	}
	for _, name := range nodes {
		c.node(name, corev1.ConditionTrue, nodeAt(c.stamp(-3600)))
	}
	c.daemonSet("agent", func(ds *appsv1.DaemonSet) { ds.CreationTimestamp = c.stamp(-3600) })
	for _, name := range nodes {
		c.pod(name+"-1", name, ready, func(p *corev1.Pod, _ metav1.Time) {
			p.CreationTimestamp, p.Status.StartTime = c.stamp(-3000), new(c.stamp(-3000))
			p.Status.Conditions[1].LastTransitionTime = c.stamp(-2998)
		})
	}
	return c
}

// synced lets the collector begin.
func (c *cast) synced() *cast {
	c.do(c.collector.Synced)
	return c
}

// after lets the clock show so many seconds since the beginning.
func (c *cast) after(seconds float64) *cast {
	c.at(c.begin.Add(time.Duration(seconds * float64(time.Second))))
	return c
}

// stamp is a second of the story.
func (c *cast) stamp(seconds int) metav1.Time {
	return metav1.NewTime(c.begin.Add(time.Duration(seconds) * time.Second))
}

func (c *cast) now() metav1.Time { return metav1.NewTime(c.clock.Now().Truncate(time.Second)) }

func nodeAt(created metav1.Time) func(*corev1.Node) {
	return func(n *corev1.Node) {
		n.CreationTimestamp, n.Status.Conditions[0].LastTransitionTime = created, created
	}
}

// node makes a node or changes its Ready condition.
func (c *cast) node(name string, ready corev1.ConditionStatus, changes ...func(*corev1.Node)) {
	old := c.nodes[name]
	var node *corev1.Node
	if old == nil {
		node = &corev1.Node{ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID(name + c.clock.Now().String()), CreationTimestamp: c.now(),
			Labels: map[string]string{corev1.LabelHostname: name},
		}}
		node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready, LastTransitionTime: c.now()}}
	} else {
		node = old.DeepCopy()
		if condition := &node.Status.Conditions[0]; condition.Status != ready {
			condition.Status, condition.LastTransitionTime = ready, c.now()
		}
	}
	for _, change := range changes {
		change(node)
	}
	c.nodes[name] = node
	var before *slim.Node
	if old != nil {
		before = slim.FromNode(old)
	}
	after := slim.FromNode(node)
	c.deliver(func() { c.collector.Node(before, after) }, func() { c.collector.Node(after, slim.FromNode(node)) })
}

func (c *cast) deleteNode(name string) {
	node := slim.FromNode(c.nodes[name])
	delete(c.nodes, name)
	c.do(func() { c.collector.Node(node, nil) })
}

func (c *cast) daemonSet(name string, changes ...func(*appsv1.DaemonSet)) {
	old := c.sets[name]
	ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "default", UID: types.UID(name + c.clock.Now().String()), CreationTimestamp: c.now(), Generation: 1,
		Annotations: map[string]string{appsv1.DeprecatedTemplateGeneration: "1"},
	}}
	if old != nil {
		ds = old.DeepCopy()
		ds.Generation++
	}
	for _, change := range changes {
		change(ds)
	}
	c.sets[name] = ds
	var before *slim.DaemonSet
	if old != nil {
		before = slim.FromDaemonSet(old)
	}
	after := slim.FromDaemonSet(ds)
	c.deliver(func() { c.collector.DaemonSet(before, after) }, func() { c.collector.DaemonSet(after, slim.FromDaemonSet(ds)) })
}

func (c *cast) deleteDaemonSet(name string) {
	ds := slim.FromDaemonSet(c.sets[name])
	delete(c.sets, name)
	c.do(func() { c.collector.DaemonSet(ds, nil) })
}

// pod makes a pod of the agent for a node or changes it.
func (c *cast) pod(name, node string, changes ...change) {
	old := c.pods[name]
	var pod *corev1.Pod
	var before *slim.Pod
	if old == nil {
		pod = &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Name: name, Namespace: "default", UID: types.UID(name + c.clock.Now().String()), CreationTimestamp: c.now(),
				Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: "one", "pod-template-generation": "1"},
			},
			Spec: corev1.PodSpec{NodeName: node},
			Status: corev1.PodStatus{
				Phase: corev1.PodPending, StartTime: new(c.now()),
				Conditions: []corev1.PodCondition{
					{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: c.now()},
					{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: c.now()},
				},
				ContainerStatuses: []corev1.ContainerStatus{{
					Name: "agent", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}},
				}},
			},
		}
		if owner := c.sets["agent"]; owner != nil {
			pod.OwnerReferences = []metav1.OwnerReference{{Kind: "DaemonSet", Name: "agent", UID: owner.UID, Controller: new(true)}}
		}
	} else {
		pod, before = old.DeepCopy(), slim.FromPod(old)
	}
	for _, change := range changes {
		change(pod, c.now())
	}
	c.pods[name] = pod
	after := slim.FromPod(pod)
	c.deliver(func() { c.collector.Pod(before, after) }, func() { c.collector.Pod(after, slim.FromPod(pod)) })
}

// gone removes a pod; unseen tells that a relist finds it gone.
func (c *cast) gone(name string, unseen bool) {
	pod := slim.FromPod(c.pods[name])
	if unseen {
		pod = slim.MissedPod(pod)
	}
	delete(c.pods, name)
	c.do(func() { c.collector.Pod(pod, nil) })
}

func (c *cast) deliver(first, again func()) {
	c.do(first)
	if c.twice {
		c.do(again)
	}
}

// restarted is the exporter after a restart: another collector that finds the
// objects as they are.
func (c *cast) restarted() *cast {
	c.t.Helper()
	next := *c
	next.world = newWorld(c.t, c.clock.Now())
	next.nodes, next.sets, next.pods = maps.Clone(c.nodes), maps.Clone(c.sets), maps.Clone(c.pods)
	for _, name := range slices.Sorted(maps.Keys(c.pods)) {
		next.collector.Pod(nil, slim.FromPod(c.pods[name]))
	}
	for _, node := range c.nodes {
		next.collector.Node(nil, slim.FromNode(node))
	}
	for _, ds := range c.sets {
		next.collector.DaemonSet(nil, slim.FromDaemonSet(ds))
	}
	return next.synced()
}

// says checks all samples whose names begin with one of the families. Zeros
// are left out, times agree to the millisecond.
func (c *cast) says(why string, families string, want samples) {
	c.t.Helper()
	got := samples{}
	for name, value := range c.scrape() {
		for family := range strings.FieldsSeq(families) {
			if strings.HasPrefix(name, family) && value != 0 {
				got[name] = value
			}
		}
	}
	stated := samples{}
	for name, value := range want {
		if value != 0 {
			stated[name] = value
		}
	}
	if diff := cmp.Diff(stated, got, cmpopts.EquateApprox(0, 0.001)); diff != "" {
		c.t.Errorf("%s (-want +got):\n%s", why, diff)
	}
}
