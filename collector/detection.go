package collector

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log/level"
)

// LeaseRenewTime reads when a node's Lease was last renewed.
type LeaseRenewTime func(ctx context.Context, node string) (time.Time, error)

// silencedNode is a node that has turned unreachable.
type silencedNode struct {
	name string
	at   time.Time
}

const (
	// maxSilenced is how many nodes may wait for their Lease to be read. When more
	// fail at once, the others are left out of the histogram.
	maxSilenced = 10_000
	// leaseReaders is how many Leases are read at once: a server that takes seconds
	// for each must not make ten thousand nodes wait for hours.
	leaseReaders = 10
	// leaseTimeout bounds one reading of a Lease.
	leaseTimeout = 10 * time.Second
)

// leaseQueue holds the nodes whose Lease is to be read. A nil queue takes none.
type leaseQueue struct {
	nodes chan silencedNode
	// dropped counts the nodes whose Lease was not read.
	dropped atomic.Uint64
}

func newLeaseQueue() *leaseQueue { return &leaseQueue{nodes: make(chan silencedNode, maxSilenced)} }

// add queues a node, unless too many wait already.
func (q *leaseQueue) add(node silencedNode) {
	if q == nil {
		return
	}
	select {
	case q.nodes <- node:
	default:
		q.dropped.Add(1)
	}
}

// droppedReads returns how many nodes' Leases were not read.
func (q *leaseQueue) droppedReads() uint64 {
	if q == nil {
		return 0
	}
	return q.dropped.Load()
}

// readLeases reads the Lease of each node that has turned unreachable, once, and
// observes how long that took to be noticed. Until the kubelet is back the Lease
// keeps the last sign of life, so that reading it late does no harm.
func (c *Collector) readLeases(ctx context.Context) {
	var logged sync.Once
	var readers sync.WaitGroup
	defer readers.Wait()
	for range leaseReaders {
		readers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case silenced := <-c.silenced.nodes:
					c.readLease(ctx, silenced, &logged)
				}
			}
		})
	}
}

// readLease reads the Lease of one node. The first failure is logged.
func (c *Collector) readLease(ctx context.Context, silenced silencedNode, logged *sync.Once) {
	reading, cancel := context.WithTimeout(ctx, leaseTimeout)
	defer cancel()
	renewed, err := c.config.LeaseRenewTime(reading, silenced.name)
	switch {
	case err == nil:
		c.observeDetection(silenced, renewed)
	case ctx.Err() == nil:
		c.silenced.dropped.Add(1)
		logged.Do(func() {
			level.Warn(c.config.Logger).Log(
				"msg", "cannot read a node's Lease, detection durations are left out (logged once)",
				"node", silenced.name, "err", err)
		})
	}
}

// observeDetection observes how long it took to notice that a node fell silent. A Lease
// that is read when the node is back tells nothing about that.
func (c *Collector) observeDetection(silenced silencedNode, renewed time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cluster.Unreachable(silenced.name) {
		c.recorder.observe(c.recorder.detection, silenced.at.Sub(renewed))
	}
}
