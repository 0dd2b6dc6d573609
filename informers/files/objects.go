package files

import (
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Objects holds the last version of each object, as the store of an informer does, and
// delivers changes to a Handler.
type Objects struct {
	nodes      stored[slim.Node]
	pods       stored[slim.Pod]
	daemonSets stored[slim.DaemonSet]
}

// stored holds the objects of one resource by namespace and name.
type stored[T any] struct {
	objects map[string]*T
	meta    func(*T) *slim.Meta
	handle  func(handler informers.Handler, old, new *T)
	// missed returns an object whose deletion was missed, marked as such.
	missed func(*T) *T
}

// NewObjects returns an empty Objects.
func NewObjects() *Objects {
	return &Objects{
		nodes: stored[slim.Node]{
			map[string]*slim.Node{},
			func(n *slim.Node) *slim.Meta { return &n.Meta }, informers.Handler.Node,
			func(n *slim.Node) *slim.Node { return n },
		},
		pods: stored[slim.Pod]{
			map[string]*slim.Pod{}, func(p *slim.Pod) *slim.Meta { return &p.Meta }, informers.Handler.Pod, slim.MissedPod,
		},
		daemonSets: stored[slim.DaemonSet]{
			map[string]*slim.DaemonSet{},
			func(d *slim.DaemonSet) *slim.Meta { return &d.Meta }, informers.Handler.DaemonSet,
			func(d *slim.DaemonSet) *slim.DaemonSet { return d },
		},
	}
}

// Trim returns the slim object of one of the API; a slim object as it is. It panics for
// an object of any other type.
func Trim(object any) any {
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
		panic(fmt.Sprintf("not an object that is watched: %T", object))
	}
}

// keeper is the stored of one resource. Its objects are pointers to slim objects of it.
type keeper interface {
	set(handler informers.Handler, object any)
	remove(handler informers.Handler, object any)
	miss(handler informers.Handler, object any)
	holds(object any) bool
}

// keeperOf returns the slim object of one that is watched, and what keeps its resource.
func (o *Objects) keeperOf(object any) (keeper, any) {
	object = Trim(object)
	switch object.(type) {
	case *slim.Node:
		return &o.nodes, object
	case *slim.Pod:
		return &o.pods, object
	default: // Trim returns no other
		return &o.daemonSets, object
	}
}

// Set delivers an object that is new or has changed. Without a Handler it is only kept.
func (o *Objects) Set(handler informers.Handler, object any) {
	keeper, object := o.keeperOf(object)
	keeper.set(handler, object)
}

// Delete delivers the end of an object in its last state.
func (o *Objects) Delete(handler informers.Handler, object any) {
	keeper, object := o.keeperOf(object)
	keeper.remove(handler, object)
}

// Miss delivers the end of an object that was missed, in the last state that was seen.
func (o *Objects) Miss(handler informers.Handler, object any) {
	keeper, object := o.keeperOf(object)
	keeper.miss(handler, object)
}

// Holds reports whether this version of an object is here.
func (o *Objects) Holds(object any) bool {
	keeper, object := o.keeperOf(object)
	return keeper.holds(object)
}

// All returns all objects: first the pods, then the nodes, then the DaemonSets.
func (o *Objects) All() []any {
	return slices.Concat(o.pods.all(), o.nodes.all(), o.daemonSets.all())
}

func (s *stored[T]) key(object *T) string {
	meta := s.meta(object)
	return meta.Namespace.Value() + "/" + meta.Name
}

// set delivers an object. One of the same name that it takes the place of has ended
// unseen.
func (s *stored[T]) set(handler informers.Handler, changed any) {
	object := changed.(*T)
	key := s.key(object)
	old := s.objects[key]
	s.objects[key] = object
	switch {
	case handler == nil:
	case old != nil && s.meta(old).UID != s.meta(object).UID:
		s.handle(handler, s.missed(old), nil)
		s.handle(handler, nil, object)
	default:
		s.handle(handler, old, object)
	}
}

func (s *stored[T]) remove(handler informers.Handler, ended any) {
	object := ended.(*T)
	delete(s.objects, s.key(object))
	if handler != nil {
		s.handle(handler, object, nil)
	}
}

func (s *stored[T]) miss(handler informers.Handler, ended any) {
	if last := s.objects[s.key(ended.(*T))]; last != nil {
		s.remove(handler, s.missed(last))
	}
}

func (s *stored[T]) holds(version any) bool {
	object := version.(*T)
	held := s.objects[s.key(object)]
	return held != nil && s.meta(held).SameVersion(s.meta(object))
}

func (s *stored[T]) all() []any {
	var all []any
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		all = append(all, s.objects[key])
	}
	return all
}
