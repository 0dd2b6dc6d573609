package informers

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
)

func TestListWatch(t *testing.T) {
	t.Parallel()
	withServer(t, "does not list after the server was unreachable", func(t *testing.T, server *apiserver.Server) {
		server.Stop()
		set := runSet(t, server)
		set.awaitEach("failed attempt", func(h ResourceHealth) bool { return h.Errors[ErrorUnreachable] > 0 })
		server.Start()
		set.awaitSynced()
		set.expectNoLists(server)
	})
	withServer(t, "resumes a broken watch", func(t *testing.T, server *apiserver.Server) {
		set := runSet(t, server).awaitSynced()
		server.Put(pod("a", "p"))
		set.awaitCall("pod a/p added", 1)
		server.DropWatches()
		server.Put(pod("a", "later"))
		set.awaitCall("pod a/later added", 1)

		requests := server.Requests(Pods)
		if len(requests) != 3 {
			t.Fatalf("want a streamed list, a list of one object and a watch, got %v", requests)
		}
		if list := requests[1]; list.Verb != "list" || list.Query.Get("limit") != "1" || list.Query.Get("fieldSelector") != "metadata.name=p" {
			t.Errorf("the second request is %+v", list)
		}
		if last := requests[2]; last.Verb != "watch" || last.Streams() || last.Query.Get("resourceVersion") == "" {
			t.Errorf("the last request is %+v", last)
		}
		if health := set.healthOf(Pods); health.Errors[ErrorClosed] != 1 {
			t.Errorf("errors are %v", health.Errors)
		}
	})
	withServer(t, "opens a watch again that has lasted as long as it was asked for", func(t *testing.T, server *apiserver.Server) {
		set := runSet(t, server).awaitSynced()
		set.clock.SetTime(noon().Add(streamTimeout))
		server.DropWatches()
		async.Eventually(t, "another watch of each", func() bool {
			return !slices.ContainsFunc(resourceNames(), func(resource string) bool { return len(server.Requests(resource)) != 2 })
		})
		for _, health := range set.Health() {
			if failures(health) != 0 {
				t.Errorf("%s: errors are %v", health.Resource, health.Errors)
			}
		}
		set.expectNoLists(server)
	})
	withServer(t, "ends a watch that brings nothing", func(t *testing.T, server *apiserver.Server) {
		set := runSet(t, server, func(*Options) {})
		set.awaitSynced()
		release := server.HoldWatches()
		defer release()
		server.DropWatches()
		set.awaitEach("closed", func(h ResourceHealth) bool { return h.Errors[ErrorClosed] == 1 })
		for _, informer := range set.informers {
			if informer.pace.silence != 2*time.Minute || informer.pace.answer != time.Minute {
				t.Errorf("%s: waits %v for an event and %v for an answer", informer.resource.name, informer.pace.silence, informer.pace.answer)
			}
		}
	})
	t.Run("lists nothing for client-go", func(t *testing.T) {
		t.Parallel()
		lw := &listWatch{}
		if _, err := lw.List(metav1.ListOptions{}); err == nil {
			t.Error("a list returns no error")
		}
		if _, err := lw.Watch(metav1.ListOptions{}); err == nil {
			t.Error("a watch without initial events returns no error")
		}
	})
}

// expectNoLists checks that nothing but lists of one object was asked for.
func (s *testSet) expectNoLists(server *apiserver.Server) {
	s.t.Helper()
	for _, resource := range resourceNames() {
		for _, list := range server.Requests(resource, "list") {
			if list.Query.Get("limit") != "1" {
				s.t.Errorf("%s: listed: %v", resource, list.Query)
			}
		}
	}
}

