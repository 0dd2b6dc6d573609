package files

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
)

// EventType says what a line of a recording is about.
type EventType string

// The types of events.
const (
	// Added, Modified and Deleted have an object, deleted ones in their last state.
	Added    EventType = "ADDED"
	Modified EventType = "MODIFIED"
	Deleted  EventType = "DELETED"
	// Synced ends what was there before: at the start, when it has no resource, and
	// after Restored.
	Synced EventType = "SYNCED"
	// Lost says that the watch of a resource was interrupted, Restored that it goes on.
	// What comes between Restored and the next Synced of the resource is late.
	Lost     EventType = "LOST"
	Restored EventType = "RESTORED"
	// Restart says that a new exporter starts here.
	Restart EventType = "RESTART"
	// Mark names a moment.
	Mark EventType = "MARK"
)

// Event is one line of a recording.
type Event struct {
	Time time.Time
	Type EventType
	// Object is what was added, modified or deleted, as the API has it; nil for an
	// object of a kind that the exporter does not read.
	Object runtime.Object
	// Resource is what Lost and Restored are about, and Synced unless it is about all.
	Resource string
	// Text is what Mark says.
	Text string
}

// line is an Event as JSON.
type line struct {
	Time     time.Time       `json:"time"`
	Type     EventType       `json:"type"`
	Object   json.RawMessage `json:"object,omitempty"`
	Resource string          `json:"resource,omitempty"`
	Text     string          `json:"text,omitempty"`
}

// HasObject reports whether events of the type are about an object.
func (t EventType) HasObject() bool { return t == Added || t == Modified || t == Deleted }

// check returns what is wrong with a line, apart from its object.
func (l *line) check() error {
	switch {
	case l.Time.IsZero():
		return errors.New("it has no time")
	case !slices.Contains([]EventType{Added, Modified, Deleted, Synced, Lost, Restored, Restart, Mark}, l.Type):
		return fmt.Errorf("type %q is not one of ADDED, MODIFIED, DELETED, SYNCED, LOST, RESTORED, RESTART, MARK", l.Type)
	case l.Type == Lost || l.Type == Restored, l.Type == Synced && l.Resource != "":
		if !slices.Contains(watched(), l.Resource) {
			return fmt.Errorf("%s: resource %q is not one of %v", l.Type, l.Resource, watched())
		}
	}
	return nil
}

func watched() []string { return []string{informers.Nodes, informers.Pods, informers.DaemonSets} }

// event returns the Event of a line that was checked.
func (l *line) event() (Event, error) {
	event := Event{Time: l.Time, Type: l.Type, Resource: l.Resource, Text: l.Text}
	if !l.Type.HasObject() {
		return event, nil
	}
	kind, err := kindIn(l.Object)
	if err != nil {
		return Event{}, err
	}
	object := newObject(kind)
	if object == nil {
		return event, nil
	}
	if err := json.Unmarshal(l.Object, object); err != nil {
		return Event{}, fmt.Errorf("the %s cannot be read: %w", kind.Kind, err)
	}
	event.Object = object
	return event, nil
}

// kindIn returns the kind of an object in JSON.
func kindIn(object json.RawMessage) (schema.GroupVersionKind, error) {
	var kind metav1.TypeMeta
	if len(object) == 0 {
		return schema.GroupVersionKind{}, errors.New("it has no object")
	}
	if err := json.Unmarshal(object, &kind); err != nil {
		return schema.GroupVersionKind{}, fmt.Errorf("the object cannot be read: %w", err)
	}
	if kind.Kind == "" || kind.APIVersion == "" {
		return schema.GroupVersionKind{}, errors.New("the object has no kind or no apiVersion")
	}
	return kind.GroupVersionKind(), nil
}

// newObject returns an empty object of a kind that a recording may hold; nil for any
// other. The last three are what an exporter reads on demand.
func newObject(kind schema.GroupVersionKind) runtime.Object {
	switch kind {
	case corev1.SchemeGroupVersion.WithKind("Node"):
		return &corev1.Node{}
	case corev1.SchemeGroupVersion.WithKind("Pod"):
		return &corev1.Pod{}
	case appsv1.SchemeGroupVersion.WithKind("DaemonSet"):
		return &appsv1.DaemonSet{}
	case corev1.SchemeGroupVersion.WithKind("Namespace"):
		return &corev1.Namespace{}
	case coordinationv1.SchemeGroupVersion.WithKind("Lease"):
		return &coordinationv1.Lease{}
	case appsv1.SchemeGroupVersion.WithKind("ControllerRevision"):
		return &appsv1.ControllerRevision{}
	default:
		return nil
	}
}

// kindOf returns the kind of an object that a recording may hold.
func kindOf(object runtime.Object) (schema.GroupVersionKind, bool) {
	switch object.(type) {
	case *corev1.Node:
		return corev1.SchemeGroupVersion.WithKind("Node"), true
	case *corev1.Pod:
		return corev1.SchemeGroupVersion.WithKind("Pod"), true
	case *appsv1.DaemonSet:
		return appsv1.SchemeGroupVersion.WithKind("DaemonSet"), true
	case *corev1.Namespace:
		return corev1.SchemeGroupVersion.WithKind("Namespace"), true
	case *coordinationv1.Lease:
		return coordinationv1.SchemeGroupVersion.WithKind("Lease"), true
	case *appsv1.ControllerRevision:
		return appsv1.SchemeGroupVersion.WithKind("ControllerRevision"), true
	default:
		return schema.GroupVersionKind{}, false
	}
}
