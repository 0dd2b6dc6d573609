package informers

import (
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
)

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