// A stream that fails, in whatever way, is tried again, and nothing is listed instead.
func TestFailedStreams(t *testing.T) {
	t.Parallel()
	const attempts = 3
	for _, tc := range []struct {
		name   string
		fail   apiserver.Interceptor
		reason ErrorKind
	}{
		{"500", withCode(http.StatusInternalServerError), ErrorServer},
		{"502", withCode(http.StatusBadGateway), ErrorServer},
		{"503", withCode(http.StatusServiceUnavailable), ErrorServer},
		{"504", withCode(http.StatusGatewayTimeout), ErrorServer},
		{"403", withCode(http.StatusForbidden), ErrorForbidden},
		{"401", withCode(http.StatusUnauthorized), ErrorUnauthorized},
		{"404", withCode(http.StatusNotFound), ErrorNotFound},
		{"410", withCode(http.StatusGone), ErrorExpired},
		{"429", withCode(http.StatusTooManyRequests), ErrorThrottled},
		{"a status of the API", withStatus(apierrors.NewInternalError(fmt.Errorf("etcd is gone"))), ErrorServer},
		{"too large resource version", withStatus(tooLarge()), ErrorExpired},
		{"a page of another program", withPage, ErrorOther},
		{"a connection that is cut", cutAfter(0), ErrorUnreachable},
		{"a body that ends before the first event", cutAfter(1), ErrorClosed},
		{"a body that ends in the first event", cutAfter(9), ErrorClosed},
		{"a body that ends after the first event", cutAfter(firstEvent), ErrorClosed},
		{"a body that ends in the second event", cutAfter(firstEvent + 7), ErrorClosed},
		{"an event that cannot be decoded", garbled, ErrorOther},
	} {
		withServer(t, tc.name, func(t *testing.T, server *apiserver.Server) {
			server.Put(node("n"), node("o"), pod("a", "p"), daemonSet("a", "d"))
			left := newCountdown(attempts)
			server.Intercept(func(w http.ResponseWriter, r *http.Request, request apiserver.Request) http.ResponseWriter {
				if request.Resource == Nodes && request.Streams() && left.next() {
					return tc.fail(w, r, request)
				}
				return w
			})
			set := runSet(t, server).awaitSynced()
			if health := set.healthOf(Nodes); health.Errors[tc.reason] != attempts || failures(health) != attempts {
				t.Errorf("errors are %v, want %d of %s", health.Errors, attempts, tc.reason)
			}
			async.Eventually(t, "recovery", func() bool { return set.healthOf(Nodes).Err == nil })
			if lines := set.logs.With("reason=" + string(tc.reason)); len(lines) != 1 {
				t.Errorf("logged %q, want one line", lines)
			}
			set.expectNoLists(server)
			if streams := server.Requests(Nodes); len(streams) != attempts+1 {
				t.Errorf("%d requests", len(streams))
			}
			if calls := set.handler.callsFor("node"); len(calls) != 2 {
				t.Errorf("calls are %v", calls)
			}
		})
	}
}

func TestBackOff(t *testing.T) {
	t.Parallel()
	lw := &listWatch{pace: defaultPace()}
	lw.resetDelays()
	t.Run("grows, with jitter, up to half a minute", func(t *testing.T) {
		lower := lw.pace.firstDelay
		for range 20 {
			if delay := lw.delays.Step(); delay < lower || delay >= 2*lower {
				t.Errorf("waits %v, want from %v to twice that", delay, lower)
			}
			lower = min(2*lower, lw.pace.maxDelay)
		}
	})
	t.Run("starts over when a watch has brought something", func(t *testing.T) {
		lw.resetDelays()
		if delay := lw.delays.Step(); delay >= time.Second {
			t.Errorf("waits %v", delay)
		}
	})
	withServer(t, "is not reset by a stream that is cut after its objects", func(t *testing.T, server *apiserver.Server) {
		server.Put(node("n"))
		set := runSet(t, server)
		for _, informer := range set.informers {
			if informer.resource.name == Nodes {
				informer.stopped(t, set, server)
			}
		}
	})
}

// stopped checks how the back-off has grown once the watches of nodes were cut five times.
func (i *informer) stopped(t *testing.T, set *testSet, server *apiserver.Server) {
	t.Helper()
	set.awaitSynced()
	for cuts := range 5 {
		async.Eventually(t, "a cut watch", func() bool {
			server.DropWatches()
			return failures(set.healthOf(Nodes)) > uint64(cuts)
		})
	}
	set.stop()
	if i.delays.Duration <= i.pace.firstDelay {
		t.Errorf("the back-off is at %v", i.delays.Duration)
	}
}

