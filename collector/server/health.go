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
// server is away later, as a restart would not help. The last known state is still
// served, and daemonset_exporter_informer_fresh tells that it is old.
//
// With the parameter verbose, and when it is not ready, it tells the state of each
// resource in a word. Who may ask that may be anybody: addresses and missing
// permissions are in the log only.
type readiness struct {
	health func() []informers.ResourceHealth
	synced func() bool
}

// ServeHTTP implements http.Handler.
func (r readiness) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	code, last := http.StatusOK, "ready\n"
	if !r.synced() {
		code, last = http.StatusServiceUnavailable, "not ready\n"
	}
	var text strings.Builder
	if code != http.StatusOK || request.URL.Query().Has("verbose") {
		for _, health := range r.health() {
			mark := '-'
			if health.Fresh {
				mark = '+'
			}
			fmt.Fprintf(&text, "[%c]%s %s\n", mark, health.Resource, health.State())
		}
	}
	respond(w, code, text.String()+last)
}

// respond writes a short text. A write error means that the client has gone
// away, and is ignored.
func respond(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text)) //nolint:gosec // it is plain text, and no part of a page
}
