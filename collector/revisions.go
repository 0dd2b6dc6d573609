package collector

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-kit/log/level"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// NewestRevisions reads the newest ControllerRevision of each DaemonSet of a
// namespace, by the UID of the DaemonSet.
type NewestRevisions func(ctx context.Context, namespace string) (map[slim.UID]slim.ControllerRevision, error)

const (
	// revisionsTimeout bounds one reading of a namespace's ControllerRevisions.
	revisionsTimeout = time.Minute
	// A reading that failed or came too early is repeated after a back-off that grows.
	minRevisionBackoff = time.Second
	maxRevisionBackoff = 5 * time.Minute
	// unchangedRevisions is how many readings that bring nothing new are taken for too
	// early, half a minute in all. After that the template must have been changed and
	// changed back before the controller looked.
	unchangedRevisions = 5
)

// wantedRevision is a DaemonSet whose current revision is to be read.
type wantedRevision struct {
	namespace  string
	generation int64
	// last is the revision that was known of an earlier template.
	last slim.ControllerRevision
	// attempts is how many readings were in vain.
	attempts int
	// due is when it is read next; the zero time for at once.
	due time.Time
}

// revisionQueue holds the DaemonSets whose current revision is to be read. It holds
// each at most once, so it need not drop any.
type revisionQueue struct {
	// added tells the reader that there is something new.
	added chan struct{}

	mu     sync.Mutex
	wanted map[slim.UID]wantedRevision
}

func newRevisionQueue() *revisionQueue {
	return &revisionQueue{added: make(chan struct{}, 1), wanted: map[slim.UID]wantedRevision{}}
}

// add asks for the revision of a DaemonSet, in place of any of an earlier generation.
func (q *revisionQueue) add(ds *slim.DaemonSet, last slim.ControllerRevision) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wanted[ds.UID] = wantedRevision{namespace: ds.Namespace.Value(), generation: ds.Generation, last: last}
	select {
	case q.added <- struct{}{}:
	default: // the reader has been told already
	}
}

// forget drops a DaemonSet that is gone.
func (q *revisionQueue) forget(uid slim.UID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.wanted, uid)
}

// next returns all DaemonSets of the namespace with the one that is due first: one
// reading serves them all. If none is due it returns how long to wait.
func (q *revisionQueue) next(now time.Time) (namespace string, wanted map[slim.UID]wantedRevision, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var first *wantedRevision
	for _, entry := range q.wanted {
		if first == nil || entry.due.Before(first.due) {
			first = &entry
		}
	}
	switch {
	case first == nil:
		return "", nil, maxSleep
	case first.due.After(now):
		return "", nil, min(first.due.Sub(now), maxSleep)
	}
	wanted = map[slim.UID]wantedRevision{}
	for uid, entry := range q.wanted {
		if entry.namespace == first.namespace {
			wanted[uid] = entry
		}
	}
	return first.namespace, wanted, 0
}

// nextDue returns when the first DaemonSet is due; the zero time for at once.
func (q *revisionQueue) nextDue() (at time.Time, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, entry := range q.wanted {
		if !ok || entry.due.Before(at) {
			at, ok = entry.due, true
		}
	}
	return at, ok
}

// untried reports whether a DaemonSet is still to be read for the first time.
func (q *revisionQueue) untried() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, entry := range q.wanted {
		if entry.attempts == 0 {
			return true
		}
	}
	return false
}

// hasten makes a DaemonSet due at once.
func (q *revisionQueue) hasten(uid slim.UID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if entry, ok := q.wanted[uid]; ok {
		entry.due = time.Time{}
		q.wanted[uid] = entry
	}
}

// retry puts off a DaemonSet whose reading was in vain.
func (q *revisionQueue) retry(uid slim.UID, entry wantedRevision, backoff time.Duration, now time.Time) {
	entry.attempts++
	entry.due = now.Add(backoff)
	q.replace(uid, entry.generation, func() { q.wanted[uid] = entry })
}

// done drops a DaemonSet whose revision was read.
func (q *revisionQueue) done(uid slim.UID, entry wantedRevision) {
	q.replace(uid, entry.generation, func() { delete(q.wanted, uid) })
}

// replace makes a change unless the DaemonSet is gone or has another generation by now.
func (q *revisionQueue) replace(uid slim.UID, generation int64, change func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if present, ok := q.wanted[uid]; ok && present.generation == generation {
		change()
	}
}

// backoff returns how long to wait after one more reading in vain.
func (w wantedRevision) backoff() time.Duration {
	return min(minRevisionBackoff<<min(w.attempts, 20), maxRevisionBackoff)
}

// readRevisions reads the ControllerRevisions of the DaemonSets whose current revision
// is not known, until ctx is done. Meanwhile, and where that is not allowed, the state
// infers it.
func (c *Collector) readRevisions(ctx context.Context) {
	logged := map[informers.ErrorKind]bool{}
	for ctx.Err() == nil {
		namespace, wanted, wait := c.revisions.next(c.config.Clock.Now())
		if wanted == nil {
			timer := c.config.Clock.NewTimer(wait)
			select {
			case <-ctx.Done():
			case <-c.revisions.added:
			case <-timer.C():
			}
			timer.Stop()
			continue
		}
		reading, cancel := context.WithTimeout(ctx, revisionsTimeout)
		newest, err := c.config.NewestRevisions(reading, namespace)
		cancel()
		if err == nil {
			c.setRevisions(newest, wanted)
			continue
		}
		kind := informers.ErrorOther
		if failure := (*informers.RequestError)(nil); errors.As(err, &failure) {
			kind = failure.Kind
		}
		now := c.config.Clock.Now()
		for uid, entry := range wanted {
			backoff := entry.backoff()
			if kind == informers.ErrorForbidden {
				backoff = maxRevisionBackoff // nothing but a change of the role helps
			}
			c.revisions.retry(uid, entry, backoff, now)
		}
		if !logged[kind] && ctx.Err() == nil {
			logged[kind] = true
			level.Warn(c.config.Logger).Log(
				"msg", "cannot read the ControllerRevisions of a namespace, the current revisions of its DaemonSets are inferred (logged once)",
				"namespace", namespace, "err", err)
		}
	}
}

// setRevisions hands over what was read. It leaves out what came too early: a
// DaemonSet has no revision yet, or none but that of the template before.
func (c *Collector) setRevisions(newest map[slim.UID]slim.ControllerRevision, wanted map[slim.UID]wantedRevision) {
	now := c.config.Clock.Now()
	for uid, entry := range wanted {
		found, ok := newest[uid]
		if !ok || found == entry.last && entry.attempts < unchangedRevisions {
			c.revisions.retry(uid, entry, entry.backoff(), now)
			continue
		}
		c.handle(func(now time.Time) { c.cluster.SetRevision(found, entry.generation, now) })
		c.revisions.done(uid, entry)
	}
}
