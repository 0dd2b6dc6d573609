package informers

import (
	"errors"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func lease(node string, renewed *metav1.MicroTime) *coordinationv1.Lease {
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: node},
		Spec:       coordinationv1.LeaseSpec{RenewTime: renewed},
	}
}

func TestLeases(t *testing.T) {
	t.Parallel()
	renewed := noon().Add(250 * time.Millisecond)
	for _, tc := range []struct {
		name    string
		prepare func(*apiserver.Server)
		kind    ErrorKind
		want    string
	}{
		{name: "returns the renew time", prepare: func(s *apiserver.Server) { s.Put(lease("n", &metav1.MicroTime{Time: renewed})) }},
		{
			"the lease does not exist", func(*apiserver.Server) {}, ErrorNotFound,
			`not found: cannot get leases in the API group "coordination.k8s.io" in namespace "kube-node-lease": lease of node n: leases.coordination.k8s.io "n" not found`,
		},
		{
			"the lease was never renewed", func(s *apiserver.Server) { s.Put(lease("n", nil)) }, ErrorNotFound,
			`not found: cannot get leases in the API group "coordination.k8s.io" in namespace "kube-node-lease": lease of node n: the lease has no renew time`,
		},
		{
			"the lease is forbidden", func(s *apiserver.Server) { s.Forbid("get", "leases") }, ErrorForbidden,
			`forbidden: cannot get leases in the API group "coordination.k8s.io" in namespace "kube-node-lease": grant get on leases to ` + apiserver.User + "; see deploy/",
		},
		{"the server is unreachable", (*apiserver.Server).Stop, ErrorUnreachable, ""},
	} {
		withServer(t, tc.name, func(t *testing.T, server *apiserver.Server) {
			leases := check.Must(NewLeases(protobuf(server.Config())))(t)
			tc.prepare(server)
			got, err := leases.RenewTime(t.Context(), "n")
			if tc.kind == "" {
				check.That(t, err == nil && got.Equal(renewed), "RenewTime returned %v, %v", got, err)
				return
			}
			var failure *RequestError
			check.Require(t, errors.As(err, &failure) && failure.Kind == tc.kind, "the error is %#v", err)
			check.That(t, tc.want == "" || err.Error() == tc.want, "the error is %q", err)
		})
	}
}
