package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// TestValuesOnCluster installs each file of values, from nothing and as an upgrade of an
// installation with the defaults, and uninstalls it.
func TestValuesOnCluster(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, name := range []string{"elsewhere", "monitoring", "grafana", "openshift-config-managed"} {
		f.createNamespace(name, "restricted")
	}
	files := valuesFiles()
	t.Run("files", func(t *testing.T) {
		for _, file := range files {
			t.Run(file.name, func(t *testing.T) {
				t.Parallel()
				g := *f
				g.t, g.namespace = t, file.namespace()
				level := "restricted"
				if file.refused != "" {
					level = "privileged"
				}
				g.createNamespace(file.namespace(), level)
				manifest := objects(t, file.render(t))
				g.accepts(file, manifest)
				g.install(file, manifest)
			})
		}
	})
	t.Run("nothing is left of any", func(*testing.T) { f.leavesNothing(files) })
}

// createNamespace creates a namespace with a level of Pod Security.
func (s *fixture) createNamespace(name, level string) {
	s.t.Helper()
	s.must(s.Apply(s.t.Context(), fmt.Appendf(nil,
		"{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {pod-security.kubernetes.io/enforce: %s}}}", name, level)))
}

// accepts checks all objects of the file, and a pod of the Deployment, by dry runs.
func (s *fixture) accepts(file valuesFile, manifest map[string]*unstructured.Unstructured) {
	s.t.Helper()
	for key, object := range manifest {
		if err := s.dryRun(object); err != nil {
			s.t.Errorf("%s: %v", key, err)
		}
		if object.GetKind() != "Deployment" {
			continue
		}
		err := s.createPod(object, "elsewhere", nil)
		if file.refused == "" && err != nil || file.refused != "" && (err == nil || !strings.Contains(err.Error(), file.refused)) {
			s.t.Errorf("restricted answers %v, want %q", err, file.refused)
		}
	}
}

// createPod creates, as a dry run, a pod from the template of a Deployment, which
// change may change. Admission judges pods, not Deployments.
func (s *fixture) createPod(deployment *unstructured.Unstructured, namespace string, change func(*corev1.Pod)) error {
	s.t.Helper()
	template, _, _ := unstructured.NestedMap(deployment.Object, "spec", "template")
	var pod corev1.Pod
	s.must(runtime.DefaultUnstructuredConverter.FromUnstructured(template, &pod))
	pod.GenerateName = "admission-"
	// Those of the values need not exist.
	pod.Spec.ServiceAccountName, pod.Spec.PriorityClassName = "", ""
	if change != nil {
		change(&pod)
	}
	_, err := s.Client().CoreV1().Pods(namespace).Create(s.t.Context(), &pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

// install installs the file, goes back to the defaults, upgrades from these to the file,
// and uninstalls.
func (s *fixture) install(file valuesFile, manifest map[string]*unstructured.Unstructured) {
	s.t.Helper()
	helm := func(verb string, args ...string) {
		s.t.Helper()
		tool(s.t, "helm", append([]string{verb, file.name, "--kubeconfig", s.Kubeconfig(), "--namespace", file.namespace()}, args...)...)
	}
	// Helm would read the schemas of the whole API for a weaker check than that of accepts.
	const unchecked = "--disable-openapi-validation"
	helm("install", chart, unchecked, "--values", file.path())
	s.isInstalled(file, manifest)
	helm("upgrade", chart, unchecked, "--reset-values")
	helm("upgrade", chart, unchecked, "--values", file.path())
	s.isInstalled(file, manifest)
	helm("uninstall")
}

// isInstalled checks that all objects of the file are there, and waits for the pods.
func (s *fixture) isInstalled(file valuesFile, manifest map[string]*unstructured.Unstructured) {
	s.t.Helper()
	for key, object := range manifest {
		if _, err := s.client(object).Get(s.t.Context(), object.GetName(), metav1.GetOptions{}); err != nil {
			s.t.Errorf("%s is not installed: %v", key, err)
		}
	}
	if !file.unready {
		s.waitAvailable(manifest)
	}
}

// waitAvailable waits until the pods of the Deployment are up to date and available.
func (s *fixture) waitAvailable(manifest map[string]*unstructured.Unstructured) {
	s.t.Helper()
	for _, object := range manifest {
		if object.GetKind() != "Deployment" {
			continue
		}
		s.must(s.Wait(s.t.Context(), "the Deployment to be available", func(ctx context.Context) (bool, string, error) {
			live, err := s.Client().AppsV1().Deployments(object.GetNamespace()).Get(ctx, object.GetName(), metav1.GetOptions{})
			if err != nil {
				return false, "", err
			}
			return rolledOut(live), fmt.Sprintf("%+v", live.Status), nil
		}))
	}
}

func rolledOut(d *appsv1.Deployment) bool {
	return d.Status.ObservedGeneration == d.Generation && d.Status.UpdatedReplicas == *d.Spec.Replicas &&
		d.Status.AvailableReplicas == *d.Spec.Replicas && d.Status.Replicas == *d.Spec.Replicas
}

// leavesNothing waits until nothing is left of the releases of all files: nothing in
// their namespaces, nor what has their name or label anywhere.
func (s *fixture) leavesNothing(files []valuesFile) {
	s.t.Helper()
	client := check.Must(metadata.NewForConfig(s.RestConfig()))(s.t)
	resources := s.listable()
	s.must(s.Wait(s.t.Context(), "everything to be deleted", func(ctx context.Context) (bool, string, error) {
		var left []string
		for _, resource := range resources {
			found, err := client.Resource(resource).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
			if err != nil {
				return false, "", fmt.Errorf("list %s: %w", resource.Resource, err)
			}
			for _, object := range found.Items {
				if slices.ContainsFunc(files, func(f valuesFile) bool { return f.owns(resource.Resource, object.ObjectMeta) }) {
					left = append(left, resource.Resource+"/"+object.Namespace+"/"+object.Name)
				}
			}
		}
		return len(left) == 0, strings.Join(left, ", "), nil
	}))
}

// listable returns all resources that can be listed, but events.
func (s *fixture) listable() []schema.GroupVersionResource {
	s.t.Helper()
	var found []schema.GroupVersionResource
	for _, list := range check.Must(s.Client().Discovery().ServerPreferredResources())(s.t) {
		version := check.Must(schema.ParseGroupVersion(list.GroupVersion))(s.t)
		for _, resource := range list.APIResources {
			if slices.Contains(resource.Verbs, "list") && resource.Name != "events" {
				found = append(found, version.WithResource(resource.Name))
			}
		}
	}
	return found
}

func (f valuesFile) owns(resource string, object metav1.ObjectMeta) bool {
	switch resource + "/" + object.Name {
	case "serviceaccounts/default", "configmaps/kube-root-ca.crt", "namespaces/" + f.namespace():
		return false // of Kubernetes and of the test
	}
	return object.Namespace == f.namespace() || object.Labels["app.kubernetes.io/instance"] == f.name ||
		strings.HasPrefix(object.Name, f.name+"-daemonset-exporter")
}
