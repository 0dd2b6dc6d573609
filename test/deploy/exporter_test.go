package deploy

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// startAsItself runs the exporter with the permissions of its service account.
func (s *fixture) startAsItself(log io.Writer, args ...string) *exporter.Exporter {
	s.t.Helper()
	kubeconfig := check.Must(s.ServiceAccountKubeconfig(s.t.Context(), namespace, release))(s.t)
	running := check.Must(exporter.Start(s.t.Context(), exporter.Config{Kubeconfig: kubeconfig, Log: log, Args: args}))(s.t)
	s.t.Cleanup(func() { _ = running.Kill() })
	return running
}

func (s *fixture) hasPermissions() {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	running := s.startAsItself(nil)
	s.must(running.WaitReady(ctx))
	s.waitSum(ctx, running, 2, "daemonset_cluster_nodes", nil)
	// The Lease is read when a node turns unreachable.
	s.must(s.PullPlug(ctx, "b"))
	s.waitSum(ctx, running, 1, "daemonset_node_detection_duration_seconds_count", nil)
	s.must(s.PlugIn(ctx, "b"))
	s.must(running.Stop())
}

// agent contains secrets in every place that the exporter must not read.
const agent = `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: default, annotations: {note: secret-text}}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}, annotations: {note: secret-text}}
    spec:
      containers:
      - name: agent
        image: agent
        command: [agent, --password=secret-text]
        env: [{name: PASSWORD, value: secret-text}]
`

func (s *fixture) keepsSecrets() {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	s.must(s.Apply(ctx, []byte(agent)))
	log := &async.Buffer{}
	running := s.startAsItself(log, "--log.level=debug")
	s.waitSum(ctx, running, 2, "daemonset_covered_nodes", exporter.Labels{"daemonset": "agent"})
	s.waitSum(ctx, running, 0, "daemonset_exporter_revision_inferred", nil)
	config := check.Must(clientcmd.LoadFromFile(filepath.Join(filepath.Dir(s.Kubeconfig()), namespace+"-"+release+"-service-account.kubeconfig")))(s.t)
	secrets := []string{"secret-text"}
	for _, account := range config.AuthInfos {
		secrets = append(secrets, account.Token)
	}
	for _, path := range []string{"/", "/metrics", "/-/ready", "/-/healthy"} {
		_, body, err := running.Get(ctx, path)
		s.must(err)
		for _, secret := range secrets {
			check.That(s.t, secret != "" && !strings.Contains(body, secret) && !strings.Contains(log.String(), secret), "%s or the log contains a secret", path)
		}
	}
	s.must(running.Stop())
	s.must(s.Client().AppsV1().DaemonSets("default").Delete(ctx, "agent", metav1.DeleteOptions{}))
}

func (s *fixture) logsMissingWatch() { s.logsMissingVerb("watch") }

// With streamed lists the API server checks the permission to watch only.
func TestInstallationWithoutStreamedLists(t *testing.T) {
	t.Parallel()
	f := newFixture(t, map[string]string{"feature-gates": "WatchList=false"})
	f.must(f.Apply(t.Context(), []byte(tool(t, "kustomize", "build", root+"/deploy/kustomize/plain"))))
	t.Run("a missing permission to list is logged", func(*testing.T) { f.logsMissingVerb("list") })
}

// logsMissingVerb takes a verb from each rule of the ClusterRole in turn.
func (s *fixture) logsMissingVerb(verb string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	roles := s.Client().RbacV1().ClusterRoles()
	whole := check.Must(roles.Get(ctx, release, metav1.GetOptions{}))(s.t)
	whole.ResourceVersion = "" // of any version
	for i, rule := range whole.Rules {
		if rule.Resources[0] == "controllerrevisions" {
			continue // it is optional, see logsMissingRevisionRule
		}
		less := whole.DeepCopy()
		less.Rules[i].Verbs = slices.DeleteFunc(slices.Clone(rule.Verbs), func(v string) bool { return v == verb })
		check.Must(roles.Update(ctx, less, metav1.UpdateOptions{}))(s.t)
		s.logsMissingPermission(ctx, verb, rule.Resources[0])
	}
	check.Must(roles.Update(ctx, whole, metav1.UpdateOptions{}))(s.t)
}

// logsMissingLeaseRole checks the log only: everything else works, except the time to
// detect a failure.
func (s *fixture) logsMissingLeaseRole() {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	s.must(s.Client().RbacV1().RoleBindings(corev1.NamespaceNodeLease).Delete(ctx, release, metav1.DeleteOptions{}))
	log := &async.Buffer{}
	running := s.startAsItself(log)
	s.must(running.WaitReady(ctx))
	s.must(s.PullPlug(ctx, "b"))
	s.must(s.waitLog(ctx, log, "cannot get leases"))
	s.must(s.PlugIn(ctx, "b"))
	s.must(running.Stop())
}

