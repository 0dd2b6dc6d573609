package replay

import (
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Handler is informers.Handler.
type Handler interface {
	Node(old, new *slim.Node)
	Pod(old, new *slim.Pod)
	DaemonSet(old, new *slim.DaemonSet)
	Synced()
}

// Watch holds the last version of each object, by name, and delivers changes to a
// Handler.
type Watch struct {
	handler    Handler
	nodes      map[string]*slim.Node
	daemonSets map[string]*slim.DaemonSet
	pods       map[string]*slim.Pod
}

// NewWatch returns a Watch without objects.
func NewWatch(handler Handler) *Watch {
	return &Watch{
		handler: handler,
		nodes:   map[string]*slim.Node{}, daemonSets: map[string]*slim.DaemonSet{}, pods: map[string]*slim.Pod{},
	}
}

// Set delivers objects, of the API or of package slim, that are new or have
// changed.
func (w *Watch) Set(objects ...any) { w.deliver(objects, false) }

// Delete delivers the deletion of objects, each in its last state.
func (w *Watch) Delete(objects ...any) { w.deliver(objects, true) }

func (w *Watch) deliver(objects []any, gone bool) {
	for _, object := range objects {
		switch object := trim(object).(type) {
		case *slim.Node:
			change(w.nodes, &object.Meta, object, gone, w.handler.Node)
		case *slim.DaemonSet:
			change(w.daemonSets, &object.Meta, object, gone, w.handler.DaemonSet)
		case *slim.Pod:
			change(w.pods, &object.Meta, object, gone, w.handler.Pod)
		}
	}
}

func change[R any](known map[string]*R, meta *slim.Meta, object *R, gone bool, handle func(old, new *R)) {
	key := meta.Namespace.Value() + "/" + meta.Name
	if gone {
		delete(known, key)
		handle(object, nil)
		return
	}
	old := known[key]
	known[key] = object
	handle(old, object)
}

// Objects returns all objects: first the Pods, then the Nodes, then the DaemonSets.
func (w *Watch) Objects() (objects []any) {
	for _, name := range slices.Sorted(maps.Keys(w.pods)) {
		objects = append(objects, w.pods[name])
	}
	for _, name := range slices.Sorted(maps.Keys(w.nodes)) {
		objects = append(objects, w.nodes[name])
	}
	for _, name := range slices.Sorted(maps.Keys(w.daemonSets)) {
		objects = append(objects, w.daemonSets[name])
	}
	return objects
}

// trim returns a slim object, as the informers' transforms do.
func trim(object any) any {
	switch object := object.(type) {
	case *corev1.Node:
		return slim.FromNode(object)
	case *appsv1.DaemonSet:
		return slim.FromDaemonSet(object)
	case *corev1.Pod:
		return slim.FromPod(object)
	case *slim.Node, *slim.DaemonSet, *slim.Pod:
		return object
	default:
		panic(fmt.Sprintf("not an object: %T", object))
	}
}
