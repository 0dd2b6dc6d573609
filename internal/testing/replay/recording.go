package replay

import (
	"slices"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recordings"
)

// Recording is a recording that is being replayed.
type Recording struct {
	events  []recordings.Event
	handler Handler
	watch   *Watch
	clock   func(now time.Time)
	synced  bool
}

// NewRecording returns a replay of events to a Handler. Before each event it
// sets the clock to the event's time.
func NewRecording(events []recordings.Event, handler Handler, clock func(now time.Time)) *Recording {
	return &Recording{events: events, handler: handler, watch: NewWatch(handler), clock: clock}
}

// Next delivers the next event and returns it; false after the last one. A
// recording begins with the nodes, after which the Handler is synced.
func (r *Recording) Next() (recordings.Event, bool) {
	if len(r.events) == 0 {
		return recordings.Event{}, false
	}
	event := r.events[0]
	r.events = r.events[1:]
	object := event.Object()
	if object == nil {
		return event, true
	}
	r.clock(event.At)
	if event.Type == "DELETED" {
		r.watch.Delete(object)
	} else {
		r.watch.Set(object)
	}
	if !r.synced && !r.nodeComes() {
		r.synced = true
		r.handler.Synced()
	}
	return event, true
}

// nodeComes reports whether the next object is a node.
func (r *Recording) nodeComes() bool {
	i := slices.IndexFunc(r.events, func(e recordings.Event) bool { return e.Object() != nil })
	return i >= 0 && r.events[i].Node != nil
}

// Until delivers all events up to a time, and sets the clock to it.
func (r *Recording) Until(at time.Time) {
	for len(r.events) > 0 && !r.events[0].At.After(at) {
		r.Next()
	}
	r.clock(at)
}
