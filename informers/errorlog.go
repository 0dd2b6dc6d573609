package informers

import (
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"k8s.io/utils/clock"
)

// repeatAfter is how long an error that stays is not said again. A server that
// is away is asked again every second at first, by every informer.
const repeatAfter = time.Minute

// reporter logs what goes wrong with the watches: once when it begins, then at
// most once a minute, and once when it is over.
type reporter struct {
	clock  clock.PassiveClock
	logger log.Logger

	mu   sync.Mutex
	said map[topic]time.Time
}

// topic is what counts as the same news. An API server that is out of reach is
// one piece of news and not one per resource; so is a role that allows neither
// list nor watch.
type topic struct {
	kind                ErrorKind
	resource, namespace string
	over                bool
}

func newReporter(clock clock.PassiveClock, logger log.Logger) *reporter {
	return &reporter{clock: clock, logger: logger, said: map[topic]time.Time{}}
}

// failed logs an error in one line.
func (r *reporter) failed(err *RequestError) {
	about := topic{kind: err.Kind, resource: err.Needs.Resource, namespace: err.Namespace}
	if err.Kind == ErrorUnreachable || err.Kind == ErrorUnauthorized {
		about.resource, about.namespace = "", ""
	}
	if !r.news(about) {
		return
	}
	logger := level.Error(r.logger)
	if err.Kind == ErrorExpired {
		logger = level.Info(r.logger)
	}
	logger.Log("msg", err.Error())
}

// recovered logs that a resource can be watched again.
func (r *reporter) recovered(resource, namespace string) {
	if !r.news(topic{resource: resource, namespace: namespace, over: true}) {
		return
	}
	level.Info(r.logger).Log("msg", "watching "+resource+" in "+scope(namespace)+" works again")
}

// news tells whether a topic has not come up for a while.
func (r *reporter) news(about topic) bool {
	now := r.clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.said[about]; ok && now.Sub(last) < repeatAfter {
		return false
	}
	r.said[about] = now
	return true
}
