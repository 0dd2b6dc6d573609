package informers_test

import (
	"errors"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
)

func lease(node string, renewed *metav1.MicroTime) *coordinationv1.Lease {
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: node},
		Spec:       coordinationv1.LeaseSpec{RenewTime: renewed},
	}
}

func leases(t *testing.T, server *apiserver.Server) *informers.Leases {
	t.Helper()
	made, err := informers.NewLeases(protobuf(server.Config()))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestRenewTimeOfANodesLease(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	server.Put(lease("n", &metav1.MicroTime{Time: start().Add(250 * time.Millisecond)}))
	got, err := leases(t, server).RenewTime(t.Context(), "n")
	if err != nil || !got.Equal(start().Add(250*time.Millisecond)) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestALeaseThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		prepare func(*apiserver.Server)
		kind    informers.ErrorKind
		says    string
	}{
		{
			"it does not exist", func(*apiserver.Server) {}, informers.ErrorNotFound,
			`not found: cannot get leases in the API group "coordination.k8s.io" in namespace "kube-node-lease": lease of node n: leases.coordination.k8s.io "n" not found`,
		},
		{
			"it was never renewed", func(s *apiserver.Server) { s.Put(lease("n", nil)) }, informers.ErrorNotFound,
			`not found: cannot get leases in the API group "coordination.k8s.io" in namespace "kube-node-lease": lease of node n: the lease has no renew time`,
		},
		{
			"it is forbidden", func(s *apiserver.Server) { s.Forbid("get", "leases") }, informers.ErrorForbidden,
			`forbidden: cannot get leases in the API group "coordination.k8s.io" in namespace "kube-node-lease": grant get on leases to ` + apiserver.User + "; see deploy/",
		},
		{"the server is away", (*apiserver.Server).Stop, informers.ErrorUnreachable, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := apiserver.New(t)
			reader := leases(t, server)
			tc.prepare(server)
			_, err := reader.RenewTime(t.Context(), "n")
			var failure *informers.RequestError
			if !errors.As(err, &failure) || failure.Kind != tc.kind {
				t.Fatalf("the error is %#v", err)
			}
			if tc.says != "" && err.Error() != tc.says {
				t.Errorf("the error says %q", err)
			}
		})
	}
}

func TestPermissionsAreThoseOfARole(t *testing.T) {
	t.Parallel()
	got := map[string]informers.Permission{}
	for _, permission := range informers.Permissions() {
		got[permission.Group+"/"+permission.Resource] = permission
	}
	for resource, namespaced := range map[string]bool{"/nodes": false, "/pods": true, "apps/daemonsets": true, "coordination.k8s.io/leases": true} {
		permission, ok := got[resource]
		if !ok || permission.Namespaced != namespaced || len(permission.Verbs) == 0 {
			t.Errorf("%s: %+v", resource, permission)
		}
	}
	if len(got) != 4 {
		t.Errorf("more is asked for than is used: %v", got)
	}
}
