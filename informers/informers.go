package informers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"k8s.io/client-go/tools/cache"
)

// Set is the informers of one exporter. It runs once.
type Set struct {
	watchers []*watcher
	clients  *clients
	logger   log.Logger
	started  atomic.Bool
	synced   atomic.Bool
}

// watcher is one informer with what it lists and watches.
type watcher struct {
	*source
	informer cache.SharedIndexInformer
	// handedOver is done when the initial objects have been handed over. It is
	// set when Run begins.
	handedOver cache.DoneChecker
}

// New makes the informers. It fails if the options cannot work with any API
// server; it opens no connection.
func New(options Options) (*Set, error) {
	namespaces, excluding, err := options.scopeOf()
	if err != nil {
		return nil, err
	}
	if err := options.checkPodsSelector(); err != nil {
		return nil, err
	}
	clients, err := newClients(options.Config)
	if err != nil {
		return nil, err
	}
	set := &Set{clients: clients, logger: options.Logger}
	reporter := newReporter(options.Clock, options.Logger)
	for _, kind := range resources() {
		client, err := clients.forVersion(kind.version)
		if err != nil {
			return nil, err
		}
		within, fields, labels := []string{""}, "", ""
		if kind.namespaced {
			within, fields = namespaces, excluding
		}
		if kind.pods {
			labels = options.PodsSelector
		}
		for _, namespace := range within {
			made, err := newWatcher(&source{
				client: client, kind: kind, namespace: namespace,
				labels: labels, fields: fields,
				health:   &sourceHealth{clock: options.Clock},
				reporter: reporter,
			})
			if err != nil {
				return nil, err
			}
			set.watchers = append(set.watchers, made)
		}
	}
	return set, nil
}

// newWatcher makes the informer of a source. The source says nothing about
// streamed lists, which the reflector takes for a yes
// (client-go/util/watchlist, v0.37.2).
func newWatcher(from *source) (*watcher, error) {
	informer := cache.NewSharedIndexInformerWithOptions(listerWatcher{from}, from.kind.object, cache.SharedIndexInformerOptions{
		ObjectDescription: from.kind.resource,
	})
	if err := informer.SetTransform(from.kind.reduce); err != nil {
		return nil, fmt.Errorf("setting up the informer of %s: %w", from.kind.resource, err)
	}
	if err := informer.SetWatchErrorHandlerWithContext(from.watchFailed); err != nil {
		return nil, fmt.Errorf("setting up the informer of %s: %w", from.kind.resource, err)
	}
	return &watcher{source: from, informer: informer}, nil
}

// Run hands every change to handler until ctx is done, and returns when
// everything that it started has ended. It retries for ever: an API server that
// is away, or forbids, shows in Health and in the log.
func (s *Set) Run(ctx context.Context, handler Handler) error {
	if s.started.Swap(true) {
		return errors.New("informers have run already")
	}
	if err := s.connect(handler); err != nil {
		return err
	}
	var running sync.WaitGroup
	for _, watcher := range s.watchers {
		running.Go(func() { watcher.informer.RunWithContext(ctx) })
	}
	running.Go(func() { s.awaitSync(ctx, handler) })
	running.Wait()
	for _, watcher := range s.watchers {
		watcher.stop()
	}
	s.clients.http.CloseIdleConnections()
	return nil
}

// connect puts a delivery between each informer and the handler.
func (s *Set) connect(handler Handler) error {
	turns := map[string]*sync.Mutex{}
	for _, watcher := range s.watchers {
		resource := watcher.kind.resource
		if turns[resource] == nil {
			turns[resource] = &sync.Mutex{}
		}
		registration, err := watcher.informer.AddEventHandler(watcher.kind.deliver(&delivery{
			turn: turns[resource], handler: handler, health: watcher.health, logger: s.logger,
		}))
		if err != nil {
			return fmt.Errorf("listening to the informer of %s: %w", resource, err)
		}
		watcher.handedOver = registration.HasSyncedChecker()
	}
	return nil
}

// awaitSync marks each informer as synced when its initial objects have been
// handed over, and tells the handler when all have.
func (s *Set) awaitSync(ctx context.Context, handler Handler) {
	var waiting sync.WaitGroup
	for _, watcher := range s.watchers {
		waiting.Go(func() {
			select {
			case <-watcher.handedOver.Done():
				watcher.health.handedOver()
			case <-ctx.Done():
			}
		})
	}
	waiting.Wait()
	if ctx.Err() != nil {
		return
	}
	handler.Synced()
	s.synced.Store(true)
	known := []any{"msg", "all initial objects are known"}
	for _, health := range s.Health() {
		known = append(known, health.Resource, health.Objects)
	}
	level.Info(s.logger).Log(known...)
}

// Synced tells whether the handler has been told that it knows everything.
func (s *Set) Synced() bool { return s.synced.Load() }

// Health tells how the watching goes, one entry per resource in the order
// nodes, pods, daemonsets. It can be called at any time, from anywhere.
func (s *Set) Health() []ResourceHealth {
	var healths []ResourceHealth
	for _, watcher := range s.watchers {
		last := len(healths) - 1
		first := last < 0 || healths[last].Resource != watcher.kind.resource
		if first {
			healths = append(healths, ResourceHealth{Resource: watcher.kind.resource})
			last++
		}
		watcher.health.addTo(&healths[last], first)
	}
	return healths
}
