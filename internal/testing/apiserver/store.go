package apiserver

import (
	"maps"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// Object is any object that the server can store.
type Object interface {
	runtime.Object
	metav1.Object
}

// store takes the place of etcd.
type store struct {
	version   int64
	objects   map[string]map[string]Object
	history   []change
	compacted int64
}

// change is one entry of the history. before is nil for an addition, after for a
// deletion; a bookmark has neither.
type change struct {
	version       int64
	resource      string
	before, after Object
}

func newStore() store {
	return store{version: 100, objects: map[string]map[string]Object{}}
}

// Put adds objects, or replaces those of the same name.
func (s *Server) Put(objects ...Object) {
	s.t.Helper()
	s.edit(func() {
		for _, object := range objects {
			s.store.put(resourceOf(s.t, object), object)
		}
	})
}

// Delete removes objects; watches receive them in the state given here.
func (s *Server) Delete(objects ...Object) {
	s.t.Helper()
	s.edit(func() {
		for _, object := range objects {
			s.store.remove(resourceOf(s.t, object), object)
		}
	})
}

// Bookmark sends a bookmark to every watch.
func (s *Server) Bookmark() {
	s.edit(func() {
		s.store.version++
		s.store.history = append(s.store.history, change{version: s.store.version})
	})
}

// Compact drops the history: watches cannot resume at an older version.
func (s *Server) Compact() {
	s.edit(func() { s.store.history, s.store.compacted = nil, s.store.version })
}

// Rewind makes the server behave as after a restore from a backup: the version is
// lowered, and the history is gone. Objects stay; change them to those of the
// backup.
func (s *Server) Rewind(versions int64) {
	s.edit(func() {
		s.store.version -= versions
		s.store.history, s.store.compacted = nil, s.store.version
		for _, objects := range s.store.objects {
			for key, object := range objects {
				restored, _ := object.DeepCopyObject().(Object)
				restored.SetResourceVersion(strconv.FormatInt(s.store.version, 10))
				objects[key] = restored
			}
		}
	})
}

func (s *Server) edit(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *store) put(resource string, object Object) {
	s.version++
	stored, _ := object.DeepCopyObject().(Object)
	stored.SetResourceVersion(strconv.FormatInt(s.version, 10))
	if s.objects[resource] == nil {
		s.objects[resource] = map[string]Object{}
	}
	before := s.objects[resource][keyOf(object)]
	s.objects[resource][keyOf(object)] = stored
	s.history = append(s.history, change{s.version, resource, before, stored})
}

func (s *store) remove(resource string, object Object) {
	if s.objects[resource][keyOf(object)] == nil {
		return
	}
	s.version++
	last, _ := object.DeepCopyObject().(Object)
	last.SetResourceVersion(strconv.FormatInt(s.version, 10))
	delete(s.objects[resource], keyOf(object))
	s.history = append(s.history, change{s.version, resource, last, nil})
}

// list returns the selected objects in the order of their names.
func (s *store) list(resource string, selected selection) []Object {
	var found []Object
	for _, key := range slices.Sorted(maps.Keys(s.objects[resource])) {
		if object := s.objects[resource][key]; selected.matches(object) {
			found = append(found, object)
		}
	}
	return found
}

// eventOf returns the event of a change for a watch with a selection: an object
// that leaves the selection is deleted. The object is nil if there is no event.
func (c change) eventOf(selected selection) (watch.EventType, Object) {
	was := c.before != nil && selected.matches(c.before)
	is := c.after != nil && selected.matches(c.after)
	switch {
	case is && was:
		return watch.Modified, c.after
	case is:
		return watch.Added, c.after
	case was && c.after != nil:
		return watch.Deleted, c.after
	case was:
		return watch.Deleted, c.before
	default:
		return "", nil
	}
}

func keyOf(object Object) string { return object.GetNamespace() + "/" + object.GetName() }

func resourceOf(t interface{ Fatalf(string, ...any) }, object Object) string {
	switch object.(type) {
	case *corev1.Node:
		return "nodes"
	case *corev1.Pod:
		return "pods"
	case *appsv1.DaemonSet:
		return "daemonsets"
	case *appsv1.ControllerRevision:
		return "controllerrevisions"
	case *corev1.Namespace:
		return "namespaces"
	case *coordinationv1.Lease:
		return "leases"
	default:
		t.Fatalf("the API server does not store %T", object)
		return ""
	}
}
