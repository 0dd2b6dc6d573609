package informers

import (
	"fmt"
	"sync"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"k8s.io/client-go/tools/cache"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Handler is called for every change, one call at a time per resource, in the
// order of the watch. Calls for different resources are concurrent. old is nil
// for an addition, new is nil for a deletion. The old of a deletion is the last
// state that the deletion event carried (only that one has exit codes), or the
// last known state if the watch missed the deletion and a relist found the
// object gone; Pod.DeletionMissed distinguishes the two. Meta.Late tells a version that
// came later than the change that made it from one that was seen as it was made.
//
// An object that was deleted and created again under the same name arrives as a
// deletion and an addition, also when the watch missed the deletion. Handlers
// must return quickly, in constant time: pending calls pile up in memory. Slim
// objects are shared and must not be changed.
type Handler interface {
	Node(old, new *slim.Node)
	Pod(old, new *slim.Pod)
	DaemonSet(old, new *slim.DaemonSet)
	// Synced is called once, after the calls for the initial objects of every
	// informer.
	Synced()
}

// delivery holds what the event handlers of every resource need.
type delivery struct {
	// mu serialises the informers of one resource, which share it.
	mu      *sync.Mutex
	handler Handler
	health  *informerHealth
	logger  log.Logger
}

// eventHandler passes one informer's notifications to the Handler.
type eventHandler[T any] struct {
	*delivery
	// call calls the Handler's method for the resource.
	call func(handler Handler, old, new *T)
	meta func(*T) *slim.Meta
	// markMissed returns the last state of an object whose deletion was missed,
	// marked as such.
	markMissed func(*T) *T
}

// newEventHandler returns a constructor of event handlers, for the resources
// table.
func newEventHandler[T any](
	call func(handler Handler, old, new *T), meta func(*T) *slim.Meta, markMissed func(*T) *T,
) func(*delivery) cache.ResourceEventHandler {
	return func(to *delivery) cache.ResourceEventHandler {
		return &eventHandler[T]{delivery: to, call: call, meta: meta, markMissed: markMissed}
	}
}

// unmarked is the markMissed of resources where a missed deletion needs no mark.
func unmarked[T any](last *T) *T { return last }

// OnAdd implements cache.ResourceEventHandler.
func (h *eventHandler[T]) OnAdd(obj any, _ bool) {
	added, ok := h.slimObject(obj)
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.call(h.handler, nil, added)
	h.health.addObjects(1)
}

// OnUpdate implements cache.ResourceEventHandler. client-go's stores know
// objects by name, so a deletion that was missed before the name was used again
// looks like an update. When everything is read again, what has not changed is updated
// to itself (see transformWith): listeners that want no resync get those all the same
// (tools/cache/shared_informer.go, v0.37.2).
func (h *eventHandler[T]) OnUpdate(before, after any) {
	old, oldOK := h.slimObject(before)
	updated, newOK := h.slimObject(after)
	if !oldOK || !newOK || old == updated {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.meta(old).UID != h.meta(updated).UID {
		h.call(h.handler, h.markMissed(old), nil)
		h.call(h.handler, nil, updated)
		return
	}
	h.call(h.handler, old, updated)
}

// OnDelete implements cache.ResourceEventHandler.
func (h *eventHandler[T]) OnDelete(obj any) {
	tombstone, missed := obj.(cache.DeletedFinalStateUnknown)
	if missed {
		obj = tombstone.Obj
	}
	deleted, ok := h.slimObject(obj)
	if !ok {
		return
	}
	if missed {
		deleted = h.markMissed(deleted)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.call(h.handler, deleted, nil)
	h.health.addObjects(-1)
}

// slimObject returns obj in its own type. It fails only if the transform and the
// resources table disagree, which is a bug in this package: the change is logged
// and dropped.
func (h *eventHandler[T]) slimObject(obj any) (*T, bool) {
	object, ok := obj.(*T)
	if !ok || object == nil {
		level.Error(h.logger).Log("msg", "informer delivered an object of an unexpected type, change dropped",
			"want", fmt.Sprintf("%T", object), "got", fmt.Sprintf("%T", obj))
		return nil, false
	}
	return object, true
}
