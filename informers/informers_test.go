package informers

import (
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestSet(t *testing.T) {
	t.Parallel()
	withServer(t, "streams the initial objects in protobuf", func(t *testing.T, server *apiserver.Server) {
		server.Put(node("n"), pod("a", "p"), daemonSet("a", "d"))
		set := runSet(t, server).awaitSynced()

		for _, line := range []string{"node n added", "pod a/p added", "daemonset a/d added"} {
			check.That(t, set.handler.count(line) == 1, "want one call %q: %v", line, set.handler.calls())
		}
		if calls := set.handler.calls(); calls[len(calls)-1] != "synced" {
			t.Errorf("Synced is called before all objects: %v", calls)
		}
		for _, resource := range resourceNames() {
			requests := server.Requests(resource)
			check.That(t, len(requests) == 1 && requests[0].Streams(), "%s: want one streamed list, got %d requests: %v", resource, len(requests), requests)
			if accept := requests[0].Header.Get("Accept"); !strings.HasPrefix(accept, "application/vnd.kubernetes.protobuf") {
				t.Errorf("%s: accepts %q first", resource, accept)
			}
			if health := set.healthOf(resource); !health.Synced || health.Objects != 1 || failures(health) != 0 || health.Err != nil {
				t.Errorf("%s: health is %+v", resource, health)
			}
		}
		check.That(t, set.Synced(), "Synced is false")
		check.Len(t, set.logs.With(`level=info msg="informer caches synced" nodes=1 pods=1 daemonsets=1`), 1, "of", set.logs)
	})
	withServer(t, "is not synced before the lists have ended", func(t *testing.T, server *apiserver.Server) {
		server.Put(node("n"), pod("a", "p"))
		release := server.HoldLists()
		set := runSet(t, server)
		for _, resource := range []string{Nodes, Pods} {
			async.Eventually(t, "an object of "+resource, func() bool { return !set.healthOf(resource).LastEvent.IsZero() })
		}
		for _, health := range set.Health() {
			check.That(t, !health.Synced, "%s is synced before its list has ended", health.Resource)
		}
		if calls := set.handler.calls(); set.Synced() || len(calls) != 0 {
			t.Errorf("synced %v, calls %v", set.Synced(), calls)
		}
		release()
		set.awaitSynced()
	})
	withServer(t, "runs once", func(t *testing.T, server *apiserver.Server) {
		set := runSet(t, server).awaitSynced()
		if err := set.Run(t.Context(), set.handler); err == nil {
			t.Error("a second Run returns no error")
		}
	})
	withServer(t, "stops at once while the server is unreachable", func(t *testing.T, server *apiserver.Server) {
		server.Stop()
		set := runSet(t, server)
		// By now client-go waits seconds between attempts.
		async.Eventually(t, "some attempts", func() bool { return failures(set.healthOf(Pods)) > 2 })
		stopping := time.Now()
		set.stop()
		if took := time.Since(stopping); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
