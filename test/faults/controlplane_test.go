//go:build linux

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
	"github.com/daemonset-exporter/daemonset_exporter/test/faults/proxy"
)

// agents is how many nodes run pods.
const agents = 3

// The faults that are made on a real control plane, in this order. Each has a row in
// docs/reliability.md.
const (
	rotatedCertificate = "the serving certificate is rotated"
	rotatedToken       = "the token is replaced, and the old one is revoked"
	compacted          = "what a watch has missed is compacted away"
	expiredContinue    = "the continue token of a list expires"
	restoredBackup     = "etcd is restored from an older backup"
)

func controlPlaneFaults() []string {
	return []string{rotatedCertificate, rotatedToken, compacted, expiredContinue, restoredBackup}
}

// TestControlPlane makes the faults that need one on a real control plane: etcd compacts
// its history every few seconds, the API server is killed.
func TestControlPlane(t *testing.T) {
	t.Parallel()
	f := newControlPlane(t)
	direct := f.watch(f.kubeconfig(f.RestConfig().Host, f.RestConfig().CAData))
	f.apply("first")
	direct.await(counts{agents, agents})
	var rows []controlPlaneRow
	run := func(name string, fault func(o *observer) *observer) {
		passed := t.Run(name, func(t *testing.T) {
			f.t = t
			direct.rest()
			o := fault(direct)
			o.holds()
			check.That(t, o.falsehood() == "", "%s", o.falsehood())
			rows = append(rows, controlPlaneRow{name, o.scrapes(), o.right})
			t.Logf("right again after %s, %d scrapes", o.right.Round(time.Millisecond), o.scrapes())
		})
		f.t = t
		check.Require(t, passed, "the faults that follow need this one to have passed")
	}

	run(rotatedCertificate, func(o *observer) *observer {
		o.begin(counts{agents, agents}, counts{agents, agents})
		f.must(f.RotateCertificate(t.Context()))
		// Connections that are open keep the old one.
		f.must(f.Restart(t.Context(), cluster.APIServer))
		o.await(counts{agents, agents})
		return o
	})
	run(rotatedToken, func(o *observer) *observer {
		o.begin(counts{agents, agents}, counts{2 * agents, agents})
		f.revokeToken()
		// A watch that is open outlives its token.
		f.must(f.Restart(t.Context(), cluster.APIServer))
		f.apply("second")
		o.await(counts{2 * agents, 2 * agents})
		return o
	})
	run(compacted, func(*observer) *observer {
		before := proxy.NewTrusting(f.t, f.RestConfig().Host, f.RestConfig().CAData)
		o := f.watch(f.kubeconfig(before.URL(), nil))
		o.await(counts{2 * agents, 2 * agents})
		o.begin(counts{2 * agents, 2 * agents}, counts{agents, agents})
		version := f.version()
		before.Set(proxy.Refuse)
		before.Break()
		f.must(f.Client().AppsV1().DaemonSets(metav1.NamespaceDefault).Delete(t.Context(), "second", metav1.DeleteOptions{}))
		// A new API server has the history of etcd and none of its own.
		f.must(f.Restart(t.Context(), cluster.APIServer))
		f.awaitCompaction(version)
		before.Set(nil)
		o.await(counts{agents, agents})
		check.That(f.t, o.failures("expired") > 0, "no watch was told that its history has expired")
		return o
	})
	run(expiredContinue, func(*observer) *observer {
		f.addBareNodes(pageSize + 20)
		before := proxy.NewTrusting(f.t, f.RestConfig().Host, f.RestConfig().CAData)
		var once sync.Once
		before.Set(func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			if r.URL.Query().Get("sendInitialEvents") == "true" {
				cannotStream(w)
				return
			}
			if proxy.Continues(r) {
				once.Do(func() { f.expire(r.URL.RequestURI()) })
			}
			forward.ServeHTTP(w, r)
		})
		o := f.watch(f.kubeconfig(before.URL(), nil))
		o.begin(counts{agents, agents}, counts{agents, agents})
		o.await(counts{agents, agents})
		nodes := slices.DeleteFunc(before.Requests(), func(r proxy.Request) bool { return r.Resource != "nodes" || r.Watch })
		first := slices.DeleteFunc(slices.Clone(nodes), func(r proxy.Request) bool { return r.Query.Get("continue") != "" })
		check.That(f.t, len(first) == 2 && len(nodes) == 4, "%d lists of nodes in %d pages, want 2 of 2 pages each: it starts over once", len(first), len(nodes))
		return o
	})
	run(restoredBackup, func(o *observer) *observer {
		backup := filepath.Join(f.t.TempDir(), "backup")
		f.must(f.Backup(t.Context(), backup))
		f.apply("third")
		o.begin(counts{agents, agents}, counts{2 * agents, agents})
		o.await(counts{2 * agents, 2 * agents})
		o.begin(counts{2 * agents, 2 * agents}, counts{agents, agents})
		f.must(f.Restore(t.Context(), backup))
		o.await(counts{agents, agents})
		check.That(f.t, o.failures("restored")+o.failures("expired") > 0, "no watch has noticed that the history is another")
		o.holds()
		// The versions of what is new now were those of other objects before.
		right := o.right
		o.begin(counts{agents, agents}, counts{2 * agents, agents})
		f.apply("fourth")
		o.await(counts{2 * agents, 2 * agents})
		o.right = right
		return o
	})
	if !t.Failed() {
		finishControlPlane(t, rows)
	}
}

