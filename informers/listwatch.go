package informers

import (
	"context"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// listWatch lists and watches one resource, in one namespace or in all, for one
// informer. client-go tries a streamed list first; listWatch keeps it from three
// habits (tools/cache/reflector.go and rest/request.go, v0.37.2):
//
//   - It falls back to a list after any failed attempt to stream, also when the
//     server was merely unreachable. A list of all pods in one piece costs many
//     times the memory of a streamed one, so here it is only for servers that
//     answered and cannot stream.
//   - It retries refused connections and 429 responses within one streaming
//     attempt, ignoring cancellation and reporting nothing. Here such an attempt
//     fails as a whole, and its errors are counted and logged.
//   - It resumes a watch at the version where the connection was lost. A server
//     restored from a backup accepts a version that it has not reached yet, and
//     stays silent until it gets there. So after a refused or lost connection
//     everything is listed again.
type listWatch struct {
	client    rest.Interface
	resource  resource
	namespace string
	// labels and fields are the selectors that the server applies.
	labels, fields string
	health         *informerHealth
	errorLog       *errorLog

	mu sync.Mutex
	// nextListErr is returned by the next list instead of asking the server. It
	// is set by a failed streaming attempt, which the reflector follows with a
	// list.
	nextListErr error
	// watchedUntil is until when nothing can have been missed: when the last watch
	// ended, or the last list was asked for.
	watchedUntil time.Time

	// lists lets stop wait for lists in progress: the reflector abandons its
	// list when its context is done.
	lists   sync.RWMutex
	stopped bool
	// watches counts the watches whose events are being forwarded.
	watches sync.WaitGroup
}

// The reflector calls only the methods with a context; the type of an
// informer's argument asks for the others too (tools/cache/listwatch.go, v0.37.2).
var (
	_ cache.ListerWatcher            = (*listWatch)(nil)
	_ cache.ListerWatcherWithContext = (*listWatch)(nil)
)

// List implements cache.Lister.
func (lw *listWatch) List(options metav1.ListOptions) (runtime.Object, error) {
	return lw.ListWithContext(context.Background(), options)
}

// Watch implements cache.Watcher.
func (lw *listWatch) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return lw.WatchWithContext(context.Background(), options)
}

// ListWithContext implements cache.ListerWithContext.
func (lw *listWatch) ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	lw.lists.RLock()
	defer lw.lists.RUnlock()
	if lw.stopped {
		return nil, context.Canceled
	}
	if err := lw.takeNextListErr(); err != nil {
		return nil, reportedError{err}
	}
	ctx, outcome := withOutcome(ctx)
	lw.setWatchedUntil(lw.health.clock.Now())
	list, err := lw.request(options).Do(ctx).Get()
	switch {
	case outcome.err != nil:
		lw.reportUnreachable(ctx, outcome.err, "list")
		return nil, reportedError{err}
	case err != nil:
		lw.report(ctx, err, "list")
		return nil, reportedError{err}
	}
	lw.reportSuccess()
	lw.health.noteEvent()
	return list, meta.EachListItem(list, markLate)
}

// WatchWithContext implements cache.WatcherWithContext.
func (lw *listWatch) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	options.Watch = true
	streaming := options.SendInitialEvents != nil && *options.SendInitialEvents
	lw.setNextListErr(nil)
	ctx, outcome := withOutcome(ctx)
	watched, err := lw.request(options).Watch(ctx)
	switch {
	case outcome.err != nil:
		lw.reportUnreachable(ctx, outcome.err, "watch")
		if watched != nil {
			// client-go returns an empty watch for some lost connections.
			watched.Stop()
		}
		if streaming {
			lw.setNextListErr(outcome.err)
		}
		return nil, opaqueError{outcome.err}
	case err == nil:
		lw.reportSuccess()
		return lw.monitor(ctx, watched, streaming), nil
	case streaming && cannotStream(err):
		return nil, reportedError{err}
	case streaming && apierrors.IsTooManyRequests(err):
		lw.report(ctx, err, "watch")
		lw.setNextListErr(err)
		return nil, opaqueError{err}
	default:
		lw.report(ctx, err, "watch")
		return nil, reportedError{err}
	}
}

// request returns the request of a list or watch. client-go's inner retries are
// off: the reflector's back-off is the only one, and each failure is counted.
func (lw *listWatch) request(options metav1.ListOptions) *rest.Request {
	options.LabelSelector = lw.labels
	options.FieldSelector = lw.fields
	return lw.client.Get().
		MaxRetries(0).
		NamespaceIfScoped(lw.namespace, lw.namespace != "").
		Resource(lw.resource.name).
		VersionedParams(&options, metav1.ParameterCodec)
}

// handleWatchError is called by the reflector when a list or watch fails
// (cache.WatchErrorHandlerWithContext). Nearly all errors that arrive here have
// been reported where they happened.
func (lw *listWatch) handleWatchError(ctx context.Context, _ *cache.Reflector, err error) {
	var reported reportedError
	var opaque opaqueError
	if errors.As(err, &reported) || errors.As(err, &opaque) {
		return
	}
	lw.report(ctx, err, "watch")
}

// report counts and logs an error, unless ctx is done and the error follows
// from that.
func (lw *listWatch) report(ctx context.Context, err error, verb string) {
	lw.countAndLog(ctx, requestError(err, verb, lw.resource.permission(), lw.namespace))
}

// reportUnreachable does the same for a request that got no response.
func (lw *listWatch) reportUnreachable(ctx context.Context, err error, verb string) {
	lw.countAndLog(ctx, unansweredError(err, verb, lw.resource.permission(), lw.namespace))
}

func (lw *listWatch) countAndLog(ctx context.Context, err *RequestError) {
	if ctx.Err() != nil {
		return
	}
	lw.health.setError(err)
	lw.errorLog.failed(err)
}

// reportSuccess clears the last error, and logs it if there was one.
func (lw *listWatch) reportSuccess() {
	if lw.health.clearError() {
		lw.errorLog.recovered(lw.resource.name, lw.namespace)
	}
}

// setNextListErr makes the list that the reflector falls back to fail with err,
// so that the reflector starts over after its back-off.
func (lw *listWatch) setNextListErr(err error) {
	lw.mu.Lock()
	defer lw.mu.Unlock()
	lw.nextListErr = err
}

func (lw *listWatch) takeNextListErr() error {
	lw.mu.Lock()
	defer lw.mu.Unlock()
	err := lw.nextListErr
	lw.nextListErr = nil
	return err
}

func (lw *listWatch) setWatchedUntil(at time.Time) {
	lw.mu.Lock()
	defer lw.mu.Unlock()
	lw.watchedUntil = at
}

// interrupted reports whether a watch that is opened now may bring changes that are
// older than it.
func (lw *listWatch) interrupted(now time.Time) bool {
	lw.mu.Lock()
	defer lw.mu.Unlock()
	return now.Sub(lw.watchedUntil) > maxInterruption
}

// stop waits until nothing of this listWatch runs any more, and makes later
// lists fail. The informer must have ended before.
func (lw *listWatch) stop() {
	lw.watches.Wait()
	lw.lists.Lock()
	defer lw.lists.Unlock()
	lw.stopped = true
}

// reportedError marks an error as counted and logged. The reflector still sees
// what it is.
type reportedError struct{ error }

func (e reportedError) Unwrap() error { return e.error }

// opaqueError is a reported error that does not unwrap: the reflector must not
// recognise it, or it would retry at once.
type opaqueError struct{ error }
