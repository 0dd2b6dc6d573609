package synthetic

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// change is what changes an object, for watches only: lists go on with the objects as
// they were.
type change struct {
	index int
	// number counts all changes, from one.
	number int64
	// back takes back the change before.
	back bool
}

// version returns the resource version of the object after the change.
func (c change) version() string { return strconv.FormatInt(firstVersion+c.number, 10) }

// heartbeat is the time between two status reports of a kubelet.
const heartbeat = 5 * time.Minute

// nodeChanger returns a function that makes nodes with a later heartbeat.
func nodeChanger() func(change) (message, error) {
	maker := newNodeMaker()
	return func(c change) (message, error) {
		made, err := maker.at(c.index)
		if err != nil {
			return nil, err
		}
		node := &maker.node
		node.ResourceVersion = c.version()
		for i := range node.Status.Conditions {
			beat := &node.Status.Conditions[i].LastHeartbeatTime
			*beat = metav1.NewTime(beat.Add(time.Duration(c.number) * heartbeat))
		}
		return made, nil
	}
}

// podChanger returns a function that makes pods that turn not ready and ready again.
func podChanger(size Size) func(change) (message, error) {
	maker := podMaker{size: size}
	return func(c change) (message, error) {
		wrong := notReady
		if c.back {
			wrong = works
		}
		return maker.make(c.index, wrong, c.version())
	}
}

// Change sends changes of a resource to all watches that are open, some per second. One
// of nodes is a heartbeat. One of pods turns a pod not ready, the next one turns it
// ready again, so that an even number of them leaves the cluster as it was. It returns
// when all have been handed to the watches.
func (s *Server) Change(ctx context.Context, resource string, count, perSecond int) error {
	place := slices.IndexFunc(s.collections, func(c collection) bool { return c.resource == resource && c.changer != nil })
	if place < 0 {
		return fmt.Errorf("%s do not change", resource)
	}
	from := &s.collections[place]
	pace := time.NewTicker(time.Second / time.Duration(perSecond))
	defer pace.Stop()
	index := -1
	for i := range count {
		back := resource == "pods" && i%2 == 1
		if !back {
			index = from.nextChange(index)
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.publish(ctx, from, index, back)
	}
	return nil
}

// publish hands a change to the watches of a resource.
func (s *Server) publish(ctx context.Context, from *collection, index int, back bool) {
	next := change{index: index, number: s.changes.Add(1), back: back}
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := from.identify(index)
	for watch := range s.watches {
		if watch.from != from || !watch.selected.matches(id) {
			continue
		}
		select {
		case watch.changes <- next:
		case <-watch.done:
		case <-ctx.Done():
		}
	}
}

// follow makes a watch receive changes.
func (s *Server) follow(w *watchStream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches[w] = struct{}{}
}

// leave ends that.
func (s *Server) leave(w *watchStream) {
	close(w.done)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watches, w)
}
