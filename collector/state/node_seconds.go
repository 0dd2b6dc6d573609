package state

import (
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
)

// nodeSeconds integrates, over time, the nodes of a DaemonSet that are expected to be
// covered and those that are not. It counts active and cordoned nodes only: those that
// join or leave are nobody's outage.
type nodeSeconds struct {
	// at is up to when the integrals go, in the time of the exporter's clock.
	at            time.Time
	expectedNodes int32
	gapNodes      [coverage.Causes]int32
	expected      time.Duration
	gaps          [coverage.Causes]time.Duration
	// ahead is what the integral of a cause has counted too much: a gap turned out to
	// have closed earlier than it was seen. A counter never goes back, so it waits.
	ahead [coverage.Causes]time.Duration
}

// NodeSeconds are node-seconds since the exporter started.
type NodeSeconds struct {
	// Expected is the time that nodes were expected to be covered, Gaps the part of it
	// that was a gap, by the cause that held.
	Expected time.Duration
	Gaps     [coverage.Causes]time.Duration
}

// upTo returns the integrals up to a time. A clock that is set back stops them.
func (s *nodeSeconds) upTo(now time.Time) nodeSeconds {
	next := *s
	if s.at.IsZero() || !now.After(s.at) {
		return next
	}
	passed := now.Sub(s.at)
	next.at = now
	next.expected += time.Duration(s.expectedNodes) * passed
	for cause, nodes := range s.gapNodes {
		more := time.Duration(nodes) * passed
		paid := min(more, s.ahead[cause])
		next.ahead[cause] -= paid
		next.gaps[cause] += more - paid
	}
	return next
}

// restart removes all nodes, which are then counted anew.
func (s *nodeSeconds) restart(now time.Time) {
	*s = s.upTo(now)
	s.expectedNodes, s.gapNodes = 0, [coverage.Causes]int32{}
}

// count adds a node (sign 1) or takes it away (sign -1), now.
func (s *nodeSeconds) count(lifecycle readiness.Lifecycle, state cellState, sign int32, now time.Time) {
	if !state.expected || lifecycle != readiness.LifecycleActive && lifecycle != readiness.LifecycleCordoned {
		return
	}
	if s.at.IsZero() {
		s.at = now
	}
	*s = s.upTo(now)
	s.expectedNodes += sign
	if state.gap() {
		s.gapNodes[state.reason.Cause()] += sign
	}
}

// correct moves the time between a change and when it was seen from one
// state of a node to the next.
func (s *nodeSeconds) correct(before, after cellState, unseen time.Duration) {
	if unseen <= 0 {
		return
	}
	if before.gap() {
		s.ahead[before.reason.Cause()] += unseen
	}
	if after.gap() {
		cause := after.reason.Cause()
		paid := min(unseen, s.ahead[cause])
		s.ahead[cause] -= paid
		s.gaps[cause] += unseen - paid
	}
}
