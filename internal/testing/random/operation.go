package random

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// Operation is a cluster of two Nodes and one DaemonSet whose controllers and kubelets
// behave like real ones: a terminating Pod gets a successor, and only a running kubelet
// starts and ends containers.
type Operation struct {
	*Dice
	now    float64
	nodes  map[string]*corev1.Node
	agent  *appsv1.DaemonSet
	pods   map[string]*corev1.Pod
	events []Event
}

// NewOperation returns a cluster in which everything runs.
func NewOperation(d *Dice) *Operation {
	o := &Operation{Dice: d, nodes: map[string]*corev1.Node{}, agent: objects.DaemonSet("agent"), pods: map[string]*corev1.Pod{}}
	for _, name := range []string{"a", "b"} {
		o.nodes[name] = objects.Node(name)
		o.pods[name+"-1"] = objects.Pod(name+"-1", objects.On(name), objects.OwnedBy(o.agent))
	}
	return o
}

// Present returns events that deliver all objects.
func (o *Operation) Present() (events []Event) {
	at := objects.At(o.now)
	for _, name := range sortedKeys(o.nodes) {
		events = append(events, Event{At: at, Object: slim.FromNode(o.nodes[name])})
	}
	if o.agent != nil {
		events = append(events, Event{At: at, Object: slim.FromDaemonSet(o.agent)})
	}
	for _, name := range sortedKeys(o.pods) {
		events = append(events, Event{At: at, Object: slim.FromPod(o.pods[name])})
	}
	return events
}

// Next returns the events at a time.
func (o *Operation) Next(at time.Time) []Event {
	o.now, o.events = objects.Seconds(at), nil
	node := []string{"a", "b"}[o.Roll(2)]
	pods := []string{node + "-1", node + "-2"}
	name := pods[o.Roll(2)]
	what := o.Roll(30)
	up := isReady(o.nodes[node])
	switch there := o.nodes[node] != nil; {
	case what == 0 && there:
		o.emit(slim.FromNode(o.nodes[node]), true)
		delete(o.nodes, node)
	case what == 1 && !there:
		o.addNode(node, objects.Ready(o.now))
	case what == 2 && !there:
		o.addNode(node, objects.NotReady(o.now))
	case what <= 4 && there && up:
		o.fail(node)
	case what <= 4 && there:
		o.node(node, objects.Ready(o.now))
	case what == 5 && there:
		o.node(node, Choose(o.Dice, objects.Ready, objects.NotReady, objects.ReadyUnknown)(o.now))
	case what == 6 && o.agent != nil:
		o.emit(slim.FromDaemonSet(o.agent), true)
		o.agent = nil
	case what <= 9 && o.agent == nil:
		o.agent = objects.DaemonSet("agent", o.uid("agent"), objects.Created(o.now))
		o.emit(slim.FromDaemonSet(o.agent), false)
	case o.pods[name] == nil && o.agent != nil && there && !o.lives(pods[0]) && !o.lives(pods[1]):
		o.pods[name] = objects.Pod(name, o.uid(name), objects.On(node), objects.OwnedBy(o.agent), objects.JustCreated(o.now))
		o.emit(slim.FromPod(o.pods[name]), false)
	case o.pods[name] != nil:
		o.changePod(name, what, up)
	}
	return o.events
}

func (o *Operation) emit(object any, gone bool) {
	o.events = append(o.events, Event{At: objects.At(o.now), Object: object, Gone: gone})
}

func (o *Operation) uid(name string) objects.Option {
	return objects.UID(types.UID(fmt.Sprint(name, "@", o.now)))
}

func isReady(node *corev1.Node) bool {
	return node != nil && node.Status.Conditions[0].Status == corev1.ConditionTrue
}

func (o *Operation) addNode(name string, ready objects.Option) {
	o.nodes[name] = objects.Node(name, o.uid(name), objects.Created(o.now), ready)
	o.emit(slim.FromNode(o.nodes[name]), false)
}

func (o *Operation) node(name string, ready objects.Option) {
	o.nodes[name] = objects.Updated(o.nodes[name], ready)
	o.emit(slim.FromNode(o.nodes[name]), false)
}

func (o *Operation) pod(name string, options ...objects.Option) {
	o.pods[name] = objects.Updated(o.pods[name], options...)
	o.emit(slim.FromPod(o.pods[name]), false)
}

func (o *Operation) deletePod(name string, missed bool) {
	last := slim.FromPod(o.pods[name])
	if missed {
		last = slim.MissedPod(last)
	}
	delete(o.pods, name)
	o.emit(last, true)
}

// lives reports whether a Pod of the DaemonSet is there that may work: its
// controller makes no second one then.
func (o *Operation) lives(name string) bool {
	pod := o.pods[name]
	return pod != nil && pod.OwnerReferences[0].UID == o.agent.UID && pod.DeletionTimestamp == nil && !finished(pod)
}

func finished(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
}

// fail stops the kubelet of a Node, or lets it report that it is not Ready. The controller
// manager clears Ready of its Pods.
func (o *Operation) fail(node string) {
	o.node(node, Choose(o.Dice, objects.ReadyUnknown, objects.NotReady)(o.now))
	for _, name := range []string{node + "-1", node + "-2"} {
		if pod := o.pods[name]; pod != nil && pod.Status.Phase == corev1.PodRunning {
			o.pod(name, objects.NotReady(o.now))
		}
	}
}

// changePod changes one Pod. up is set if its kubelet runs.
func (o *Operation) changePod(name string, what int, up bool) {
	pod := o.pods[name]
	terminating := pod.DeletionTimestamp != nil
	switch {
	case what == 10:
		o.deletePod(name, true)
	case what == 11 && terminating:
		o.deletePod(name, false)
	case what <= 14 && !terminating && finished(pod):
		o.pod(name, objects.Terminating(o.now, 0)) // the API server leaves it no more
	case what <= 14 && !terminating:
		o.pod(name, objects.Terminating(o.now, int64(what-10)*10))
	case what == 15 && terminating && *pod.DeletionGracePeriodSeconds > 9:
		requested := objects.Seconds(pod.DeletionTimestamp.Time) - float64(*pod.DeletionGracePeriodSeconds)
		o.pod(name, objects.Terminating(requested, *pod.DeletionGracePeriodSeconds-9))
	case !up:
	case finished(pod) && terminating:
		o.deletePod(name, false)
	case finished(pod):
	case terminating && what > 20:
		o.pod(name, objects.Finished([]int32{0, 137, 143}[what%3], o.now))
	case what == 16:
		o.pod(name, objects.Finished(1, o.now))
	case what == 17 && pod.Status.Phase == corev1.PodRunning:
		o.pod(name, objects.Restarted(1, 1, "Error", o.now), objects.CrashLooping(o.now))
	case what == 18 || what%2 == 0:
		o.pod(name, objects.Started(o.now))
	default:
		o.pod(name, objects.Ready(o.now))
	}
}
