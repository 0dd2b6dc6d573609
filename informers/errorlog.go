package informers

import (
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"k8s.io/utils/clock"
)

// repeatAfter is the least time between two log lines about the same problem. An
// unreachable server is asked again every second at first, by every informer.
const repeatAfter = time.Minute

// errorLog logs failed requests of lists and watches: the first of a problem, at
// most one a minute after that, and one when the problem is over.
type errorLog struct {
	clock  clock.PassiveClock
	logger log.Logger

	mu         sync.Mutex
	lastLogged map[problem]time.Time
}

// problem is what counts as the same for the log. What is wrong with the API server is
// one problem and not one per resource; so is a role that allows neither list nor
// watch.
type problem struct {
	kind                ErrorKind
	resource, namespace string
	// over reports whether this is the end of any problem of the resource.
	over bool
}

func newErrorLog(clock clock.PassiveClock, logger log.Logger) *errorLog {
	return &errorLog{clock: clock, logger: logger, lastLogged: map[problem]time.Time{}}
}

// failed logs err, unless the same problem was logged within repeatAfter.
func (l *errorLog) failed(err *RequestError) {
	about := problem{kind: err.Kind, resource: err.Needs.Resource, namespace: err.Namespace}
	if err.Kind.ofServer() {
		about.resource, about.namespace = "", ""
	}
	if !l.due(about) {
		return
	}
	logger := level.Error(l.logger)
	if err.Kind.passes() {
		logger = level.Info(l.logger)
	}
	logger.Log(append([]any{"msg", err.Verb + " failed"}, append(keyvals(err.Needs.Resource, err.Namespace),
		"verb", err.Verb, "reason", err.Kind, "err", err)...)...)
}

// recovered logs that a resource can be listed and watched again.
func (l *errorLog) recovered(resource, namespace string) {
	if l.due(problem{resource: resource, namespace: namespace, over: true}) {
		level.Info(l.logger).Log(append([]any{"msg", "watch recovered"}, keyvals(resource, namespace)...)...)
	}
}

// due reports whether a problem has not been logged within repeatAfter, and
// notes that it is logged now.
func (l *errorLog) due(about problem) bool {
	now := l.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.lastLogged[about]; ok && now.Sub(last) < repeatAfter {
		return false
	}
	l.lastLogged[about] = now
	return true
}

// keyvals returns the log keys of a resource, and of a namespace if it is not all.
func keyvals(resource, namespace string) []any {
	keyvals := []any{"resource", resource}
	if namespace != "" {
		keyvals = append(keyvals, "namespace", namespace)
	}
	return keyvals
}
