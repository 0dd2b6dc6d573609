package informers

import (
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	withServer(t, "of a forbidden resource", testForbidden)
	withServer(t, "has an error of its own for rejected credentials", func(t *testing.T, server *apiserver.Server) {
		server.RejectCredentials()
		set := runSet(t, server)
		set.awaitErrors(ErrorUnauthorized)
		if lines := set.logs.With("reason=unauthorized"); len(lines) != 1 {
			t.Errorf("logged %q, want one line for all resources", lines)
		}
	})
	withServer(t, "keeps the last known state of an unreachable server", func(t *testing.T, server *apiserver.Server) {
		server.Put(node("n"))
		set := runSet(t, server).awaitSynced()
		set.loseServer(server)
		if health := set.healthOf(Nodes); !health.Synced || health.Objects != 1 || failures(health) == 0 || !health.LastEvent.Equal(noon()) {
			t.Errorf("health is %+v", health)
		}
		if lines := set.logs.With("reason=unreachable"); len(lines) != 1 {
			t.Errorf("logged %q, want one line for all resources", lines)
		}
		server.Bookmark()
		server.Start()
		set.awaitEach("recovered", func(h ResourceHealth) bool { return h.Err == nil })
	})
	withServer(t, "sums the informers of a resource", func(t *testing.T, server *apiserver.Server) {
		release := server.HoldLists()
		defer release()
		set := runSet(t, server, func(o *Options) { o.Namespaces = []string{"a", "b"} })
		server.Put(pod("a", "p"))
		async.Eventually(t, "requests of both", func() bool { return len(server.Requests(Pods)) == 2 })
		release()
		set.awaitSynced()

		// Only the informer of namespace a receives something now.
		later := noon().Add(time.Hour)
		set.clock.SetTime(later)
		server.Put(pod("a", "q"))
		set.awaitCall("pod a/q added", 1)
		if health := set.healthOf(Pods); !health.LastEvent.Equal(noon()) || health.Objects != 2 {
			t.Errorf("health is %+v, want the older sign of life of the two", health)
		}
		server.Bookmark()
		async.Eventually(t, "signs of life of both", func() bool { return set.healthOf(Pods).LastEvent.Equal(later) })
	})
}

func testForbidden(t *testing.T, server *apiserver.Server) {
	server.Forbid("watch", Pods)
	server.Forbid("list", Pods)
	set := runSet(t, server)
	async.Eventually(t, "an error of pods", func() bool { return set.healthOf(Pods).Err != nil })

	t.Run("names the missing permission", func(t *testing.T) {
		health := set.healthOf(Pods)
		if health.Err.Kind != ErrorForbidden || health.Err.User != apiserver.User || health.Err.Needs.Resource != Pods {
			t.Errorf("the error is %+v", health.Err)
		}
		want := `in the API group "" in all namespaces: grant get, list, watch on pods to ` + apiserver.User + "; see deploy/"
		if text := health.Err.Error(); !strings.HasPrefix(text, "forbidden: cannot ") || !strings.HasSuffix(text, want) {
			t.Errorf("the error is %q", text)
		}
		if health.Synced || failures(health) == 0 {
			t.Errorf("health is %+v", health)
		}
	})
	t.Run("does not keep the others from syncing", func(t *testing.T) {
		async.Eventually(t, "the others synced", func() bool { return set.healthOf(Nodes).Synced && set.healthOf(DaemonSets).Synced })
	})
	t.Run("is logged once although it is retried", func(t *testing.T) {
		before := failures(set.healthOf(Pods))
		async.Eventually(t, "another attempt", func() bool { return failures(set.healthOf(Pods)) > before+1 })
		if lines := set.logs.With("reason=forbidden"); len(lines) != 1 || !strings.HasPrefix(lines[0], "level=error") {
			t.Errorf("logged %q", lines)
		}
	})
	t.Run("is logged again after a minute", func(t *testing.T) {
		set.clock.SetTime(noon().Add(61 * time.Second))
		async.Eventually(t, "another line", func() bool { return len(set.logs.With("reason=forbidden")) == 2 })
	})
	t.Run("recovers when the permission is granted", func(t *testing.T) {
		server.Allow("watch", Pods)
		server.Allow("list", Pods)
		set.awaitSynced()
		if health := set.healthOf(Pods); health.Err != nil || !health.Synced {
			t.Errorf("health is %+v", health)
		}
		if lines := set.logs.With(`msg="watch recovered" resource=pods`); len(lines) != 1 {
			t.Errorf("logged %q", lines)
		}
	})
}
