package informers

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// The annotations of a namespace that select nodes.
const (
	NodeSelectorAnnotation = "openshift.io/node-selector"
	podNodeSelector        = "scheduler.alpha.kubernetes.io/node-selector"
)

// What is requested beside namespaces.
const (
	projectsPath  = "/apis/project.openshift.io"
	schedulerPath = "/apis/config.openshift.io/v1/schedulers/cluster"
)

// acceptMetadata requests an object without its spec and status.
const (
	acceptJSON     = runtime.ContentTypeJSON
	acceptMetadata = acceptJSON + ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
)

// namespaceTimeout limits one request.
const namespaceTimeout = 10 * time.Second

// Namespaces reads the node selectors of namespaces, which OpenShift's DaemonSet
// controller follows. Upstream's does not: its admission plugin of one of the
// annotations leaves pods Pending instead.
type Namespaces struct {
	client rest.Interface
	logger log.Logger

	// mu guards what follows; it is not held while a request is sent.
	mu sync.Mutex
	// detected reports whether it is known if namespaces select nodes, selecting
	// whether they do.
	detected, selecting bool
	// logged holds the problems that were logged.
	logged map[problem]bool
}

// NewNamespaces returns a reader of namespaces. If always is not set, it reads them
// only where the API group project.openshift.io is served.
func NewNamespaces(config *rest.Config, always bool, logger log.Logger) (*Namespaces, error) {
	clients, err := newClients(config)
	if err != nil {
		return nil, err
	}
	client, err := clients.forVersion(corev1.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	return &Namespaces{
		client: client, logger: logger,
		detected: always, selecting: always,
		logged: map[problem]bool{},
	}, nil
}

// NodeSelectors returns the node selectors of those of the namespaces that it could
// read. It returns none where namespaces do not select nodes.
//
// An error is a *RequestError and says that it is worth another attempt. A missing
// permission is none: it is logged once.
func (n *Namespaces) NodeSelectors(ctx context.Context, namespaces []string) (map[string]labels.Selector, error) {
	if selecting, err := n.detect(ctx); err != nil || !selecting {
		return nil, n.noteError(err)
	}
	var (
		selectors = map[string]labels.Selector{}
		standard  labels.Selector // the cluster's, once it is needed
		failed    error
	)
	for _, namespace := range namespaces {
		annotations, err := n.annotations(ctx, namespace)
		if err == nil && !selectsItself(annotations) && standard == nil {
			standard, err = n.defaultSelector(ctx)
		}
		switch {
		case err == nil:
			selectors[namespace] = NodeSelector(annotations, standard)
		case err.Kind == ErrorNotFound: // its DaemonSets are about to go
		default:
			if noted := n.noteError(err); failed == nil {
				failed = noted
			}
		}
		if err != nil && err.Kind.ofServer() {
			break // the others would wait in vain, one after the other
		}
	}
	return selectors, failed
}

// detect reports whether namespaces select nodes in this cluster. It asks until there
// is an answer.
func (n *Namespaces) detect(ctx context.Context) (selecting bool, err *RequestError) {
	n.mu.Lock()
	detected, selecting := n.detected, n.selecting
	n.mu.Unlock()
	if detected {
		return selecting, nil
	}
	err = n.get(ctx, projectsPath, acceptJSON, "", Permission{Resource: projectsPath, Verbs: []string{"get"}}, &metav1.APIGroup{})
	if err != nil && err.Kind != ErrorNotFound {
		return false, err
	}
	selecting = err == nil
	if selecting {
		level.Info(n.logger).Log("msg", "namespaces select nodes in this cluster", "group", "project.openshift.io")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.detected, n.selecting = true, selecting
	return selecting, nil
}

// annotations reads the annotations of a namespace.
func (n *Namespaces) annotations(ctx context.Context, namespace string) (map[string]string, *RequestError) {
	var object metav1.PartialObjectMetadata
	err := n.get(ctx, "/api/v1/namespaces/"+namespace, acceptMetadata, namespace, namespacePermission(), &object)
	return object.Annotations, err
}

// defaultSelector reads the selector of namespaces without an annotation.
func (n *Namespaces) defaultSelector(ctx context.Context) (labels.Selector, *RequestError) {
	var scheduler struct {
		Spec struct {
			DefaultNodeSelector string `json:"defaultNodeSelector"`
		} `json:"spec"`
	}
	err := n.get(ctx, schedulerPath, acceptJSON, "", schedulerPermission(), &scheduler)
	switch {
	case err == nil:
	case err.Kind == ErrorForbidden:
		_ = n.noteError(err)
	case err.Kind != ErrorNotFound:
		return nil, err
	}
	return parseSelector(scheduler.Spec.DefaultNodeSelector), nil
}

// get reads an object at a path.
func (n *Namespaces) get(ctx context.Context, path, accept, namespace string, needs Permission, into any) *RequestError {
	result := n.client.Get().AbsPath(path).SetHeader("Accept", accept).Timeout(namespaceTimeout).Do(ctx)
	if err := result.Error(); err != nil {
		return requestError(err, "get", needs, namespace)
	}
	body, err := result.Raw()
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		return requestError(fmt.Errorf("response to GET %s: %w", path, err), "get", needs, namespace)
	}
	return nil
}

// noteError logs an error, once for each kind and resource, and returns it unless
// another attempt is of no use. The informers log that the server is unreachable.
func (n *Namespaces) noteError(err *RequestError) error {
	if err == nil {
		return nil
	}
	about := problem{kind: err.Kind, resource: err.Needs.Resource}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err.Kind != ErrorUnreachable && err.Kind != ErrorSilent && !n.logged[about] {
		n.logged[about] = true
		level.Warn(n.logger).Log(
			"msg", "cannot read what selects nodes for a namespace, its DaemonSets are expected on the others too (logged once)",
			"resource", err.Needs.Resource, "namespace", err.Namespace, "err", err)
	}
	if err.Kind == ErrorForbidden {
		return nil
	}
	return err
}

// selectsItself reports whether a namespace does not use the cluster's default.
func selectsItself(annotations map[string]string) bool {
	_, openShift := annotations[NodeSelectorAnnotation]
	_, kubernetes := annotations[podNodeSelector]
	return openShift || kubernetes
}

// NodeSelector returns the selector of a namespace with these annotations in a cluster
// with this default, as nodeSelectorMatches of OpenShift's
// pkg/controller/daemon/patch_nodeselector.go reads them.
func NodeSelector(annotations map[string]string, standard labels.Selector) labels.Selector {
	for _, key := range []string{podNodeSelector, NodeSelectorAnnotation} {
		if text, ok := annotations[key]; ok {
			return parseSelector(text)
		}
	}
	return standard
}

// parseSelector returns the selector of a text. One that cannot be parsed selects all
// nodes, as the controller ignores it.
func parseSelector(text string) labels.Selector {
	selector, err := labels.Parse(text)
	if err != nil {
		return labels.Everything()
	}
	return selector
}
