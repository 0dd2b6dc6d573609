package deploy

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// grants returns the verbs that a role grants, by group and resource.
func grants(t *testing.T, role *unstructured.Unstructured) map[string][]string {
	t.Helper()
	check.Require(t, role != nil, "the role is missing")
	granted := map[string][]string{}
	rules, _, _ := unstructured.NestedSlice(role.Object, "rules")
	for _, rule := range rules {
		fields := rule.(map[string]any)
		verbs, _, _ := unstructured.NestedStringSlice(fields, "verbs")
		groups, _, _ := unstructured.NestedStringSlice(fields, "apiGroups")
		resources, _, _ := unstructured.NestedStringSlice(fields, "resources")
		for _, group := range groups {
			for _, resource := range resources {
				granted[group+"/"+resource] = verbs
			}
		}
	}
	return granted
}

// needs returns the verbs of the permissions for which choose returns true.
func needs(permissions []informers.Permission, choose func(informers.Permission) bool) map[string][]string {
	needed := map[string][]string{}
	for _, permission := range permissions {
		if choose(permission) {
			needed[permission.Group+"/"+permission.Resource] = permission.Verbs
		}
	}
	return needed
}

func TestRoles(t *testing.T) {
	t.Parallel()
	isLease := func(p informers.Permission) bool { return p.Resource == "leases" }
	everywhere := objects(t, kustomized(t))
	few := objects(t, kustomized(t, "namespaced"))
	for _, tc := range []struct {
		name   string
		role   *unstructured.Unstructured
		choose func(informers.Permission) bool
	}{
		{"the ClusterRole", everywhere["ClusterRole//"+release], func(p informers.Permission) bool { return !isLease(p) }},
		{"the Role for leases", everywhere["Role/kube-node-lease/"+release], isLease},
		{"the ClusterRole beside Roles", few["ClusterRole//"+release], func(p informers.Permission) bool { return !p.Namespaced }},
		{"the Role of a namespace", few["Role/kube-system/"+release], func(p informers.Permission) bool { return p.Namespaced && !isLease(p) }},
	} {
		t.Run(tc.name+" grants what is needed and no more", func(t *testing.T) {
			check.Equal(t, grants(t, tc.role), needs(informers.Permissions(), tc.choose), "granted")
		})
	}
	for _, tc := range []struct {
		suffix      string
		permissions []informers.Permission
		components  [][]string
	}{
		{"-namespaces", informers.NamespacePermissions(), [][]string{{"openshift-namespaces"}, {"openshift-namespaces", "namespaced"}, {"openshift"}}},
		{"-reviews", informers.ReviewPermissions(), [][]string{{"kubernetes-auth"}}},
	} {
		name := "ClusterRole//" + release + tc.suffix
		check.That(t, everywhere[name] == nil, "%s is installed where nobody asked for it", name)
		all := needs(tc.permissions, func(informers.Permission) bool { return true })
		for _, components := range tc.components {
			check.Equal(t, grants(t, objects(t, kustomized(t, components...))[name]), all, components, "granted")
		}
	}
}
