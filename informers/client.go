package informers

import (
	"errors"
	"fmt"
	"net/http"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// ClientOptions select the API server and the credentials.
type ClientOptions struct {
	// Kubeconfig is the path of a kubeconfig; empty for the default sources of
	// LoadConfig.
	Kubeconfig string
	// Context is a context of the kubeconfig; empty for its current one. If it is
	// set, a kubeconfig is used also inside a cluster.
	Context string
	// UserAgent is the User-Agent header, name/version.
	UserAgent string
}

// LoadConfig returns the configuration from the kubeconfig of the options if one
// is set, else from the service account if the exporter runs in a pod, else from
// KUBECONFIG and ~/.kube/config. It opens no connection.
//
// There is no client-side rate limit: QPS and burst do not matter to informers,
// which send one request per resource and namespace that then stays open for
// minutes, and which back off by themselves. A limit would only delay the start
// with many namespaces. What is read on demand has limits of its own.
func LoadConfig(options ClientOptions) (*rest.Config, error) {
	config, err := restConfig(options)
	if err != nil {
		return nil, err
	}
	config.UserAgent = options.UserAgent
	config.ContentType = runtime.ContentTypeProtobuf
	// JSON is for responses that an API server cannot encode in protobuf.
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	config.QPS = -1
	return config, nil
}

func restConfig(options ClientOptions) (*rest.Config, error) {
	if options.Kubeconfig == "" && options.Context == "" {
		config, err := rest.InClusterConfig()
		switch {
		case err == nil:
			return config, nil
		case !errors.Is(err, rest.ErrNotInCluster):
			return nil, fmt.Errorf("cannot use the service account of the pod (is automountServiceAccountToken disabled?): %w", err)
		}
	}
	config, err := kubeconfig(options).ClientConfig()
	switch {
	case err == nil:
		return config, nil
	case clientcmd.IsEmptyConfig(err) && options.Kubeconfig == "":
		return nil, errors.New("no Kubernetes API server configured: run in a pod with a service account, or set a kubeconfig (flag or KUBECONFIG)")
	case options.Kubeconfig == "":
		return nil, fmt.Errorf("the kubeconfig from KUBECONFIG or ~/.kube/config cannot be used: %w", err)
	default:
		return nil, fmt.Errorf("the kubeconfig %s cannot be used: %w", options.Kubeconfig, err)
	}
}

// kubeconfig returns the kubeconfig that the options select.
func kubeconfig(options ClientOptions) clientcmd.ClientConfig {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = options.Kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: options.Context}
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
}

// DefaultNamespace returns the namespace of the kubeconfig's context, or that of the pod;
// "default" if there is none.
func DefaultNamespace(options ClientOptions) (string, error) {
	namespace, _, err := kubeconfig(options).Namespace()
	if clientcmd.IsEmptyConfig(err) {
		return metav1.NamespaceDefault, nil // LoadConfig says what to do
	}
	if err != nil {
		return "", fmt.Errorf("reading the namespace of the context: %w", err)
	}
	return namespace, nil
}

// clients creates REST clients of single API groups. The typed clientset would
// do, but brings every API group of Kubernetes into memory; this takes five.
type clients struct {
	config *rest.Config
	http   *http.Client
	codecs serializer.CodecFactory
}

// newClients fails if the credentials in config are invalid, as far as that
// shows without a connection: files that cannot be read, certificates that cannot
// be parsed.
func newClients(config *rest.Config) (*clients, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, coordinationv1.AddToScheme,
		authenticationv1.AddToScheme, authorizationv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("registering API types: %w", err)
		}
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})

	http, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("setting up the connection to the API server %s: %w", config.Host, err)
	}
	return &clients{config: config, http: http, codecs: serializer.NewCodecFactory(scheme)}, nil
}

// client sends requests for one version of an API group.
type client struct {
	rest.Interface
	// What follows is for watches, which rest.Interface would open without telling
	// why they failed or ended (see stream).
	http    *http.Client
	accept  string
	decoder runtime.ClientNegotiator
	// errors decodes the body of a response that is none of the version's objects.
	errors runtime.Decoder
}

// forVersion returns the client of one version of an API group.
func (c *clients) forVersion(version schema.GroupVersion) (*client, error) {
	config := rest.CopyConfig(c.config)
	config.GroupVersion = &version
	config.APIPath = "/apis"
	if version.Group == corev1.GroupName {
		config.APIPath = "/api"
	}
	config.NegotiatedSerializer = cutCodecs{c.codecs.WithoutConversion()}
	requests, err := rest.RESTClientForConfigAndClient(config, c.http)
	if err != nil {
		return nil, fmt.Errorf("setting up the client of %s for the API server %s: %w", version, config.Host, err)
	}
	accept := config.AcceptContentTypes
	if accept == "" {
		accept = runtime.ContentTypeJSON
	}
	return &client{
		Interface: requests,
		http:      c.http,
		accept:    accept,
		decoder:   runtime.NewClientNegotiator(config.NegotiatedSerializer, version),
		errors:    c.codecs.UniversalDeserializer(),
	}, nil
}