// pageSize is how many objects the exporter asks for at once.
const pageSize = 500

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

// observer scrapes an exporter all the time and compares with what may be true.
type observer struct {
	f        *controlPlane
	exporter *exporter.Exporter
	count    atomic.Int64

	mu sync.Mutex
	// from and to are the numbers before and after what happens. Meanwhile some of the
	// expected nodes may not be covered yet, or no more.
	from, to counts
	last     exporter.Samples
	// settled is set when the numbers are those after it, and must stay so.
	settled bool
	// false is the last of what cannot be true.
	false string
	// right is how long the last await took.
	right time.Duration
}

// watch starts an exporter and observes it until the test ends.
func (f *controlPlane) watch(kubeconfig string) *observer {
	f.t.Helper()
	started := check.Must(exporter.Start(f.t.Context(), exporter.Config{
		Kubeconfig: kubeconfig, Log: &testLog{f.t},
		Args: []string{"--node.join-grace=0s", "--namespaces.node-selector=off"},
	}))(f.t)
	o := &observer{f: f, exporter: started} // it compares from begin on
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { o.run(ctx) })
	f.t.Cleanup(func() {
		cancel()
		running.Wait()
		_ = started.Kill()
	})
	return o
}

func (o *observer) run(ctx context.Context) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		samples, err := o.exporter.Scrape(ctx)
		if ctx.Err() != nil {
			return
		}
		o.compare(samples, err)
	}
}

// compare notes what a scrape has that cannot be true.
func (o *observer) compare(samples exporter.Samples, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = samples
	if err != nil {
		o.false = err.Error()
		return
	}
	if o.to == (counts{}) || len(samples.Select("daemonset_expected_nodes", nil)) == 0 {
		return
	}
	o.count.Add(1)
	got := countsOf(samples)
	within := (got.expected == o.from.expected || got.expected == o.to.expected) && got.covered <= got.expected && got.covered >= min(o.from.covered, o.to.covered)
	if !within || o.settled && got != o.to {
		o.false = fmt.Sprintf("it serves %+v between %+v and %+v (settled: %t)", got, o.from, o.to, o.settled)
	}
}

// begin says between which numbers the truth is from now on.
func (o *observer) begin(from, to counts) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from, o.to, o.settled = from, to, false
	o.count.Store(0)
}

// rest ends the comparison until begin, and forgets what was false.
func (o *observer) rest() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from, o.to, o.settled, o.false = counts{}, counts{}, false, ""
}

// await waits until an exporter that is fresh serves these numbers.
func (o *observer) await(want counts) {
	o.f.t.Helper()
	start := time.Now()
	async.Within(o.f.t, patience, 20*time.Millisecond, fmt.Sprintf("the exporter to serve %+v", want), func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.last != nil && o.last.Sum("daemonset_exporter_informer_fresh", nil) == sources && countsOf(o.last) == want
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.right = time.Since(start)
	if o.to == (counts{}) {
		return
	}
	o.from, o.to, o.settled = want, want, true
}

// holds waits for more scrapes.
func (o *observer) holds() {
	o.f.t.Helper()
	until := o.count.Load() + 40
	async.Within(o.f.t, patience, 20*time.Millisecond, "40 scrapes", func() bool { return o.count.Load() >= until })
}

func (o *observer) falsehood() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.false
}

func (o *observer) scrapes() int { return int(o.count.Load()) }

// failures returns how many requests failed for a reason.
func (o *observer) failures(reason string) float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last.Sum("daemonset_exporter_informer_watch_errors_total", exporter.Labels{"reason": reason})
}
