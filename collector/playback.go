package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Playback is a Collector that lives in the time of a recording. What Run does in the
// background it does in SetTime, so that it answers at any time as a Collector would
// have that saw the same. It belongs to one goroutine.
type Playback struct {
	*Collector
	clock    *playbackClock
	registry *prometheus.Registry
	// selectors are the node selectors of namespaces.
	selectors map[string]labels.Selector
	// renewed holds when the Leases of nodes were renewed, silent the unreachable nodes
	// whose Lease is still to come. A Lease is good for one outage.
	renewed map[string]time.Time
	silent  map[string]silencedNode
	// newest holds the revisions of the DaemonSets of each namespace.
	newest map[string]map[slim.UID]slim.ControllerRevision
}

// playbackClock is a clock that is set. Only Run, which a Playback does not need, waits
// for one.
type playbackClock struct {
	clock.Clock
	now time.Time
}

func (c *playbackClock) Now() time.Time                  { return c.now }
func (c *playbackClock) Since(t time.Time) time.Duration { return c.now.Sub(t) }

// NewPlayback returns a Playback that starts at a time. Of the configuration it replaces
// the clock and what reads on demand; it reads the selectors of namespaces if
// selectsNodes is set.
func NewPlayback(config Config, selectsNodes bool, now time.Time) (*Playback, error) {
	p := &Playback{
		clock:     &playbackClock{Clock: clock.RealClock{}, now: now},
		registry:  prometheus.NewRegistry(),
		selectors: map[string]labels.Selector{},
		renewed:   map[string]time.Time{},
		silent:    map[string]silencedNode{},
		newest:    map[string]map[slim.UID]slim.ControllerRevision{},
	}
	config.Clock, config.LeaseRenewTime, config.NewestRevisions = p.clock, p.renewTime, p.newestRevisions
	if config.NamespaceSelectors = nil; selectsNodes {
		config.NamespaceSelectors = p.nodeSelectors
	}
	var err error
	if p.Collector, err = New(config); err != nil {
		return nil, err
	}
	if err := p.registry.Register(p.Collector); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return p, nil
}

// SetTime lets time pass, and stops at everything that is due on the way.
func (p *Playback) SetTime(now time.Time) {
	p.catchUp()
	for next, ok := p.nextDue(); ok && !next.After(now); next, ok = p.nextDue() {
		if next.After(p.clock.now) {
			p.clock.now = next
		}
		p.catchUp()
	}
	p.clock.now = now
	p.catchUp()
}

// nextDue returns when something is due, if anything is.
func (p *Playback) nextDue() (at time.Time, ok bool) {
	p.mu.Lock()
	at = p.cluster.NextWake()
	p.mu.Unlock()
	if due, wanted := p.revisions.nextDue(); wanted && (at.IsZero() || due.Before(at)) {
		return due, true
	}
	return at, !at.IsZero()
}

// catchUp does what is due by now.
func (p *Playback) catchUp() {
	for p.advance() == 0 {
		continue
	}
	for {
		select {
		case silenced := <-p.silenced.nodes:
			p.silent[silenced.name] = silenced
			p.detect(silenced.name)
			continue
		default:
		}
		break
	}
	for namespace, wanted, _ := p.revisions.next(p.clock.now); wanted != nil; namespace, wanted, _ = p.revisions.next(p.clock.now) {
		p.setRevisions(p.newest[namespace], wanted)
	}
}

// NodeSelector sets the node selector of a namespace.
func (p *Playback) NodeSelector(namespace string, selector labels.Selector) {
	p.selectors[namespace] = selector
	if p.config.NamespaceSelectors != nil && slices.Contains(p.namespaces(), namespace) {
		p.handle(func(now time.Time) {
			p.setSelectors(map[string]labels.Selector{namespace: selector}, nil, now)
		})
	}
}

// LeaseRenewed says when a node's Lease was renewed.
func (p *Playback) LeaseRenewed(node string, at time.Time) {
	p.renewed[node] = at
	p.detect(node)
}

// detect observes how long it took to notice that a node fell silent, if its Lease is
// known.
func (p *Playback) detect(node string) {
	silenced, silent := p.silent[node]
	renewed, err := p.renewTime(context.Background(), node)
	if !silent || err != nil {
		return
	}
	p.observeDetection(silenced, renewed)
	delete(p.silent, node)
	delete(p.renewed, node)
}

// NewRevision brings the current revision of a DaemonSet.
func (p *Playback) NewRevision(namespace string, revision slim.ControllerRevision) {
	if p.newest[namespace] == nil {
		p.newest[namespace] = map[slim.UID]slim.ControllerRevision{}
	}
	p.newest[namespace][revision.Owner] = revision
	p.revisions.hasten(revision.Owner)
}

func (p *Playback) nodeSelectors(_ context.Context, namespaces []string) (map[string]labels.Selector, error) {
	known := map[string]labels.Selector{}
	for _, namespace := range namespaces {
		if selector, ok := p.selectors[namespace]; ok {
			known[namespace] = selector
		}
	}
	return known, nil
}

func (p *Playback) renewTime(_ context.Context, node string) (time.Time, error) {
	renewed, ok := p.renewed[node]
	if !ok {
		return time.Time{}, errors.New("the recording has no Lease of the node")
	}
	return renewed, nil
}

func (p *Playback) newestRevisions(_ context.Context, namespace string) (map[slim.UID]slim.ControllerRevision, error) {
	return p.newest[namespace], nil
}

// ownMetrics is how the names of the exporter's own metrics begin.
const ownMetrics = "daemonset_exporter_"

// Gather returns what a scrape would read, without the exporter's own metrics.
func (p *Playback) Gather() ([]*dto.MetricFamily, error) {
	families, err := p.registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gathering metrics: %w", err)
	}
	return slices.DeleteFunc(families, func(family *dto.MetricFamily) bool {
		return strings.HasPrefix(family.GetName(), ownMetrics)
	}), nil
}
