package informers

import (
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// The watched resources, named as in the API and in the label "resource" of the
// metrics.
const (
	Nodes      = "nodes"
	Pods       = "pods"
	DaemonSets = "daemonsets"
)

// DefaultPodsSelector selects the pods that the DaemonSet controller made, so
// that all other pods stay in the API server. StatefulSet pods carry the first
// label too (apps/v1 StatefulSetRevisionLabel). A pod that somebody stripped of
// the label, or that was adopted without it, is not seen: widen the selector
// where that happens.
const DefaultPodsSelector = "controller-revision-hash,!statefulset.kubernetes.io/pod-name"

// Permission holds the verbs that the exporter needs on one resource. It uses
// no others.
type Permission struct {
	// Group is the API group; empty for the core group.
	Group    string
	Resource string
	Verbs    []string
	// Namespaced reports whether a Role in each namespace is enough; otherwise
	// it takes a ClusterRole.
	Namespaced bool
	// Optional reports whether the exporter works without it, and then knows less.
	Optional bool
}

// Permissions returns all permissions that the exporter uses, for roles and
// for messages about what is missing.
func Permissions() []Permission {
	permissions := make([]Permission, 0, 5)
	for _, resource := range resources() {
		permissions = append(permissions, resource.permission())
	}
	return append(permissions, revisionsPermission(), leasePermission())
}

// NamespacePermissions returns the permissions to read what selects nodes for whole
// namespaces (Namespaces). They are needed on OpenShift only.
func NamespacePermissions() []Permission {
	return []Permission{namespacePermission(), schedulerPermission()}
}

// resource is one watched resource: the only place that holds its name and how
// it is requested, transformed and delivered.
type resource struct {
	version    schema.GroupVersion
	name       string
	namespaced bool
	// usesPodsSelector reports whether Options.PodsSelector applies.
	usesPodsSelector bool
	// object is an empty object of the type that the API server sends.
	object runtime.Object
	// transform returns the transform, for an informer with that store, that turns an
	// object of that type into a slim object.
	transform func(cache.Store) cache.TransformFunc
	// eventHandler returns the event handler that connects an informer to the
	// Handler.
	eventHandler func(*delivery) cache.ResourceEventHandler
}

// resources returns the watched resources.
func resources() []resource {
	node := func(n *slim.Node) *slim.Meta { return &n.Meta }
	pod := func(p *slim.Pod) *slim.Meta { return &p.Meta }
	daemonSet := func(d *slim.DaemonSet) *slim.Meta { return &d.Meta }
	return []resource{
		{
			version: corev1.SchemeGroupVersion, name: Nodes,
			object:       &corev1.Node{},
			transform:    transformWith(slim.FromNode, node),
			eventHandler: newEventHandler(Handler.Node, node, unmarked),
		},
		{
			version: corev1.SchemeGroupVersion, name: Pods, namespaced: true, usesPodsSelector: true,
			object:       &corev1.Pod{},
			transform:    transformWith(slim.FromPod, pod),
			eventHandler: newEventHandler(Handler.Pod, pod, slim.MissedPod),
		},
		{
			version: appsv1.SchemeGroupVersion, name: DaemonSets, namespaced: true,
			object:       &appsv1.DaemonSet{},
			transform:    transformWith(slim.FromDaemonSet, daemonSet),
			eventHandler: newEventHandler(Handler.DaemonSet, daemonSet, unmarked),
		},
	}
}

// permission returns what an informer of the resource needs. It lists and
// watches; get is what kubectl users expect beside them, and harmless.
func (r resource) permission() Permission {
	return Permission{
		Group:      r.version.Group,
		Resource:   r.name,
		Verbs:      []string{"get", "list", "watch"},
		Namespaced: r.namespaced,
	}
}

// revisionsPermission returns the permission for ControllerRevisions, which are read
// when a DaemonSet has got another template and not watched: each holds a whole
// template, and they change with the DaemonSet only.
func revisionsPermission() Permission {
	return Permission{
		Group:      appsv1.GroupName,
		Resource:   "controllerrevisions",
		Verbs:      []string{"list"},
		Namespaced: true,
		Optional:   true,
	}
}

// leasePermission returns the permission for Leases, which are read one by one
// and not watched: a thousand nodes renew a hundred of them every second.
func leasePermission() Permission {
	return Permission{
		Group:      coordinationv1.GroupName,
		Resource:   "leases",
		Verbs:      []string{"get"},
		Namespaced: true,
		Optional:   true,
	}
}

// namespacePermission returns the permission for Namespaces, which are read one by
// one.
func namespacePermission() Permission {
	return Permission{
		Group:      corev1.GroupName,
		Resource:   "namespaces",
		Verbs:      []string{"get"},
		Namespaced: true,
	}
}

// schedulerPermission returns the permission for the configuration that has the
// cluster's default node selector.
func schedulerPermission() Permission {
	return Permission{
		Group:    "config.openshift.io",
		Resource: "schedulers",
		Verbs:    []string{"get"},
	}
}
