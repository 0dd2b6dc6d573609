package random

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// Cluster is a cluster of a few Nodes, DaemonSets and Pods with arbitrary changes.
// Objects come and go independently: Pods before their Nodes, DaemonSets after their
// Pods. Timestamps are consistent with earlier events.
type Cluster struct {
	*Dice
	now        float64
	serial     int
	nodes      map[string]*clusterNode
	daemonSets map[string]*clusterDaemonSet
	pods       map[string]*slim.Pod
	backward   bool
}

type clusterNode struct {
	uid      types.UID
	created  float64
	wasReady bool
	object   *slim.Node
}

type clusterDaemonSet struct {
	uid        types.UID
	created    float64
	generation int64
	deleting   bool
	template   []objects.Option
	object     *slim.DaemonSet
}

// MaxNodes is the largest number of Nodes in a Cluster.
const MaxNodes = 4

var (
	nodeNames      = [MaxNodes]string{"a", "b", "c", "d"}
	daemonSetNames = []string{"agent", "proxy", "storage"}
)

// NewCluster returns a Cluster without objects, at objects.Noon. Its clock may be
// set back if backward is true.
func NewCluster(d *Dice, backward bool) *Cluster {
	return &Cluster{
		Dice: d, backward: backward,
		nodes: map[string]*clusterNode{}, daemonSets: map[string]*clusterDaemonSet{}, pods: map[string]*slim.Pod{},
	}
}

// second returns the current time with the precision of an object's timestamp.
func (c *Cluster) second() float64 { return math.Floor(c.now) }

func (c *Cluster) event(object any, gone bool) Event {
	return Event{At: objects.At(c.now), Object: object, Gone: gone}
}

// Next advances the time and returns the next events.
func (c *Cluster) Next() []Event {
	switch c.Roll(8) {
	case 0:
		c.now += 30 + float64(c.Roll(64))*10
	case 1:
		if c.backward && c.Roll(3) == 0 {
			c.now -= float64(c.Roll(60)) * 10
		}
	case 2, 3:
		c.now += float64(c.Roll(20)) / 10
	default:
		c.now += float64(c.Roll(150)) / 10
	}
	switch c.Roll(12) {
	case 0, 1:
		return c.changeNode(Choose(c.Dice, nodeNames[:]...))
	case 2:
		return c.changeDaemonSet(Choose(c.Dice, daemonSetNames...))
	case 3:
		return c.deliverAgain()
	default:
		return c.changePod()
	}
}

// Present returns events that deliver all objects, in any order.
func (c *Cluster) Present(at time.Time) []Event {
	return Shuffle(c.Dice, c.present(at))
}

func (c *Cluster) present(at time.Time) (events []Event) {
	for _, name := range sortedKeys(c.nodes) {
		events = append(events, Event{At: at, Object: c.nodes[name].object})
	}
	for _, name := range sortedKeys(c.daemonSets) {
		events = append(events, Event{At: at, Object: c.daemonSets[name].object})
	}
	for _, name := range sortedKeys(c.pods) {
		events = append(events, Event{At: at, Object: c.pods[name]})
	}
	return events
}

func sortedKeys[V any](from map[string]V) []string { return slices.Sorted(maps.Keys(from)) }

// deliverAgain delivers an unchanged object or, as a relist does, all of them.
func (c *Cluster) deliverAgain() []Event {
	all := c.Present(objects.At(c.now))
	if c.OneIn(3) || len(all) == 0 {
		return all
	}
	return all[:1]
}

