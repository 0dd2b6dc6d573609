package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Request is a request that arrived.
type Request struct {
	// Resource is the last part of the path, such as pods.
	Resource string
	Watch    bool
	// Streams reports whether the watch is to begin with all objects.
	Streams bool
	Query   url.Values
	Token   string
}

// Fault answers a request. It may let forward answer it, through a writer of its own.
type Fault func(w http.ResponseWriter, r *http.Request, forward http.Handler)

// Proxy forwards requests, unless a fault answers them.
type Proxy struct {
	server  *httptest.Server
	forward http.Handler

	mu       sync.Mutex
	fault    Fault
	requests []Request
	// broken is closed, and replaced, to break all connections.
	broken chan struct{}
}

// New starts a proxy before an API server. It ends with the test.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	return start(t, target, http.DefaultTransport, (*httptest.Server).Start)
}

// NewTLS starts a proxy that serves HTTPS: without it clients send no token.
func NewTLS(t testing.TB, target string) *Proxy {
	t.Helper()
	return start(t, target, http.DefaultTransport, (*httptest.Server).StartTLS)
}

// NewTrusting is NewTLS before an API server whose certificate an authority has signed, in
// PEM. Credentials are passed on.
func NewTrusting(t testing.TB, target string, authority []byte) *Proxy {
	t.Helper()
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return start(t, target, transport, (*httptest.Server).StartTLS)
}

func start(t testing.TB, target string, transport http.RoundTripper, serve func(*httptest.Server)) *Proxy {
	t.Helper()
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(parsed)
	forward.Transport = transport
	forward.FlushInterval = -1
	forward.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	p := &Proxy{forward: forward, broken: make(chan struct{})}
	p.server = httptest.NewUnstartedServer(p)
	p.server.EnableHTTP2 = true
	serve(p.server)
	t.Cleanup(func() {
		p.Break()
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

// URL returns the address of the proxy.
func (p *Proxy) URL() string { return p.server.URL }

// Set sets the fault for the requests to come; nil for none.
func (p *Proxy) Set(fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// Break breaks all responses that are being sent.
func (p *Proxy) Break() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.broken)
	p.broken = make(chan struct{})
}

// Requests returns all requests so far.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Request(nil), p.requests...)
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	p.mu.Lock()
	p.requests = append(p.requests, Request{
		Resource: r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:],
		Watch:    query.Get("watch") != "",
		Streams:  query.Get("sendInitialEvents") == "true",
		Query:    query,
		Token:    strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "),
	})
	fault, broken := p.fault, p.broken
	p.mu.Unlock()

	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() {
		select {
		case <-broken:
			cancel()
		case <-ctx.Done():
		}
	}()
	if fault == nil {
		fault = func(w http.ResponseWriter, r *http.Request, forward http.Handler) { forward.ServeHTTP(w, r) }
	}
	fault(w, r.WithContext(ctx), p.forward)
}
