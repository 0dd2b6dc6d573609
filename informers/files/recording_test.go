package files_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recordings"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/replay"
)

// read returns all events of a recording, and the error that ends it unless that is the
// end.
func read(t *testing.T, input io.Reader) (events []files.Event, err error) {
	t.Helper()
	reader, err := files.NewRecordingReader(input)
	if err != nil {
		return nil, err
	}
	for {
		event, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, event)
	}
}

// write returns events as a recording.
func write(t *testing.T, gzipped bool, events ...files.Event) *bytes.Buffer {
	t.Helper()
	var text bytes.Buffer
	writer := files.NewRecordingWriter(&text, gzipped)
	for _, event := range events {
		if err := writer.Write(event); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return &text
}

func TestRecording(t *testing.T) {
	t.Parallel()
	for _, name := range recordings.Names() {
		events, err := recordings.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		want := replay.Events(events)
		for _, gzipped := range []bool{false, true} {
			got, err := read(t, write(t, gzipped, want...))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s is not what was written (-want +got):\n%s", name, diff)
			}
		}
	}
}

func TestRecordingWriter(t *testing.T) {
	t.Parallel()
	t.Run("times do not run backwards", func(t *testing.T) {
		t.Parallel()
		text := write(t, false, files.Event{Time: objects.At(2), Type: files.Synced}, files.Event{Time: objects.At(1), Type: files.Mark, Text: "x"})
		events, err := read(t, text)
		if err != nil || !events[1].Time.Equal(objects.At(2)) {
			t.Errorf("the second event is at %v, %v", events[1].Time, err)
		}
	})
	t.Run("an object has its kind, and the caller's stays as it is", func(t *testing.T) {
		t.Parallel()
		node := objects.Node("a")
		node.Kind = ""
		text := write(t, false, files.Event{Time: objects.At(0), Type: files.Added, Object: node}).String()
		if !strings.Contains(text, `"kind":"Node"`) || !strings.Contains(text, `"apiVersion":"v1"`) || node.Kind != "" {
			t.Errorf("wrote %s; the caller's kind is %q", text, node.Kind)
		}
	})
	t.Run("other kinds are refused", func(t *testing.T) {
		t.Parallel()
		writer := files.NewRecordingWriter(io.Discard, false)
		if err := writer.Write(files.Event{Time: objects.At(0), Type: files.Added, Object: &corev1.Secret{}}); err == nil {
			t.Error("a Secret was recorded")
		}
	})
}

// The lines of hand-written recordings.
const (
	synced  = `{"time":"2026-11-24T12:00:00.5Z","type":"SYNCED"}` + "\n"
	aNode   = `{"time":"2026-11-24T12:00:01Z","type":"ADDED","object":{"apiVersion":"v1","kind":"Node","metadata":{"name":"a"}}}` + "\n"
	anEvent = `{"time":"2026-11-24T12:00:02.000001Z","type":"ADDED","object":{"apiVersion":"v1","kind":"Event","metadata":{"name":"e"}}}` + "\n"
	lostIt  = `{"time":"2026-11-24T12:00:03Z","type":"LOST","resource":"pods"}` + "\n"
	aMark   = `{"time":"2026-11-24T12:00:04+00:00","type":"MARK","text":"pulled the plug"}` + "\n"
)

