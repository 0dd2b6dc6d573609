//go:build linux

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
)

// controlPlane is a cluster with agents on some nodes, and a role for exporters.
type controlPlane struct {
	*cluster.Cluster
	t *testing.T
	// token is the file of the exporters' token; secret is the object that it is bound
	// to.
	token, secret string
}

const account = "exporter"

func newControlPlane(t *testing.T) *controlPlane {
	t.Helper()
	f := &controlPlane{t: t, token: filepath.Join(t.TempDir(), "token"), Cluster: clustertest.Start(t, cluster.Config{
		Flags: map[cluster.Component]map[string]string{cluster.APIServer: {"etcd-compaction-interval": "2s"}},
	})}
	for number := range agents {
		f.must(f.AddNode(t.Context(), cluster.NodeSpec{Name: nodeName(number), Labels: map[string]string{"agents": "yes"}}))
	}
	subject := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: metav1.NamespaceDefault}
	named := metav1.ObjectMeta{Name: account}
	read := []string{"get", "list", "watch"}
	check.Must(f.Client().CoreV1().ServiceAccounts(metav1.NamespaceDefault).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: named}, metav1.CreateOptions{}))(t)
	check.Must(f.Client().RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: named, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"nodes", "pods"}, Verbs: read},
		{APIGroups: []string{"apps"}, Resources: []string{"daemonsets", "controllerrevisions"}, Verbs: read},
	}}, metav1.CreateOptions{}))(t)
	check.Must(f.Client().RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: named, Subjects: []rbacv1.Subject{subject},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: account},
	}, metav1.CreateOptions{}))(t)
	f.newToken("token-1")
	return f
}

func (f *controlPlane) must(err error) {
	f.t.Helper()
	check.NoError(f.t, err)
}

// apply creates a DaemonSet for the nodes with agents.
func (f *controlPlane) apply(name string) {
	f.t.Helper()
	f.must(f.Apply(f.t.Context(), fmt.Appendf(nil, `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: %[1]s, namespace: default}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      nodeSelector: {agents: "yes"}
      containers:
      - {name: agent, image: "example.com/agent:1"}
`, name)))
}

// newToken writes a token into the file of the exporters. It is bound to a Secret.
func (f *controlPlane) newToken(secret string) {
	f.t.Helper()
	created := check.Must(f.Client().CoreV1().Secrets(metav1.NamespaceDefault).Create(f.t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: secret}}, metav1.CreateOptions{}))(f.t)
	answer := check.Must(f.Client().CoreV1().ServiceAccounts(metav1.NamespaceDefault).CreateToken(f.t.Context(), account, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{BoundObjectRef: &authenticationv1.BoundObjectReference{Kind: "Secret", APIVersion: "v1", Name: secret, UID: created.UID}},
	}, metav1.CreateOptions{}))(f.t)
	writeFile(f.t, f.token, answer.Status.Token)
	f.secret = secret
}

// revokeToken replaces the token and deletes what the old one is bound to.
func (f *controlPlane) revokeToken() {
	f.t.Helper()
	old := f.secret
	f.newToken(old + "-next")
	f.must(f.Client().CoreV1().Secrets(metav1.NamespaceDefault).Delete(f.t.Context(), old, metav1.DeleteOptions{}))
}

// kubeconfig writes a kubeconfig for an address with the file of the token. Without an
// authority it trusts every server.
func (f *controlPlane) kubeconfig(server string, authority []byte) string {
	f.t.Helper()
	path := filepath.Join(f.t.TempDir(), "kubeconfig")
	trust := map[string]any{"server": server, "insecure-skip-tls-verify": true}
	if authority != nil {
		trust = map[string]any{"server": server, "certificate-authority-data": authority}
	}
	content := check.Must(json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "test",
		"clusters": []any{map[string]any{"name": "test", "cluster": trust}},
		"users":    []any{map[string]any{"name": "test", "user": map[string]any{"tokenFile": f.token}}},
		"contexts": []any{map[string]any{"name": "test", "context": map[string]any{"cluster": "test", "user": "test"}}},
	}))(f.t)
	writeFile(f.t, path, string(content))
	return path
}

// version returns the newest resource version.
func (f *controlPlane) version() string {
	f.t.Helper()
	list := check.Must(f.Client().CoreV1().Nodes().List(f.t.Context(), metav1.ListOptions{Limit: 1}))(f.t)
	return list.ResourceVersion
}

// awaitCompaction returns when etcd no longer has the history before a version.
func (f *controlPlane) awaitCompaction(version string) {
	f.t.Helper()
	f.must(f.Wait(f.t.Context(), "etcd to compact version "+version, func(ctx context.Context) (bool, string, error) {
		seconds := int64(1)
		watching, err := f.Client().AppsV1().DaemonSets(metav1.NamespaceAll).Watch(ctx, metav1.ListOptions{ResourceVersion: version, TimeoutSeconds: &seconds})
		if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			return true, "", nil
		} else if err != nil {
			return false, "", err
		}
		defer watching.Stop()
		for event := range watching.ResultChan() {
			if failure := apierrors.FromObject(event.Object); apierrors.IsResourceExpired(failure) || apierrors.IsGone(failure) {
				return true, "", nil
			}
		}
		return false, "it is there", nil
	}, cluster.Etcd, cluster.APIServer))
}

// expire returns when a page is refused because its token has expired. An API server could
// still have it in memory: a new one asks etcd.
func (f *controlPlane) expire(path string) {
	if err := f.Restart(f.t.Context(), cluster.APIServer); err != nil {
		f.t.Error(err)
	}
	err := f.Wait(f.t.Context(), "the continue token to expire", func(ctx context.Context) (bool, string, error) {
		err := f.Client().CoreV1().RESTClient().Get().RequestURI(path).Do(ctx).Error()
		return apierrors.IsResourceExpired(err), fmt.Sprint("the API server answers ", err), nil
	}, cluster.Etcd, cluster.APIServer)
	if err != nil {
		f.t.Error(err)
	}
}

// addBareNodes creates nodes that have no kubelet and no agent.
func (f *controlPlane) addBareNodes(number int) {
	f.t.Helper()
	for i := range number {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("bare-%04d", i)}}
		check.Must(f.Client().CoreV1().Nodes().Create(f.t.Context(), node, metav1.CreateOptions{}))(f.t)
	}
}

// cannotStream answers as API servers do that cannot stream a list.
func cannotStream(w http.ResponseWriter) {
	status := apierrors.NewInvalid(schema.GroupKind{Kind: "ListOptions"}, "", nil).Status()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(status.Code))
	_ = json.NewEncoder(w).Encode(status)
}
