package informers

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// revisionOf returns a ControllerRevision of the DaemonSet with that UID.
func revisionOf(namespace, owner, hash string, number int64, change ...func(*appsv1.ControllerRevision)) *appsv1.ControllerRevision {
	revision := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: owner + "-" + hash,
			Labels: map[string]string{"app": owner, appsv1.ControllerRevisionHashLabelKey: hash},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "DaemonSet", Name: owner, UID: types.UID(owner), Controller: ptr.To(true),
			}},
		},
		Data:     runtime.RawExtension{Raw: []byte(`{"spec":{"template":{}}}`)},
		Revision: number,
	}
	for _, apply := range change {
		apply(revision)
	}
	return revision
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	ownedBy := func(change func(*metav1.OwnerReference)) func(*appsv1.ControllerRevision) {
		return func(r *appsv1.ControllerRevision) { change(&r.OwnerReferences[0]) }
	}
	var many []apiserver.Object
	for number := range int64(250) {
		many = append(many, revisionOf("a", "agent", fmt.Sprintf("h%03d", (number*7)%250), number+1))
	}
	type newest map[string]string
	for _, tc := range []struct {
		name    string
		objects []apiserver.Object
		want    newest
		pages   int
	}{
		{"none at all", nil, newest{}, 1},
		{
			"the highest number is the newest",
			[]apiserver.Object{revisionOf("a", "agent", "x", 9), revisionOf("a", "agent", "y", 10), revisionOf("a", "agent", "z", 2)},
			newest{"agent": "y 10"},
			1,
		},
		{
			"of each DaemonSet of the namespace",
			[]apiserver.Object{revisionOf("a", "agent", "x", 1), revisionOf("a", "proxy", "y", 3), revisionOf("b", "other", "z", 4)},
			newest{"agent": "x 1", "proxy": "y 3"},
			1,
		},
		{
			"not what something else controls, or nothing",
			[]apiserver.Object{
				revisionOf("a", "agent", "x", 1),
				revisionOf("a", "agent", "kind", 2, ownedBy(func(o *metav1.OwnerReference) { o.Kind = "StatefulSet" })),
				revisionOf("a", "agent", "group", 3, ownedBy(func(o *metav1.OwnerReference) { o.APIVersion = "apps.kruise.io/v1alpha1" })),
				revisionOf("a", "agent", "owner", 4, ownedBy(func(o *metav1.OwnerReference) { o.Controller = nil })),
				revisionOf("a", "agent", "orphan", 5, func(r *appsv1.ControllerRevision) { r.OwnerReferences = nil }),
				revisionOf("a", "agent", "unlabelled", 6, func(r *appsv1.ControllerRevision) { r.Labels = nil }),
			},
			newest{"agent": "x 1"},
			1,
		},
		{"page by page", many, newest{"agent": "h243 250"}, 3},
	} {
		withServer(t, tc.name, func(t *testing.T, server *apiserver.Server) {
			server.Put(tc.objects...)
			revisions := check.Must(NewRevisions(protobuf(server.Config())))(t)
			found := check.Must(revisions.Newest(t.Context(), "a"))(t)
			got := newest{}
			for _, owner := range []string{"agent", "proxy", "other"} {
				if revision, ok := found[slim.ParseUID(types.UID(owner))]; ok {
					got[owner] = fmt.Sprint(revision.Hash.Value(), " ", revision.Revision)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || len(found) != len(got) {
				t.Errorf("%d found (-want +got):\n%s", len(found), diff)
			}
			requests := server.Requests("controllerrevisions", "list")
			check.That(t, len(requests) == tc.pages && len(server.Requests("controllerrevisions")) == tc.pages, "%d requests, want %d pages", len(requests), tc.pages)
			for _, request := range requests {
				check.That(t, request.Namespace == "a" && !request.Query.Has("resourceVersion") && request.Query.Get("limit") != "", "the request is %+v", request)
			}
		})
	}
}

func TestRevisionsErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		prepare func(*apiserver.Server)
		kind    ErrorKind
		want    string
	}{
		{
			"they are forbidden", func(s *apiserver.Server) { s.Forbid("list", "controllerrevisions") }, ErrorForbidden,
			`forbidden: cannot list controllerrevisions in the API group "apps" in namespace "a": grant list on controllerrevisions to ` + apiserver.User + "; see deploy/",
		},
		{"the credentials are rejected", (*apiserver.Server).RejectCredentials, ErrorUnauthorized, ""},
		{"the server is unreachable", (*apiserver.Server).Stop, ErrorUnreachable, ""},
	} {
		withServer(t, tc.name, func(t *testing.T, server *apiserver.Server) {
			revisions := check.Must(NewRevisions(protobuf(server.Config())))(t)
			tc.prepare(server)
			_, err := revisions.Newest(t.Context(), "a")
			var failure *RequestError
			check.Require(t, errors.As(err, &failure) && failure.Kind == tc.kind, "the error is %#v", err)
			check.That(t, tc.want == "" || err.Error() == tc.want, "the error is %q", err)
		})
	}
	withServer(t, "the reading is cancelled", func(t *testing.T, server *apiserver.Server) {
		revisions := check.Must(NewRevisions(protobuf(server.Config())))(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := revisions.Newest(ctx, "a"); err == nil {
			t.Error("there is no error")
		}
	})
}
