package informers_test

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
)

func resources() []string {
	return []string{informers.Nodes, informers.Pods, informers.DaemonSets}
}

func TestInitialObjectsAreStreamedInProtobuf(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	server.Put(node("n"), pod("a", "p"), daemonSet("a", "d"))
	r := run(t, server).synced()

	for _, line := range []string{"node n added", "pod a/p added", "daemonset a/d added"} {
		if r.seen.count(line) != 1 {
			t.Errorf("%q is not told once: %v", line, r.seen.all())
		}
	}
	if lines := r.seen.all(); lines[len(lines)-1] != "synced" {
		t.Errorf("synced is told before all objects: %v", lines)
	}
	for _, resource := range resources() {
		requests := server.Requests(resource)
		if len(requests) != 1 || !requests[0].Streams() {
			t.Errorf("%s: want one streamed list, got %d requests: %v", resource, len(requests), requests)
		}
		if accept := requests[0].Header.Get("Accept"); !strings.HasPrefix(accept, "application/vnd.kubernetes.protobuf") {
			t.Errorf("%s: accepts %q first", resource, accept)
		}
		if health := r.health(resource); !health.Synced || health.Objects != 1 || health.WatchErrors != 0 || health.Err != nil {
			t.Errorf("%s: health is %+v", resource, health)
		}
	}
	if !r.Synced() {
		t.Error("the set does not say that it is synced")
	}
}

func TestListIsTheFallbackWhereTheServerCannotStream(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	server.DisableStreamedLists()
	server.Put(node("n"), pod("a", "p"), daemonSet("a", "d"))
	r := run(t, server).synced()

	for _, resource := range resources() {
		if lists := server.Requests(resource, "list"); len(lists) != 1 {
			t.Errorf("%s: %d lists", resource, len(lists))
		}
		if health := r.health(resource); health.WatchErrors != 0 || health.Objects != 1 {
			t.Errorf("%s: health is %+v", resource, health)
		}
	}
	server.Put(pod("a", "later"))
	r.sees("pod a/later added")
}

func TestAServerThatIsAwayIsNotListed(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	server.Stop()
	r := run(t, server)
	for _, resource := range resources() {
		eventually(t, "a failed attempt at "+resource, func() bool { return r.health(resource).WatchErrors > 0 })
	}
	server.Start()
	r.synced()
	for _, resource := range resources() {
		if lists := server.Requests(resource, "list"); len(lists) != 0 {
			t.Errorf("%s: listed in one piece because the server was away: %v", resource, lists)
		}
	}
}

func TestNothingIsSyncedBeforeTheListHasEnded(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	server.Put(node("n"), pod("a", "p"))
	release := server.HoldLists()
	r := run(t, server)
	for _, resource := range []string{informers.Nodes, informers.Pods} {
		eventually(t, "an object of "+resource+" arrives", func() bool { return !r.health(resource).LastEvent.IsZero() })
	}
	for _, health := range r.Health() {
		if health.Synced {
			t.Errorf("%s is synced although the list goes on", health.Resource)
		}
	}
	if lines := r.seen.all(); r.Synced() || len(lines) != 0 {
		t.Errorf("the handler has been told %v", lines)
	}
	release()
	r.synced()
}

func TestOnlyPodsOfDaemonSetsLeaveTheServer(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	ofStatefulSet := pod("a", "web-0")
	ofStatefulSet.Labels["statefulset.kubernetes.io/pod-name"] = "web-0"
	ofNobody := pod("a", "lonely")
	ofNobody.Labels = nil
	server.Put(pod("a", "agent"), ofStatefulSet, ofNobody)
	r := run(t, server).synced()
	if got := r.seen.about("pod"); !slices.Equal(got, []string{"pod a/agent added"}) {
		t.Errorf("told %v", got)
	}

	t.Run("a pod that loses its label is deleted", func(t *testing.T) {
		stripped := pod("a", "agent")
		delete(stripped.Labels, appsv1.ControllerRevisionHashLabelKey)
		server.Put(stripped)
		r.sees("pod a/agent deleted")
	})
}

func TestAnEmptyPodsSelectorWatchesAllPods(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	ofNobody := pod("a", "lonely")
	ofNobody.Labels = nil
	server.Put(ofNobody)
	run(t, server, func(o *informers.Options) { o.PodsSelector = "" }).synced().sees("pod a/lonely added")
}
