package files

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Redact returns a copy of an object that Read hands over with only the fields that are
// read; nil for a pod that no DaemonSet controls.
func Redact(object any) metav1.Object {
	switch o := object.(type) {
	case *corev1.Node:
		return slim.RedactNode(o)
	case *corev1.Pod:
		if slim.FromPod(o).Owner == (slim.UID{}) {
			return nil
		}
		return slim.RedactPod(o)
	case *appsv1.DaemonSet:
		return slim.RedactDaemonSet(o)
	case *appsv1.ControllerRevision:
		return slim.RedactControllerRevision(o)
	case *corev1.Namespace:
		return redactNamespace(o)
	case *Scheduler:
		return &Scheduler{
			TypeMeta:   metav1.TypeMeta{APIVersion: "config.openshift.io/v1", Kind: "Scheduler"},
			ObjectMeta: metav1.ObjectMeta{Name: o.Name},
			Spec:       o.Spec,
		}
	default:
		return nil
	}
}

// redactNamespace keeps the annotations that select nodes, and that there is one of
// OpenShift.
func redactNamespace(namespace *corev1.Namespace) *corev1.Namespace {
	redacted := &corev1.Namespace{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{Name: namespace.Name, Annotations: map[string]string{}},
	}
	for key, value := range namespace.Annotations {
		switch {
		case strings.HasSuffix(key, "/node-selector"):
			redacted.Annotations[key] = value
		case strings.HasPrefix(key, "openshift.io/"):
			redacted.Annotations["openshift.io/"] = ""
		}
	}
	return redacted
}
