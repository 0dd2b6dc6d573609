package server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
)

// healthy answers 200 as long as the process can answer at all. An API server
// that is away does not change that: a restart would not help.
func healthy(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, "healthy\n")
}

// readiness answers 200 once all informer caches have synced: metrics of a
// half-synced cache would be full of false gaps. It stays ready when the API
// server is away later. The last known state is still served, and
// daemonset_exporter_informer_last_event_timestamp_seconds shows its age.
type readiness struct {
	health func() []informers.ResourceHealth
	synced func() bool
}

// ServeHTTP implements http.Handler.
func (r readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if r.synced() {
		respond(w, http.StatusOK, "ready\n")
		return
	}
	var text strings.Builder
	text.WriteString("not ready\n")
	for _, health := range r.health() {
		switch {
		case health.Synced:
		case health.Err != nil:
			fmt.Fprintf(&text, "%s: %v\n", health.Resource, health.Err)
		default:
			fmt.Fprintf(&text, "%s: waiting for the initial list\n", health.Resource)
		}
	}
	respond(w, http.StatusServiceUnavailable, text.String())
}

// respond writes a short text. A write error means that the client has gone
// away, and is ignored.
func respond(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text))
}
