package informers

import (
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
)

func inNamespaces(names ...string) func(*Options) {
	return func(o *Options) { o.Namespaces = names }
}

// One namespace that cannot be read holds up nobody.
func TestAccess(t *testing.T) {
	t.Parallel()
	everything := func(server *apiserver.Server) {
		server.Put(node("n"), pod("a", "p"), pod("gone", "p"), daemonSet("a", "d"), daemonSet("gone", "d"))
	}
	for name, refused := range map[string][]string{
		"a namespace without a role":         {Pods, DaemonSets},
		"a namespace whose pods are refused": {Pods},
		"a namespace without its DaemonSets": {DaemonSets},
	} {
		withServer(t, name+" reads as empty", func(t *testing.T, server *apiserver.Server) {
			everything(server)
			server.ForbidIn("gone", refused...)
			set := runSet(t, server, inNamespaces("a", "gone")).awaitSynced()
			if set.handler.count("daemonset a/d added") != 1 || set.handler.count("pod a/p added") != 1 || set.handler.count("daemonset gone/d added") != 0 {
				t.Errorf("calls are %v", set.handler.calls())
			}
			if health := set.healthOf(DaemonSets); health.Unwatched != 1 || !health.Fresh || health.Err != nil {
				t.Errorf("health is %+v", health)
			}
			if lines := set.logs.With("namespace=gone"); len(lines) == 0 {
				t.Errorf("logged %q", set.logs.With(""))
			}

			server.AllowIn("gone", refused...)
			set.awaitCall("daemonset gone/d added", 1)
			set.awaitCall("pod gone/p added", 1)
			async.Eventually(t, "all watched", func() bool {
				return set.healthOf(DaemonSets).Unwatched == 0 && set.healthOf(Pods).Unwatched == 0
			})
		})
	}
	withServer(t, "nothing is synced while all are refused", func(t *testing.T, server *apiserver.Server) {
		everything(server)
		server.ForbidIn("a", Pods)
		server.ForbidIn("gone", Pods)
		set := runSet(t, server, inNamespaces("a", "gone"))
		async.Eventually(t, "several attempts", func() bool { return set.healthOf(Pods).Errors[ErrorForbidden] > 8 })
		if health := set.healthOf(Pods); health.Synced || health.Err == nil || health.Err.Kind != ErrorForbidden {
			t.Errorf("health is %+v", health)
		}
		if calls := set.handler.callsFor("daemonset"); len(calls) != 0 {
			t.Errorf("DaemonSets without pods: %v", calls)
		}
		server.AllowIn("a", Pods)
		set.awaitSynced()
		if set.handler.count("daemonset a/d added") != 1 || set.handler.count("daemonset gone/d added") != 0 {
			t.Errorf("calls are %v", set.handler.calls())
		}
	})
	withServer(t, "the only namespace must be readable", func(t *testing.T, server *apiserver.Server) {
		server.ForbidIn("gone", Pods, DaemonSets)
		set := runSet(t, server, inNamespaces("gone"))
		async.Eventually(t, "several attempts", func() bool { return set.healthOf(Pods).Errors[ErrorForbidden] > 3 })
		if set.healthOf(Pods).Synced {
			t.Error("it is synced")
		}
	})
	withServer(t, "the last known state of a namespace that is refused later stays for a while", func(t *testing.T, server *apiserver.Server) {
		everything(server)
		set := runSet(t, server, inNamespaces("a", "gone")).awaitSynced()
		server.ForbidIn("gone", Pods, DaemonSets)
		server.DropWatches()
		for _, resource := range []string{Pods, DaemonSets} {
			async.Eventually(t, "attempts", func() bool { return set.healthOf(resource).Errors[ErrorForbidden] > 2 })
			if health := set.healthOf(resource); health.Fresh || health.Unwatched != 0 || health.Objects != 2 {
				t.Errorf("health is %+v", health)
			}
		}
		set.clock.SetTime(noon().Add(10 * time.Minute))
		set.awaitCall("daemonset gone/d deleted", 1)
		async.Eventually(t, "all refused", func() bool {
			return set.healthOf(DaemonSets).Unwatched == 1 && set.healthOf(Pods).Unwatched == 1
		})
		server.Bookmark() // a sign of life of the other one, ten minutes later
		async.Eventually(t, "the other one is fresh", func() bool { return set.healthOf(DaemonSets).Fresh && set.healthOf(Pods).Fresh })
		server.AllowIn("gone", Pods, DaemonSets)
		set.awaitCall("daemonset gone/d added", 2)
		async.Eventually(t, "all watched", func() bool {
			return set.healthOf(DaemonSets).Unwatched == 0 && set.healthOf(Pods).Unwatched == 0
		})
	})
}
