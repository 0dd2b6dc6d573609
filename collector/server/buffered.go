package server

import (
	"bytes"
	"net/http"
	"sync"
)

// buffered returns a handler that sends the response once it is complete. Requests that
// share a gathering hold it until the last response is written (coalescingGatherer of
// promhttp v1.25), and who comes until then gets it too: a client that reads slowly
// would make others get old metrics.
//
// Buffers are used again: to grow one as large as a scrape of thousands of gaps takes more
// memory than to gather it.
func buffered(next http.Handler) http.Handler {
	buffers := sync.Pool{New: func() any { return &bytes.Buffer{} }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := buffers.Get().(*bytes.Buffer)
		defer buffers.Put(body)
		body.Reset()
		response := &response{ResponseWriter: w, code: http.StatusOK, body: body}
		next.ServeHTTP(response, r)
		w.WriteHeader(response.code)
		_, _ = w.Write(response.body.Bytes()) // an error means that the client has gone away
	})
}

// response is a response whose header is not sent yet.
type response struct {
	http.ResponseWriter
	code int
	body *bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (r *response) WriteHeader(code int) { r.code = code }

// Write implements http.ResponseWriter.
func (r *response) Write(text []byte) (int, error) { return r.body.Write(text) }
