package informers

import (
	"context"
	"net/http"
)

// requestOutcome holds whether a request got a response. client-go turns some
// lost connections into an empty watch (rest/request.go, v0.37.2), so only the
// transport knows.
type requestOutcome struct {
	// err is why there was no response; nil if there was one.
	err error
}

type outcomeKey struct{}

// withOutcome returns a context for one request, and the outcome that the
// transport will fill in.
func withOutcome(ctx context.Context) (context.Context, *requestOutcome) {
	outcome := &requestOutcome{}
	return context.WithValue(ctx, outcomeKey{}, outcome), outcome
}

// outcomeTransport fills in the requestOutcome of each request that carries one.
// A request is sent and answered on one goroutine, so the outcome needs no lock.
type outcomeTransport struct{ next http.RoundTripper }

// withOutcomes returns a copy of client that fills in request outcomes.
func withOutcomes(client *http.Client) *http.Client {
	wrapped := *client
	if wrapped.Transport == nil {
		wrapped.Transport = http.DefaultTransport
	}
	wrapped.Transport = outcomeTransport{next: wrapped.Transport}
	return &wrapped
}

// RoundTrip implements http.RoundTripper.
func (t outcomeTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	if outcome, ok := request.Context().Value(outcomeKey{}).(*requestOutcome); ok {
		outcome.err = err
	}
	return response, err
}

// CloseIdleConnections is called by http.Client.CloseIdleConnections, which
// would not find the transport below otherwise.
func (t outcomeTransport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
