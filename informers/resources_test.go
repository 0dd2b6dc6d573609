package informers

import (
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestPermissions(t *testing.T) {
	t.Parallel()
	want := []Permission{
		{Resource: "nodes", Verbs: []string{"get", "list", "watch"}},
		{Resource: "pods", Verbs: []string{"get", "list", "watch"}, Namespaced: true},
		{Group: "apps", Resource: "daemonsets", Verbs: []string{"get", "list", "watch"}, Namespaced: true},
		{Group: "apps", Resource: "controllerrevisions", Verbs: []string{"list"}, Namespaced: true, Optional: true},
		{Group: "coordination.k8s.io", Resource: "leases", Verbs: []string{"get"}, Namespaced: true, Optional: true},
	}
	check.Equal(t, Permissions(), want)
	want = []Permission{
		{Resource: "namespaces", Verbs: []string{"get"}, Namespaced: true},
		{Group: "config.openshift.io", Resource: "schedulers", Verbs: []string{"get"}},
	}
	check.Equal(t, NamespacePermissions(), want, "of namespaces")
}
