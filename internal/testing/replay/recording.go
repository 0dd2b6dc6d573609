package replay

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recordings"
)

// Recording is a recording that is being replayed.
type Recording struct {
	events  []recordings.Event
	player  *files.Player
	nodesIn bool
}

// NewRecording returns a replay of events to a Handler. Before each event it
// sets the clock to the event's time.
func NewRecording(events []recordings.Event, handler informers.Handler, clock func(now time.Time)) *Recording {
	exporter := func(time.Time) files.Exporter { return handlerOnly{handler, clock} }
	return &Recording{events: events, player: files.NewPlayer(exporter, nil)}
}

// Next delivers the next event and returns it; false after the last one. A
// recording begins with the nodes, after which the Handler is synced.
func (r *Recording) Next() (recordings.Event, bool) {
	if len(r.events) == 0 {
		return recordings.Event{}, false
	}
	event := r.events[0]
	r.events = r.events[1:]
	if event.Object() == nil {
		return event, true
	}
	r.player.Play(inProduct(event))
	if !r.nodesIn && !nodeComes(r.events) {
		r.nodesIn = true
		r.player.Play(files.Event{Time: event.At, Type: files.Synced})
	}
	return event, true
}

// Until delivers all events up to a time, and sets the clock to it.
func (r *Recording) Until(at time.Time) {
	for len(r.events) > 0 && !r.events[0].At.After(at) {
		r.Next()
	}
	r.player.Settle(at)
}

// Events returns a recording in the form of the product: in the order of the times, and
// with a mark for each action.
func Events(events []recordings.Event) (converted []files.Event) {
	events = slices.SortedStableFunc(slices.Values(events), func(a, b recordings.Event) int { return a.At.Compare(b.At) })
	nodesIn := false
	for i, event := range events {
		converted = append(converted, inProduct(event))
		if !nodesIn && event.Object() != nil && !nodeComes(events[i+1:]) {
			nodesIn = true
			converted = append(converted, files.Event{Time: event.At, Type: files.Synced})
		}
	}
	return converted
}

func inProduct(event recordings.Event) files.Event {
	if event.Object() == nil {
		return files.Event{Time: event.At, Type: files.Mark, Text: event.Action}
	}
	return files.Event{Time: event.At, Type: files.EventType(event.Type), Object: event.Object().(runtime.Object)}
}

// nodeComes reports whether the next object is a node.
func nodeComes(events []recordings.Event) bool {
	i := slices.IndexFunc(events, func(e recordings.Event) bool { return e.Object() != nil })
	return i >= 0 && events[i].Node != nil
}

// handlerOnly is a Handler with a clock, to which nothing else is told.
type handlerOnly struct {
	informers.Handler
	clock func(now time.Time)
}

func (h handlerOnly) SetTime(now time.Time)                       { h.clock(now) }
func (h handlerOnly) NodeSelector(string, labels.Selector)        {}
func (h handlerOnly) LeaseRenewed(string, time.Time)              {}
func (h handlerOnly) NewRevision(string, slim.ControllerRevision) {}
