package apiserver

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// User is the user as which the server authenticates every client.
const User = "system:serviceaccount:monitoring:daemonset-exporter"

// Server is a running API server.
type Server struct {
	t       testing.TB
	address string
	codec   codec

	mu sync.Mutex
	// changed is closed, and replaced, when the store has changed.
	changed chan struct{}
	store   store
	http    *http.Server
	// dropped is closed, and replaced, to end all watches.
	dropped chan struct{}
	// documents are responses by path.
	documents map[string]any
	requests  []Request
	forbidden map[permission]bool
	rejected  bool
	noStreams bool
	// released is closed when streamed lists may end; nil if they always may.
	released    chan struct{}
	interceptor Interceptor
	// watchable is closed when watches get a response; nil if they always do.
	watchable chan struct{}
}

// permission is a verb on a resource, in one namespace or in all.
type permission struct{ verb, resource, namespace string }

// Request is one request that the server received.
type Request struct {
	// Verb is get, list or watch. Resource is the path of a request for something
	// else, such as an API group.
	Verb, Resource, Namespace string
	Query                     url.Values
	Header                    http.Header
}

// Streams reports whether the request is for a streamed list.
func (r Request) Streams() bool { return r.Query.Get("sendInitialEvents") == "true" }

// New starts a server that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{
		t:         t,
		codec:     newCodec(t),
		changed:   make(chan struct{}),
		dropped:   make(chan struct{}),
		store:     newStore(),
		documents: map[string]any{},
		forbidden: map[permission]bool{},
	}
	s.listen("127.0.0.1:0")
	t.Cleanup(s.Stop)
	return s
}

// URL returns the base URL of the server.
func (s *Server) URL() string { return "http://" + s.address }

// Config returns a client configuration for the server, without a preference for
// an encoding.
func (s *Server) Config() *rest.Config { return &rest.Config{Host: s.URL(), QPS: -1} }

// Stop stops the server: connections break, new ones are refused.
func (s *Server) Stop() {
	s.mu.Lock()
	server := s.http
	s.http = nil
	s.mu.Unlock()
	if server == nil {
		return
	}
	if err := server.Close(); err != nil {
		s.t.Errorf("stopping the API server: %v", err)
	}
}

// Start starts a stopped server at its old address.
func (s *Server) Start() {
	s.t.Helper()
	s.listen(s.address)
}

func (s *Server) listen(address string) {
	s.t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		s.t.Fatalf("starting the API server: %v", err)
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	s.mu.Lock()
	s.address, s.http = listener.Addr().String(), server
	s.mu.Unlock()
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.t.Errorf("the API server ended: %v", err)
		}
	}()
}

// DropWatches ends all watches, as a load balancer does; the server stays.
func (s *Server) DropWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.dropped)
	s.dropped = make(chan struct{})
}

// Forbid revokes permissions.
func (s *Server) Forbid(verb string, resources ...string) {
	s.setForbidden(true, permission{verb: verb}, resources)
}

// Allow grants revoked permissions again.
func (s *Server) Allow(verb string, resources ...string) {
	s.setForbidden(false, permission{verb: verb}, resources)
}

// ForbidIn revokes the permissions to list and watch in one namespace, as when the role in
// it is deleted.
func (s *Server) ForbidIn(namespace string, resources ...string) {
	s.setForbidden(true, permission{verb: "list", namespace: namespace}, resources)
	s.setForbidden(true, permission{verb: "watch", namespace: namespace}, resources)
}

// AllowIn grants them again.
func (s *Server) AllowIn(namespace string, resources ...string) {
	s.setForbidden(false, permission{verb: "list", namespace: namespace}, resources)
	s.setForbidden(false, permission{verb: "watch", namespace: namespace}, resources)
}

func (s *Server) setForbidden(forbidden bool, what permission, resources []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, what.resource = range resources {
		s.forbidden[what] = forbidden
	}
}

// Serve makes the server respond to a path with a JSON document, nil for none: for
// what is neither listed nor watched.
func (s *Server) Serve(path string, document any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.documents[path] = document
}

// RejectCredentials makes the server respond with 401.
func (s *Server) RejectCredentials() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected = true
}

// DisableStreamedLists makes the server behave as with the feature gate WatchList
// off.
func (s *Server) DisableStreamedLists() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noStreams = true
}

// HoldLists makes streamed lists wait after their last object until release is
// called: clients have everything, but do not know yet that it is everything.
func (s *Server) HoldLists() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	released := make(chan struct{})
	s.released = released
	return sync.OnceFunc(func() { close(released) })
}

// HoldWatches makes new watches wait for their first byte until release is called.
func (s *Server) HoldWatches() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	watchable := make(chan struct{})
	s.watchable = watchable
	return sync.OnceFunc(func() { close(watchable) })
}

// Interceptor answers a request and returns nil, or returns where the server is to write
// its answer.
type Interceptor func(w http.ResponseWriter, r *http.Request, request Request) http.ResponseWriter

// Intercept sends all requests through an Interceptor; nil for none.
func (s *Server) Intercept(interceptor Interceptor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interceptor = interceptor
}

// Requests returns all requests so far for a resource, with one of the verbs or,
// without verbs, with any.
func (s *Server) Requests(resource string, verbs ...string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Request
	for _, request := range s.requests {
		if request.Resource == resource && (len(verbs) == 0 || slices.Contains(verbs, request.Verb)) {
			found = append(found, request)
		}
	}
	return found
}
