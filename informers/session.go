package informers

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// session is one reading of everything, and all changes after that, over as many
// connections as it takes. It is the watch that the reflector gets.
type session struct {
	*listWatch
	cancel context.CancelFunc
	events chan watch.Event
	// version is the resource version up to which everything has been sent.
	version string
	// newest is the object that changed last (see checkHistory).
	newest newest
	// refusedSince is since when the namespace has been refused.
	refusedSince time.Time
}

// ResultChan implements watch.Interface.
func (s *session) ResultChan() <-chan watch.Event { return s.events }

// Stop implements watch.Interface.
func (s *session) Stop() { s.cancel() }

// errReadAll ends a session after which everything must be read again. What led to it
// has been reported.
var errReadAll = errors.New("everything must be read again")

// errTimeOver is why a watch ends that has lasted as long as it was asked for.
var errTimeOver = errors.New("the watch has lasted as long as it was asked for")

// run reads everything, then follows the changes.
func (s *session) run(ctx context.Context) {
	defer close(s.events)
	open, err := s.readAll(ctx)
	if err == nil {
		err = s.follow(ctx, open)
	}
	s.health.setFollowing(false)
	if errors.Is(err, errReadAll) {
		expired := apierrors.NewResourceExpired(err.Error()).Status()
		_ = s.send(ctx, watch.Event{Type: watch.Error, Object: &expired}) // nobody listens at the end of the process
	}
}

// readAll sends all objects and the bookmark that ends them. It returns the stream that
// goes on with the changes; nil if they were listed.
func (s *session) readAll(ctx context.Context) (*stream, error) {
	if refused := s.access.awaitPods(ctx); refused {
		return nil, s.standEmpty(ctx)
	}
	verb, streaming := "watch", true
	open, err := s.readStream(ctx)
	if err != nil && classify(err, streaming).next == stepPages {
		verb, streaming = "list", false
		err = s.readPages(ctx)
	}
	if err == nil {
		s.access.grant()
		s.works()
		return open, nil
	}
	treated := s.failed(ctx, err, verb, streaming)
	if !treated.kind.refuses() || !s.access.optional() {
		s.pause(ctx, treated, nil)
		return nil, errReadAll
	}
	select {
	case <-s.access.othersRead():
		return nil, s.standEmpty(ctx)
	default:
		s.pause(ctx, treated, s.access.othersRead())
		return nil, errReadAll
	}
}

// readStream sends the objects of a streamed list.
func (s *session) readStream(ctx context.Context) (*stream, error) {
	open, err := s.open(ctx, metav1.ListOptions{
		SendInitialEvents: new(true), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	}, streamTimeout)
	for err == nil {
		var event watch.Event
		if event, err = open.next(); err != nil {
			break
		}
		err = s.forward(ctx, event, true)
		if err == nil && endsInitialEvents(event) {
			return open, nil
		}
	}
	if open != nil {
		open.stop()
	}
	return nil, err
}

// follow sends the changes, until everything must be read again. open is nil if no watch
// is open yet.
func (s *session) follow(ctx context.Context, open *stream) error {
	interrupted := false
	opened := s.health.clock.Now()
	var err error
	for {
		for open == nil {
			if open, err = s.resume(ctx); err == nil {
				s.access.settle(false)
				opened = s.health.clock.Now()
				interrupted = s.interrupted(opened)
				break
			}
			if err = s.lost(ctx, err); err != nil {
				return err
			}
		}
		s.health.setFollowing(true)
		err = s.bring(ctx, open, opened, interrupted)
		open.stop()
		open = nil
		s.watchedUntil = s.health.clock.Now()
		if err = s.lost(ctx, err); err != nil {
			return err
		}
	}
}

