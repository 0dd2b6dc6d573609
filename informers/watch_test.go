package informers

import (
	"fmt"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
)

func TestMonitoredWatch(t *testing.T) {
	t.Parallel()
	withServer(t, "a bookmark is a sign of life", func(t *testing.T, server *apiserver.Server) {
		set := runSet(t, server).awaitSynced()
		later := noon().Add(time.Hour)
		set.clock.SetTime(later)
		server.Bookmark()
		set.awaitEach("sign of life", func(h ResourceHealth) bool { return h.LastEvent.Equal(later) })
	})
	for _, streaming := range []bool{true, false} {
		withServer(t, fmt.Sprintf("what was there before is late, what comes is not (streaming: %v)", streaming), func(t *testing.T, server *apiserver.Server) {
			if !streaming {
				server.DisableStreamedLists()
			}
			server.Put(pod("a", "before"), node("before"), daemonSet("a", "before"))
			set := runSet(t, server).awaitSynced()
			server.Put(pod("a", "now"), node("now"), daemonSet("a", "now"))
			for _, what := range []string{"pod a/", "node ", "daemonset a/"} {
				set.awaitCall(what+"now added", 1)
				set.expectLate(what+"before", true)
				set.expectLate(what+"now", false)
			}
		})
	}
	withServer(t, "what was made while the server was away is late", func(t *testing.T, server *apiserver.Server) {
		set := runSet(t, server).awaitSynced()
		server.Stop()
		server.Put(pod("a", "missed"))
		server.Start()
		set.awaitCall("pod a/missed added", 1)
		set.expectLate("pod a/missed", true)
	})
	t.Run("a watch that is opened again at once misses nothing", func(t *testing.T) {
		t.Parallel()
		var lw listWatch
		lw.setWatchedUntil(noon())
		if lw.interrupted(noon().Add(time.Second)) {
			t.Error("a second is an interruption")
		}
		if !lw.interrupted(noon().Add(time.Second + time.Millisecond)) {
			t.Error("more than a second is none")
		}
	})
	withServer(t, "a watch that is closed at once is an error", func(t *testing.T, server *apiserver.Server) {
		server.DisableStreamedLists()
		set := runSet(t, server).awaitSynced()
		async.Eventually(t, "a counted error", func() bool {
			// The watch may not be open yet.
			server.DropWatches()
			return set.healthOf(Nodes).WatchErrors > 0
		})
		if lines := set.logs.With("the watch was closed within a second"); len(lines) == 0 {
			t.Errorf("logged %q", set.logs.With(""))
		}
	})
}
