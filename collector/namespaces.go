package collector

import (
	"context"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// NamespaceSelectors reads the node selectors of namespaces. It leaves out those that
// it could not read; an error says that it is worth another attempt soon.
type NamespaceSelectors func(ctx context.Context, namespaces []string) (map[string]labels.Selector, error)

// The selectors of all namespaces are read every selectorsPeriod; after an error
// after selectorsRetry, then twice that, and so on.
const (
	selectorsPeriod = 5 * time.Minute
	selectorsRetry  = 10 * time.Second
)

// selectorTimeout limits how long a new DaemonSet waits for its namespace's selector.
const selectorTimeout = 10 * time.Second

// awaitSelector reads the selector of a namespace in which a DaemonSet is new, before
// the DaemonSet counts: without the selector, the nodes that it leaves out would be
// gaps. While reading fails, DaemonSets do not wait.
func (c *Collector) awaitSelector(namespace string) {
	if c.config.NamespaceSelectors == nil || !c.needsSelector(namespace) {
		return
	}
	ctx, cancel := context.WithTimeout(c.reading, selectorTimeout)
	defer cancel()
	selectors, err := c.config.NamespaceSelectors(ctx, []string{namespace})
	c.handle(func(now time.Time) { c.setSelectors(selectors, err, now) })
	if err != nil {
		select {
		case c.selectorsFailed <- struct{}{}:
		default: // Run has been told already
		}
	}
}

// needsSelector reports whether to read the selector of a namespace in which a
// DaemonSet is new. Before the start, reading it once is enough.
func (c *Collector) needsSelector(namespace string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.selectorsFailing && (c.cluster.Started() || !c.cluster.HasNamespaceSelector(namespace))
}

// readSelectors reads the selectors of all namespaces that have a DaemonSet again and
// again until ctx is done.
func (c *Collector) readSelectors(ctx context.Context) {
	wait, retry := selectorsPeriod, selectorsRetry
	for {
		timer := c.config.Clock.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-c.selectorsFailed:
			timer.Stop()
			wait, retry = selectorsRetry, 2*selectorsRetry
			continue
		case <-timer.C():
		}
		if err := c.readAllSelectors(ctx); err != nil {
			wait, retry = retry, min(2*retry, selectorsPeriod)
		} else {
			wait, retry = selectorsPeriod, selectorsRetry
		}
	}
}

func (c *Collector) readAllSelectors(ctx context.Context) error {
	selectors, err := c.config.NamespaceSelectors(ctx, c.namespaces())
	c.handle(func(now time.Time) {
		present := c.cluster.Namespaces()
		maps.DeleteFunc(selectors, func(namespace string, _ labels.Selector) bool {
			return !slices.Contains(present, namespace)
		})
		c.setSelectors(selectors, err, now)
	})
	return err
}

// namespaces returns the namespaces that have a DaemonSet.
func (c *Collector) namespaces() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cluster.Namespaces()
}

// setSelectors sets the selectors that were read; err is why others were not. The lock
// must be held.
func (c *Collector) setSelectors(selectors map[string]labels.Selector, err error, now time.Time) {
	c.selectorsFailing = err != nil
	for _, namespace := range slices.Sorted(maps.Keys(selectors)) {
		c.cluster.SetNamespaceSelector(namespace, selectors[namespace], now)
	}
}
