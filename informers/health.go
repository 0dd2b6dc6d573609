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
	// Objects is the number of known objects.
	Objects int
	// WatchErrors counts failed lists and watches since the start, including
	// those after which everything had to be listed again. A watch that the
	// server ends after its timeout, and a server that cannot stream lists, are
	// no errors.
	WatchErrors uint64
	// LastEvent is the time of the last sign of life: an event, a bookmark (an
	// API server sends one about every minute) or a list. For several informers
	// of one resource it is the oldest of theirs; zero while one has none.
	LastEvent time.Time
	// Err is why the resource cannot be watched now; nil if it can.
	Err *RequestError
}

// informerHealth is the health of one informer.
type informerHealth struct {
	clock clock.PassiveClock

	mu        sync.Mutex
	synced    bool
	objects   int
	errors    uint64
	lastEvent time.Time
	err       *RequestError
}

// setError counts an error and keeps it until clearError.
func (h *informerHealth) setError(err *RequestError) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errors++
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

// addTo adds the informer to the sum of its resource. first reports whether
// the sum is still empty.
func (h *informerHealth) addTo(sum *ResourceHealth, first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	sum.Objects += h.objects
	sum.WatchErrors += h.errors
	if sum.Err == nil {
		sum.Err = h.err
	}
	if first {
		sum.Synced, sum.LastEvent = h.synced, h.lastEvent
		return
	}
	sum.Synced = sum.Synced && h.synced
	if h.lastEvent.Before(sum.LastEvent) {
		sum.LastEvent = h.lastEvent
	}
}
