package informers

import (
	"context"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
)

// tap passes a watch's events on and notes each as a sign of life. Bookmarks
// count: of a quiet resource nothing else is heard. watch.Filter would do the
// same, but leaves its goroutine behind when a watch is stopped between events.
type tap struct {
	from   watch.Interface
	events chan watch.Event
	done   chan struct{}
	once   sync.Once
}

// tap starts passing on the events of a watch.
func (s *source) tap(ctx context.Context, from watch.Interface) watch.Interface {
	t := &tap{from: from, events: make(chan watch.Event), done: make(chan struct{})}
	opened := s.health.clock.Now()
	s.taps.Go(func() {
		defer close(t.events)
		silent := true
		for event := range from.ResultChan() {
			silent = false
			if event.Type == watch.Error {
				s.failed(ctx, apierrors.FromObject(event.Object), "watch")
			} else {
				s.health.alive()
			}
			select {
			case t.events <- event:
			case <-t.done:
				// Stop has been called; reading on lets the sender end.
			}
		}
		if silent && !t.stopped() && s.health.clock.Since(opened) < time.Second {
			s.failed(ctx, errClosedAtOnce, "watch")
		}
	})
	return t
}

// errClosedAtOnce is what the reflector takes for a failure too
// (VeryShortWatchError, tools/cache/reflector.go, v0.37.2), and does not tell.
var errClosedAtOnce = errors.New("the watch was closed at once, as by a proxy that does not let watches through")

func (t *tap) stopped() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// ResultChan implements watch.Interface.
func (t *tap) ResultChan() <-chan watch.Event { return t.events }

// Stop implements watch.Interface.
func (t *tap) Stop() {
	t.once.Do(func() { close(t.done) })
	t.from.Stop()
}
