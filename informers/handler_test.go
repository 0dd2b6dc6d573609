package informers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestHandler(t *testing.T) {
	t.Parallel()
	withServer(t, "is called in the order of the changes", func(t *testing.T, server *apiserver.Server) {
		set := runSet(t, server).awaitSynced()
		agent := pod("a", "agent")
		server.Put(agent)
		agent.Status.Phase = corev1.PodRunning
		server.Put(agent)
		agent.Status.Phase = corev1.PodFailed
		server.Delete(agent)
		set.awaitCall("pod a/agent deleted", 1)
		async.Eventually(t, "the last state in the deletion", func() bool {
			set.handler.mu.Lock()
			defer set.handler.mu.Unlock()
			return set.handler.lastPod.Phase == slim.PodFailed
		})
		server.Put(agent)
		set.awaitCall("pod a/agent added", 2)
		want := []string{"pod a/agent added", "pod a/agent updated", "pod a/agent deleted", "pod a/agent added"}
		check.Equal(t, set.handler.callsFor("pod"), want, "calls")
	})
	withServer(t, "is not called by a relist for what has not changed", func(t *testing.T, server *apiserver.Server) {
		server.Put(pod("a", "stays"))
		set := runSet(t, server).awaitSynced()
		set.loseServer(server)
		server.Start()
		server.Put(pod("a", "new"))
		set.awaitCall("pod a/new added", 1)
		check.Equal(t, set.handler.callsFor("pod"), []string{"pod a/stays added", "pod a/new added"}, "calls")
		check.Equal(t, set.handler.count("synced"), 1, "calls of Synced")
	})
}