// logsMissingRevisionRule: all works but the current revision, which is inferred,
// and the log says why.
func (s *fixture) logsMissingRevisionRule() {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	roles := s.Client().RbacV1().ClusterRoles()
	whole := check.Must(roles.Get(ctx, release, metav1.GetOptions{}))(s.t)
	less := whole.DeepCopy()
	less.Rules = slices.DeleteFunc(less.Rules, func(rule rbacv1.PolicyRule) bool { return rule.Resources[0] == "controllerrevisions" })
	check.Require(s.t, len(less.Rules) == len(whole.Rules)-1, "the rules are %v", whole.Rules)
	check.Must(roles.Update(ctx, less, metav1.UpdateOptions{}))(s.t)
	s.must(s.Apply(ctx, []byte(agent)))
	log := &async.Buffer{}
	running := s.startAsItself(log)
	s.must(running.WaitReady(ctx))
	s.must(s.waitLog(ctx, log, "cannot list controllerrevisions"))
	s.waitSum(ctx, running, 1, "daemonset_exporter_revision_inferred", nil)
	s.must(running.Stop())
	s.must(s.Client().AppsV1().DaemonSets("default").Delete(ctx, "agent", metav1.DeleteOptions{}))
	whole.ResourceVersion = "" // of any version
	check.Must(roles.Update(ctx, whole, metav1.UpdateOptions{}))(s.t)
}

// waitSum waits until the samples of a metric with these labels add up to want.
func (s *fixture) waitSum(ctx context.Context, running *exporter.Exporter, want float64, metric string, labels exporter.Labels) {
	s.t.Helper()
	check.Must(running.Wait(ctx, metric, func(samples exporter.Samples) error {
		if got := samples.Sum(metric, labels); got != want {
			return fmt.Errorf("%s%v is %v, want %v", metric, labels, got, want)
		}
		return nil
	}))(s.t)
}

// waitLog waits until the log contains a text.
func (s *fixture) waitLog(ctx context.Context, log *async.Buffer, text string) error {
	return s.Wait(ctx, "the log to contain "+text, func(context.Context) (bool, string, error) {
		return strings.Contains(log.String(), text), log.String(), nil
	})
}

// logsMissingNamespaceRole: where namespaces select nodes, all are expected until
// the exporter may read them.
func (s *fixture) logsMissingNamespaceRole() {
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	s.selectNodes(ctx, `"pool=nowhere"`)
	s.must(s.Apply(ctx, []byte(agent)))
	for _, tc := range []struct {
		components         []string
		expected, excluded float64
		named              bool
	}{
		{expected: 2, named: true},
		{components: []string{"openshift-namespaces"}, excluded: 2},
	} {
		s.must(s.Apply(ctx, []byte(kustomized(s.t, tc.components...))))
		log := &async.Buffer{}
		running := s.startAsItself(log, "--namespaces.node-selector=on")
		_, err := running.Wait(ctx, "the DaemonSet", func(samples exporter.Samples) error {
			expected := samples.Sum("daemonset_expected_nodes", exporter.Labels{"daemonset": "agent"})
			excluded := samples.Sum("daemonset_excluded_nodes", exporter.Labels{"daemonset": "agent", "reason": "namespace_selector"})
			if expected != tc.expected || excluded != tc.excluded {
				return fmt.Errorf("with %v, %v nodes are expected and %v excluded", tc.components, expected, excluded)
			}
			return nil
		})
		s.must(err)
		text := log.String()
		if named := strings.Contains(text, "grant get on namespaces"); named != tc.named || strings.Contains(text, "grant get on schedulers") {
			s.t.Errorf("with %v the log is\n%s", tc.components, text)
		}
		s.must(running.Stop())
	}
	s.selectNodes(ctx, "null")
	s.must(s.Client().AppsV1().DaemonSets("default").Delete(ctx, "agent", metav1.DeleteOptions{}))
}

// selectNodes annotates the namespace default with a selector, in JSON.
func (s *fixture) selectNodes(ctx context.Context, selector string) {
	s.t.Helper()
	patch := fmt.Sprintf(`{"metadata": {"annotations": {"openshift.io/node-selector": %s}}}`, selector)
	check.Must(s.Client().CoreV1().Namespaces().Patch(ctx, "default", types.MergePatchType, []byte(patch), metav1.PatchOptions{}))(s.t)
}

func (s *fixture) logsMissingPermission(ctx context.Context, verb, resource string) {
	s.t.Helper()
	log := &async.Buffer{}
	running := s.startAsItself(log)
	if err := s.waitLog(ctx, log, fmt.Sprintf("forbidden: cannot %s %s", verb, resource)); err != nil {
		s.t.Error(err)
	}
	s.must(running.Stop())
}
