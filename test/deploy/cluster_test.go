package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// operatorModule has the Prometheus Operator's CRDs.
const operatorModule = "github.com/prometheus-operator/prometheus-operator@v0.85.0"

const patience = 90 * time.Second

// site is a cluster with the Prometheus Operator's CRDs and two nodes.
type site struct {
	*cluster.Cluster
	t       *testing.T
	dynamic dynamic.Interface
}

// newSite starts it, with further flags of the API server.
func newSite(t *testing.T, flags map[string]string) *site {
	t.Helper()
	config := cluster.Config{Flags: map[cluster.Component]map[string]string{cluster.APIServer: flags}}
	s := &site{Cluster: clustertest.Start(t, config), t: t}
	var err error
	s.dynamic, err = dynamic.NewForConfig(s.RestConfig())
	s.must(err)
	for _, node := range []string{"a", "b"} {
		s.must(s.AddNode(t.Context(), cluster.NodeSpec{Name: node, Zone: "zone-" + node}))
	}
	s.installCRDs()
	return s
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) installCRDs() {
	s.t.Helper()
	download := exec.CommandContext(s.t.Context(), "go", "mod", "download", "-json", operatorModule)
	download.Dir = s.t.TempDir()
	out, err := download.Output()
	s.must(err)
	var module struct{ Dir string }
	s.must(json.Unmarshal(out, &module))
	for _, name := range []string{"servicemonitors", "prometheusrules"} {
		content, err := os.ReadFile(filepath.Join(module.Dir, "example/prometheus-operator-crd/monitoring.coreos.com_"+name+".yaml"))
		s.must(err)
		s.must(s.Apply(s.t.Context(), content))
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	s.must(s.Wait(ctx, "the operator's resources", func(context.Context) (bool, string, error) {
		list, err := s.Client().Discovery().ServerResourcesForGroupVersion("monitoring.coreos.com/v1")
		if err != nil {
			return false, "", err
		}
		return len(list.APIResources) >= 2, fmt.Sprint(len(list.APIResources)), nil
	}))
}

// client is what speaks to the resource of an object.
func (s *site) client(object *unstructured.Unstructured) dynamic.ResourceInterface {
	s.t.Helper()
	groups, err := restmapper.GetAPIGroupResources(s.Client().Discovery())
	s.must(err)
	kind := object.GroupVersionKind()
	mapping, err := restmapper.NewDiscoveryRESTMapper(groups).RESTMapping(kind.GroupKind(), kind.Version)
	s.must(err)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return s.dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	return s.dynamic.Resource(mapping.Resource)
}

// dryRun asks the API server whether it would take an object, unknown fields
// and admission included.
func (s *site) dryRun(object *unstructured.Unstructured) error {
	s.t.Helper()
	body, err := object.MarshalJSON()
	s.must(err)
	force := true
	_, err = s.client(object).Patch(s.t.Context(), object.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{
		DryRun: []string{metav1.DryRunAll}, FieldManager: "test", Force: &force, FieldValidation: metav1.FieldValidationStrict,
	})
	return err
}

func TestOnARealControlPlane(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.must(s.Apply(t.Context(), []byte(tool(t, "kustomize", "build", root+"/deploy/kustomize/operator"))))
	// Subtests change the cluster, so they run one after the other.
	for _, story := range []struct {
		name string
		tell func(*site)
	}{
		{"every manifest is taken by the API server", (*site).everyManifestIsTaken},
		{"the pod runs where Pod Security restricted is enforced", (*site).thePodIsRestricted},
		{"the service account's rights are enough", (*site).theRightsAreEnough},
		{"a watch that is missing is named", (*site).aMissingWatchIsNamed},
		{"a role for leases that is missing is named", (*site).aMissingLeaseRoleIsNamed},
		{"Helm installs, upgrades, and leaves nothing behind", (*site).helmLeavesNothing},
	} {
		t.Run(story.name, func(t *testing.T) {
			told := *s
			told.t = t
			story.tell(&told)
		})
	}
}

func (s *site) everyManifestIsTaken() {
	for _, tc := range installations() {
		for with, manifest := range map[string]string{"kustomize": kustomized(s.t, tc.components...), "Helm": templated(s.t, tc.values...)} {
			for key, object := range objects(s.t, manifest) {
				if err := s.dryRun(object); err != nil {
					s.t.Errorf("%s with %s: %s: %v", tc.name, with, key, err)
				}
			}
		}
	}
}

// thePodIsRestricted: admission holds for pods and not for Deployments, so a pod
// is made of the template; and one with a privilege more, to see that it does.
func (s *site) thePodIsRestricted() {
	for _, tc := range installations() {
		deployment := objects(s.t, kustomized(s.t, tc.components...))["Deployment/"+namespace+"/"+release]
		template, _, _ := unstructured.NestedMap(deployment.Object, "spec", "template")
		var pod corev1.Pod
		s.must(runtime.DefaultUnstructuredConverter.FromUnstructured(template, &pod))
		pod.GenerateName = "restricted-"
		create := func() error {
			_, err := s.Client().CoreV1().Pods(namespace).Create(s.t.Context(), &pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			return err
		}
		if err := create(); err != nil {
			s.t.Errorf("%s: %v", tc.name, err)
		}
		pod.Spec.Containers[0].SecurityContext.Capabilities = nil
		if err := create(); err == nil || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
			s.t.Errorf("%s: a pod with capabilities is not refused: %v", tc.name, err)
		}
	}
	s.must(s.WaitPods(s.t.Context(), namespace, "app.kubernetes.io/name="+release, "the exporter's pod to be Ready", ready(1)))
}

func ready(count int) func([]corev1.Pod) (bool, string) {
	return func(pods []corev1.Pod) (bool, string) {
		running := 0
		for _, pod := range pods {
			for _, condition := range pod.Status.Conditions {
				if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
					running++
				}
			}
		}
		return running == count, fmt.Sprintf("%d of %d pods are Ready", running, len(pods))
	}
}

