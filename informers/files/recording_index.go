package files

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// RecordingIndex is what has to be known of a recording before it is played.
type RecordingIndex struct {
	// First and Last are the times of its first and its last line.
	First, Last time.Time
	// Lines is how many there are.
	Lines int
	// Marks are the moments that have a name, in their order.
	Marks []RecordingMark
	// Restarts reports of each RESTART, in their order, whether a SYNCED says when that
	// exporter had everything. Where none does it has so at once.
	Restarts []bool
	// SelectsNodes reports whether the recording holds Namespaces: an exporter reads
	// them only where they select nodes.
	SelectsNodes bool
	// Unread counts the objects of kinds that the exporter does not read, by kind.
	Unread map[string]int
	// CutOff reports whether the recording ends in the middle of a line.
	CutOff bool
}

// RecordingMark is a moment that has a name.
type RecordingMark struct {
	Text string
	Time time.Time
	// Line is how many lines come before it.
	Line int
}

// IndexRecording reads a whole recording and returns its index. It fails for one that
// is no recording or has no lines.
func IndexRecording(input io.Reader) (*RecordingIndex, error) {
	reader, err := NewRecordingReader(input)
	if err != nil {
		return nil, err
	}
	index := &RecordingIndex{Unread: map[string]int{}}
	restored := map[string]bool{}
	for {
		parsed, err := reader.next()
		switch {
		case errors.Is(err, ErrCutOff):
			index.CutOff = true
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		}
		if err != nil {
			break
		}
		if err := index.add(&parsed, restored); err != nil {
			return nil, reader.error(err)
		}
	}
	if index.Lines == 0 {
		return nil, errors.New("there is no line in it")
	}
	return index, nil
}

// add takes the next line. restored holds the resources whose watch is catching up.
func (x *RecordingIndex) add(l *line, restored map[string]bool) error {
	if x.Lines == 0 {
		x.First = l.Time
	}
	x.Last = l.Time
	switch l.Type {
	case Mark:
		x.Marks = append(x.Marks, RecordingMark{Text: l.Text, Time: l.Time, Line: x.Lines})
	case Restart:
		x.Restarts = append(x.Restarts, false)
		clear(restored)
	case Restored:
		restored[l.Resource] = true
	case Synced:
		if last := len(x.Restarts) - 1; last >= 0 && !endsCatchUp(l.Resource, restored) {
			x.Restarts[last] = true
		}
	case Added, Modified, Deleted:
		if err := x.addKind(l.Object); err != nil {
			return err
		}
	case Lost:
	}
	x.Lines++
	return nil
}

func (x *RecordingIndex) addKind(object json.RawMessage) error {
	kind, err := kindIn(object)
	switch {
	case err != nil:
		return err
	case newObject(kind) == nil:
		x.Unread[kind.Kind]++
	case kind.Kind == "Namespace":
		x.SelectsNodes = true
	}
	return nil
}

// endsCatchUp reports whether a SYNCED is about watches that were catching up, and takes
// those out of restored. One without a resource is about all.
func endsCatchUp(resource string, restored map[string]bool) bool {
	if resource == "" {
		catchingUp := len(restored) > 0
		clear(restored)
		return catchingUp
	}
	catchingUp := restored[resource]
	delete(restored, resource)
	return catchingUp
}

// MarkNamed returns the mark of that name. It fails if there is none, or more than one.
func (x *RecordingIndex) MarkNamed(text string) (RecordingMark, error) {
	var found []RecordingMark
	names := map[string]struct{}{}
	for _, mark := range x.Marks {
		names[mark.Text] = struct{}{}
		if mark.Text == text {
			found = append(found, mark)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return RecordingMark{}, fmt.Errorf("%d marks are called %q: give the time of one, the first is at %s",
			len(found), text, found[0].Time.Format(time.RFC3339Nano))
	case len(names) == 0:
		return RecordingMark{}, fmt.Errorf("no mark is called %q: the recording has none", text)
	default:
		return RecordingMark{}, fmt.Errorf("no mark is called %q: the recording has %q", text, slices.Sorted(maps.Keys(names)))
	}
}
