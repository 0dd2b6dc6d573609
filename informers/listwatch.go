package informers

import (
	"context"
	"errors"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// source lists and watches one resource, in one namespace or in all, for one
// informer (cache.ListerWatcherWithContext). client-go tries a streamed list
// first; source keeps it from three habits (tools/cache/reflector.go and
// rest/request.go, v0.37.2):
//
//   - It falls back to a list after any failed attempt to stream, also when the
//     server was merely away. A list of all pods in one piece costs many times
//     the memory of a streamed one, so here it is only for servers that answered
//     and could not stream.
//   - It retries refused connections and 429 inside the attempt to stream,
//     deaf to the end of the process, and tells nobody. Here such an attempt
//     fails as a whole, and its errors are counted and said.
//   - It resumes a watch at the version where the server went away. A server
//     restored from a backup accepts a version of a future that never was, and
//     stays silent until it gets there. So after a refused or lost connection
//     everything is read again.
type source struct {
	client    rest.Interface
	kind      resource
	namespace string
	// labels and fields select on the server.
	labels, fields string
	health         *sourceHealth
	reporter       *reporter

	mu sync.Mutex
	// held is why the next list would be pointless; the list that follows a
	// failed attempt to stream gets it as its answer.
	held error

	// listing lets stop wait for lists: the reflector leaves its list behind
	// when it is told to end.
	listing sync.RWMutex
	stopped bool
	// taps counts watches whose events are being passed on.
	taps sync.WaitGroup
}

// listerWatcher lets an informer take a source. The methods without a context
// are never called: the reflector prefers those with one
// (tools/cache/listwatch.go, v0.37.2).
type listerWatcher struct{ *source }

var (
	_ cache.ListerWatcher            = listerWatcher{}
	_ cache.ListerWatcherWithContext = listerWatcher{}
)

// List implements cache.Lister.
func (l listerWatcher) List(options metav1.ListOptions) (runtime.Object, error) {
	return l.ListWithContext(context.Background(), options)
}

// Watch implements cache.Watcher.
func (l listerWatcher) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return l.WatchWithContext(context.Background(), options)
}

// ListWithContext implements cache.ListerWithContext.
func (s *source) ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	s.listing.RLock()
	defer s.listing.RUnlock()
	if s.stopped {
		return nil, context.Canceled
	}
	if held := s.releaseHeld(); held != nil {
		return nil, reportedError{held}
	}
	ctx, attempt := withAttempt(ctx, s.unreached)
	list, err := s.request(options).Do(ctx).Get()
	if err != nil {
		if attempt.err == nil {
			s.failed(ctx, err, "list")
		}
		return nil, reportedError{err}
	}
	s.works()
	s.health.alive()
	return list, nil
}

// WatchWithContext implements cache.WatcherWithContext.
func (s *source) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	options.Watch = true
	streaming := options.SendInitialEvents != nil && *options.SendInitialEvents
	s.hold(nil)
	ctx, attempt := withAttempt(ctx, s.unreached)
	watched, err := s.request(options).Watch(ctx)
	switch {
	case attempt.err != nil:
		if watched != nil {
			// client-go makes an empty watch of some lost connections.
			watched.Stop()
		}
		if streaming {
			s.hold(attempt.err)
		}
		return nil, unreachedError{attempt.err}
	case err == nil:
		s.works()
		return s.tap(ctx, watched), nil
	case streaming && cannotStream(err):
		return nil, reportedError{err}
	case streaming && apierrors.IsTooManyRequests(err):
		s.failed(ctx, err, "watch")
		s.hold(err)
		return nil, unreachedError{err}
	default:
		s.failed(ctx, err, "watch")
		return nil, reportedError{err}
	}
}

// request builds the request of a list or watch. client-go's inner retries are
// switched off: the reflector's back-off is the only one, and each failure is
// seen.
func (s *source) request(options metav1.ListOptions) *rest.Request {
	options.LabelSelector = s.labels
	options.FieldSelector = s.fields
	return s.client.Get().
		MaxRetries(0).
		NamespaceIfScoped(s.namespace, s.namespace != "").
		Resource(s.kind.resource).
		VersionedParams(&options, metav1.ParameterCodec)
}

// watchFailed is the informer's WatchErrorHandlerWithContext. Nearly all that
// arrives here has been counted where it happened.
func (s *source) watchFailed(ctx context.Context, _ *cache.Reflector, err error) {
	var reported reportedError
	var unreached unreachedError
	if errors.As(err, &reported) || errors.As(err, &unreached) {
		return
	}
	s.failed(ctx, err, "watch")
}

// failed counts and logs an error, unless it comes from the exporter's own end.
func (s *source) failed(ctx context.Context, err error, verb string) {
	if ctx.Err() != nil {
		return
	}
	s.report(requestError(err, verb, s.kind.permission(), s.namespace))
}

// unreached is told of each request that got no answer at all.
func (s *source) unreached(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	s.report(unansweredError(err, "watch", s.kind.permission(), s.namespace))
}

func (s *source) report(failure *RequestError) {
	s.health.failed(failure)
	s.reporter.failed(failure)
}

func (s *source) works() {
	if s.health.works() {
		s.reporter.recovered(s.kind.resource, s.namespace)
	}
}

// hold makes the list that the reflector falls back to fail with err, so that
// it starts over after its back-off.
func (s *source) hold(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = err
}

func (s *source) releaseHeld() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.held
	s.held = nil
	return held
}

// stop waits until nothing of this source runs any more. The informer must have
// ended before.
func (s *source) stop() {
	s.taps.Wait()
	s.listing.Lock()
	defer s.listing.Unlock()
	s.stopped = true
}

// reportedError marks an error as counted and logged. The reflector still sees
// what it is.
type reportedError struct{ error }

func (e reportedError) Unwrap() error { return e.error }

// unreachedError is an error that the reflector must not recognise, or it would
// retry on its own.
type unreachedError struct{ error }
