package synthetic

import (
	"io"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// message is an object in protobuf, such as the generated API types.
type message interface {
	Size() int
	MarshalToSizedBuffer(data []byte) (int, error)
}

// object is an API object in protobuf.
type object interface {
	message
	metav1.Object
}

// collection holds how to make all objects of one resource, in the order of lists.
type collection struct {
	resource string
	version  schema.GroupVersion
	kind     string
	// count is one more than the last index.
	count int
	// identify returns the identity of the object with an index, without making it;
	// false if there is none.
	identify func(index int) (identity, bool)
	// maker returns a function that makes objects. Each is valid until it makes the
	// next one.
	maker func() func(index int) (message, error)
	// changer returns a function that makes objects that have changed, as maker does; nil
	// if they never change.
	changer func() func(change) (message, error)
	// nextChange returns the index of the next object to change.
	nextChange func(index int) int
	// bookmark returns an empty object.
	bookmark func() object
}

// identity holds the fields by which an object can be selected.
type identity struct {
	namespace, name, node string
	labels                labels.Set
}

// collectionsOf returns all resources of a cluster.
func collectionsOf(size Size) []collection {
	return []collection{
		{
			resource: "nodes", version: corev1.SchemeGroupVersion, kind: "Node", count: size.Nodes,
			identify: func(index int) (identity, bool) {
				return identity{name: nodeName(index), labels: nodeLabels(index)}, true
			},
			maker:      func() func(int) (message, error) { return newNodeMaker().at },
			changer:    nodeChanger,
			nextChange: func(index int) int { return (index + 1) % size.Nodes },
			bookmark:   func() object { return &corev1.Node{} },
		},
		{
			resource: "daemonsets", version: appsv1.SchemeGroupVersion, kind: "DaemonSet", count: size.DaemonSets,
			identify: func(index int) (identity, bool) {
				return identity{namespace: daemonSetNamespace(index), name: daemonSetName(index), labels: daemonSetLabels(index)}, true
			},
			maker: func() func(int) (message, error) {
				return func(index int) (message, error) { return size.daemonSetAt(index), nil }
			},
			bookmark: func() object { return &appsv1.DaemonSet{} },
		},
		podsOf(size),
	}
}

// podsOf returns the pods of all DaemonSets, then the others.
func podsOf(size Size) collection {
	own := make([]labels.Set, size.DaemonSets)
	for set := range own {
		own[set] = daemonSetPod(set).Labels
	}
	cells := size.Cells()
	return collection{
		resource: "pods", version: corev1.SchemeGroupVersion, kind: "Pod", count: cells + size.OtherPods,
		identify: func(index int) (identity, bool) {
			if index >= cells {
				other := index - cells
				return identity{
					namespace: workloadNamespace(other / podsPerWorkload),
					name:      workloadPodName(other),
					node:      nodeName(other % max(1, size.Nodes)),
					labels:    workloadPodLabels(other),
				}, true
			}
			set, node := index/size.Nodes, size.nodeAt(index%size.Nodes)
			if size.troubleOf(set, node) == missing {
				return identity{}, false
			}
			return identity{
				namespace: daemonSetNamespace(set),
				name:      daemonSetName(set) + "-" + suffixOf(index),
				node:      nodeName(node),
				labels:    own[set],
			}, true
		},
		maker: func() func(int) (message, error) {
			agents, others := podMaker{size: size}, workloadMaker{size: size}
			return func(index int) (message, error) {
				if index >= cells {
					return others.at(index - cells)
				}
				return agents.at(index)
			}
		},
		changer: func() func(change) (message, error) { return podChanger(size) },
		nextChange: func(index int) int {
			for range cells {
				index = (index + 1) % cells
				if size.troubleOf(index/size.Nodes, size.nodeAt(index%size.Nodes)) == works {
					break
				}
			}
			return index
		},
		bookmark: func() object { return &corev1.Pod{} },
	}
}

// envelope writes a message of size bytes with its envelope.
func (c *collection) envelope(to io.Writer, kind string, size int, write func(io.Writer) (int, error)) error {
	if _, err := io.WriteString(to, magic); err != nil {
		return err
	}
	unknown := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: c.version.String(), Kind: kind}}
	_, err := unknown.MarshalToWriter(to, size, write)
	return err
}

// magic begins every protobuf message of Kubernetes
// (apimachinery/pkg/runtime/serializer/protobuf, v0.37).
const magic = "k8s\x00"

// selection holds the namespace and the selectors of a request.
type selection struct {
	namespace string
	labels    labels.Selector
	fields    fields.Selector
}

// newSelection parses the selectors of a request.
func newSelection(namespace string, options *metav1.ListOptions) (selection, error) {
	byLabel, err := labels.Parse(options.LabelSelector)
	if err != nil {
		return selection{}, err
	}
	byField, err := fields.ParseSelector(options.FieldSelector)
	if err != nil {
		return selection{}, err
	}
	return selection{namespace: namespace, labels: byLabel, fields: byField}, nil
}

func (s selection) matches(id identity) bool {
	return (s.namespace == "" || s.namespace == id.namespace) && s.labels.Matches(id.labels) &&
		(s.fields.Empty() || s.fields.Matches(fields.Set{
			"metadata.name": id.name, "metadata.namespace": id.namespace, "spec.nodeName": id.node,
		}))
}

// each calls yield with the objects of a selection from index on, until yield returns
// an error.
func (c *collection) each(selected selection, index int, yield func(index int, made message) error) error {
	at := c.maker()
	for ; index < c.count; index++ {
		if id, exists := c.identify(index); !exists || !selected.matches(id) {
			continue
		}
		made, err := at(index)
		if err != nil {
			return err
		}
		if err := yield(index, made); err != nil {
			return err
		}
	}
	return nil
}

// route parses a path of the API; ok is false if it has another form.
func route(path string) (version schema.GroupVersion, namespace, resource, name string, ok bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		version, parts = schema.GroupVersion{Version: parts[1]}, parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		version, parts = schema.GroupVersion{Group: parts[1], Version: parts[2]}, parts[3:]
	default:
		return version, "", "", "", false
	}
	if len(parts) >= 3 && parts[0] == "namespaces" {
		namespace, parts = parts[1], parts[2:]
	}
	if len(parts) == 2 {
		name = parts[1]
	}
	return version, namespace, parts[0], name, len(parts) <= 2
}
