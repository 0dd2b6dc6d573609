package informers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// monitoredWatch forwards the events of a watch and notes each as a sign of
// life. Bookmarks count: a quiet resource sends nothing else. watch.Filter would
// do the same, but leaks its goroutine when a watch is stopped between events.
type monitoredWatch struct {
	upstream watch.Interface
	events   chan watch.Event
	done     chan struct{}
	once     sync.Once
}

const (
	// maxInterruption is how long nobody may have watched for the changes of that time
	// to count as seen when they were made: a server that ends a watch in time is asked
	// again at once.
	maxInterruption = time.Second
	// catchUp is how long a watch that was interrupted takes to bring what was missed.
	catchUp = 2 * time.Second
)

// monitor starts forwarding the events of upstream, and marks those that are late: the
// initial ones of a stream, and what a watch brings first after an interruption.
func (lw *listWatch) monitor(ctx context.Context, upstream watch.Interface, streaming bool) watch.Interface {
	w := &monitoredWatch{upstream: upstream, events: make(chan watch.Event), done: make(chan struct{})}
	opened := lw.health.clock.Now()
	interrupted := !streaming && lw.interrupted(opened)
	lw.watches.Go(func() {
		defer close(w.events)
		defer func() { lw.setWatchedUntil(lw.health.clock.Now()) }()
		silent := true
		for event := range upstream.ResultChan() {
			silent = false
			if streaming || interrupted && lw.health.clock.Since(opened) < catchUp {
				streaming = streaming && !endsInitialEvents(event)
				_ = markLate(event.Object) // what is no object has no stamps
			}
			if event.Type == watch.Error {
				lw.report(ctx, apierrors.FromObject(event.Object), "watch")
			} else {
				lw.health.noteEvent()
			}
			select {
			case w.events <- event:
			case <-w.done:
				// Stop has been called; reading on lets the sender end.
			}
		}
		if silent && !w.stopped() && lw.health.clock.Since(opened) < time.Second {
			lw.report(ctx, errClosedAtOnce, "watch")
		}
	})
	return w
}

// endsInitialEvents reports whether an event is the bookmark after the initial events
// of a stream.
func endsInitialEvents(event watch.Event) bool {
	if event.Type != watch.Bookmark {
		return false
	}
	object, err := meta.Accessor(event.Object)
	return err == nil && object.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true"
}

// markLate marks an object of the API as a late version.
func markLate(object runtime.Object) error {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return fmt.Errorf("marking what arrives late: %w", err)
	}
	slim.MarkLate(accessor)
	return nil
}

// errClosedAtOnce is reported for what the reflector treats as a failure too
// (VeryShortWatchError, tools/cache/reflector.go, v0.37.2), without passing it
// to its error handler.
var errClosedAtOnce = errors.New("the watch was closed within a second without an event: check for a proxy that does not support watches")

func (w *monitoredWatch) stopped() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// ResultChan implements watch.Interface.
func (w *monitoredWatch) ResultChan() <-chan watch.Event { return w.events }

// Stop implements watch.Interface.
func (w *monitoredWatch) Stop() {
	w.once.Do(func() { close(w.done) })
	w.upstream.Stop()
}
