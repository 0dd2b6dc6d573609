// Package recordings holds what an informer received from a real kubelet v1.37.2 and a
// real control plane: outages, crashes, evictions, deletions of every kind. Objects
// have the fields that the exporter may read.
//
// Of the three nodes real-0 has a kubelet; sim-1 and sim-2 are simulated, and the ends
// of their pods are not realistic.
package recordings

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

//go:embed *.jsonl
var files embed.FS

// Event is one line of a recording: an object from a watch, or an action on the
// cluster. Exactly one of Node, Pod, DaemonSet and Action is set.
type Event struct {
	// At is the time of the event.
	At time.Time
	// Type is ADDED, MODIFIED or DELETED.
	Type      string
	Node      *corev1.Node
	Pod       *corev1.Pod
	DaemonSet *appsv1.DaemonSet
	Action    string
}

// Object returns the Node, the Pod or the DaemonSet; nil for an action.
func (e *Event) Object() any {
	switch {
	case e.Node != nil:
		return e.Node
	case e.Pod != nil:
		return e.Pod
	case e.DaemonSet != nil:
		return e.DaemonSet
	default:
		return nil
	}
}

// Names returns the names of all recordings.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // the files are part of the binary
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(path.Base(entry.Name()), ".jsonl")
	}
	return names
}

// Read returns the events of a recording in their order.
func Read(name string) ([]Event, error) {
	content, err := files.ReadFile(name + ".jsonl")
	if err != nil {
		return nil, fmt.Errorf("recording %q: %w", name, err)
	}
	var events []Event
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		event, err := parse(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("recording %q, line %d: %w", name, len(events)+1, err)
		}
		events = append(events, event)
	}
	return events, lines.Err()
}

func parse(line []byte) (Event, error) {
	var raw struct {
		T      time.Time
		Src    string
		Type   string
		Text   string
		Object json.RawMessage
	}
	if err := json.Unmarshal(line, &raw); err != nil {
		return Event{}, err
	}
	event := Event{At: raw.T, Type: raw.Type}
	switch raw.Src {
	case "nodes":
		event.Node = &corev1.Node{}
		return event, json.Unmarshal(raw.Object, event.Node)
	case "pods":
		event.Pod = &corev1.Pod{}
		return event, json.Unmarshal(raw.Object, event.Pod)
	case "daemonsets":
		event.DaemonSet = &appsv1.DaemonSet{}
		return event, json.Unmarshal(raw.Object, event.DaemonSet)
	case "action":
		event.Action = raw.Text
		return event, nil
	default:
		return Event{}, fmt.Errorf("unknown source %q", raw.Src)
	}
}
