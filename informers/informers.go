package informers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"k8s.io/client-go/features"
	"k8s.io/client-go/tools/cache"
)

// Set is all informers of one exporter. It runs once.
type Set struct {
	informers []*informer
	clients   *clients
	logger    log.Logger
	started   atomic.Bool
	synced    atomic.Bool
}

// informer is one shared informer with the list and watch behind it.
type informer struct {
	*listWatch
	shared cache.SharedIndexInformer
	// delivered is done when the Handler has been given the initial objects. It
	// is set when Run begins.
	delivered cache.DoneChecker
}

// New returns a Set for the options. It fails if the options cannot work with
// any API server; it opens no connection.
func New(options Options) (*Set, error) {
	namespaces, fieldSelector, err := options.namespaceScope()
	if err != nil {
		return nil, err
	}
	if err := options.validatePodsSelector(); err != nil {
		return nil, err
	}
	clients, err := newClients(options.Config)
	if err != nil {
		return nil, err
	}
	if !features.FeatureGates().Enabled(features.WatchListClient) {
		return nil, errors.New("KUBE_FEATURE_WatchListClient=false in the environment is not supported: unset it; API servers that cannot stream lists are noticed")
	}
	set := &Set{clients: clients, logger: options.Logger}
	errorLog := newErrorLog(options.Clock, options.Logger)
	for _, resource := range resources() {
		client, err := clients.forVersion(resource.version)
		if err != nil {
			return nil, err
		}
		scope, fields, labels := []string{""}, "", ""
		if resource.namespaced {
			scope, fields = namespaces, fieldSelector
		}
		if resource.usesPodsSelector {
			labels = options.PodsSelector
		}
		siblings := &others{read: make(chan struct{})}
		if len(scope) == 1 {
			siblings = nil
		}
		resource.transform = observed(resource.transform, options.Trimmed)
		for _, namespace := range scope {
			health := newInformerHealth(options.Clock)
			informer, err := newInformer(&listWatch{
				client: client, resource: resource, namespace: namespace,
				labels: labels, fields: fields,
				health: health, errorLog: errorLog,
				pace:   defaultPace(),
				access: newAccess(health, siblings),
			})
			if err != nil {
				return nil, err
			}
			set.informers = append(set.informers, informer)
		}
	}
	set.linkAccess()
	return set, nil
}

// linkAccess lets the pods and the DaemonSets of each namespace know of each other, if
// there are several.
func (s *Set) linkAccess() {
	pods := map[string]*access{}
	for _, informer := range s.informers {
		switch {
		case !informer.access.optional():
		case informer.resource.name == Pods:
			pods[informer.namespace] = informer.access
		case informer.resource.name == DaemonSets:
			informer.access.pods = pods[informer.namespace]
			informer.access.pods.daemonSets = informer.access
		}
	}
}

// newInformer returns the informer of a listWatch. A listWatch does not declare
// whether it supports streamed lists, which the reflector takes for a yes
// (client-go/util/watchlist, v0.37.2).
func newInformer(lw *listWatch) (*informer, error) {
	lw.resetDelays()
	shared := cache.NewSharedIndexInformerWithOptions(lw, lw.resource.object, cache.SharedIndexInformerOptions{
		ObjectDescription: lw.resource.name,
	})
	if err := shared.SetTransform(lw.resource.transform(shared.GetStore())); err != nil {
		return nil, fmt.Errorf("setting the transform of the %s informer: %w", lw.resource.name, err)
	}
	return &informer{listWatch: lw, shared: shared}, nil
}

// Run passes every change to handler until ctx is done, and returns when
// everything that it started has ended. It retries for ever: an API server that
// is unreachable, or forbids, shows in Health and in the log.
func (s *Set) Run(ctx context.Context, handler Handler) error {
	if s.started.Swap(true) {
		return errors.New("informers cannot run twice")
	}
	if err := s.register(handler); err != nil {
		return err
	}
	var running sync.WaitGroup
	for _, informer := range s.informers {
		running.Go(func() { informer.shared.RunWithContext(ctx) })
	}
	running.Go(func() { s.awaitSync(ctx, handler) })
	running.Wait()
	for _, informer := range s.informers {
		informer.stop()
	}
	s.clients.http.CloseIdleConnections()
	return nil
}

// register adds an event handler that calls handler to each informer. The
// informers of one resource share a mutex.
func (s *Set) register(handler Handler) error {
	mutexes := map[string]*sync.Mutex{}
	for _, informer := range s.informers {
		name := informer.resource.name
		if mutexes[name] == nil {
			mutexes[name] = &sync.Mutex{}
		}
		registration, err := informer.shared.AddEventHandler(informer.resource.eventHandler(&delivery{
			mu: mutexes[name], handler: handler, health: informer.health, logger: s.logger,
		}))
		if err != nil {
			return fmt.Errorf("adding an event handler to the %s informer: %w", name, err)
		}
		informer.delivered = registration.HasSyncedChecker()
	}
	return nil
}

// awaitSync marks each informer as synced when its initial objects have been
// delivered, and calls handler.Synced when all are.
func (s *Set) awaitSync(ctx context.Context, handler Handler) {
	var waiting sync.WaitGroup
	for _, informer := range s.informers {
		waiting.Go(func() {
			select {
			case <-informer.delivered.Done():
				informer.health.setSynced()
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
	keyvals := []any{"msg", "informer caches synced"}
	for _, health := range s.Health() {
		keyvals = append(keyvals, health.Resource, health.Objects)
	}
	level.Info(s.logger).Log(keyvals...)
}

// Synced reports whether Handler.Synced has returned.
func (s *Set) Synced() bool { return s.synced.Load() }

// Health returns the health of each resource, in the order nodes, pods,
// daemonsets. It is safe for concurrent use, also before and after Run.
func (s *Set) Health() []ResourceHealth {
	var healths []ResourceHealth
	for _, resource := range resources() {
		var informers []*informerHealth
		for _, informer := range s.informers {
			if informer.resource.name == resource.name {
				informers = append(informers, informer.health)
			}
		}
		healths = append(healths, sumOf(resource.name, informers))
	}
	return healths
}
