package random

import (
	"fmt"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// Event is an event of a watch: a *slim.Node, a *slim.DaemonSet or a *slim.Pod was
// added, updated or deleted.
type Event struct {
	At     time.Time
	Object any
	Gone   bool
}

// String returns the event in words.
func (e Event) String() string {
	words := ""
	switch object := e.Object.(type) {
	case *slim.Node:
		words = fmt.Sprintf("node %s %x: Ready %+v, labels %v, taints %v, cordoned %v",
			object.Name, object.UID[:2], object.Ready, object.Labels, object.Taints, object.Unschedulable)
	case *slim.DaemonSet:
		words = fmt.Sprintf("DaemonSet %s %x: generation %d/%d of template %d, placed %v, ready %d s, budget %v %v, status %+v",
			object.Name, object.UID[:2], object.ObservedGeneration, object.Generation, object.TemplateGeneration,
			object.Template, object.MinReadySeconds, object.MaxUnavailable, object.MaxSurge, object.Status)
	case *slim.Pod:
		words = fmt.Sprintf("%s of %x on %s: phase %d, bound %v, Ready %+v, deleted %d, revision %s of %d, created %d, containers %v",
			object.Name, object.Owner[:2], object.NodeName.Value(), object.Phase, object.Bound, object.Ready, object.DeletionTimestamp,
			object.ControllerRevisionHash.Value(), object.TemplateGeneration, object.CreationTimestamp, object.Containers)
	}
	if e.Gone {
		words = "gone: " + words
	}
	return fmt.Sprintf("%8.1f %s", objects.Seconds(e.At), words)
}

// Key returns the name of the object. Events of one object, with all objects of the same name
// that follow it, keep their order.
func (e Event) Key() string {
	switch object := e.Object.(type) {
	case *slim.Node:
		return "node " + object.Name
	case *slim.DaemonSet:
		return "daemonset " + object.Name
	case *slim.Pod:
		return "pod " + object.Name
	default:
		panic(fmt.Sprintf("no object: %T", object))
	}
}
