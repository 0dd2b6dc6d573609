package files

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// OnDemand is what an exporter reads on demand. Its functions may be nil.
type OnDemand struct {
	NodeSelectors   func(ctx context.Context, namespaces []string) (map[string]labels.Selector, error)
	LeaseRenewTime  func(ctx context.Context, node string) (time.Time, error)
	NewestRevisions func(ctx context.Context, namespace string) (map[slim.UID]slim.ControllerRevision, error)
}

// Record returns the same, and has record called with each result that is new.
func (o OnDemand) Record(record func(Event)) OnDemand {
	r := &readings{record: record, selectors: map[string]string{}, revisions: map[slim.UID]slim.ControllerRevision{}}
	recorded := OnDemand{}
	if o.NodeSelectors != nil {
		recorded.NodeSelectors = func(ctx context.Context, namespaces []string) (map[string]labels.Selector, error) {
			selectors, err := o.NodeSelectors(ctx, namespaces)
			r.noteSelectors(selectors)
			return selectors, err
		}
	}
	if o.LeaseRenewTime != nil {
		recorded.LeaseRenewTime = func(ctx context.Context, node string) (time.Time, error) {
			at, err := o.LeaseRenewTime(ctx, node)
			if err == nil {
				record(Event{Type: Modified, Object: leaseRenewed(node, at)})
			}
			return at, err
		}
	}
	if o.NewestRevisions != nil {
		recorded.NewestRevisions = func(ctx context.Context, namespace string) (map[slim.UID]slim.ControllerRevision, error) {
			revisions, err := o.NewestRevisions(ctx, namespace)
			r.noteRevisions(namespace, revisions)
			return revisions, err
		}
	}
	return recorded
}

// readings is what was read before.
type readings struct {
	record func(Event)

	mu        sync.Mutex
	selectors map[string]string
	revisions map[slim.UID]slim.ControllerRevision
}

func (r *readings) noteSelectors(selectors map[string]labels.Selector) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, namespace := range slices.Sorted(maps.Keys(selectors)) {
		text := selectors[namespace].String()
		known, ok := r.selectors[namespace]
		if ok && known == text {
			continue
		}
		r.selectors[namespace] = text
		r.record(Event{Type: addedOr(ok), Object: namespaceWith(namespace, selectors[namespace])})
	}
}

func (r *readings) noteRevisions(namespace string, revisions map[slim.UID]slim.ControllerRevision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for uid, revision := range revisions {
		known, ok := r.revisions[uid]
		if ok && known == revision {
			continue
		}
		r.revisions[uid] = revision
		r.record(Event{Type: addedOr(ok), Object: controllerRevision(namespace, revision)})
	}
}

func addedOr(known bool) EventType {
	if known {
		return Modified
	}
	return Added
}
