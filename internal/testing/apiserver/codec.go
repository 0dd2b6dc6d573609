package apiserver

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
)

// codec encodes responses in the encoding that the client prefers.
type codec struct{ factory serializer.CodecFactory }

func newCodec(t testing.TB) codec {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, coordinationv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatalf("registering API types: %v", err)
		}
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	return codec{serializer.NewCodecFactory(scheme)}
}

// negotiate returns the first encoding that the client accepts.
func (c codec) negotiate(request *http.Request) runtime.SerializerInfo {
	for accepted := range strings.SplitSeq(request.Header.Get("Accept"), ",") {
		mediaType, _, err := mime.ParseMediaType(accepted)
		if err != nil {
			continue
		}
		if info, ok := runtime.SerializerInfoForMediaType(c.factory.SupportedMediaTypes(), mediaType); ok {
			return info
		}
	}
	info, _ := runtime.SerializerInfoForMediaType(c.factory.SupportedMediaTypes(), runtime.ContentTypeJSON)
	return info
}

// write responds with one object. A client that has disconnected is not an error.
func (c codec) write(w http.ResponseWriter, r *http.Request, code int, version schema.GroupVersion, object runtime.Object) error {
	info := c.negotiate(r)
	body, err := runtime.Encode(c.factory.EncoderForVersion(info.Serializer, version), object)
	if err != nil {
		return fmt.Errorf("encoding %T: %w", object, err)
	}
	w.Header().Set("Content-Type", info.MediaType)
	w.WriteHeader(code)
	_, _ = w.Write(body)
	return nil
}

// stream is the response of a watch.
type stream struct {
	codec   codec
	info    runtime.SerializerInfo
	version schema.GroupVersion
	events  streaming.Encoder
	flush   func()
}

func (c codec) stream(w http.ResponseWriter, r *http.Request, version schema.GroupVersion) *stream {
	info := c.negotiate(r)
	mediaType := info.MediaType
	if mediaType != runtime.ContentTypeJSON {
		mediaType += ";stream=watch"
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(http.StatusOK)
	frames := info.StreamSerializer.NewFrameWriter(w)
	events := streaming.NewEncoder(frames, c.factory.EncoderForVersion(info.StreamSerializer.Serializer, schema.GroupVersion{Version: "v1"}))
	opened := &stream{codec: c, info: info, version: version, events: events, flush: func() {}}
	if flusher, ok := w.(http.Flusher); ok {
		opened.flush = flusher.Flush
	}
	opened.flush()
	return opened
}

// send sends one event. It returns io.EOF if the client has disconnected.
func (s *stream) send(eventType watch.EventType, object runtime.Object) error {
	version := s.version
	if eventType == watch.Error {
		version = schema.GroupVersion{Version: "v1"}
	}
	raw, err := runtime.Encode(s.codec.factory.EncoderForVersion(s.info.Serializer, version), object)
	if err != nil {
		return fmt.Errorf("encoding %T: %w", object, err)
	}
	event := &metav1.WatchEvent{Type: string(eventType), Object: runtime.RawExtension{Raw: raw}}
	if err := s.events.Encode(event); err != nil {
		return io.EOF
	}
	return nil
}
