package server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
)

// healthy answers as long as the process can: an API server that is away is no
// reason to restart the exporter.
func healthy(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "healthy\n")
}

// readiness says whether the metrics are whole: not before all initial objects
// are known, for half of them would be a page full of false gaps. It stays true
// when the API server goes away later; the last known state is still served,
// and daemonset_exporter_last_event_timestamp_seconds shows how old it is.
type readiness struct {
	health func() []informers.ResourceHealth
	synced func() bool
}

// ServeHTTP implements http.Handler.
func (r readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if r.synced() {
		answer(w, http.StatusOK, "ready\n")
		return
	}
	var missing strings.Builder
	missing.WriteString("not ready\n")
	for _, health := range r.health() {
		switch {
		case health.Synced:
		case health.Err != nil:
			fmt.Fprintf(&missing, "%s: %v\n", health.Resource, health.Err)
		default:
			fmt.Fprintf(&missing, "%s: waiting for the initial list\n", health.Resource)
		}
	}
	answer(w, http.StatusServiceUnavailable, missing.String())
}

// answer sends a short text. That the client has gone away is no error.
func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text))
}
