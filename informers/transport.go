package informers

import (
	"context"
	"net/http"
)

// attempt remembers whether a request got an answer. client-go turns some lost
// connections into an empty watch (rest/request.go, v0.37.2), so only the
// transport knows.
type attempt struct {
	// err is why there was no answer; nil if there was one.
	err error
	// unreached is told of it.
	unreached func(ctx context.Context, err error)
}

type attemptKey struct{}

// withAttempt attaches an attempt to the context of one request.
func withAttempt(ctx context.Context, unreached func(context.Context, error)) (context.Context, *attempt) {
	made := &attempt{unreached: unreached}
	return context.WithValue(ctx, attemptKey{}, made), made
}

// attemptRecorder notes in a request's attempt what became of it. A request is
// sent and answered on one goroutine, so an attempt needs no lock.
type attemptRecorder struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (r attemptRecorder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if made, ok := request.Context().Value(attemptKey{}).(*attempt); ok {
		made.err = err
		if err != nil {
			made.unreached(request.Context(), err)
		}
	}
	return response, err
}

// CloseIdleConnections lets http.Client reach the transport below.
func (r attemptRecorder) CloseIdleConnections() {
	if closer, ok := r.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
