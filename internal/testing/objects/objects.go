package objects

import (
	"fmt"
	"maps"
	"math"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Noon is when tests begin.
var Noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// At returns the time so many seconds after Noon.
func At(seconds float64) time.Time {
	return Noon.Add(time.Duration(seconds * float64(time.Second)))
}

// Seconds returns how many seconds after Noon a time is.
func Seconds(at time.Time) float64 { return at.Sub(Noon).Seconds() }

// Stamp returns the time so many seconds after Noon as the API writes it: in
// whole seconds.
func Stamp(seconds float64) metav1.Time {
	return metav1.Unix(Noon.Unix()+int64(math.Floor(seconds)), 0)
}

// Option changes an object. An option that does not apply to the object panics.
type Option func(object metav1.Object)

// Change returns an Option of a test's own.
func Change[T metav1.Object](change func(object T)) Option {
	return func(object metav1.Object) {
		of, ok := object.(T)
		if !ok {
			panic(fmt.Sprintf("an option of a %T does not apply to a %T", of, object))
		}
		change(of)
	}
}

func with[T metav1.Object](object T, options []Option) T {
	for _, change := range options {
		change(object)
	}
	return object
}

// Updated returns a changed copy of an object. As in the API, a condition
// whose status stays keeps the time of its last transition.
func Updated[T interface {
	metav1.Object
	DeepCopy() T
}](object T, options ...Option) T {
	updated := object.DeepCopy()
	updated.SetSelfLink("") // that it was late is of one version
	with(updated, options)
	switch old := any(object).(type) {
	case *corev1.Node:
		keepTransitions(old.Status.Conditions, any(updated).(*corev1.Node).Status.Conditions, func(c *corev1.NodeCondition) (string, *metav1.Time) {
			return fmt.Sprint(c.Type, c.Status), &c.LastTransitionTime
		})
	case *corev1.Pod:
		keepTransitions(old.Status.Conditions, any(updated).(*corev1.Pod).Status.Conditions, func(c *corev1.PodCondition) (string, *metav1.Time) {
			return fmt.Sprint(c.Type, c.Status), &c.LastTransitionTime
		})
	}
	return updated
}

func keepTransitions[C any](old, updated []C, read func(*C) (status string, at *metav1.Time)) {
	for i := range updated {
		status, at := read(&updated[i])
		for j := range old {
			if before, since := read(&old[j]); before == status {
				*at = *since
			}
		}
	}
}

// UID replaces the UID: another object of the same name.
func UID(uid types.UID) Option { return func(o metav1.Object) { o.SetUID(uid) } }

// Named replaces the name, and the UID with it.
func Named(name string) Option {
	return func(o metav1.Object) {
		o.SetName(name)
		o.SetUID(types.UID(name))
	}
}

// Created sets the creation timestamp.
func Created(at float64) Option {
	return func(o metav1.Object) { o.SetCreationTimestamp(Stamp(at)) }
}

// Late makes this version one that came later than the change that made it, as after
// a watch that was lost.
func Late() Option { return slim.MarkLate }

// Label sets a label.
func Label(key, value string) Option {
	return func(o metav1.Object) {
		labels := map[string]string{}
		maps.Copy(labels, o.GetLabels())
		labels[key] = value
		o.SetLabels(labels)
	}
}

// Deleted sets the deletion timestamp of an object that has no grace period.
func Deleted(at float64) Option {
	deadline := Stamp(at)
	return func(o metav1.Object) { o.SetDeletionTimestamp(&deadline) }
}

// Ready sets the condition Ready=True of a Node or a Pod. A Pod's container
// is ready, too, and runs if it waited or had ended.
func Ready(at float64) Option { return ready(corev1.ConditionTrue, at) }

// NotReady sets the condition Ready=False of a Node or a Pod.
func NotReady(at float64) Option { return ready(corev1.ConditionFalse, at) }

// ReadyUnknown sets the condition Ready=Unknown of a Node or a Pod.
func ReadyUnknown(at float64) Option { return ready(corev1.ConditionUnknown, at) }

func ready(status corev1.ConditionStatus, at float64) Option {
	return func(object metav1.Object) {
		switch o := object.(type) {
		case *corev1.Node:
			setNodeCondition(o, corev1.NodeCondition{Type: corev1.NodeReady, Status: status, LastTransitionTime: Stamp(at)})
		case *corev1.Pod:
			setPodCondition(o, corev1.PodCondition{Type: corev1.PodReady, Status: status, LastTransitionTime: Stamp(at)})
			for i := range o.Status.ContainerStatuses {
				o.Status.ContainerStatuses[i].Ready = false
			}
			if status == corev1.ConditionTrue {
				run(o, at)
				o.Status.ContainerStatuses[0].Ready = true
			}
		default:
			panic(fmt.Sprintf("a %T has no condition Ready", object))
		}
	}
}

// WithoutConditions removes all conditions of a Node or a Pod.
func WithoutConditions() Option {
	return func(object metav1.Object) {
		switch o := object.(type) {
		case *corev1.Node:
			o.Status.Conditions = nil
		case *corev1.Pod:
			o.Status.Conditions = nil
		default:
			panic(fmt.Sprintf("a %T has no such conditions", object))
		}
	}
}
