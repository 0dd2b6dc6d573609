//go:build linux

package faults

import (
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
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
