package informers

import (
	"context"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
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

// monitor starts forwarding the events of upstream.
func (lw *listWatch) monitor(ctx context.Context, upstream watch.Interface) watch.Interface {
	w := &monitoredWatch{upstream: upstream, events: make(chan watch.Event), done: make(chan struct{})}
	opened := lw.health.clock.Now()
	lw.watches.Go(func() {
		defer close(w.events)
		silent := true
		for event := range upstream.ResultChan() {
			silent = false
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
