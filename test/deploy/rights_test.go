package deploy

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// startAsItself runs the exporter with the rights of its service account.
func (s *site) startAsItself(log io.Writer, args ...string) *exporter.Exporter {
	s.t.Helper()
	kubeconfig, err := s.ServiceAccountKubeconfig(s.t.Context(), namespace, release)
	s.must(err)
	running, err := exporter.Start(s.t.Context(), exporter.Config{Kubeconfig: kubeconfig, Log: log, Args: args})
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

// agent carries what should stay where it is.
const agent = `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: default, annotations: {note: do-not-tell}}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}, annotations: {note: do-not-tell}}
    spec:
      containers:
      - name: agent
        image: agent
        command: [agent, --password=do-not-tell]
        env: [{name: PASSWORD, value: do-not-tell}]
`

func (s *site) nothingSecretComesOut() {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	s.must(s.Apply(ctx, []byte(agent)))
	log := &async.Buffer{}
	running := s.startAsItself(log, "--log.level=debug")
	_, err := running.Wait(ctx, "the DaemonSet to be covered", func(samples exporter.Samples) error {
		if got := samples.Sum("daemonset_covered_nodes", exporter.Labels{"daemonset": "agent"}); got != 2 {
			return fmt.Errorf("%v nodes are covered", got)
		}
		return nil
	})
	s.must(err)
	config, err := clientcmd.LoadFromFile(filepath.Join(filepath.Dir(s.Kubeconfig()), namespace+"-"+release+"-service-account.kubeconfig"))
	s.must(err)
	secrets := []string{"do-not-tell"}
	for _, account := range config.AuthInfos {
		secrets = append(secrets, account.Token)
	}
	for _, path := range []string{"/", "/metrics", "/-/ready", "/-/healthy"} {
		_, body, err := running.Get(ctx, path)
		s.must(err)
		for _, secret := range secrets {
			if secret == "" || strings.Contains(body, secret) || strings.Contains(log.String(), secret) {
				s.t.Errorf("%s or the log shows what is secret", path)
			}
		}
	}
	s.must(running.Stop())
	s.must(s.Client().AppsV1().DaemonSets("default").Delete(ctx, "agent", metav1.DeleteOptions{}))
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
	log := &async.Buffer{}
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
	log := &async.Buffer{}
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
