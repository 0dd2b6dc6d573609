package apiserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// watch serves a watch until the client disconnects or the test ends it.
func (s *Server) watch(w http.ResponseWriter, r *http.Request, request Request, resource served, selected selection) {
	if !s.awaitWatchable(r.Context()) {
		return
	}
	watcher := &watcher{
		server: s, request: request, resource: resource, selected: selected,
		stream: s.codec.stream(w, r, resource.version),
		at:     versionOf(request.Query),
	}
	s.mu.Lock()
	dropped := s.dropped
	s.mu.Unlock()
	if request.Streams() && !watcher.goesOn(watcher.initial(r.Context())) {
		return
	}
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if !watcher.goesOn(watcher.catchUp()) {
			return
		}
		select {
		case <-changed:
		case <-dropped:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// awaitWatchable waits for the release of HoldWatches and reports whether the
// client is still connected.
func (s *Server) awaitWatchable(ctx context.Context) bool {
	s.mu.Lock()
	watchable := s.watchable
	s.mu.Unlock()
	if watchable == nil {
		return true
	}
	select {
	case <-watchable:
		return true
	case <-ctx.Done():
		return false
	}
}

// watcher is one watch.
type watcher struct {
	server   *Server
	request  Request
	resource served
	selected selection
	stream   *stream
	// at is the version up to which the client has received everything.
	at int64
}

// initial sends all objects, and the bookmark that marks their end.
func (w *watcher) initial(ctx context.Context) error {
	w.server.mu.Lock()
	objects, version := w.server.store.list(w.request.Resource, w.selected), w.server.store.version
	released := w.server.released
	w.server.mu.Unlock()
	for _, object := range objects {
		if err := w.stream.send(watch.Added, object); err != nil {
			return err
		}
	}
	w.at = version
	if released != nil {
		w.stream.flush()
		select {
		case <-released:
		case <-ctx.Done():
			return io.EOF
		}
	}
	return w.bookmark(version, map[string]string{metav1.InitialEventsAnnotationKey: "true"})
}

// catchUp sends the changes since w.at.
func (w *watcher) catchUp() error {
	w.server.mu.Lock()
	changes, compacted := w.server.store.history, w.server.store.compacted
	w.server.mu.Unlock()
	if w.at < compacted {
		status := apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", w.at, compacted)).Status()
		if err := w.stream.send(watch.Error, &status); err != nil {
			return err
		}
		w.stream.flush()
		return io.EOF
	}
	for _, change := range changes {
		if change.version <= w.at {
			continue
		}
		w.at = change.version
		if err := w.forward(change); err != nil {
			return err
		}
	}
	w.stream.flush()
	return nil
}

func (w *watcher) forward(change change) error {
	if change.resource == "" && w.request.Query.Get("allowWatchBookmarks") == "true" {
		return w.bookmark(change.version, nil)
	}
	if change.resource != w.request.Resource {
		return nil
	}
	eventType, object := change.eventOf(w.selected)
	if object == nil {
		return nil
	}
	return w.stream.send(eventType, object)
}

func (w *watcher) bookmark(version int64, annotations map[string]string) error {
	object := w.resource.bookmark()
	object.SetResourceVersion(strconv.FormatInt(version, 10))
	object.SetAnnotations(annotations)
	return w.stream.send(watch.Bookmark, object)
}

// goesOn reports whether the watch goes on after err.
func (w *watcher) goesOn(err error) bool {
	if err != nil && !errors.Is(err, io.EOF) {
		w.server.check(err)
	}
	return err == nil
}
