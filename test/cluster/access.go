package cluster

import (
	"cmp"
	"context"
	"fmt"
	"os"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
)

// Kubeconfig returns the path of a cluster administrator's kubeconfig.
func (c *Cluster) Kubeconfig() string { return c.dir.file(kubeconfig("admin")) }

// RestConfig returns a copy of the configuration of a cluster administrator's
// client.
func (c *Cluster) RestConfig() *rest.Config { return rest.CopyConfig(c.rest) }

// Client returns a cluster administrator's client.
func (c *Cluster) Client() kubernetes.Interface { return c.client }

// ServiceAccountKubeconfig returns the path of a kubeconfig with a new token of a
// service account, valid for one hour. It has the permissions of a pod with that
// service account.
func (c *Cluster) ServiceAccountKubeconfig(ctx context.Context, namespace, name string) (string, error) {
	answer, err := c.client.CoreV1().ServiceAccounts(namespace).
		CreateToken(ctx, name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("token of service account %s/%s: %w", namespace, name, err)
	}
	content, err := clientcmd.Write(clientConfig(c.rest.Host, c.rest.CAData, name, answer.Status.Token))
	if err != nil {
		return "", fmt.Errorf("make kubeconfig: %w", err)
	}
	path := c.dir.file(kubeconfig(namespace + "-" + name + "-service-account"))
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return "", fmt.Errorf("write kubeconfig: %w", err)
	}
	return path, nil
}

// Resource returns a client for the resource of an object, in its namespace or else in
// namespace. What the API server serves is asked once, and again for a kind that was
// not there.
func (c *Cluster) Resource(object *unstructured.Unstructured, namespace string) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		c.mapper.Reset()
		mapping, err = c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, fmt.Errorf("find the resource of %s: %w", kind, err)
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return c.dynamic.Resource(mapping.Resource).Namespace(cmp.Or(object.GetNamespace(), namespace)), nil
	}
	return c.dynamic.Resource(mapping.Resource), nil
}

// connect creates the clients, without a request to the API server.
func (c *Cluster) connect() error {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	// Tests do not wait for their own rate limit.
	config.QPS = -1
	c.rest = config
	if c.client, err = kubernetes.NewForConfig(config); err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	if c.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return fmt.Errorf("make dynamic client: %w", err)
	}
	c.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.client.Discovery()))
	return nil
}
