package files

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// Snapshot is the state of a cluster as files tell it, each object once.
type Snapshot struct {
	*Contents
	// namespace is that of objects that name none.
	namespace  string
	nodes      latest[*slim.Node]
	pods       latest[*slim.Pod]
	daemonSets latest[*slim.DaemonSet]
	revisions  map[slim.UID]slim.ControllerRevision
	// annotations are those of namespaces, standard the selector of namespaces that have
	// none.
	annotations map[string]map[string]string
	standard    labels.Selector
	openShift   bool
}

// latest keeps the newest version of each object: bundles have some twice.
type latest[T any] struct {
	order    []types.UID
	versions map[types.UID]version[T]
}

type version[T any] struct {
	object T
	number uint64
}

func (l *latest[T]) put(meta *metav1.ObjectMeta, object T) {
	if l.versions == nil {
		l.versions = map[types.UID]version[T]{}
	}
	number, _ := strconv.ParseUint(meta.ResourceVersion, 10, 64) // anything else is as old as any
	known, ok := l.versions[meta.UID]
	if !ok {
		l.order = append(l.order, meta.UID)
	}
	if !ok || number > known.number {
		l.versions[meta.UID] = version[T]{object, number}
	}
}

func (l *latest[T]) all() []T {
	objects := make([]T, 0, len(l.order))
	for _, uid := range l.order {
		objects = append(objects, l.versions[uid].object)
	}
	return objects
}

// Load reads all objects under a path (see Read). Pods that no DaemonSet controls are
// left out.
func Load(path string, stdin io.Reader) (*Snapshot, error) {
	return LoadIn(metav1.NamespaceDefault, path, stdin)
}

// LoadIn is Load for manifests: objects that name no namespace are in this one.
func LoadIn(namespace, path string, stdin io.Reader) (*Snapshot, error) {
	s := NewSnapshot()
	s.namespace = namespace
	contents, err := Read(path, stdin, func(object any) error { s.Add(object); return nil })
	if err != nil {
		return nil, err
	}
	s.Contents = contents
	return s, nil
}

// NewSnapshot returns an empty Snapshot.
func NewSnapshot() *Snapshot {
	return &Snapshot{
		Contents: newContents(), namespace: metav1.NamespaceDefault, revisions: map[slim.UID]slim.ControllerRevision{}, annotations: map[string]map[string]string{},
	}
}

// Add adds an object that Read has handed over.
func (s *Snapshot) Add(object any) {
	switch o := object.(type) {
	case *corev1.Node:
		s.identify("node", &o.ObjectMeta)
		s.nodes.put(&o.ObjectMeta, slim.FromNode(o))
	case *corev1.Pod:
		s.identify("pod", &o.ObjectMeta)
		if pod := slim.FromPod(o); pod.Owner != (slim.UID{}) {
			s.pods.put(&o.ObjectMeta, pod)
		}
	case *appsv1.DaemonSet:
		s.identify("daemonset", &o.ObjectMeta)
		s.daemonSets.put(&o.ObjectMeta, slim.FromDaemonSet(o))
	case *appsv1.ControllerRevision:
		revision := slim.FromControllerRevision(o)
		if known, ok := s.revisions[revision.Owner]; !ok || revision.Revision > known.Revision {
			s.revisions[revision.Owner] = revision
		}
	case *corev1.Namespace:
		s.annotations[o.Name] = o.Annotations
		for key := range o.Annotations {
			s.openShift = s.openShift || strings.HasPrefix(key, "openshift.io/")
		}
	case *Scheduler:
		s.openShift = true
		s.standard = informers.NodeSelector(map[string]string{informers.NodeSelectorAnnotation: o.Spec.DefaultNodeSelector}, nil)
	}
}

// identify gives an object that was written by hand an identity. A manifest may leave its
// namespace to the context.
func (s *Snapshot) identify(resource string, meta *metav1.ObjectMeta) {
	if meta.Namespace == "" && resource != "node" {
		meta.Namespace = s.namespace
	}
	if meta.UID == "" {
		meta.UID = types.UID(resource + "/" + meta.Namespace + "/" + meta.Name)
	}
}

// Nodes returns the nodes.
func (s *Snapshot) Nodes() []*slim.Node { return s.nodes.all() }

// Pods returns the pods that a DaemonSet controls.
func (s *Snapshot) Pods() []*slim.Pod { return s.pods.all() }

// DaemonSets returns the DaemonSets.
func (s *Snapshot) DaemonSets() []*slim.DaemonSet { return s.daemonSets.all() }

// Deliver gives the handler all objects, as informers give it their initial ones.
func (s *Snapshot) Deliver(handler informers.Handler) {
	for _, node := range s.Nodes() {
		handler.Node(nil, node)
	}
	for _, ds := range s.DaemonSets() {
		handler.DaemonSet(nil, ds)
	}
	for _, pod := range s.Pods() {
		handler.Pod(nil, pod)
	}
	handler.Synced()
}

// NewestRevisions returns the newest ControllerRevision of each DaemonSet, by its UID.
func (s *Snapshot) NewestRevisions() map[slim.UID]slim.ControllerRevision { return s.revisions }

// NodeSelectors returns the node selectors of namespaces, as Namespaces.NodeSelectors
// does: none, unless the files are of an OpenShift cluster.
func (s *Snapshot) NodeSelectors(_ context.Context, namespaces []string) (map[string]labels.Selector, error) {
	selectors := map[string]labels.Selector{}
	if !s.openShift {
		return selectors, nil
	}
	for _, namespace := range slices.Sorted(slices.Values(namespaces)) {
		if selector := informers.NodeSelector(s.annotations[namespace], s.standard); selector != nil {
			selectors[namespace] = selector
		}
	}
	return selectors, nil
}
