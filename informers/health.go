package informers

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// ResourceHealth is how the watching of one resource goes.
type ResourceHealth struct {
	// Resource is Nodes, Pods or DaemonSets.
	Resource string
	// Synced tells that all initial objects have been handed to the Handler.
	// Once true it stays true: when the watch is lost, the last known state
	// stays, and LastEvent grows old.
	Synced bool
	// Objects is how many objects are known.
	Objects int
	// WatchErrors counts failed lists and watches since the start, among them
	// those after which the list had to be read again. A watch that its server
	// ends in time, and a server that cannot stream lists, are no errors.
	WatchErrors uint64
	// LastEvent is when the last sign of life came: an event, a bookmark (an
	// API server sends one about every minute) or a list. With several informers
	// for a resource it is the oldest of theirs; zero while one has none.
	LastEvent time.Time
	// Err is why the resource cannot be watched now; nil when it can.
	Err *RequestError
}

// sourceHealth is the health of one informer.
type sourceHealth struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	synced  bool
	objects int
	errors  uint64
	last    time.Time
	err     *RequestError
}

// failed counts an error, which stands until the source works again.
func (h *sourceHealth) failed(err *RequestError) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errors++
	h.err = err
}

// works takes back the last error and tells whether there was one.
func (h *sourceHealth) works() (recovered bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	recovered = h.err != nil
	h.err = nil
	return recovered
}

// alive notes a sign of life. It runs once per event.
func (h *sourceHealth) alive() {
	now := h.clock.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = now
}

func (h *sourceHealth) count(change int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.objects += change
}

func (h *sourceHealth) handedOver() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.synced = true
}

// addTo aggregates the informers of one resource. first tells that nothing has
// been added yet.
func (h *sourceHealth) addTo(sum *ResourceHealth, first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	sum.Objects += h.objects
	sum.WatchErrors += h.errors
	if sum.Err == nil {
		sum.Err = h.err
	}
	if first {
		sum.Synced, sum.LastEvent = h.synced, h.last
		return
	}
	sum.Synced = sum.Synced && h.synced
	if h.last.Before(sum.LastEvent) {
		sum.LastEvent = h.last
	}
}
