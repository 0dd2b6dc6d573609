package synthetic

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
)

// watchStream responds to one watch, in frames of a length and a WatchEvent.
type watchStream struct {
	server   *Server
	from     *collection
	selected selection
	changes  chan change
	// done is closed when no more changes are taken.
	done chan struct{}

	// changed makes the objects that have changed; nil before the first one.
	changed func(change) (message, error)
	events  streaming.Encoder
	// scratch holds an encoded object, encoded the same with its envelope.
	scratch []byte
	encoded bytes.Buffer
}

func (s *watchStream) serve(w http.ResponseWriter, r *http.Request, options *metav1.ListOptions) *apierrors.StatusError {
	ctx := r.Context()
	if options.TimeoutSeconds != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*options.TimeoutSeconds)*time.Second)
		defer cancel()
	}
	w.Header().Set("Content-Type", runtime.ContentTypeProtobuf+";stream=watch")
	w.WriteHeader(http.StatusOK)
	out := bufio.NewWriterSize(w, 1<<16)
	s.encodeTo(out)
	flush := func() error {
		if err := out.Flush(); err != nil {
			return err
		}
		return http.NewResponseController(w).Flush()
	}
	if options.SendInitialEvents != nil && *options.SendInitialEvents {
		if err := s.initial(ctx); err != nil {
			return nil // the client has disconnected
		}
	}
	if err := flush(); err != nil || !options.AllowWatchBookmarks {
		<-ctx.Done()
		return nil
	}
	s.server.follow(s)
	defer s.server.leave(s)
	ticker := time.NewTicker(s.server.config.BookmarkInterval)
	defer ticker.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case changed := <-s.changes:
			err = s.change(changed)
		case <-ticker.C:
			err = s.bookmark(nil)
		}
		if err != nil || flush() != nil {
			return nil
		}
	}
}

// encodeTo sets the encoder of events and frames that client-go expects.
func (s *watchStream) encodeTo(out io.Writer) {
	info, _ := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	s.events = streaming.NewEncoder(info.StreamSerializer.NewFrameWriter(out), info.StreamSerializer.Serializer)
}

// initial sends all objects, then the bookmark that ends them.
func (s *watchStream) initial(ctx context.Context) error {
	err := s.from.each(s.selected, 0, func(_ int, made message) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return s.send(watch.Added, made)
	})
	if err != nil {
		return err
	}
	return s.bookmark(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
}

func (s *watchStream) bookmark(annotations map[string]string) error {
	empty := s.from.bookmark()
	empty.SetResourceVersion(s.server.version())
	empty.SetAnnotations(annotations)
	return s.send(watch.Bookmark, empty)
}

// change sends an object that has changed.
func (s *watchStream) change(changed change) error {
	if s.changed == nil {
		s.changed = s.from.changer()
	}
	made, err := s.changed(changed)
	if err != nil {
		return err
	}
	return s.send(watch.Modified, made)
}

// send puts an object into an envelope, that into an event, that into a frame.
func (s *watchStream) send(kind watch.EventType, made message) error {
	size := made.Size()
	s.scratch = slices.Grow(s.scratch[:0], size)[:size]
	if _, err := made.MarshalToSizedBuffer(s.scratch); err != nil {
		return fmt.Errorf("encoding a %s: %w", s.from.kind, err)
	}
	s.encoded.Reset()
	err := s.from.envelope(&s.encoded, s.from.kind, size, func(w io.Writer) (int, error) { return w.Write(s.scratch) })
	if err != nil {
		return fmt.Errorf("encoding a %s: %w", s.from.kind, err)
	}
	return s.events.Encode(&metav1.WatchEvent{Type: string(kind), Object: runtime.RawExtension{Raw: s.encoded.Bytes()}})
}
