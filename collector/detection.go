package collector

import (
	"context"
	"time"

	"github.com/go-kit/log/level"
)

// LeaseRenewTime reads when a node's Lease was last renewed.
type LeaseRenewTime func(ctx context.Context, node string) (time.Time, error)

// failure is a node that has turned unreachable.
type failure struct {
	node string
	at   time.Time
}

// maxFailures is how many nodes may wait for their Lease to be read. When more
// fail at once, the others are left out of the histogram.
const maxFailures = 10_000

// leaseTimeout bounds one reading of a Lease.
const leaseTimeout = 10 * time.Second

// detect reads the Lease of each node that has turned unreachable, once, and
// observes how long that took to be noticed. Until the kubelet is back the Lease
// keeps the last sign of life, so that reading it late does no harm.
func (c *Collector) detect(ctx context.Context) {
	complained := false
	for {
		select {
		case <-ctx.Done():
			return
		case failed := <-c.failures:
			reading, cancel := context.WithTimeout(ctx, leaseTimeout)
			renewed, err := c.config.LeaseRenewTime(reading, failed.node)
			cancel()
			if err == nil {
				c.observeDetection(failed.at.Sub(renewed))
			} else if !complained && ctx.Err() == nil {
				complained = true
				level.Warn(c.config.Logger).Log(
					"msg", "cannot read a node's Lease, so detection times are left out; this is said once",
					"node", failed.node, "err", err)
			}
		}
	}
}

func (c *Collector) observeDetection(duration time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.history.observe(c.history.detection, duration)
}

// noteUnreachable queues a node for detect. It is called under the lock.
func (c *Collector) noteUnreachable(node string, at time.Time) {
	if c.config.LeaseRenewTime == nil {
		return
	}
	select {
	case c.failures <- failure{node, at}:
	default: // too many at once
	}
}
