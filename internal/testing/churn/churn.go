// Package churn is a cluster in which everything is replaced within an hour: all pods by
// rollouts, nodes by an autoscaler, namespaces with all that is in them. At the end of an
// hour it is what it was at the beginning, but for names. What a program then holds more
// than before, it will hold more of for ever.
package churn

import (
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// Handler is given what happens, at a time in seconds after objects.Noon. Objects are not
// changed afterwards.
type Handler interface {
	Set(at float64, object metav1.Object)
	Delete(at float64, object metav1.Object)
}

// Cluster is a cluster in which each DaemonSet has a working pod on each node.
type Cluster struct {
	to    Handler
	now   float64
	sets  []*appsv1.DaemonSet
	nodes []*corev1.Node
	pods  map[cell]*corev1.Pod
	// made counts all objects that were ever made, so that no name is used twice.
	made int
}

// cell identifies the pod of a DaemonSet on a node, by UID and name.
type cell struct{ daemonSet, node string }

// New tells of a cluster with so many nodes and DaemonSets.
func New(nodes, daemonSets int, to Handler) *Cluster {
	c := &Cluster{to: to, now: -7000, pods: map[cell]*corev1.Pod{}}
	for number := range daemonSets {
		c.sets = append(c.sets, c.addDaemonSet("agents", fmt.Sprintf("agent-%d", number), nodes))
	}
	for range nodes {
		c.addNode()
	}
	c.now = 0
	return c
}

// Hour lets an hour pass, or more if it takes longer. At its end nothing happens for longer
// than any grace.
func (c *Cluster) Hour() {
	const hour, quiet = 3600, 1200
	end := c.now + hour
	for i := range c.sets {
		c.rollOut(i)
	}
	for range (len(c.nodes) + 9) / 10 {
		c.replaceNode()
	}
	for range 3 {
		c.passThroughNamespace()
	}
	c.now = max(end, c.now+quiet)
}

// Now returns the time.
func (c *Cluster) Now() float64 { return c.now }

// wait lets time pass.
func (c *Cluster) wait(seconds float64) { c.now += seconds }

func (c *Cluster) set(object metav1.Object) { c.to.Set(c.now, object) }

// name returns a name that was not used yet.
func (c *Cluster) name(prefix string) string {
	c.made++
	return prefix + "-" + strconv.Itoa(c.made)
}

func (c *Cluster) addDaemonSet(namespace, name string, nodes int) *appsv1.DaemonSet {
	ds := objects.DaemonSet(c.name(name), objects.Created(c.now))
	ds.Namespace, ds.Name = namespace, name
	count := int32(nodes)
	objects.Status(appsv1.DaemonSetStatus{
		DesiredNumberScheduled: count, CurrentNumberScheduled: count, UpdatedNumberScheduled: count, NumberReady: count, NumberAvailable: count,
	})(ds)
	c.set(ds)
	return ds
}

// addNode adds a node that becomes Ready when it has its pods.
func (c *Cluster) addNode() {
	name := c.name("node")
	node := objects.Node(name, objects.Created(c.now), objects.NotReady(c.now), objects.Label(corev1.LabelTopologyZone, "zone-"+strconv.Itoa(len(c.nodes)%3)))
	c.nodes = append(c.nodes, node)
	c.set(node)
	c.wait(1)
	c.updateNode(len(c.nodes)-1, objects.Ready(c.now))
	for _, ds := range c.sets {
		c.addPod(ds, name)
	}
}

func (c *Cluster) updateNode(index int, change objects.Option) {
	c.nodes[index] = objects.Updated(c.nodes[index], change)
	c.set(c.nodes[index])
}

// addPod adds a pod that becomes available in the usual steps.
func (c *Cluster) addPod(ds *appsv1.DaemonSet, node string) {
	pod := objects.Pod(c.name(ds.Name), objects.On(node), objects.OwnedBy(ds),
		objects.Revision("revision-"+strconv.FormatInt(ds.Generation, 10), int(ds.Generation)), objects.Created(c.now), objects.Unbound())
	pod.Namespace = ds.Namespace
	c.set(pod)
	place := cell{string(ds.UID), node}
	for _, step := range []func() objects.Option{
		func() objects.Option {
			return objects.Change(func(p *corev1.Pod) { objects.On(node)(p); objects.Scheduled(c.now)(p) })
		},
		func() objects.Option {
			return objects.Change(func(p *corev1.Pod) { objects.StartTime(c.now)(p); objects.Starting(c.now)(p) })
		},
		func() objects.Option { return objects.Started(c.now) },
		func() objects.Option { return objects.Ready(c.now) },
	} {
		c.wait(0.1)
		pod = objects.Updated(pod, step())
		c.set(pod)
	}
	c.pods[place] = pod
}

// deletePod deletes a pod, which ends in time.
func (c *Cluster) deletePod(ds *appsv1.DaemonSet, node string) {
	place := cell{string(ds.UID), node}
	pod := objects.Updated(c.pods[place], objects.Terminating(c.now, 1))
	c.set(pod)
	c.wait(0.2)
	pod = objects.Updated(pod, objects.Finished(0, c.now))
	c.set(pod)
	c.wait(0.1)
	c.to.Delete(c.now, pod)
	delete(c.pods, place)
}

// rollOut replaces all pods of a DaemonSet, one after the other. Some crash at first.
func (c *Cluster) rollOut(index int) {
	ds := c.sets[index]
	ds = objects.Updated(ds, objects.Generation(ds.Generation+1))
	c.sets[index] = ds
	c.set(ds)
	for number, node := range c.nodes {
		c.deletePod(ds, node.Name)
		c.addPod(ds, node.Name)
		if number%10 == 0 {
			c.crash(ds, node.Name)
		}
	}
}

// crash lets a pod crash once.
func (c *Cluster) crash(ds *appsv1.DaemonSet, node string) {
	place := cell{string(ds.UID), node}
	c.wait(1)
	pod := objects.Updated(c.pods[place], objects.Restarted(1, 1, "Error", c.now), objects.CrashLooping(c.now))
	c.set(pod)
	c.wait(1)
	c.pods[place] = objects.Updated(pod, objects.Ready(c.now))
	c.set(c.pods[place])
}

// replaceNode replaces the oldest node: it falls silent and comes back, is announced to
// be removed, loses its pods, and is gone.
func (c *Cluster) replaceNode() {
	c.updateNode(0, objects.Unreachable(c.now))
	c.wait(5)
	c.updateNode(0, objects.Change(func(n *corev1.Node) { n.Spec.Taints = nil; objects.Ready(c.now)(n) }))
	c.updateNode(0, objects.Tainted("ToBeDeletedByClusterAutoscaler", corev1.TaintEffectNoSchedule))
	last := c.nodes[0]
	for _, ds := range c.sets {
		c.deletePod(ds, last.Name)
	}
	c.to.Delete(c.now, last)
	c.nodes = c.nodes[1:]
	c.addNode()
}

// passThroughNamespace adds a namespace with a DaemonSet, and deletes it.
func (c *Cluster) passThroughNamespace() {
	ds := c.addDaemonSet(c.name("team"), "guest", len(c.nodes))
	for _, node := range c.nodes {
		c.addPod(ds, node.Name)
	}
	ending := objects.Updated(ds, objects.Deleted(c.now))
	c.set(ending)
	for _, node := range c.nodes {
		c.deletePod(ds, node.Name)
	}
	c.to.Delete(c.now, ending)
}
