package files

import (
	"cmp"
	"errors"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Recorder records what informers bring, and passes it on to a Handler. What it writes
// brings a Player to the same calls.
//
// It is told of each object twice: as the API has it, when it is trimmed, and as the slim
// object that it becomes, when that is delivered. The first is kept until then, with
// nothing in it but what the exporter reads.
type Recorder struct {
	writer *RecordingWriter
	clock  clock.PassiveClock
	next   informers.Handler

	mu sync.Mutex
	// pending holds trimmed objects that were not delivered yet, by their slim object.
	pending map[any]pendingObject
	started bool
	// watches holds the resources whose watch was interrupted.
	watches map[string]*watchState
	err     error
}

type pendingObject struct {
	object runtime.Object
	at     time.Time
}

// watchState is how the watch of a resource is doing.
type watchState struct {
	// lost is set from LOST to RESTORED, restored from then to SYNCED.
	lost, restored bool
	// late is when the last late event came.
	late time.Time
}

// NewRecorder returns a Recorder that passes everything on to next.
func NewRecorder(writer *RecordingWriter, clock clock.PassiveClock, next informers.Handler) *Recorder {
	r := &Recorder{writer: writer, clock: clock, next: next, pending: map[any]pendingObject{}, watches: map[string]*watchState{}}
	for _, resource := range watched() {
		r.watches[resource] = &watchState{}
	}
	return r
}

// Trimmed is for informers.Options.
func (r *Recorder) Trimmed(object runtime.Object, trimmed any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	redacted := redact(object)
	redacted.(metav1.Object).SetSelfLink("") // a mark of the informers' own
	r.pending[trimmed] = pendingObject{redacted, r.clock.Now()}
}

// redact returns a copy of an object with only what the exporter reads.
func redact(object runtime.Object) runtime.Object {
	switch object := object.(type) {
	case *corev1.Node:
		return slim.RedactNode(object)
	case *corev1.Pod:
		return slim.RedactPod(object)
	case *appsv1.DaemonSet:
		return slim.RedactDaemonSet(object)
	default:
		return nil
	}
}

// Node implements informers.Handler.
func (r *Recorder) Node(old, new *slim.Node) {
	r.change(informers.Nodes, change[slim.Node]{old, new, func(n *slim.Node) *slim.Meta { return &n.Meta }, &corev1.Node{}, false})
	r.next.Node(old, new)
}

// Pod implements informers.Handler.
func (r *Recorder) Pod(old, new *slim.Pod) {
	missed := new == nil && old.DeletionMissed
	r.change(informers.Pods, change[slim.Pod]{old, new, func(p *slim.Pod) *slim.Meta { return &p.Meta }, &corev1.Pod{}, missed})
	r.next.Pod(old, new)
}

// DaemonSet implements informers.Handler.
func (r *Recorder) DaemonSet(old, new *slim.DaemonSet) {
	r.change(informers.DaemonSets, change[slim.DaemonSet]{old, new, func(d *slim.DaemonSet) *slim.Meta { return &d.Meta }, &appsv1.DaemonSet{}, false})
	r.next.DaemonSet(old, new)
}

// Synced implements informers.Handler.
func (r *Recorder) Synced() {
	r.mu.Lock()
	r.started = true
	r.write(Event{Type: Synced})
	r.mu.Unlock()
	r.next.Synced()
}

// Record writes what an exporter reads on demand, and marks.
func (r *Recorder) Record(event Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.write(event)
}

// write writes an event that happens now. The lock must be held.
func (r *Recorder) write(event Event) {
	event.Time = r.clock.Now()
	if err := r.writer.Write(event); err != nil && r.err == nil {
		r.err = err
	}
}

// Err returns the first error of writing.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// change is one call of a Handler.
type change[T any] struct {
	old, new *T
	meta     func(*T) *slim.Meta
	// bare is an empty object of the API, for a deletion that was missed.
	bare   metav1.Object
	missed bool
}

// changed is a change without its type.
type changed interface {
	event(r *Recorder) (event Event, late bool)
}

func (r *Recorder) change(resource string, c changed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	event, late := c.event(r)
	if event.Object == nil {
		r.err = cmp.Or(r.err, errors.New("an informer delivered an object that it had not trimmed, please report this"))
		return
	}
	if r.started {
		r.noteLate(resource, late, event.Type == Deleted)
	}
	r.write(event)
}

// event returns what to write of a change, and whether it is late.
func (c change[T]) event(r *Recorder) (event Event, late bool) {
	object, eventType := c.new, Modified
	switch {
	case c.old == nil:
		eventType = Added
	case c.new == nil:
		object, eventType = c.old, Deleted
	}
	meta := c.meta(object)
	pending, ok := r.pending[object]
	delete(r.pending, object)
	switch {
	case !ok && eventType != Deleted:
		return Event{}, false
	case !ok: // a list found it gone: nobody saw its end
		c.bare.SetNamespace(meta.Namespace.Value())
		c.bare.SetName(meta.Name)
		c.bare.SetUID(uidText(meta.UID))
		c.bare.SetResourceVersion(meta.GetObjectMeta().GetResourceVersion())
		pending.object = c.bare.(runtime.Object)
	}
	return Event{Type: eventType, Object: pending.object}, meta.Late || c.missed || !ok
}

// noteLate writes that a watch was interrupted before a late event of it, and that it has
// caught up before the first event that is not. The end of an object tells nothing of the
// kind: what is late of it may be its last version.
func (r *Recorder) noteLate(resource string, late, deleted bool) {
	watch := r.watches[resource]
	if late {
		watch.late = r.clock.Now()
		if !watch.restored {
			r.lose(resource)
			r.restore(resource)
		}
		return
	}
	if !deleted {
		r.catchUp(resource)
	}
}

func (r *Recorder) lose(resource string) {
	if watch := r.watches[resource]; !watch.lost && !watch.restored {
		watch.lost = true
		r.write(Event{Type: Lost, Resource: resource})
	}
}

func (r *Recorder) restore(resource string) {
	if watch := r.watches[resource]; watch.lost {
		watch.lost, watch.restored, watch.late = false, true, r.clock.Now()
		r.write(Event{Type: Restored, Resource: resource})
	}
}

func (r *Recorder) catchUp(resource string) {
	r.restore(resource)
	if watch := r.watches[resource]; watch.restored {
		watch.restored = false
		r.write(Event{Type: Synced, Resource: resource})
	}
}

const (
	// caughtUpAfter is how long after the last late event a watch has caught up.
	caughtUpAfter = 5 * time.Second
	// keepPending is how long an object that was trimmed may wait for its delivery. Of a
	// stream that breaks off some are never delivered.
	keepPending = 5 * time.Minute
)

// Tick looks how the watches are doing. It is to be called about once a second.
func (r *Recorder) Tick(healths []informers.ResourceHealth) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock.Now()
	for object, pending := range r.pending {
		if now.Sub(pending.at) > keepPending {
			delete(r.pending, object)
		}
	}
	if !r.started {
		return
	}
	for _, health := range healths {
		watch := r.watches[health.Resource]
		switch {
		case health.Err != nil && watch.restored:
			r.catchUp(health.Resource) // interrupted once more
			r.lose(health.Resource)
		case health.Err != nil:
			r.lose(health.Resource)
		case watch.lost:
			r.restore(health.Resource)
		case watch.restored && now.Sub(watch.late) > caughtUpAfter:
			r.catchUp(health.Resource)
		}
	}
}
