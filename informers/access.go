package informers

import (
	"context"
	"sync"
)

// access is whether an informer may read its namespace. One of several namespaces that
// is refused, because it was deleted or has no role, holds up nobody: it reads as an
// empty one. DaemonSets whose pods are refused must not be shown: all their pods would
// be missing. So those follow the pods of their namespace.
type access struct {
	health *informerHealth
	// others is shared by the informers of one resource; nil unless there are several.
	others *others
	// pods and daemonSets are those of the same namespace; nil for themselves, and
	// unless there are several namespaces.
	pods, daemonSets *access
	// settled is closed when it is known for the first time whether the namespace can
	// be read.
	settled chan struct{}
	once    sync.Once
}

// others is what the informers of one resource know of each other.
type others struct {
	// read is closed when one namespace has been read. If all are refused there is
	// nothing to show, and the exporter is not ready.
	read chan struct{}
	once sync.Once
}

func newAccess(health *informerHealth, others *others) *access {
	return &access{health: health, others: others, settled: make(chan struct{})}
}

// optional reports whether the exporter works without the namespace.
func (a *access) optional() bool { return a.others != nil }

// othersRead is closed when another namespace has been read; nil if there are none.
func (a *access) othersRead() <-chan struct{} {
	if a.others == nil {
		return nil
	}
	return a.others.read
}

// awaitPods waits until it is known whether the namespace's pods can be read, and
// reports whether they are refused.
func (a *access) awaitPods(ctx context.Context) bool {
	if a.pods == nil {
		return false
	}
	select {
	case <-a.pods.settled:
	case <-ctx.Done():
	}
	return a.podsRefused()
}

// podsRefused reports whether the namespace's pods are refused.
func (a *access) podsRefused() bool { return a.pods != nil && a.pods.health.isRefused() }

// grant is called when everything in the namespace has been read.
func (a *access) grant() {
	a.settle(false)
	if a.others != nil {
		a.others.once.Do(func() { close(a.others.read) })
	}
}

// settle is called when it is known whether the namespace is refused.
func (a *access) settle(refused bool) {
	a.health.setRefused(refused)
	a.once.Do(func() { close(a.settled) })
}

// giveUp is called when a namespace that could be read has been refused for long. It
// reports whether its objects are to be forgotten. Pods are kept: nobody sees those of
// DaemonSets that are forgotten.
func (a *access) giveUp() bool {
	switch {
	case !a.optional():
		return false
	case a.daemonSets == nil:
		return true
	}
	if a.daemonSets.health.isRefused() {
		a.settle(true)
	}
	return false
}
