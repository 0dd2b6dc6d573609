package informers

import (
	"context"
	"errors"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// listWatch brings the objects of one resource, in one namespace or in all, into one
// informer. To client-go's reflector (tools/cache/reflector.go, v0.37.2) it shows
// nothing but streams that work: all objects, the bookmark that ends them, and then
// their changes, without end. Everything that a bad hour of the API server brings is
// dealt with behind that, in session: failed requests, lost connections, servers that
// cannot stream. The reflector would deal with it by lists of everything in one piece,
// which take many times the memory, just when the server suffers.
//
// Only when everything must be read again does the stream end, with 410 Expired. The
// reflector responds to that with a new stream, and finds out what was deleted.
type listWatch struct {
	client    *client
	resource  resource
	namespace string
	// labels and fields are the selectors that the server applies.
	labels, fields string
	health         *informerHealth
	errorLog       *errorLog
	pace           pace
	access         *access

	// mu is held by the running session: the next one waits for it.
	mu sync.Mutex
	// delays is the back-off. Only a watch that brings something resets it.
	delays wait.Backoff
	// watchedUntil is until when nothing can have been missed: when the last watch
	// ended, or the last list was asked for.
	watchedUntil time.Time

	sessions sync.WaitGroup
}

// pace holds how long a listWatch waits.
type pace struct {
	// firstDelay and maxDelay bound the back-off. The wait is a random time between
	// each and twice of it.
	firstDelay, maxDelay time.Duration
	// answer is how long the server may take to respond, or for a page of a list.
	answer time.Duration
	// silence is how long a watch may bring nothing. An API server sends a bookmark
	// about every minute.
	silence time.Duration
	// interruption is how long nobody may have watched for the changes of that time to
	// count as seen when they were made: a server that ends a watch in time is asked
	// again at once.
	interruption time.Duration
	// catchUp is how long a watch that was interrupted takes to bring what was missed.
	catchUp time.Duration
	// refusal is how long a namespace may be refused before its DaemonSets are
	// forgotten: it was deleted, with the role in it.
	refusal time.Duration
}

// bookmarkInterval is how often an API server sends bookmarks
// (apiserver/pkg/storage/cacher, v1.37).
const bookmarkInterval = time.Minute

func defaultPace() pace {
	return pace{
		firstDelay: 500 * time.Millisecond, maxDelay: 15 * time.Second,
		answer: time.Minute, silence: 2 * bookmarkInterval,
		interruption: time.Second, catchUp: 2 * time.Second,
		refusal: 10 * time.Minute,
	}
}

// Time-outs of watches, after which the server ends them. They spread the exporter's
// connections over the API servers. That of a stream of everything must be enough for it.
const (
	watchTimeout  = 5 * time.Minute
	streamTimeout = 30 * time.Minute
)

// The reflector calls only WatchWithContext; the type of an informer's argument asks for
// the others too (tools/cache/listwatch.go, v0.37.2).
var (
	_ cache.ListerWatcher            = (*listWatch)(nil)
	_ cache.ListerWatcherWithContext = (*listWatch)(nil)
)

// errStreamsOnly is returned for what the reflector asks for only if its feature gate
// WatchListClient is off, which New refuses.
var errStreamsOnly = errors.New("only streamed lists are supported")

// List implements cache.Lister.
func (lw *listWatch) List(metav1.ListOptions) (runtime.Object, error) { return nil, errStreamsOnly }

// ListWithContext implements cache.ListerWithContext.
func (lw *listWatch) ListWithContext(ctx context.Context, _ metav1.ListOptions) (runtime.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, errStreamsOnly
}

// Watch implements cache.Watcher.
func (lw *listWatch) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return lw.WatchWithContext(context.Background(), options)
}

// WatchWithContext implements cache.WatcherWithContext. It returns at once, and fails
// never but at the end of the process: whatever happens, happens in the session.
func (lw *listWatch) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if options.SendInitialEvents == nil || !*options.SendInitialEvents {
		return nil, errStreamsOnly
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &session{listWatch: lw, cancel: cancel, events: make(chan watch.Event)}
	lw.sessions.Go(func() {
		defer cancel()
		lw.mu.Lock()
		defer lw.mu.Unlock()
		s.run(ctx)
	})
	return s, nil
}

// request returns a request for the resource in a namespace, or in all. client-go's
// inner retries are off: the back-off of listWatch is the only one, and each failure is
// counted.
func (lw *listWatch) request(namespace string, options metav1.ListOptions) *rest.Request {
	options.LabelSelector = lw.labels
	if options.FieldSelector == "" {
		options.FieldSelector = lw.fields
	}
	return lw.client.Get().
		MaxRetries(0).
		NamespaceIfScoped(namespace, namespace != "").
		Resource(lw.resource.name).
		VersionedParams(&options, metav1.ParameterCodec)
}

// open sends a request for a watch.
func (lw *listWatch) open(ctx context.Context, options metav1.ListOptions, timeout time.Duration) (*stream, error) {
	seconds := int64(timeout.Seconds())
	options.Watch, options.AllowWatchBookmarks, options.TimeoutSeconds = true, true, &seconds
	until := lw.health.clock.Now().Add(timeout)
	open, err := lw.client.openStream(ctx, lw.request(lw.namespace, options).URL().String(), lw.pace.answer, lw.pace.silence)
	if err != nil {
		return nil, err
	}
	open.until = until
	return open, nil
}

// failed counts and logs the error of a request, and returns how to go on. An error that
// follows from the end of the process is none.
func (lw *listWatch) failed(ctx context.Context, err error, verb string, streaming bool) treatment {
	treated := classify(err, streaming)
	if treated.kind == "" || ctx.Err() != nil {
		return treated
	}
	failure := requestError(err, verb, lw.resource.permission(), lw.namespace)
	lw.health.setError(failure)
	lw.errorLog.failed(failure)
	return treated
}

// pause waits for the next delay of the back-off, or longer if the server asked for that.
// It ends early when sooner is closed.
func (lw *listWatch) pause(ctx context.Context, treated treatment, sooner <-chan struct{}) {
	timer := time.NewTimer(max(lw.delays.Step(), wait.Jitter(treated.wait, 0.5)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-sooner:
	case <-ctx.Done():
	}
}

// resetDelays is called when a watch has brought something.
func (lw *listWatch) resetDelays() {
	lw.delays = wait.Backoff{Duration: lw.pace.firstDelay, Factor: 2, Jitter: 1, Steps: 100, Cap: lw.pace.maxDelay}
}

// interrupted reports whether a watch that is opened now may bring changes that are
// older than it.
func (lw *listWatch) interrupted(now time.Time) bool {
	return now.Sub(lw.watchedUntil) > lw.pace.interruption
}

// stop waits until nothing of this listWatch runs any more. The informer must have ended
// before.
func (lw *listWatch) stop() { lw.sessions.Wait() }
