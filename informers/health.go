package informers

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// ResourceHealth is the state of the watches of one resource.
type ResourceHealth struct {
	// Resource is Nodes, Pods or DaemonSets.
	Resource string
	// Synced reports whether the Handler has been given all initial objects.
	// Once true it stays true: when the watch is lost, the last known state
	// stays, and LastEvent grows old.
	Synced bool
	// Fresh reports whether what is known is what the API server has: watches are
	// open, and none has been silent for as long as takes two bookmarks.
	Fresh bool
	// Objects is the number of known objects.
	Objects int
	// Unwatched is the number of namespaces that are refused, if several are watched.
	// They read as empty, and Fresh does not count them.
	Unwatched int
	// Errors counts failed lists and watches since the start by kind, including
	// those after which everything had to be read again. A watch that the
	// server ends after its time-out, and a server that cannot stream lists, are
	// no errors.
	Errors map[ErrorKind]uint64
	// LastEvent is the time of the last sign of life: an event, a bookmark (an
	// API server sends one about every minute) or a list. For several informers
	// of one resource it is the oldest of theirs; zero while one has none.
	LastEvent time.Time
	// Err is why the resource cannot be watched now; nil if it can.
	Err *RequestError
}

// State returns the state of the resource in a word: watching, waiting for the initial
// objects, stale, or the kind of the last error.
func (h ResourceHealth) State() string {
	switch {
	case h.Fresh:
		return "watching"
	case h.Err != nil:
		return string(h.Err.Kind)
	case !h.Synced:
		return "waiting"
	default:
		return "stale"
	}
}

// informerHealth is the health of one informer.
type informerHealth struct {
	clock clock.PassiveClock
	// patience is how long a fresh watch may be silent.
	patience time.Duration

	mu        sync.Mutex
	synced    bool
	following bool
	refused   bool
	objects   int
	errors    map[ErrorKind]uint64
	lastEvent time.Time
	err       *RequestError
}

func newInformerHealth(clock clock.PassiveClock) *informerHealth {
	return &informerHealth{clock: clock, patience: 2 * bookmarkInterval, errors: map[ErrorKind]uint64{}}
}

// setError counts an error and keeps it until clearError.
func (h *informerHealth) setError(err *RequestError) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errors[err.Kind]++
	h.err = err
}

// clearError clears the last error and reports whether there was one.
func (h *informerHealth) clearError() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	cleared := h.err != nil
	h.err = nil
	return cleared
}

// failing reports whether there was an error since the last clearError.
func (h *informerHealth) failing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err != nil
}

// noteEvent is called for every sign of life, so once per event.
func (h *informerHealth) noteEvent() {
	now := h.clock.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastEvent = now
}

func (h *informerHealth) addObjects(change int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.objects += change
}

func (h *informerHealth) setSynced() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.synced = true
}

// setFollowing is called when a watch of changes is open, and when it is lost. One that
// the server ends in time, and that is opened again at once, is not lost.
func (h *informerHealth) setFollowing(following bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.following = following
}

func (h *informerHealth) setRefused(refused bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused = refused
}

func (h *informerHealth) isRefused() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refused
}

// addTo adds the informer to the sum of its resource. A sum without informers is synced
// and fresh, and has its last event now.
func (h *informerHealth) addTo(sum *ResourceHealth) {
	h.mu.Lock()
	defer h.mu.Unlock()
	sum.Objects += h.objects
	for kind, count := range h.errors {
		sum.Errors[kind] += count
	}
	sum.Synced = sum.Synced && h.synced
	if h.refused {
		sum.Unwatched++
		return
	}
	sum.Fresh = sum.Fresh && h.synced && h.following && h.clock.Since(h.lastEvent) < h.patience
	if sum.Err == nil {
		sum.Err = h.err
	}
	if h.lastEvent.Before(sum.LastEvent) {
		sum.LastEvent = h.lastEvent
	}
}

// sumOf returns the health of a resource with these informers.
func sumOf(resource string, informers []*informerHealth) ResourceHealth {
	sum := ResourceHealth{
		Resource: resource, Synced: true, Fresh: true,
		Errors: map[ErrorKind]uint64{}, LastEvent: informers[0].clock.Now(),
	}
	for _, informer := range informers {
		informer.addTo(&sum)
	}
	if sum.Unwatched == len(informers) {
		sum.Fresh = false
	}
	return sum
}
