package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
)

// operatorModule contains the CRDs of the Prometheus Operator, of the oldest minor version
// that docs/installing.md promises.
const operatorModule = "github.com/prometheus-operator/prometheus-operator@v0.78.2"

const patience = 90 * time.Second

// fixture is a cluster with the Prometheus Operator's CRDs and two nodes.
type fixture struct {
	*cluster.Cluster
	t       *testing.T
	dynamic dynamic.Interface
	// namespace is that of objects without one.
	namespace string
}

// newFixture starts a cluster whose API server has further flags.
func newFixture(t *testing.T, flags map[string]string) *fixture {
	t.Helper()
	s := newCluster(t, cluster.Config{Flags: map[cluster.Component]map[string]string{cluster.APIServer: flags}})
	s.installCRDs()
	return s
}

// newCluster starts a cluster with two nodes.
func newCluster(t *testing.T, config cluster.Config) *fixture {
	t.Helper()
	config.WaitTimeout = 3 * time.Minute // several clusters start at once
	s := &fixture{Cluster: clustertest.Start(t, config), t: t}
	var err error
	s.dynamic, err = dynamic.NewForConfig(s.RestConfig())
	s.must(err)
	for _, node := range []string{"a", "b"} {
		s.must(s.AddNode(t.Context(), cluster.NodeSpec{Name: node, Zone: "zone-" + node}))
	}
	return s
}

func (s *fixture) must(err error) {
	s.t.Helper()
	check.NoError(s.t, err)
}

func (s *fixture) installCRDs() {
	s.t.Helper()
	download := exec.CommandContext(s.t.Context(), "go", "mod", "download", "-json", operatorModule)
	download.Dir = s.t.TempDir()
	out := check.Must(download.Output())(s.t)
	var module struct{ Dir string }
	s.must(json.Unmarshal(out, &module))
	for _, name := range []string{"servicemonitors", "podmonitors", "prometheusrules"} {
		content := check.Must(os.ReadFile(filepath.Join(module.Dir, "example/prometheus-operator-crd/monitoring.coreos.com_"+name+".yaml")))(s.t)
		s.must(s.Apply(s.t.Context(), content))
		// Azure's are the same in a group of their own.
		s.must(s.Apply(s.t.Context(), bytes.ReplaceAll(content, []byte("monitoring.coreos.com"), []byte("azmonitoring.coreos.com"))))
	}
	s.must(s.Apply(s.t.Context(), read(s.t, "testdata/crds.yaml")))
	for version, count := range map[string]int{
		"monitoring.coreos.com/v1": 3, "azmonitoring.coreos.com/v1": 3,
		"grafana.integreatly.org/v1beta1": 1, "route.openshift.io/v1": 1,
	} {
		s.waitServed(version, count)
	}
}

// waitServed waits until the API server serves so many resources of a version.
func (s *fixture) waitServed(version string, count int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	s.must(s.Wait(ctx, "the resources of "+version, func(context.Context) (bool, string, error) {
		list, err := s.Client().Discovery().ServerResourcesForGroupVersion(version)
		if err != nil {
			return false, "", err
		}
		return len(list.APIResources) >= count, fmt.Sprint(len(list.APIResources)), nil
	}))
}

// kubectl runs the kubectl of the cluster's version.
func (s *fixture) kubectl(args ...string) {
	s.t.Helper()
	command := exec.CommandContext(s.t.Context(), s.Program("kubectl"), append(args, "--kubeconfig", s.Kubeconfig())...)
	if out, err := command.CombinedOutput(); err != nil {
		s.t.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
}

// client returns a client for the resource of an object.
func (s *fixture) client(object *unstructured.Unstructured) dynamic.ResourceInterface {
	s.t.Helper()
	return check.Must(s.Resource(object, s.namespace))(s.t)
}

// dryRun returns the error with which the API server would reject an object, also
// because of unknown fields or admission.
func (s *fixture) dryRun(object *unstructured.Unstructured) error {
	s.t.Helper()
	body := check.Must(object.MarshalJSON())(s.t)
	force := true
	_, err := s.client(object).Patch(s.t.Context(), object.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{
		DryRun: []string{metav1.DryRunAll}, FieldManager: "test", Force: &force, FieldValidation: metav1.FieldValidationStrict,
	})
	return err
}

func TestInstallation(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.kubectl("apply", "-k", root+"/deploy/kustomize/operator")
	// Subtests change the cluster, so they run one after the other.
	for _, tc := range []struct {
		name string
		test func(*fixture)
	}{
		{"the API server accepts every manifest", (*fixture).acceptsManifests},
		{"the pod runs where Pod Security restricted is enforced", (*fixture).runsRestricted},
		{"the permissions of the service account are sufficient", (*fixture).hasPermissions},
		{"neither tokens nor contents of objects are served or logged", (*fixture).keepsSecrets},
		{"a missing permission to watch is logged", (*fixture).logsMissingWatch},
		{"a missing rule for revisions is logged", (*fixture).logsMissingRevisionRule},
		{"a missing role for leases is logged", (*fixture).logsMissingLeaseRole},
		{"a missing role for namespaces is logged, and sufficient", (*fixture).logsMissingNamespaceRole},
		{"Helm installs, upgrades, and leaves nothing behind", (*fixture).helmLifecycle},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := *f
			g.t = t
			tc.test(&g)
		})
	}
}

func (s *fixture) acceptsManifests() {
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

// runsRestricted creates a pod of each installation, and one with more privileges, which
// admission must reject.
func (s *fixture) runsRestricted() {
	for _, tc := range installations() {
		deployment := objects(s.t, kustomized(s.t, tc.components...))["Deployment/"+namespace+"/"+release]
		if err := s.createPod(deployment, namespace, nil); err != nil {
			s.t.Errorf("%s: %v", tc.name, err)
		}
		err := s.createPod(deployment, namespace, func(pod *corev1.Pod) { pod.Spec.Containers[0].SecurityContext.Capabilities = nil })
		if err == nil || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
			s.t.Errorf("%s: a pod with capabilities is not rejected: %v", tc.name, err)
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
