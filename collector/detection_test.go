package collector

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func TestReadLeases(t *testing.T) {
	t.Parallel()
	t.Run("ten at once, however slow the API server is", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var reading atomic.Int32
			released := make(chan struct{})
			s := newScenario(t, nodeNames(25)...).synced()
			s.collector.config.LeaseRenewTime = func(context.Context, string) (time.Time, error) {
				reading.Add(1)
				defer reading.Add(-1)
				<-released
				return objects.At(1), nil
			}
			s.run()
			for _, name := range nodeNames(25) {
				s.node(name, objects.ReadyUnknown(0))
			}
			if got := reading.Load(); got != leaseReaders {
				t.Errorf("%d at once", got)
			}
			close(released)
			s.wait()
			if got := len(s.collector.silenced.nodes); got != 0 {
				t.Errorf("%d nodes still wait", got)
			}
		})
	})
	t.Run("those that failed are counted, and said once", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newScenario(t, nodeNames(3)...).synced()
			s.collector.config.LeaseRenewTime = func(context.Context, string) (time.Time, error) {
				return time.Time{}, errors.New("busy")
			}
			s.run()
			for _, name := range nodeNames(3) {
				s.node(name, objects.ReadyUnknown(0))
			}
			s.expect("three", "daemonset_exporter_lease_reads", exposition(`daemonset_exporter_lease_reads_dropped_total 3`))
			if got := strings.Count(s.logs.String(), "cannot read a node's Lease"); got != 1 {
				t.Errorf("logged %d times", got)
			}
		})
	})
	t.Run("those for which there is no room are counted", func(t *testing.T) {
		t.Parallel()
		queue := newLeaseQueue()
		for number := range maxSilenced + 2 {
			queue.add(silencedNode{name: fmt.Sprint(number)})
		}
		if got := queue.droppedReads(); got != 2 {
			t.Errorf("%d were dropped", got)
		}
	})
}

func nodeNames(count int) []string {
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("n%d", i)
	}
	return names
}