func TestRecordingReader(t *testing.T) {
	t.Parallel()
	t.Run("lines of every type", func(t *testing.T) {
		t.Parallel()
		got, err := read(t, strings.NewReader(synced+"\n"+aNode+anEvent+lostIt+strings.TrimSpace(aMark)))
		if err != nil {
			t.Fatal(err)
		}
		at := func(seconds float64) time.Time {
			return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * 1e9))
		}
		want := []files.Event{
			{Time: at(0.5), Type: files.Synced},
			{Time: at(1), Type: files.Added, Object: got[1].Object},
			{Time: at(2.000001), Type: files.Added},
			{Time: at(3), Type: files.Lost, Resource: "pods"},
			{Time: at(4), Type: files.Mark, Text: "pulled the plug"},
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal), cmp.Comparer(func(a, b runtime.Object) bool { return a == b })); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if node, ok := got[1].Object.(*corev1.Node); !ok || node.Name != "a" {
			t.Errorf("the object is %v", got[1].Object)
		}
	})
	for _, tc := range []struct{ name, text, want string }{
		{"a line that is no JSON", synced + "nonsense\n", "line 2: invalid character"},
		{"no time", `{"type":"SYNCED"}` + "\n", "line 1: it has no time"},
		{"an unknown type", `{"time":"2026-11-24T12:00:00Z","type":"SYNCHED"}` + "\n", `line 1: type "SYNCHED" is not one of ADDED`},
		{"an unknown resource", `{"time":"2026-11-24T12:00:00Z","type":"LOST","resource":"pod"}` + "\n", `line 1: LOST: resource "pod" is not one of [nodes pods daemonsets]`},
		{"a time that runs backwards", aNode + synced, "line 2: its time 2026-11-24T12:00:00.5Z is before"},
		{"no object", `{"time":"2026-11-24T12:00:00Z","type":"ADDED"}` + "\n", "line 1: it has no object"},
		{"an object without a kind", `{"time":"2026-11-24T12:00:00Z","type":"ADDED","object":{}}` + "\n", "line 1: the object has no kind"},
		{"an object of another form", `{"time":"2026-11-24T12:00:00Z","type":"ADDED","object":{"apiVersion":"v1","kind":"Node","metadata":1}}` + "\n", "line 1: the Node cannot be read"},
		{"a line without end", synced + strings.Repeat("x", 17<<20), "line 2: it is longer than 16 MiB"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, err := read(t, strings.NewReader(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("the error is %v", err)
			}
		})
	}
	t.Run("a recording that is cut off", func(t *testing.T) {
		t.Parallel()
		whole := write(t, true, files.Event{Time: objects.At(0), Type: files.Synced}, files.Event{Time: objects.At(1), Type: files.Mark, Text: "x"}).Bytes()
		for name, text := range map[string]string{"plain": synced + aNode[:30], "gzipped": string(whole[:len(whole)-9])} {
			if _, err := read(t, strings.NewReader(text)); !errors.Is(err, files.ErrCutOff) {
				t.Errorf("%s: the error is %v", name, err)
			}
		}
	})
}

func TestRecordingIndex(t *testing.T) {
	t.Parallel()
	const (
		restart  = `{"time":"2026-11-24T12:01:00Z","type":"RESTART"}` + "\n"
		restored = `{"time":"2026-11-24T12:01:00Z","type":"RESTORED","resource":"pods"}` + "\n"
		podsIn   = `{"time":"2026-11-24T12:01:00Z","type":"SYNCED","resource":"pods"}` + "\n"
		allIn    = `{"time":"2026-11-24T12:01:00Z","type":"SYNCED"}` + "\n"
		project  = `{"time":"2026-11-24T12:01:00Z","type":"ADDED","object":{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}}}` + "\n"
	)
	index := func(t *testing.T, text string) *files.RecordingIndex {
		t.Helper()
		index, err := files.IndexRecording(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return index
	}
	t.Run("says when it begins and ends, and what it holds", func(t *testing.T) {
		t.Parallel()
		got := index(t, synced+aNode+anEvent+aMark+project[:40])
		want := &files.RecordingIndex{
			First: time.Date(2026, 11, 24, 12, 0, 0, 5e8, time.UTC), Last: time.Date(2026, 11, 24, 12, 0, 4, 0, time.UTC),
			Lines: 4, Marks: []files.RecordingMark{{Text: "pulled the plug", Time: time.Date(2026, 11, 24, 12, 0, 4, 0, time.UTC), Line: 3}},
			Unread: map[string]int{"Event": 1}, CutOff: true,
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if !index(t, project).SelectsNodes {
			t.Error("a Namespace says that namespaces select nodes")
		}
	})
	t.Run("says of each restart whether a SYNCED follows", func(t *testing.T) {
		t.Parallel()
		for text, want := range map[string][]bool{
			synced + restart:                              {false},
			synced + restart + allIn:                      {true},
			restart + restart + allIn:                     {false, true},
			restart + restored + podsIn:                   {false},
			restart + restored + podsIn + podsIn:          {true},
			restart + restored + allIn + restart:          {false, false},
			synced + restored + restart + podsIn + podsIn: {true},
		} {
			if diff := cmp.Diff(want, index(t, text).Restarts); diff != "" {
				t.Errorf("%s(-want +got):\n%s", text, diff)
			}
		}
	})
	t.Run("finds a mark by its name", func(t *testing.T) {
		t.Parallel()
		two := index(t, synced+aMark+aMark)
		one := index(t, aMark)
		if mark, err := one.MarkNamed("pulled the plug"); err != nil || mark.Line != 0 {
			t.Errorf("found %v, %v", mark, err)
		}
		for _, tc := range []struct {
			of         *files.RecordingIndex
			name, want string
		}{
			{one, "other", `no mark is called "other": the recording has ["pulled the plug"]`},
			{index(t, synced), "other", "the recording has none"},
			{two, "pulled the plug", "2 marks are called"},
		} {
			if _, err := tc.of.MarkNamed(tc.name); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("the error is %v, not %q", err, tc.want)
			}
		}
	})
	t.Run("an empty file is no recording", func(t *testing.T) {
		t.Parallel()
		if _, err := files.IndexRecording(strings.NewReader("\n")); err == nil {
			t.Error("there is no error")
		}
	})
}
