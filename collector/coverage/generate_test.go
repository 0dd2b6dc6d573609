package coverage_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// dice make the choices of a random story. Its numbers come from a seed, or from
// the bytes of a fuzzer.
type dice struct {
	random *rand.Rand
	bytes  []byte
}

func (d *dice) roll(n int) int {
	if d.random != nil {
		return d.random.IntN(n)
	}
	if len(d.bytes) == 0 {
		return 0
	}
	first := d.bytes[0]
	d.bytes = d.bytes[1:]
	return int(first) % n
}

// one in n.
func (d *dice) one(n int) bool { return d.roll(n) == n-1 }

func choose[T any](d *dice, from ...T) T { return from[d.roll(len(from))] }

// event is something that a watch delivers. Before is the version of a pod that
// was delivered last.
type event struct {
	at     time.Time
	before *slim.Pod
	object any
	gone   bool
}

func (e event) String() string {
	words := ""
	switch object := e.object.(type) {
	case *slim.Node:
		words = fmt.Sprintf("node %s %x: Ready %+v, labels %v, taints %v, cordoned %v",
			object.Name, object.UID[:2], object.Ready, object.Labels, object.Taints, object.Unschedulable)
	case *slim.DaemonSet:
		words = fmt.Sprintf("DaemonSet %s %x: generation %d/%d of template %d, placed %v, ready %d s, budget %v %v, status %+v",
			object.Name, object.UID[:2], object.ObservedGeneration, object.Generation, object.TemplateGeneration,
			object.Template, object.MinReadySeconds, object.MaxUnavailable, object.MaxSurge, object.Status)
	case *slim.Pod:
		words = fmt.Sprintf("%s of %x on %s: phase %d, bound %v, Ready %+v, deleted %d, revision %s of %d, created %d, containers %v",
			object.Name, object.Owner[:2], object.NodeName.Value(), object.Phase, object.Bound, object.Ready, object.DeletionTimestamp,
			object.ControllerRevisionHash.Value(), object.TemplateGeneration, object.CreationTimestamp, object.Containers)
	}
	if e.gone {
		words = "gone: " + words
	}
	return fmt.Sprintf("%8.1f %s", e.at.Sub(at(0)).Seconds(), words)
}

// key names the object of an event. Events of one object keep their order.
func (e event) key() string {
	switch object := e.object.(type) {
	case *slim.Node:
		return "node " + object.Name // its incarnations come by one watch
	case *slim.DaemonSet:
		return "daemonset " + object.Name
	case *slim.Pod:
		return "pod " + object.Name
	default:
		panic(fmt.Sprintf("no object: %T", object))
	}
}

// story makes up what happens to a cluster of a few nodes, DaemonSets and pods.
// Objects come and go without regard to each other: pods before their nodes,
// DaemonSets after their pods. What the objects say of the past is consistent
// with what the watch has shown of it.
type story struct {
	dice
	now      float64
	serial   int
	nodes    map[string]*nodeStory
	sets     map[string]*setStory
	pods     map[string]*slim.Pod
	backward bool // the clock may be set back
}

type nodeStory struct {
	uid      types.UID
	created  int
	wasReady bool
	object   *slim.Node
}

type setStory struct {
	uid        types.UID
	created    int
	generation int64
	template   []func(*appsv1.DaemonSet)
	object     *slim.DaemonSet
}

var (
	nodeNames = []string{"a", "b", "c", "d"}
	setNames  = []string{"agent", "proxy", "storage"}
)

func newStory(d dice, backward bool) *story {
	return &story{
		dice: d, backward: backward,
		nodes: map[string]*nodeStory{}, sets: map[string]*setStory{}, pods: map[string]*slim.Pod{},
	}
}

// stamp is now, as an object's stamp has it.
func (s *story) stamp() int {
	whole := int(s.now)
	if s.now < 0 && float64(whole) != s.now {
		whole--
	}
	return whole
}

func (s *story) event(object any, gone bool) event {
	return event{at: at(s.now), object: object, gone: gone}
}

// next lets time pass and something happen.
func (s *story) next() []event {
	switch s.roll(8) {
	case 0:
		s.now += 30 + float64(s.roll(64))*10
	case 1:
		if s.backward && s.roll(3) == 0 {
			s.now -= float64(s.roll(60)) * 10
		}
	case 2, 3:
		s.now += float64(s.roll(20)) / 10
	default:
		s.now += float64(s.roll(150)) / 10
	}
	switch s.roll(12) {
	case 0, 1:
		return s.changeNode(choose(&s.dice, nodeNames...))
	case 2:
		return s.changeSet(choose(&s.dice, setNames...))
	case 3:
		return s.replay()
	default:
		return s.changePod()
	}
}

