package informers

import (
	"fmt"
	"sync"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"k8s.io/client-go/tools/cache"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Handler is told every change, one call at a time per resource, in the order
// in which the watch delivered it. Calls for different resources come at the
// same time. old is nil for an addition, new is nil for a deletion. The old of
// a deletion is the object's last state as the deletion itself told it (exit
// codes stand only there), or the last one known where the deletion was missed
// and a relist found the object gone; a pod's record says so (Missed).
//
// An object that was deleted and made again under the same name arrives as a
// deletion and an addition, also when the watch missed the deletion. Handlers
// must be quick and take constant time: what they leave waiting piles up in
// memory. Records are shared and must not be changed.
type Handler interface {
	Node(old, new *slim.Node)
	Pod(old, new *slim.Pod)
	DaemonSet(old, new *slim.DaemonSet)
	// Synced is called once, after all initial objects of every informer have
	// been handed over.
	Synced()
}

// delivery hands one resource's changes to the Handler.
type delivery struct {
	// turn makes several informers of one resource take turns. All deliveries
	// of a resource share it.
	turn    *sync.Mutex
	handler Handler
	health  *sourceHealth
	logger  log.Logger
}

// deliverBy makes the cache.ResourceEventHandler of a resource from the
// Handler's method for it, from its records' metadata, and from what marks a
// record whose object went away unseen.
func deliverBy[R any](
	tell func(handler Handler, old, new *R), meta func(*R) *slim.Meta, missed func(*R) *R,
) func(*delivery) cache.ResourceEventHandler {
	return func(to *delivery) cache.ResourceEventHandler {
		return &typedDelivery[R]{delivery: to, tell: tell, meta: meta, missed: missed}
	}
}

// asItIs marks nothing: for objects whose last state tells nothing that counts.
func asItIs[R any](last *R) *R { return last }

type typedDelivery[R any] struct {
	*delivery
	tell   func(handler Handler, old, new *R)
	meta   func(*R) *slim.Meta
	missed func(*R) *R
}

// OnAdd implements cache.ResourceEventHandler.
func (d *typedDelivery[R]) OnAdd(obj any, _ bool) {
	added, ok := d.record(obj)
	if !ok {
		return
	}
	d.turn.Lock()
	defer d.turn.Unlock()
	d.tell(d.handler, nil, added)
	d.health.count(1)
}

// OnUpdate implements cache.ResourceEventHandler. client-go's stores know
// objects by name, so a deletion that was missed before the name was used again
// looks like an update. A relist updates every object to itself: listeners that
// want no resync get those all the same (tools/cache/shared_informer.go, v0.37.2).
func (d *typedDelivery[R]) OnUpdate(before, after any) {
	old, oldOK := d.record(before)
	updated, newOK := d.record(after)
	if !oldOK || !newOK || d.meta(old).SameVersion(d.meta(updated)) {
		return
	}
	d.turn.Lock()
	defer d.turn.Unlock()
	if d.meta(old).UID != d.meta(updated).UID {
		d.tell(d.handler, d.missed(old), nil)
		d.tell(d.handler, nil, updated)
		return
	}
	d.tell(d.handler, old, updated)
}

// OnDelete implements cache.ResourceEventHandler.
func (d *typedDelivery[R]) OnDelete(obj any) {
	tombstone, unseen := obj.(cache.DeletedFinalStateUnknown)
	if unseen {
		obj = tombstone.Obj
	}
	deleted, ok := d.record(obj)
	if !ok {
		return
	}
	if unseen {
		deleted = d.missed(deleted)
	}
	d.turn.Lock()
	defer d.turn.Unlock()
	d.tell(d.handler, deleted, nil)
	d.health.count(-1)
}

// record is never false unless the transform and the table disagree, which is a
// mistake in this package: it is said, and the change is left out.
func (d *typedDelivery[R]) record(obj any) (*R, bool) {
	reduced, ok := obj.(*R)
	if !ok || reduced == nil {
		level.Error(d.logger).Log("msg", "an informer delivered an object of the wrong type",
			"want", fmt.Sprintf("%T", reduced), "got", fmt.Sprintf("%T", obj))
		return nil, false
	}
	return reduced, true
}
