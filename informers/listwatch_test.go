package informers

import (
	"slices"
	"testing"

	"github.com/go-kit/log"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
)

func TestListWatch(t *testing.T) {
	t.Parallel()
	withServer(t, "falls back to a list if the server cannot stream", func(t *testing.T, server *apiserver.Server) {
		server.DisableStreamedLists()
		server.Put(node("n"), pod("a", "p"), daemonSet("a", "d"))
		set := runSet(t, server).awaitSynced()
		for _, resource := range resourceNames() {
			if lists := server.Requests(resource, "list"); len(lists) != 1 {
				t.Errorf("%s: %d lists", resource, len(lists))
			}
			if health := set.healthOf(resource); health.WatchErrors != 0 || health.Objects != 1 {
				t.Errorf("%s: health is %+v", resource, health)
			}
		}
		server.Put(pod("a", "later"))
		set.awaitCall("pod a/later added", 1)
	})
	withServer(t, "does not list after the server was unreachable", func(t *testing.T, server *apiserver.Server) {
		server.Stop()
		set := runSet(t, server)
		set.awaitEach("failed attempt", func(h ResourceHealth) bool { return h.WatchErrors > 0 })
		server.Start()
		set.awaitSynced()
		for _, resource := range resourceNames() {
			if lists := server.Requests(resource, "list"); len(lists) != 0 {
				t.Errorf("%s: listed: %v", resource, lists)
			}
		}
	})
	withServer(t, "answers the list that follows a lost stream itself", func(t *testing.T, server *apiserver.Server) {
		lw := newTestListWatch(t, server, resourceNamed(t, Nodes))
		server.Stop()
		if _, err := lw.Watch(metav1.ListOptions{SendInitialEvents: new(true)}); err == nil {
			t.Fatal("streaming from a stopped server returns no error")
		}
		server.Start()
		if _, err := lw.List(metav1.ListOptions{}); err == nil || len(server.Requests(Nodes)) != 0 {
			t.Errorf("the list returns %v after the requests %v", err, server.Requests(Nodes))
		}
	})
	withServer(t, "resumes a broken watch", func(t *testing.T, server *apiserver.Server) {
		set := runSet(t, server).awaitSynced()
		// client-go resumes only watches that have delivered something.
		server.Put(pod("a", "p"))
		set.awaitCall("pod a/p added", 1)
		server.DropWatches()
		server.Put(pod("a", "later"))
		set.awaitCall("pod a/later added", 1)

		requests := server.Requests(Pods)
		last := requests[len(requests)-1]
		if len(requests) != 2 || last.Verb != "watch" || last.Streams() || last.Query.Get("resourceVersion") == "" {
			t.Errorf("want a streamed list and a watch that resumes, got %v", requests)
		}
	})
	withServer(t, "refuses lists after stop", func(t *testing.T, server *apiserver.Server) {
		lw := newTestListWatch(t, server, resourceNamed(t, Nodes))
		if _, err := lw.List(metav1.ListOptions{}); err != nil {
			t.Fatal(err)
		}
		lw.stop()
		if _, err := lw.List(metav1.ListOptions{}); err == nil {
			t.Error("a list after stop returns no error")
		}
		if lists := server.Requests(Nodes, "list"); len(lists) != 1 {
			t.Errorf("%d lists have reached the server", len(lists))
		}
	})
}

// loseServer stops the server and waits until every resource has noticed.
func (s *testSet) loseServer(server *apiserver.Server) {
	s.t.Helper()
	server.Stop()
	s.awaitErrors(ErrorUnreachable)
}

// A relist delivers what a watch has missed, in each way to miss something.
func TestListWatchRelist(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		// interrupt breaks the watch, calls changes unseen, and heals it.
		interrupt func(set *testSet, server *apiserver.Server, changes func())
	}{
		{"after the server was unreachable", func(set *testSet, server *apiserver.Server, changes func()) {
			set.loseServer(server)
			changes()
			server.Start()
		}},
		{"after the server returned with a compacted history", func(set *testSet, server *apiserver.Server, changes func()) {
			set.loseServer(server)
			changes()
			server.Compact()
			server.Start()
		}},
		{"after the server was restored from a backup", func(set *testSet, server *apiserver.Server, changes func()) {
			set.loseServer(server)
			server.Rewind(50)
			changes()
			server.Start()
		}},
		{"after the version of a broken watch was compacted (410 Gone)", func(_ *testSet, server *apiserver.Server, changes func()) {
			release := server.HoldWatches()
			server.DropWatches()
			changes()
			server.Compact()
			release()
		}},
	} {
		for mode, prepare := range map[string]func(*apiserver.Server){
			"streamed": func(*apiserver.Server) {}, "listed": (*apiserver.Server).DisableStreamedLists,
		} {
			withServer(t, tc.name+", "+mode, func(t *testing.T, server *apiserver.Server) {
				prepare(server)
				server.Put(node("stays"), pod("a", "goes"), pod("a", "changes"), pod("a", "recreated"), pod("a", "stays"))
				set := runSet(t, server).awaitSynced()
				// client-go resumes only watches that have delivered something.
				server.Put(pod("a", "latest"))
				set.awaitCall("pod a/latest added", 1)
				before := len(set.handler.callsFor("pod"))

				tc.interrupt(set, server, func() {
					server.Delete(pod("a", "goes"))
					changed, recreated := pod("a", "changes"), pod("a", "recreated")
					changed.Status.Phase = corev1.PodRunning
					recreated.UID = "another"
					server.Put(changed, recreated, pod("a", "new"))
				})
				for _, line := range []string{"pod a/goes missed", "pod a/changes updated", "pod a/recreated missed", "pod a/new added"} {
					set.awaitCall(line, 1)
				}
				set.awaitCall("pod a/recreated added", 2)
				calls := set.handler.callsFor("pod")[before:]
				if slices.Index(calls, "pod a/recreated missed") > slices.Index(calls, "pod a/recreated added") {
					t.Errorf("recreated before it was deleted: %v", calls)
				}
				async.Eventually(t, "five pods", func() bool { return set.healthOf(Pods).Objects == 5 })
				if health := set.healthOf(Pods); health.WatchErrors == 0 || health.Err != nil {
					t.Errorf("health is %+v", health)
				}
			})
		}
	}
}

func resourceNamed(t *testing.T, name string) resource {
	t.Helper()
	all := resources()
	return all[slices.IndexFunc(all, func(r resource) bool { return r.name == name })]
}

func newTestListWatch(t *testing.T, server *apiserver.Server, resource resource) *listWatch {
	t.Helper()
	clients, err := newClients(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	client, err := clients.forVersion(resource.version)
	if err != nil {
		t.Fatal(err)
	}
	return &listWatch{
		client: client, resource: resource,
		health: &informerHealth{clock: clock.RealClock{}}, errorLog: newErrorLog(clock.RealClock{}, log.NewNopLogger()),
	}
}