func (c *Cluster) changeNode(name string) []Event {
	n := c.nodes[name]
	if n == nil {
		c.serial++
		n = &clusterNode{uid: types.UID(fmt.Sprintf("%s-%d", name, c.serial)), created: c.second()}
		c.nodes[name] = n
	} else if c.OneIn(6) {
		delete(c.nodes, name)
		if c.OneIn(2) {
			return []Event{c.event(n.object, true)}
		}
		return c.changeNode(name) // made again, and nobody saw it go
	}
	options := []objects.Option{objects.UID(n.uid), objects.Created(n.created)}
	// The time of the creation means that the node was never Ready.
	failed := max(c.second(), n.created+2)
	switch c.Roll(4) {
	case 0:
		if n.wasReady {
			options = append(options, objects.Unreachable(failed))
		} else {
			options = append(options, objects.NeverUpdated(n.created))
		}
	case 1:
		since := n.created
		if n.wasReady {
			since = failed
		}
		options = append(options, objects.NotReady(since), objects.Tainted(corev1.TaintNodeNotReady, "NoSchedule"))
	default:
		since := c.second()
		if n.object != nil && n.object.Ready.Status == slim.ConditionTrue {
			since = objects.Seconds(n.object.Ready.LastTransitionTime.Time())
		}
		n.wasReady = true
		options = append(options, objects.Ready(since))
	}
	options = append(options, objects.Label("type", Choose(c.Dice, "worker", "gpu")), objects.Label("zone", Choose(c.Dice, "z1", "z2")))
	if c.OneIn(3) {
		options = append(options, objects.Cordoned())
	}
	for range c.Roll(3) {
		options = append(options, objects.Tainted(
			Choose(c.Dice, "gpu", "gpu", "gpu", "spot", "ToBeDeletedByClusterAutoscaler", "node.kubernetes.io/disk-pressure",
				"node.kubernetes.io/network-unavailable", "node.cloudprovider.kubernetes.io/shutdown", "readiness.k8s.io/gpu"),
			Choose[corev1.TaintEffect](c.Dice, "NoSchedule", "NoSchedule", "NoExecute", "PreferNoSchedule")))
	}
	n.object = slim.FromNode(objects.Node(name, options...))
	return []Event{c.event(n.object, false)}
}

func (c *Cluster) changeDaemonSet(name string) []Event {
	set := c.daemonSets[name]
	switch {
	case set == nil:
		c.serial++
		set = &clusterDaemonSet{uid: types.UID(fmt.Sprintf("%s-%d", name, c.serial)), created: c.second(), generation: 1}
		c.daemonSets[name] = set
		set.template = c.template()
	case c.OneIn(6):
		delete(c.daemonSets, name)
		return []Event{c.event(set.object, true)}
	case c.OneIn(12) && !set.deleting:
		set.deleting = true
		set.generation++
		set.template = append(set.template, objects.Deleted(c.now))
	case c.OneIn(2) && !set.deleting:
		set.generation++
		set.template = c.template()
	}
	counts := appsv1.DaemonSetStatus{
		DesiredNumberScheduled: int32(c.Roll(4)), UpdatedNumberScheduled: int32(c.Roll(4)), NumberMisscheduled: int32(c.Roll(2)),
	}
	ds := objects.DaemonSet(name, append([]objects.Option{
		objects.UID(set.uid), objects.Created(set.created), objects.Generation(set.generation), objects.Status(counts),
	}, set.template...)...)
	if c.OneIn(4) {
		ds.Status.ObservedGeneration--
	}
	if c.OneIn(10) {
		ds.Annotations = nil
	}
	set.object = slim.FromDaemonSet(ds)
	return []Event{c.event(set.object, false)}
}

func (c *Cluster) template() []objects.Option {
	nothing := objects.Change(func(*appsv1.DaemonSet) {})
	return []objects.Option{
		Choose(c.Dice, nothing, nothing, nothing, objects.NodeSelector("type", "worker"),
			objects.NodeAffinity(objects.MatchLabel("zone", "In", "z1")), objects.NodeName("a")),
		Choose(c.Dice, nothing, nothing, objects.Tolerating(objects.TolerateAll()), objects.Tolerating(objects.Tolerate("gpu"))),
		Choose(c.Dice, nothing, nothing, objects.HostNetwork()),
		Choose(c.Dice, nothing, objects.MinReadySeconds(10), objects.MinReadySeconds(60)),
		Choose(c.Dice, nothing, nothing, objects.RollingUpdate("50%", "0"), objects.RollingUpdate("0", "1"), objects.OnDelete()),
	}
}
