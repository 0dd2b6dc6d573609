package collector

import (
	"context"
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

// maxSilenced is how many nodes may wait for their Lease to be read. When more
// fail at once, the others are left out of the histogram.
const maxSilenced = 10_000

// leaseTimeout bounds one reading of a Lease.
const leaseTimeout = 10 * time.Second

// readLeases reads the Lease of each node that has turned unreachable, once, and
// observes how long that took to be noticed. Until the kubelet is back the Lease
// keeps the last sign of life, so that reading it late does no harm.
func (c *Collector) readLeases(ctx context.Context) {
	logged := false
	for {
		select {
		case <-ctx.Done():
			return
		case silenced := <-c.silenced:
			reading, cancel := context.WithTimeout(ctx, leaseTimeout)
			renewed, err := c.config.LeaseRenewTime(reading, silenced.name)
			cancel()
			if err == nil {
				c.observeDetection(silenced, renewed)
			} else if !logged && ctx.Err() == nil {
				logged = true
				level.Warn(c.config.Logger).Log(
					"msg", "cannot read a node's Lease, detection durations are left out (logged once)",
					"node", silenced.name, "err", err)
			}
		}
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
