package informers

import (
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