// loseServer stops the server and waits until every resource has noticed.
func (s *testSet) loseServer(server *apiserver.Server) {
	s.t.Helper()
	server.Stop()
	s.awaitErrors(ErrorUnreachable)
	s.clock.SetTime(noon().Add(2 * time.Second))
}

// Whatever a watch has missed is delivered, in each way to miss something.
func TestMissedChanges(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		// interrupt breaks the watch, calls changes unseen, and heals it.
		interrupt func(set *testSet, server *apiserver.Server, changes func())
		reason    ErrorKind
		// resumed reports whether the watch resumes, and brings deletions.
		resumed bool
	}{
		{"the server was unreachable", func(set *testSet, server *apiserver.Server, changes func()) {
			set.loseServer(server)
			changes()
			server.Start()
		}, ErrorUnreachable, true},
		{"the server returned with a compacted history", func(set *testSet, server *apiserver.Server, changes func()) {
			set.loseServer(server)
			changes()
			server.Compact()
			server.Start()
		}, ErrorExpired, false},
		{"the server was restored from a backup", func(set *testSet, server *apiserver.Server, changes func()) {
			set.loseServer(server)
			server.Rewind(50)
			changes()
			server.Start()
		}, ErrorRestored, false},
		{"the server was restored, and has overtaken itself", func(set *testSet, server *apiserver.Server, changes func()) {
			set.loseServer(server)
			server.Rewind(5)
			changes()
			for range 50 {
				server.Bookmark()
			}
			server.Start()
		}, ErrorRestored, false},
		{"the version of a broken watch was compacted (410 Gone)", func(_ *testSet, server *apiserver.Server, changes func()) {
			release := server.HoldWatches()
			server.DropWatches()
			changes()
			server.Compact()
			release()
		}, ErrorExpired, false},
	} {
		for mode, prepare := range map[string]func(*apiserver.Server){
			"streamed": func(*apiserver.Server) {}, "in pages": (*apiserver.Server).DisableStreamedLists,
		} {
			withServer(t, tc.name+", "+mode, func(t *testing.T, server *apiserver.Server) {
				prepare(server)
				server.Put(node("stays"), pod("a", "goes"), pod("a", "changes"), pod("a", "recreated"), pod("a", "stays"))
				set := runSet(t, server).awaitSynced()
				server.Put(pod("a", "latest"))
				set.awaitCall("pod a/latest added", 1)
				before := len(set.handler.callsFor("pod"))

				tc.interrupt(set, server, func() {
					server.Delete(pod("a", "goes"), pod("a", "recreated"))
					changed, recreated := pod("a", "changes"), pod("a", "recreated")
					changed.Status.Phase = corev1.PodRunning
					recreated.UID = "another"
					server.Put(changed, recreated, pod("a", "new"))
				})
				gone := "missed"
				if tc.resumed {
					gone = "deleted"
				}
				for _, line := range []string{"pod a/goes " + gone, "pod a/changes updated", "pod a/recreated " + gone, "pod a/new added"} {
					set.awaitCall(line, 1)
				}
				set.awaitCall("pod a/recreated added", 2)
				calls := set.handler.callsFor("pod")[before:]
				if slices.Index(calls, "pod a/recreated "+gone) > slices.Index(calls, "pod a/recreated added") {
					t.Errorf("recreated before it was deleted: %v", calls)
				}
				async.Eventually(t, "five pods", func() bool { return set.healthOf(Pods).Objects == 5 })
				async.Eventually(t, "recovery", func() bool { return set.healthOf(Pods).Err == nil })
				if health := set.healthOf(Pods); health.Errors[tc.reason] == 0 {
					t.Errorf("errors are %v, want %s", health.Errors, tc.reason)
				}
				for _, name := range []string{"changes", "recreated", "new"} {
					set.expectLate("pod a/"+name, true)
				}
			})
		}
	}
}
