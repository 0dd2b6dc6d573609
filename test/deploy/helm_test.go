package deploy

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// helmLifecycle installs, upgrades and uninstalls a release.
func (s *fixture) helmLifecycle() {
	const other = "monitoring"
	helm := func(args ...string) string {
		return tool(s.t, "helm", append(args, "--kubeconfig", s.Kubeconfig(), "--namespace", other)...)
	}
	full := []string{chart, "--wait", "--timeout", "2m", "--set", "serviceMonitor.enabled=true,prometheusRule.enabled=true,dashboards.enabled=true"}
	selector := "app.kubernetes.io/instance=mine"

	notes := helm(append([]string{"install", "mine", "--create-namespace"}, full...)...)
	check.That(s.t, strings.Contains(notes, "port-forward deployment/mine-daemonset-exporter"), "the notes lack the command port-forward:\n%s", notes)
	s.must(s.WaitPods(s.t.Context(), other, selector, "one replica", ready(1)))
	helm(append([]string{"upgrade", "mine", "--set", "replicas=2"}, full...)...)
	s.must(s.WaitPods(s.t.Context(), other, selector, "two replicas on two nodes", ready(2)))
	if left := s.labelled(selector); len(left) < 15 {
		s.t.Errorf("installed only %v", left)
	}
	helm("uninstall", "mine", "--wait")
	s.must(s.Wait(s.t.Context(), "everything to be deleted", func(context.Context) (bool, string, error) {
		left := append(s.labelled(selector), s.labelled("owner=helm")...)
		return len(left) == 0, strings.Join(left, ", "), nil
	}))
}

// labelled returns all objects of any resource that a label selector selects.
func (s *fixture) labelled(selector string) []string {
	s.t.Helper()
	var found []string
	for _, resource := range s.listable() {
		objects := check.Must(s.dynamic.Resource(resource).List(s.t.Context(), metav1.ListOptions{LabelSelector: selector}))(s.t)
		for _, object := range objects.Items {
			found = append(found, resource.Resource+"/"+object.GetName())
		}
	}
	return found
}
