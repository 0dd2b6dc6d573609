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

// The watched resources, as the API and the metrics' label "resource" name
// them.
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

// Permission is what the exporter must be allowed to do with a resource. It
// asks for nothing else.
type Permission struct {
	// Group is the API group; empty for the core group.
	Group    string
	Resource string
	Verbs    []string
	// Namespaced tells that a Role in each namespace is enough; otherwise it
	// takes a ClusterRole.
	Namespaced bool
}

// Permissions are all that the exporter needs, for roles and for messages about
// what is missing.
func Permissions() []Permission {
	permissions := make([]Permission, 0, 4)
	for _, kind := range resources() {
		permissions = append(permissions, kind.permission())
	}
	return append(permissions, leasePermission())
}

// kind is one watched resource: the only place that says how it is named,
// asked for, reduced and handed over.
type resource struct {
	version    schema.GroupVersion
	resource   string
	namespaced bool
	// pods tells that Options.PodsSelector applies.
	pods bool
	// object is what the API server sends.
	object runtime.Object
	// reduce turns what the API server sends into a record.
	reduce cache.TransformFunc
	// deliver makes what stands between an informer and the Handler.
	deliver func(*delivery) cache.ResourceEventHandler
}

// resources lists what is watched.
func resources() []resource {
	return []resource{
		{
			version: corev1.SchemeGroupVersion, resource: Nodes,
			object:  &corev1.Node{},
			reduce:  reduceBy(slim.FromNode),
			deliver: deliverBy(Handler.Node, func(n *slim.Node) *slim.Meta { return &n.Meta }, asItIs),
		},
		{
			version: corev1.SchemeGroupVersion, resource: Pods, namespaced: true, pods: true,
			object:  &corev1.Pod{},
			reduce:  reduceBy(slim.FromPod),
			deliver: deliverBy(Handler.Pod, func(p *slim.Pod) *slim.Meta { return &p.Meta }, slim.MissedPod),
		},
		{
			version: appsv1.SchemeGroupVersion, resource: DaemonSets, namespaced: true,
			object:  &appsv1.DaemonSet{},
			reduce:  reduceBy(slim.FromDaemonSet),
			deliver: deliverBy(Handler.DaemonSet, func(d *slim.DaemonSet) *slim.Meta { return &d.Meta }, asItIs),
		},
	}
}

// permission is what an informer of this kind needs. It lists and watches; get
// is what kubectl users expect beside them, and harmless.
func (k resource) permission() Permission {
	return Permission{
		Group:      k.version.Group,
		Resource:   k.resource,
		Verbs:      []string{"get", "list", "watch"},
		Namespaced: k.namespaced,
	}
}

// leasePermission is for Leases, which are fetched one by one and not watched:
// a thousand nodes renew a hundred of them every second.
func leasePermission() Permission {
	return Permission{
		Group:      coordinationv1.GroupName,
		Resource:   "leases",
		Verbs:      []string{"get"},
		Namespaced: true,
	}
}
