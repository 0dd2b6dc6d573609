package informers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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
	if diff := cmp.Diff(want, Permissions()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want = []Permission{
		{Resource: "namespaces", Verbs: []string{"get"}, Namespaced: true},
		{Group: "config.openshift.io", Resource: "schedulers", Verbs: []string{"get"}},
	}
	if diff := cmp.Diff(want, NamespacePermissions()); diff != "" {
		t.Errorf("of namespaces (-want +got):\n%s", diff)
	}
}
