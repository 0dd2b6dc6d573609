package server

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"sync"
)

// buffered returns a handler that sends the response once it is complete. Requests that
// share a gathering hold it until the last response is written (coalescingGatherer of
// promhttp v1.25), and who comes until then gets it too: a client that reads slowly
// would make others get old metrics.
//
// So an error that shows only while the response is written gives the status 500 and no
// metrics, too: with PanicOnError promhttp panics with it, otherwise it would stop, and half
// of the metrics would be sent with the status 200.
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
		serveOrFail(next, response, r)
		w.WriteHeader(response.code)
		_, _ = w.Write(response.body.Bytes()) // an error means that the client has gone away
	})
}

// serveOrFail serves a request, or the error with which the handler panics.
func serveOrFail(next http.Handler, w *response, r *http.Request) {
	defer func() {
		failure := recover()
		err, isError := failure.(error)
		if _, isBug := failure.(runtime.Error); failure != nil && (isBug || !isError) {
			panic(failure)
		}
		if isError {
			w.body.Reset()
			w.Header().Del("Content-Encoding")
			http.Error(w, fmt.Sprintf("An error has occurred while serving metrics:\n\n%v", err), http.StatusInternalServerError)
		}
	}()
	next.ServeHTTP(w, r)
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
