package informers

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
)

func TestSession(t *testing.T) {
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
	t.Run("a watch that is opened again at once misses nothing", func(t *testing.T) {
		t.Parallel()
		lw := &listWatch{pace: defaultPace(), watchedUntil: noon()}
		if lw.interrupted(noon().Add(time.Second)) {
			t.Error("a second is an interruption")
		}
		if !lw.interrupted(noon().Add(time.Second + time.Millisecond)) {
			t.Error("more than a second is none")
		}
	})
	for name, hang := range map[string]apiserver.Interceptor{
		"a request without a response": func(_ http.ResponseWriter, r *http.Request, _ apiserver.Request) http.ResponseWriter {
			<-r.Context().Done()
			return nil
		},
		"a response without an event": func(w http.ResponseWriter, r *http.Request, _ apiserver.Request) http.ResponseWriter {
			w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf;stream=watch")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return nil
		},
	} {
		withServer(t, name+" ends", func(t *testing.T, server *apiserver.Server) {
			server.Put(node("n"))
			lw := newTestListWatch(t, server, resourceNamed(t, Nodes))
			lw.hasten()
			lw.pace.answer, lw.pace.silence = 50*time.Millisecond, 50*time.Millisecond
			left := newCountdown(1)
			server.Intercept(func(w http.ResponseWriter, r *http.Request, request apiserver.Request) http.ResponseWriter {
				if left.next() {
					return hang(w, r, request)
				}
				return w
			})
			runListWatch(t, lw)
			async.Eventually(t, "silence", func() bool { return sumOf(Nodes, []*informerHealth{lw.health}).Errors[ErrorSilent] > 0 })
			async.Eventually(t, "the node", func() bool { return !sumOf(Nodes, []*informerHealth{lw.health}).LastEvent.IsZero() })
		})
	}
}

// Servers that cannot stream are asked for pages.
func TestPages(t *testing.T) {
	t.Parallel()
	const pods = 2*pageSize + 1
	fill := func(server *apiserver.Server) {
		server.DisableStreamedLists()
		for number := range pods {
			server.Put(pod("a", fmt.Sprintf("p-%d", number)))
		}
	}
	withServer(t, "are read one after the other", func(t *testing.T, server *apiserver.Server) {
		fill(server)
		set := runSet(t, server).awaitSynced()
		if health := set.healthOf(Pods); failures(health) != 0 || health.Objects != pods {
			t.Errorf("health is %+v", health)
		}
		expectPages(t, server.Requests(Pods, "list"), 3)
		server.Put(pod("a", "later"))
		set.awaitCall("pod a/later added", 1)
	})
	withServer(t, "are read again when the token of the next one has expired", func(t *testing.T, server *apiserver.Server) {
		fill(server)
		left := newCountdown(1)
		server.Intercept(func(w http.ResponseWriter, _ *http.Request, request apiserver.Request) http.ResponseWriter {
			if request.Query.Has("continue") && left.next() {
				server.Delete(pod("a", "p-0"))
				server.Put(pod("a", "later"))
				server.Compact()
			}
			return w
		})
		set := runSet(t, server).awaitSynced()
		if health := set.healthOf(Pods); health.Errors[ErrorExpired] != 1 || failures(health) != 1 || health.Objects != pods {
			t.Errorf("health is %+v", health)
		}
		expectPages(t, server.Requests(Pods, "list"), 2+3)
		if calls := set.handler.callsFor("pod"); len(calls) != pods {
			t.Errorf("%d calls, and the one that is gone has %d", len(calls), set.handler.count("pod a/p-0 added"))
		}
	})
}

func expectPages(t *testing.T, lists []apiserver.Request, count int) {
	t.Helper()
	if len(lists) != count {
		t.Errorf("%d pages, want %d", len(lists), count)
	}
	for _, list := range lists {
		if list.Query.Get("limit") != fmt.Sprint(pageSize) || list.Query.Get("resourceVersion") != "" {
			t.Errorf("listed %v", list.Query)
		}
	}
}

// runListWatch runs the informer of a listWatch until the test ends.
func runListWatch(t *testing.T, lw *listWatch) *informer {
	t.Helper()
	informer, err := newInformer(lw)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		informer.shared.RunWithContext(ctx)
		informer.stop()
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return informer
}