// startAsItself runs the exporter with the rights of its service account.
func (s *site) startAsItself(log io.Writer) *exporter.Exporter {
	s.t.Helper()
	kubeconfig, err := s.ServiceAccountKubeconfig(s.t.Context(), namespace, release)
	s.must(err)
	running, err := exporter.Start(s.t.Context(), exporter.Config{Kubeconfig: kubeconfig, Log: log})
	s.must(err)
	s.t.Cleanup(func() { _ = running.Kill() })
	return running
}

func (s *site) theRightsAreEnough() {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	running := s.startAsItself(nil)
	s.must(running.WaitReady(ctx))
	_, err := running.Wait(ctx, "both nodes", func(samples exporter.Samples) error {
		if got := samples.Sum("daemonset_cluster_nodes", nil); got != 2 {
			return fmt.Errorf("%v nodes", got)
		}
		return nil
	})
	s.must(err)
	// The Lease is read when a node turns unreachable.
	s.must(s.PullPlug(ctx, "b"))
	_, err = running.Wait(ctx, "the Lease of a node to be read", func(samples exporter.Samples) error {
		if got := samples.Sum("daemonset_node_detection_duration_seconds_count", nil); got != 1 {
			return fmt.Errorf("%v detections", got)
		}
		return nil
	})
	s.must(err)
	s.must(s.PlugIn(ctx, "b"))
	s.must(running.Stop())
}

func (s *site) aMissingWatchIsNamed() { s.missingVerbIsNamed("watch") }

// A server that streams lists asks for watch alone.
func TestAMissingListIsNamedWhereListsAreNotStreamed(t *testing.T) {
	t.Parallel()
	s := newSite(t, map[string]string{"feature-gates": "WatchList=false"})
	s.must(s.Apply(t.Context(), []byte(tool(t, "kustomize", "build", root+"/deploy/kustomize/plain"))))
	s.missingVerbIsNamed("list")
}

func (s *site) missingVerbIsNamed(verb string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	roles := s.Client().RbacV1().ClusterRoles()
	whole, err := roles.Get(ctx, release, metav1.GetOptions{})
	s.must(err)
	whole.ResourceVersion = "" // whatever it is by then
	for i, rule := range whole.Rules {
		less := whole.DeepCopy()
		less.Rules[i].Verbs = without(rule, verb)
		_, err := roles.Update(ctx, less, metav1.UpdateOptions{})
		s.must(err)
		s.missingRightIsNamed(ctx, verb, rule.Resources[0])
	}
	_, err = roles.Update(ctx, whole, metav1.UpdateOptions{})
	s.must(err)
}

