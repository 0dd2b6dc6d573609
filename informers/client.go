package informers

import (
	"errors"
	"fmt"
	"net/http"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// ClientOptions say which API server to talk to, and as whom.
type ClientOptions struct {
	// Kubeconfig is the path of a kubeconfig; empty to look for the API server
	// in the usual places.
	Kubeconfig string
	// Context is a context of the kubeconfig; empty for its current one. With a
	// context, a kubeconfig is used also inside a cluster.
	Context string
	// UserAgent is how the exporter introduces itself, name/version.
	UserAgent string
}

// LoadConfig finds the API server: the kubeconfig if one is named, else the
// service account if the exporter runs in a pod, else KUBECONFIG and
// ~/.kube/config. It opens no connection. The error says what to do.
//
// Requests are not limited on this side: QPS and burst do not matter to
// informers, which make one request per resource and namespace that then stays
// open for minutes, and which back off by themselves. A limit would only make
// many namespaces start slowly. Leases have a limit of their own.
func LoadConfig(options ClientOptions) (*rest.Config, error) {
	config, err := find(options)
	if err != nil {
		return nil, err
	}
	config.UserAgent = options.UserAgent
	config.ContentType = runtime.ContentTypeProtobuf
	// JSON is for what an API server cannot put into protobuf.
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	config.QPS = -1
	return config, nil
}

func find(options ClientOptions) (*rest.Config, error) {
	if options.Kubeconfig == "" && options.Context == "" {
		config, err := rest.InClusterConfig()
		switch {
		case err == nil:
			return config, nil
		case !errors.Is(err, rest.ErrNotInCluster):
			return nil, fmt.Errorf("this looks like a pod, but its service account cannot be used (is automountServiceAccountToken off?): %w", err)
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = options.Kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: options.Context}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	switch {
	case err == nil:
		return config, nil
	case clientcmd.IsEmptyConfig(err) && options.Kubeconfig == "":
		return nil, errors.New("no Kubernetes API server to talk to: run in a pod with a service account, or name a kubeconfig with --kubeconfig or KUBECONFIG")
	case options.Kubeconfig == "":
		return nil, fmt.Errorf("the kubeconfig from KUBECONFIG or ~/.kube/config cannot be used: %w", err)
	default:
		return nil, fmt.Errorf("the kubeconfig %s cannot be used: %w", options.Kubeconfig, err)
	}
}

// clients makes REST clients for single API groups. The typed clientset would
// do, but brings every API group of Kubernetes into memory; this takes three.
type clients struct {
	config *rest.Config
	http   *http.Client
	codecs serializer.CodecFactory
}

// newClients checks the credentials in config as far as that goes without a
// connection: files that cannot be read, certificates that cannot be parsed.
func newClients(config *rest.Config) (*clients, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, coordinationv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("registering API types: %w", err)
		}
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})

	shared, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("setting up the connection to the API server %s: %w", config.Host, err)
	}
	recording := *shared
	recording.Transport = attemptRecorder{next: transportOf(shared)}
	return &clients{config: config, http: &recording, codecs: serializer.NewCodecFactory(scheme)}, nil
}

func transportOf(client *http.Client) http.RoundTripper {
	if client.Transport == nil {
		return http.DefaultTransport
	}
	return client.Transport
}

// forVersion makes the client of one API group's version.
func (c *clients) forVersion(version schema.GroupVersion) (rest.Interface, error) {
	config := rest.CopyConfig(c.config)
	config.GroupVersion = &version
	config.APIPath = "/apis"
	if version.Group == corev1.GroupName {
		config.APIPath = "/api"
	}
	config.NegotiatedSerializer = c.codecs.WithoutConversion()
	client, err := rest.RESTClientForConfigAndClient(config, c.http)
	if err != nil {
		return nil, fmt.Errorf("setting up the client of %s for the API server %s: %w", version, config.Host, err)
	}
	return client, nil
}