func (s *story) changeNode(name string) []event {
	n := s.nodes[name]
	if n == nil {
		s.serial++
		n = &nodeStory{uid: types.UID(fmt.Sprintf("%s-%d", name, s.serial)), created: s.stamp()}
		s.nodes[name] = n
	} else if s.one(6) {
		delete(s.nodes, name)
		if s.one(2) {
			return []event{s.event(n.object, true)}
		}
		return s.changeNode(name) // made again, and nobody saw it go
	}
	options := []func(*corev1.Node){nodeUID(n.uid), nodeCreated(n.created)}
	fresh := n.object == nil
	// A stamp that equals the creation says that the node never was Ready.
	failed := max(s.stamp(), n.created+2)
	switch s.roll(4) {
	case 0:
		if n.wasReady {
			options = append(options, unreachable(failed))
		} else {
			options = append(options, nodeIs("Unknown", n.created), neverPosted)
		}
	case 1:
		since := n.created
		if n.wasReady {
			since = failed
		}
		options = append(options, nodeIs("False", since), tainted("node.kubernetes.io/not-ready", "NoSchedule"))
	default:
		since := s.stamp()
		if !fresh && n.object.Ready.Status == slim.ConditionTrue {
			since = int(int64(n.object.Ready.LastTransitionTime) - at(0).Unix())
		}
		n.wasReady = true
		options = append(options, nodeIs("True", since))
	}
	options = append(options, labelled("type", choose(&s.dice, "worker", "gpu")), labelled("zone", choose(&s.dice, "z1", "z2")))
	if s.one(3) {
		options = append(options, cordoned)
	}
	for range s.roll(3) {
		options = append(options, tainted(
			choose(&s.dice, "gpu", "gpu", "gpu", "spot", "ToBeDeletedByClusterAutoscaler", "node.kubernetes.io/disk-pressure", "node.kubernetes.io/network-unavailable"),
			choose[corev1.TaintEffect](&s.dice, "NoSchedule", "NoSchedule", "NoExecute", "PreferNoSchedule")))
	}
	n.object = node(name, options...)
	return []event{s.event(n.object, false)}
}

func neverPosted(n *corev1.Node) { n.Status.Conditions[0].Reason = "NodeStatusNeverUpdated" }

func (s *story) changeSet(name string) []event {
	set := s.sets[name]
	switch {
	case set == nil:
		s.serial++
		set = &setStory{uid: types.UID(fmt.Sprintf("%s-%d", name, s.serial)), created: s.stamp(), generation: 1}
		s.sets[name] = set
		set.template = s.template()
	case s.one(6):
		delete(s.sets, name)
		return []event{s.event(set.object, true)}
	case s.one(2):
		set.generation++
		set.template = s.template()
	}
	counts := appsv1.DaemonSetStatus{
		DesiredNumberScheduled: int32(s.roll(4)), UpdatedNumberScheduled: int32(s.roll(4)), NumberMisscheduled: int32(s.roll(2)),
	}
	options := append([]func(*appsv1.DaemonSet){
		daemonSetUID(set.uid), daemonSetCreated(set.created), generation(set.generation), status(counts),
	}, set.template...)
	if s.one(4) {
		options = append(options, func(ds *appsv1.DaemonSet) { ds.Status.ObservedGeneration = set.generation - 1 })
	}
	if s.one(10) {
		options = append(options, func(ds *appsv1.DaemonSet) { delete(ds.Annotations, appsv1.DeprecatedTemplateGeneration) })
	}
	set.object = daemonSet(name, options...)
	return []event{s.event(set.object, false)}
}

func (s *story) template() []func(*appsv1.DaemonSet) {
	nothing := func(*appsv1.DaemonSet) {}
	return []func(*appsv1.DaemonSet){
		choose(&s.dice, nothing, nothing, nothing, selecting("type", "worker"), requiring(labels("zone", "In", "z1")), onNode("a")),
		choose(&s.dice, nothing, nothing, tolerating(tolerateAll()), tolerating(corev1.Toleration{Key: "gpu", Operator: "Exists"})),
		choose(&s.dice, nothing, nothing, hostNetwork),
		choose(&s.dice, nothing, minReady(10), minReady(60)),
		choose(&s.dice, nothing, nothing, budget("50%", "0"), budget("0", "1"), onDelete),
	}
}

// replay delivers again what is known already: some object, or, as a relist
// does, all of them.
func (s *story) replay() []event {
	var all []event
	for _, n := range nodeNames {
		if n := s.nodes[n]; n != nil {
			all = append(all, s.event(n.object, false))
		}
	}
	for _, name := range setNames {
		if set := s.sets[name]; set != nil {
			all = append(all, s.event(set.object, false))
		}
	}
	for _, name := range sortedNames(s.pods) {
		again := s.event(s.pods[name], false)
		again.before = s.pods[name]
		all = append(all, again)
	}
	for i := range all {
		j := i + s.roll(len(all)-i)
		all[i], all[j] = all[j], all[i]
	}
	if s.one(3) || len(all) == 0 {
		return all
	}
	return all[:1]
}