// aMissingLeaseRoleIsNamed: all works but the time to detect a failure, and the
// log says why.
func (s *site) aMissingLeaseRoleIsNamed() {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	s.must(s.Client().RbacV1().RoleBindings(corev1.NamespaceNodeLease).Delete(ctx, release, metav1.DeleteOptions{}))
	log := &syncLog{}
	running := s.startAsItself(log)
	s.must(running.WaitReady(ctx))
	s.must(s.PullPlug(ctx, "b"))
	s.must(s.Wait(ctx, "the log to name the missing right", func(context.Context) (bool, string, error) {
		text := log.String()
		return strings.Contains(text, "cannot get leases"), text, nil
	}))
	s.must(s.PlugIn(ctx, "b"))
	s.must(running.Stop())
}

// syncLog is written by one goroutine and read by another.
type syncLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *syncLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *syncLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func without(rule rbacv1.PolicyRule, verb string) []string {
	var verbs []string
	for _, v := range rule.Verbs {
		if v != verb {
			verbs = append(verbs, v)
		}
	}
	return verbs
}

func (s *site) missingRightIsNamed(ctx context.Context, verb, resource string) {
	s.t.Helper()
	log := &syncLog{}
	running := s.startAsItself(log)
	want := fmt.Sprintf("forbidden: cannot %s %s", verb, resource)
	err := s.Wait(ctx, "the log to say: "+want, func(context.Context) (bool, string, error) {
		text := log.String()
		return strings.Contains(text, want), text, nil
	})
	if err != nil {
		s.t.Error(err)
	}
	s.must(running.Stop())
}

// helmLeavesNothing goes through the life of a release.
func (s *site) helmLeavesNothing() {
	const other = "monitoring"
	helm := func(args ...string) string {
		return tool(s.t, "helm", append(args, "--kubeconfig", s.Kubeconfig(), "--namespace", other)...)
	}
	full := []string{chart, "--wait", "--timeout", "2m", "--set", "serviceMonitor.enabled=true,prometheusRule.enabled=true,dashboards.enabled=true"}
	selector := "app.kubernetes.io/instance=mine"

	notes := helm(append([]string{"install", "mine", "--create-namespace"}, full...)...)
	if !strings.Contains(notes, "port-forward deployment/mine-daemonset-exporter") {
		s.t.Errorf("the notes do not say how to look at it:\n%s", notes)
	}
	s.must(s.WaitPods(s.t.Context(), other, selector, "one replica", ready(1)))
	helm(append([]string{"upgrade", "mine", "--set", "replicas=2"}, full...)...)
	s.must(s.WaitPods(s.t.Context(), other, selector, "two replicas on two nodes", ready(2)))
	if left := s.labelled(selector); len(left) < 15 {
		s.t.Errorf("only these are installed: %v", left)
	}
	helm("uninstall", "mine", "--wait")
	s.must(s.Wait(s.t.Context(), "nothing to be left", func(context.Context) (bool, string, error) {
		left := append(s.labelled(selector), s.labelled("owner=helm")...)
		return len(left) == 0, strings.Join(left, ", "), nil
	}))
}

// labelled lists all objects of any kind that a label selector finds.
func (s *site) labelled(selector string) []string {
	s.t.Helper()
	lists, err := s.Client().Discovery().ServerPreferredResources()
	s.must(err)
	var found []string
	for _, list := range lists {
		for _, resource := range list.APIResources {
			if !strings.Contains(strings.Join(resource.Verbs, " "), "list") {
				continue
			}
			version, err := schema.ParseGroupVersion(list.GroupVersion)
			s.must(err)
			objects, err := s.dynamic.Resource(version.WithResource(resource.Name)).List(s.t.Context(), metav1.ListOptions{LabelSelector: selector})
			s.must(err)
			for _, object := range objects.Items {
				found = append(found, resource.Name+"/"+object.GetName())
			}
		}
	}
	return found
}
