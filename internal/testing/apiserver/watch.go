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

// watch serves a watch until the client or the test ends it.
func (s *Server) watch(w http.ResponseWriter, r *http.Request, request Request, resource served, selected selection) {
	if !s.awaitWatchable(r.Context()) {
		return
	}
	watching := &watching{
		server: s, request: request, resource: resource, selected: selected,
		stream: s.codec.stream(w, r, resource.version),
		at:     versionOf(request.Query),
	}
	s.mu.Lock()
	dropped := s.dropped
	s.mu.Unlock()
	if request.Streams() && !watching.finish(watching.initial(r.Context())) {
		return
	}
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if !watching.finish(watching.catchUp()) {
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

// awaitWatchable tells whether the client still waits when its turn comes.
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

// watching is one watch.
type watching struct {
	server   *Server
	request  Request
	resource served
	selected selection
	stream   *stream
	// at is the version up to which the client knows everything.
	at int64
}

// initial sends all objects, and the bookmark that says so.
func (w *watching) initial(ctx context.Context) error {
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

// catchUp sends what has happened since.
func (w *watching) catchUp() error {
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

func (w *watching) forward(change change) error {
	if change.resource == "" && w.request.Query.Get("allowWatchBookmarks") == "true" {
		return w.bookmark(change.version, nil)
	}
	if change.resource != w.request.Resource {
		return nil
	}
	kind, object := change.eventOf(w.selected)
	if object == nil {
		return nil
	}
	return w.stream.send(kind, object)
}

func (w *watching) bookmark(version int64, annotations map[string]string) error {
	object := w.resource.bookmark()
	object.SetResourceVersion(strconv.FormatInt(version, 10))
	object.SetAnnotations(annotations)
	return w.stream.send(watch.Bookmark, object)
}

// finish tells whether the watch goes on.
func (w *watching) finish(err error) bool {
	if err != nil && !errors.Is(err, io.EOF) {
		w.server.check(err)
	}
	return err == nil
}
