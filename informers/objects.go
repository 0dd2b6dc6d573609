package informers

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// objectsTimeout limits one request for whole objects.
const objectsTimeout = 30 * time.Second

// objectsPage is how many whole objects are read at once.
const objectsPage = 500

// Objects reads whole objects on demand, for people and not for metrics. An error is a
// *RequestError.
type Objects struct{ core, apps rest.Interface }

// NewObjects returns a reader of whole objects.
func NewObjects(config *rest.Config) (*Objects, error) {
	clients, err := newClients(config)
	if err != nil {
		return nil, err
	}
	core, err := clients.forVersion(corev1.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	apps, err := clients.forVersion(appsv1.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	return &Objects{core: core, apps: apps}, nil
}

// EachNode calls take for each node.
func (o *Objects) EachNode(ctx context.Context, take func(*corev1.Node) error) error {
	return each(ctx, o.core, permissionOf(Nodes), "", metav1.ListOptions{}, func(list *corev1.NodeList) ([]corev1.Node, string) {
		return list.Items, list.Continue
	}, take)
}

// EachPod calls take for each pod that the DaemonSet controller made in a namespace, or
// in all.
func (o *Objects) EachPod(ctx context.Context, namespace string, take func(*corev1.Pod) error) error {
	return o.eachPod(ctx, namespace, metav1.ListOptions{LabelSelector: DefaultPodsSelector}, take)
}

// EachPodOn calls take for each pod on a node, also those of no DaemonSet.
func (o *Objects) EachPodOn(ctx context.Context, node string, take func(*corev1.Pod) error) error {
	selector := fields.OneTermEqualSelector("spec.nodeName", node).String()
	return o.eachPod(ctx, "", metav1.ListOptions{FieldSelector: selector}, take)
}

func (o *Objects) eachPod(ctx context.Context, namespace string, options metav1.ListOptions, take func(*corev1.Pod) error) error {
	return each(ctx, o.core, permissionOf(Pods), namespace, options, func(list *corev1.PodList) ([]corev1.Pod, string) {
		return list.Items, list.Continue
	}, take)
}

// EachDaemonSet calls take for each DaemonSet of a namespace, or of all.
func (o *Objects) EachDaemonSet(ctx context.Context, namespace string, take func(*appsv1.DaemonSet) error) error {
	return each(ctx, o.apps, permissionOf(DaemonSets), namespace, metav1.ListOptions{}, func(list *appsv1.DaemonSetList) ([]appsv1.DaemonSet, string) {
		return list.Items, list.Continue
	}, take)
}

// EachRevision calls take for each ControllerRevision of a namespace, or of all, that is
// not of a StatefulSet.
func (o *Objects) EachRevision(ctx context.Context, namespace string, take func(*appsv1.ControllerRevision) error) error {
	options := metav1.ListOptions{LabelSelector: appsv1.ControllerRevisionHashLabelKey}
	return each(ctx, o.apps, revisionsPermission(), namespace, options, func(list *appsv1.ControllerRevisionList) ([]appsv1.ControllerRevision, string) {
		return list.Items, list.Continue
	}, take)
}

// EachEvent calls take for each event about an object of a namespace.
func (o *Objects) EachEvent(ctx context.Context, namespace, kind, name string, take func(*corev1.Event) error) error {
	selector := fields.Set{"involvedObject.kind": kind, "involvedObject.name": name}.AsSelector().String()
	needs := Permission{Resource: "events", Verbs: []string{"list"}, Namespaced: true, Optional: true}
	return each(ctx, o.core, needs, namespace, metav1.ListOptions{FieldSelector: selector}, func(list *corev1.EventList) ([]corev1.Event, string) {
		return list.Items, list.Continue
	}, take)
}

// Node returns a node.
func (o *Objects) Node(ctx context.Context, name string) (*corev1.Node, error) {
	return get[corev1.Node](ctx, o.core, permissionOf(Nodes), "", name)
}

// Pod returns a pod.
func (o *Objects) Pod(ctx context.Context, namespace, name string) (*corev1.Pod, error) {
	return get[corev1.Pod](ctx, o.core, permissionOf(Pods), namespace, name)
}

func permissionOf(name string) Permission {
	for _, resource := range resources() {
		if resource.name == name {
			return resource.permission()
		}
	}
	return Permission{Resource: name}
}

// each reads a list in pages. L is the type of the list, T that of its elements.
func each[L, T any](ctx context.Context, client rest.Interface, needs Permission, namespace string, options metav1.ListOptions,
	items func(*L) (page []T, next string), take func(*T) error,
) error {
	options.Limit = objectsPage
	for {
		list := new(L)
		if err := request(ctx, client, "list", needs, namespace, "", &options, list); err != nil {
			return err
		}
		page, next := items(list)
		for i := range page {
			if err := take(&page[i]); err != nil {
				return err
			}
		}
		if options.Continue = next; next == "" {
			return nil
		}
	}
}

func get[T any](ctx context.Context, client rest.Interface, needs Permission, namespace, name string) (*T, error) {
	object := new(T)
	if err := request(ctx, client, "get", needs, namespace, name, &metav1.GetOptions{}, object); err != nil {
		return nil, err
	}
	return object, nil
}

// request reads an object or a list into a value of its type.
func request(ctx context.Context, client rest.Interface, verb string, needs Permission, namespace, name string, options runtime.Object, into any) error {
	object, ok := into.(runtime.Object)
	if !ok {
		return fmt.Errorf("%T is no object of the API", into)
	}
	call := client.Get().Namespace(namespace).Resource(needs.Resource).VersionedParams(options, metav1.ParameterCodec).Timeout(objectsTimeout)
	if name != "" {
		call = call.Name(name)
	}
	if err := call.Do(ctx).Into(object); err != nil {
		return requestError(err, verb, needs, namespace)
	}
	return nil
}
