package informers_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
)

func TestBookmarksAreSignsOfLife(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	r := run(t, server).synced()
	later := start().Add(time.Hour)
	r.clock.SetTime(later)
	server.Bookmark()
	for _, resource := range resources() {
		eventually(t, "a sign of life of "+resource, func() bool { return r.health(resource).LastEvent.Equal(later) })
	}
}

func TestForbiddenNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	server.Forbid("watch", informers.Pods)
	server.Forbid("list", informers.Pods)
	r := run(t, server)
	eventually(t, "pods are forbidden", func() bool { return r.health(informers.Pods).Err != nil })

	health := r.health(informers.Pods)
	if health.Err.Kind != informers.ErrorForbidden || health.Err.User != apiserver.User || health.Err.Needs.Resource != informers.Pods {
		t.Errorf("the error is %+v", health.Err)
	}
	want := `in the API group "" in all namespaces: grant get, list, watch on pods to ` + apiserver.User + "; see deploy/"
	if text := health.Err.Error(); !strings.HasPrefix(text, "forbidden: cannot ") || !strings.HasSuffix(text, want) {
		t.Errorf("the error says %q", text)
	}
	if health.Synced || health.WatchErrors == 0 {
		t.Errorf("health is %+v", health)
	}
	eventually(t, "the other resources are synced", func() bool {
		return r.health(informers.Nodes).Synced && r.health(informers.DaemonSets).Synced
	})

	t.Run("it is logged once although it is tried again", func(t *testing.T) {
		before := r.health(informers.Pods).WatchErrors
		eventually(t, "another attempt", func() bool { return r.health(informers.Pods).WatchErrors > before+1 })
		if lines := r.logs.with("forbidden: cannot"); len(lines) != 1 || !strings.HasPrefix(lines[0], "level=error") {
			t.Errorf("logged %q", lines)
		}
	})
	t.Run("it is logged again after a minute", func(t *testing.T) {
		r.clock.SetTime(start().Add(61 * time.Second))
		eventually(t, "another line", func() bool { return len(r.logs.with("forbidden: cannot")) == 2 })
	})
	t.Run("it heals when the permission is granted", func(t *testing.T) {
		server.Allow("watch", informers.Pods)
		server.Allow("list", informers.Pods)
		r.synced()
		if health := r.health(informers.Pods); health.Err != nil || !health.Synced {
			t.Errorf("health is %+v", health)
		}
		if lines := r.logs.with("msg=\"watch recovered\" resource=pods"); len(lines) != 1 {
			t.Errorf("logged %q", lines)
		}
	})
}

func TestRejectedCredentialsAreToldApart(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	server.RejectCredentials()
	r := run(t, server)
	for _, resource := range resources() {
		eventually(t, resource+" is unauthorized", func() bool {
			err := r.health(resource).Err
			return err != nil && err.Kind == informers.ErrorUnauthorized
		})
	}
	if lines := r.logs.with("unauthorized: "); len(lines) != 1 {
		t.Errorf("one piece of news is logged as %q", lines)
	}
}

func TestAServerThatGoesAwayIsNoticed(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	server.Put(node("n"))
	r := run(t, server).synced()
	server.Stop()
	for _, resource := range resources() {
		eventually(t, resource+" is unreachable", func() bool {
			err := r.health(resource).Err
			return err != nil && err.Kind == informers.ErrorUnreachable
		})
	}
	if health := r.health(informers.Nodes); !health.Synced || health.Objects != 1 || health.WatchErrors == 0 || !health.LastEvent.Equal(start()) {
		t.Errorf("the last known state has not stayed: %+v", health)
	}
	if lines := r.logs.with("unreachable: "); len(lines) != 1 {
		t.Errorf("one piece of news is logged as %q", lines)
	}
	server.Start()
	for _, resource := range resources() {
		eventually(t, resource+" is watched again", func() bool { return r.health(resource).Err == nil })
	}
}

// client-go makes a watch that ends at once of a connection that is lost before
// the answer, and says nothing.
func TestLostConnectionsAreNotTakenForQuietWatches(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_ = connection.Close()
		}
	}()
	r := run(t, apiserver.New(t), func(o *informers.Options) { o.Config.Host = "http://" + listener.Addr().String() })
	for _, resource := range resources() {
		eventually(t, resource+" is unreachable", func() bool {
			err := r.health(resource).Err
			return err != nil && err.Kind == informers.ErrorUnreachable
		})
	}
}

func TestAWatchThatIsClosedAtOnceIsAnError(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	server.DisableStreamedLists()
	r := run(t, server).synced()
	eventually(t, "the error is counted", func() bool {
		// The watch may not be open yet.
		server.DropWatches()
		return r.health(informers.Nodes).WatchErrors > 0
	})
	if lines := r.logs.with("the watch was closed within a second"); len(lines) == 0 {
		t.Error("it is not said")
	}
}

func TestRunEndsAtOnceWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	server.Stop()
	r := run(t, server)
	// By now client-go waits seconds between attempts.
	eventually(t, "some attempts", func() bool { return r.health(informers.Pods).WatchErrors > 2 })
	stopping := time.Now()
	r.stop()
	if took := time.Since(stopping); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestASetRunsOnce(t *testing.T) {
	t.Parallel()
	r := run(t, apiserver.New(t)).synced()
	if err := r.Run(t.Context(), r.seen); err == nil {
		t.Error("a second run is not refused")
	}
}