// bring sends the events of a watch until it ends.
func (s *session) bring(ctx context.Context, open *stream, opened time.Time, interrupted bool) error {
	for {
		event, err := open.next()
		switch {
		case err == nil:
			late := interrupted && s.health.clock.Since(opened) < s.pace.catchUp
			if err = s.forward(ctx, event, late); err == nil {
				s.works()
				s.resetDelays()
				continue
			}
		case errors.As(err, &closedError{}) && !s.health.clock.Now().Before(open.until):
			err = errTimeOver
		}
		return err
	}
}

// resume opens the watch again where it was, once it is known that the server still has
// the history that was followed.
func (s *session) resume(ctx context.Context) (*stream, error) {
	if s.health.failing() {
		if err := s.checkHistory(ctx); err != nil {
			return nil, err
		}
	}
	return s.open(ctx, metav1.ListOptions{ResourceVersion: s.version}, wait.Jitter(watchTimeout, 1))
}

// lost deals with the end of a watch or a failed attempt to resume it, and waits. It
// returns an error if that is the end of the session.
func (s *session) lost(ctx context.Context, err error) error {
	treated := s.failed(ctx, err, "watch", false)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case treated.kind == "":
		return nil
	}
	s.health.setFollowing(false)
	s.pause(ctx, treated, nil)
	if treated.next == stepReadAll || treated.kind.refuses() && s.refusedForLong() && s.access.giveUp() {
		return errReadAll
	}
	return ctx.Err()
}

// refusedForLong is called when the namespace is refused.
func (s *session) refusedForLong() bool {
	now := s.health.clock.Now()
	if s.refusedSince.IsZero() {
		s.refusedSince = now
	}
	return now.Sub(s.refusedSince) >= s.pace.refusal
}

// standEmpty sends an empty list for a namespace that is refused, and then waits until
// it is not.
func (s *session) standEmpty(ctx context.Context) error {
	s.access.settle(true)
	if err := s.endInitialEvents(ctx, "0"); err != nil {
		return err
	}
	treated := treatment{}
	for ctx.Err() == nil {
		s.pause(ctx, treated, nil)
		if s.access.podsRefused() {
			continue
		}
		// Whether all may be read shows with the first page.
		err := s.request(s.namespace, metav1.ListOptions{Limit: 1}).Timeout(s.pace.answer).Do(ctx).Error()
		if err == nil {
			return errReadAll
		}
		treated = s.failed(ctx, err, "list", false)
	}
	return ctx.Err()
}

// forward sends an event and notes what it brings.
func (s *session) forward(ctx context.Context, event watch.Event, late bool) error {
	object, err := meta.Accessor(event.Object)
	if err != nil {
		return fmt.Errorf("the API server sent a %T: %w", event.Object, err)
	}
	s.health.noteEvent()
	s.version = object.GetResourceVersion()
	if event.Type != watch.Bookmark {
		s.newest.note(event.Type, object)
		if late {
			slim.MarkLate(object)
		}
	}
	return s.send(ctx, event)
}

// works is called when everything has been read, and for every event after that.
func (s *session) works() {
	s.refusedSince = time.Time{}
	if s.health.clearError() {
		s.errorLog.recovered(s.resource.name, s.namespace)
	}
}

// endInitialEvents sends the bookmark that ends the initial events.
func (s *session) endInitialEvents(ctx context.Context, version string) error {
	bookmark := s.resource.object.DeepCopyObject()
	object, err := meta.Accessor(bookmark)
	if err != nil {
		return fmt.Errorf("bookmark of %s: %w", s.resource.name, err)
	}
	object.SetResourceVersion(version)
	object.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	s.version = version
	return s.send(ctx, watch.Event{Type: watch.Bookmark, Object: bookmark})
}

// send hands an event to the reflector.
func (s *session) send(ctx context.Context, event watch.Event) error {
	select {
	case s.events <- event:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// endsInitialEvents reports whether an event is the bookmark after the initial events
// of a stream.
func endsInitialEvents(event watch.Event) bool {
	if event.Type != watch.Bookmark {
		return false
	}
	object, err := meta.Accessor(event.Object)
	return err == nil && object.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true"
}
