package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// pollPeriod is how often to look whether the informers have synced or failed.
const pollPeriod = 50 * time.Millisecond

// syncTimeout bounds the wait for the informers: an API server that answers with errors
// which may pass.
const syncTimeout = 2 * time.Minute

// live is a collector that follows a cluster.
type live struct {
	collector *collector.Collector
	informers *informers.Set
	objects   *informers.Objects
	// inferring reports whether revisions may not be read, so that they are inferred.
	inferring *atomic.Bool
	stop      context.CancelFunc
	running   sync.WaitGroup
}

// connect lists and watches with the caller's rights and returns when everything has
// come in. It fails at once where a permission is missing or the server does not answer.
func (f *clientFlags) connect(ctx context.Context, env *Environment) (*live, error) {
	namespaces, err := f.namespaces(env)
	if err != nil {
		return nil, err
	}
	l, err := newLive(f.options(env), namespaces, f.rules.config(), env)
	if err != nil {
		return nil, err
	}
	ctx, l.stop = context.WithCancel(ctx)
	l.running.Go(func() { _ = l.informers.Run(ctx, l.collector) }) // it fails only if run twice
	l.running.Go(func() { l.collector.Run(ctx) })
	if err := l.awaitSync(ctx, env); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func newLive(options informers.ClientOptions, namespaces []string, rules collector.Config, env *Environment) (*live, error) {
	config, err := informers.LoadConfig(options)
	if err != nil {
		return nil, err
	}
	logger := log.NewNopLogger()
	watching, err := informers.New(informers.Options{
		Config: config, Namespaces: namespaces, PodsSelector: informers.DefaultPodsSelector, Clock: env.Clock, Logger: logger,
	})
	if err != nil {
		return nil, usageError{err}
	}
	revisions, err := informers.NewRevisions(config)
	if err != nil {
		return nil, err
	}
	selectors, err := informers.NewNamespaces(config, false, logger)
	if err != nil {
		return nil, err
	}
	inferring := &atomic.Bool{}
	rules.Clock, rules.Health = env.Clock, watching.Health
	rules.NamespaceSelectors = selectors.NodeSelectors
	rules.NewestRevisions = func(ctx context.Context, namespace string) (map[slim.UID]slim.ControllerRevision, error) {
		newest, err := revisions.Newest(ctx, namespace)
		inferring.Store(forbidden(err))
		return newest, err
	}
	collecting, err := collector.New(rules)
	if err != nil {
		return nil, err
	}
	objects, err := informers.NewObjects(config)
	if err != nil {
		return nil, err
	}
	return &live{collector: collecting, informers: watching, objects: objects, inferring: inferring}, nil
}

// awaitSync returns when all objects have come in, and what is read for them, with a line
// of progress on a terminal.
func (l *live) awaitSync(ctx context.Context, env *Environment) error {
	defer env.clearProgress()
	deadline := env.Clock.Now().Add(syncTimeout)
	for !l.informers.Synced() || !l.collector.Complete() {
		if err := l.failure(env.Clock.Now().After(deadline)); err != nil {
			return err
		}
		env.progress(l.informers.Health())
		timer := env.Clock.NewTimer(pollPeriod)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("interrupted: %w", context.Cause(ctx))
		case <-timer.C():
		}
	}
	return nil
}

// lasting are the errors that do not pass while somebody waits for an answer.
var lasting = []informers.ErrorKind{
	informers.ErrorForbidden, informers.ErrorUnauthorized, informers.ErrorNotFound, informers.ErrorUnreachable,
}

// failure returns why a resource cannot be read, if waiting does not help; late says
// that waiting has not helped.
func (l *live) failure(late bool) error {
	for _, health := range l.informers.Health() {
		if health.Err == nil {
			continue
		}
		if late || slices.Contains(lasting, health.Err.Kind) {
			return health.Err
		}
	}
	if late {
		return errors.New("the API server has not sent all objects, their revisions and namespaces in time")
	}
	return nil
}

// close ends what connect began.
func (l *live) close() {
	l.stop()
	l.running.Wait()
}
