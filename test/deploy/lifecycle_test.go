package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
)

// TestValuesOnCluster installs each file of values: from nothing, and as an upgrade of
// an installation with the defaults.
func TestValuesOnCluster(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, name := range []string{"elsewhere", "monitoring", "grafana", "openshift-config-managed"} {
		f.createNamespace(name, "restricted")
	}
	for _, file := range valuesFiles() {
		t.Run(file.name, func(t *testing.T) {
			t.Parallel()
			g := *f
			g.t, g.namespace = t, file.namespace()
			level := "restricted"
			if file.refused != "" {
				level = "privileged"
			}
			g.createNamespace(file.namespace(), level)
			g.accepts(file)
			g.install(file)
		})
	}
}

// createNamespace creates a namespace with a level of Pod Security.
func (s *fixture) createNamespace(name, level string) {
	s.t.Helper()
	s.must(s.Apply(s.t.Context(), fmt.Appendf(nil,
		"{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {pod-security.kubernetes.io/enforce: %s}}}", name, level)))
}

// accepts checks all objects of the file, and a pod of the Deployment, by dry runs.
func (s *fixture) accepts(file valuesFile) {
	s.t.Helper()
	for key, object := range objects(s.t, file.render(s.t)) {
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

// install installs, upgrades and uninstalls the file.
func (s *fixture) install(file valuesFile) {
	s.t.Helper()
	helm := func(verb string, args ...string) {
		s.t.Helper()
		tool(s.t, "helm", append([]string{verb, file.name, "--kubeconfig", s.Kubeconfig(), "--namespace", file.namespace()}, args...)...)
	}
	want := objects(s.t, file.render(s.t))
	for _, steps := range [][]func(){
		{func() { helm("install", chart, "--values", file.path()) }},
		{func() { helm("install", chart) }, func() { helm("upgrade", chart, "--values", file.path()) }},
	} {
		for _, step := range steps {
			step()
		}
		for key, object := range want {
			if _, err := s.client(object).Get(s.t.Context(), object.GetName(), metav1.GetOptions{}); err != nil {
				s.t.Errorf("%s is not installed: %v", key, err)
			}
		}
		if !file.unready {
			s.waitAvailable(want)
		}
		helm("uninstall")
		s.must(s.Wait(s.t.Context(), "everything to be deleted", func(ctx context.Context) (bool, string, error) {
			left, err := s.left(ctx, file)
			return len(left) == 0, strings.Join(left, ", "), err
		}))
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

// left returns what is left of a release: what is in its namespace, and what has its
// name or label anywhere.
func (s *fixture) left(ctx context.Context, file valuesFile) ([]string, error) {
	lists, err := s.Client().Discovery().ServerPreferredResources()
	if err != nil {
		return nil, err
	}
	client, err := metadata.NewForConfig(s.RestConfig())
	if err != nil {
		return nil, err
	}
	var left []string
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, resource := range list.APIResources {
			if !slices.Contains(resource.Verbs, "list") || resource.Name == "events" {
				continue
			}
			found, err := client.Resource(version.WithResource(resource.Name)).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
			if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
				continue
			} else if err != nil {
				return nil, fmt.Errorf("list %s: %w", resource.Name, err)
			}
			for _, object := range found.Items {
				if file.owns(resource.Name, object.ObjectMeta) {
					left = append(left, resource.Name+"/"+object.Namespace+"/"+object.Name)
				}
			}
		}
	}
	return left, nil
}

func (f valuesFile) owns(resource string, object metav1.ObjectMeta) bool {
	switch resource + "/" + object.Name {
	case "serviceaccounts/default", "configmaps/kube-root-ca.crt", "namespaces/" + f.namespace():
		return false // of Kubernetes and of the test
	}
	return object.Namespace == f.namespace() || object.Labels["app.kubernetes.io/instance"] == f.name ||
		strings.HasPrefix(object.Name, f.name+"-daemonset-exporter")
}
