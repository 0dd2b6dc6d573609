package files

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
)

// RecordingWriter writes the events of a recording. It is safe for concurrent use.
type RecordingWriter struct {
	mu      sync.Mutex
	output  io.Writer
	gzipped *gzip.Writer
	last    time.Time
	lines   int
}

// NewRecordingWriter returns a writer of a recording. Its times do not run backwards: an
// event of an earlier time than the one before gets the time of that one.
func NewRecordingWriter(output io.Writer, gzipped bool) *RecordingWriter {
	w := &RecordingWriter{output: output}
	if gzipped {
		w.gzipped = gzip.NewWriter(output)
		w.output = w.gzipped
	}
	return w
}

// Write writes an event. An object must be of a kind that a recording holds.
func (w *RecordingWriter) Write(event Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	written := line{Time: event.Time.UTC(), Type: event.Type, Resource: event.Resource, Text: event.Text}
	if written.Time.Before(w.last) {
		written.Time = w.last
	}
	if event.Type.HasObject() {
		object, err := encode(event.Object)
		if err != nil {
			return err
		}
		written.Object = object
	}
	text, err := json.Marshal(written)
	if err != nil {
		return fmt.Errorf("encoding a line of the recording: %w", err)
	}
	if _, err := w.output.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("writing the recording: %w", err)
	}
	w.last = written.Time
	w.lines++
	return nil
}

// encode returns an object as JSON, with its apiVersion and kind, which clients leave
// out.
func encode(object runtime.Object) (json.RawMessage, error) {
	kind, ok := kindOf(object)
	if !ok {
		return nil, fmt.Errorf("a recording holds no %T", object)
	}
	object = object.DeepCopyObject()
	object.GetObjectKind().SetGroupVersionKind(kind)
	text, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encoding a %s: %w", kind.Kind, err)
	}
	return text, nil
}

// Lines returns how many lines have been written.
func (w *RecordingWriter) Lines() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lines
}

// Flush brings what was written to the output: what a reader of the file sees.
func (w *RecordingWriter) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gzipped == nil {
		return nil
	}
	if err := w.gzipped.Flush(); err != nil {
		return fmt.Errorf("writing the recording: %w", err)
	}
	return nil
}

// Close ends the recording. It does not close the output.
func (w *RecordingWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gzipped == nil {
		return nil
	}
	if err := w.gzipped.Close(); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		return fmt.Errorf("writing the recording: %w", err)
	}
	return nil
}
