package informers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
	restwatch "k8s.io/client-go/rest/watch"
)

// maxErrorBody is how much is read of a response that reports an error.
const maxErrorBody = 64 << 10

// errSilent is why a stream ends on which nothing was received for too long: a
// connection can be open although nobody is at its other end.
var errSilent = errors.New("nothing was received for too long")

// closedError is why a stream ends that the API server, or a proxy, has closed.
type closedError struct{ error }

// Unwrap returns the error of the connection.
func (e closedError) Unwrap() error { return e.error }

// stream is the response to a watch. Unlike the watch of client-go's REST client
// (rest/request.go, v0.37.2) it returns the error that ended it, whether the
// connection failed before or after the first byte, and has no goroutine.
type stream struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   *notingBody
	events *restwatch.Decoder
	// silence ends the stream when it is over; each event sets it back to patience.
	silence  *time.Timer
	patience time.Duration
	// until is when the server is to end it.
	until time.Time
}

// openStream sends a request for a watch. It ends with errSilent when the response takes
// longer than answer, or the next event than patience.
func (c *client) openStream(ctx context.Context, url string, answer, patience time.Duration) (*stream, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stream{ctx: ctx, cancel: cancel, patience: patience}
	s.silence = time.AfterFunc(answer, func() { cancel(errSilent) })
	if err := s.send(c, url); err != nil {
		err = s.cause(err)
		s.stop()
		return nil, err
	}
	s.silence.Reset(patience)
	return s, nil
}

func (s *stream) send(c *client, url string) error {
	request, err := http.NewRequestWithContext(s.ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("watch request: %w", err)
	}
	request.Header.Set("Accept", c.accept)
	response, err := c.http.Do(request) //nolint:bodyclose // stop closes it
	if err != nil {
		return err
	}
	s.body = &notingBody{ReadCloser: response.Body}
	if response.StatusCode != http.StatusOK {
		return c.responseError(response)
	}
	mediaType, parameters, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("response to a watch without a valid content type: %w", err)
	}
	objects, events, framer, err := c.decoder.StreamDecoder(mediaType, parameters)
	if err != nil {
		return fmt.Errorf("response to a watch: %w", err)
	}
	s.events = restwatch.NewDecoder(streaming.NewDecoder(framer.NewFrameReader(s.body), events), objects)
	return nil
}

// next returns the next event. An error event becomes an error.
func (s *stream) next() (watch.Event, error) {
	kind, object, err := s.events.Decode()
	switch {
	case err != nil && s.body.err != nil:
		return watch.Event{}, s.cause(closedError{err})
	case err != nil:
		return watch.Event{}, fmt.Errorf("watch event: %w", err)
	case kind == watch.Error:
		return watch.Event{}, apierrors.FromObject(object)
	}
	s.silence.Reset(s.patience)
	return watch.Event{Type: kind, Object: object}, nil
}

// cause returns why the stream was cancelled, if that is where err comes from.
func (s *stream) cause(err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return err
}

// stop closes the connection.
func (s *stream) stop() {
	s.silence.Stop()
	s.cancel(context.Canceled)
	if s.body != nil {
		_ = s.body.Close() // nothing was sent that could be lost
	}
}

// notingBody keeps the error that ended a body: decoders wrap it, or hide it.
type notingBody struct {
	io.ReadCloser
	err error
}

// Read implements io.Reader.
func (b *notingBody) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	if err != nil {
		b.err = err
	}
	return n, err
}

// responseError returns the error of a response that is none of success, as client-go's
// REST client does.
func (c *client) responseError(response *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	if err != nil && len(body) == 0 {
		body = []byte(err.Error())
	}
	if object, _, err := c.errors.Decode(body, nil, nil); err == nil {
		if status, ok := object.(*metav1.Status); ok && status.Status != metav1.StatusSuccess && status.Code != 0 {
			return apierrors.FromObject(status)
		}
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil {
		seconds = 0
	}
	return apierrors.NewGenericServerResponse(response.StatusCode, "watch", schema.GroupResource{}, "",
		strings.TrimSpace(string(body)), seconds, true)
}
