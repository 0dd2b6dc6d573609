package informers_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
)

func TestChangesArriveInOrder(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	r := run(t, server).synced()
	agent := pod("a", "agent")
	server.Put(agent)
	agent.Status.Phase = corev1.PodRunning
	server.Put(agent)
	agent.Status.Phase = corev1.PodFailed
	server.Delete(agent)
	server.Put(agent)
	r.sees("pod a/agent deleted")
	eventually(t, "the pod is there again", func() bool { return r.seen.count("pod a/agent added") == 2 })

	want := []string{"pod a/agent added", "pod a/agent updated", "pod a/agent deleted", "pod a/agent added"}
	if got := r.seen.about("pod"); !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	if phase := r.seen.pods[2].Phase; phase != slim.PodFailed {
		t.Errorf("the deletion tells phase %d instead of the last state of all", phase)
	}
}

func TestABrokenWatchResumesWhereItWas(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	r := run(t, server).synced()
	// client-go resumes only watches that have brought something.
	server.Put(pod("a", "p"))
	r.sees("pod a/p added")
	server.DropWatches()
	server.Put(pod("a", "later"))
	r.sees("pod a/later added")

	requests := server.Requests(informers.Pods)
	last := requests[len(requests)-1]
	if len(requests) != 2 || last.Verb != "watch" || last.Streams() || last.Query.Get("resourceVersion") == "" {
		t.Errorf("want a streamed list and a watch that resumes, got %v", requests)
	}
}

// interruption is a way in which a watch can miss changes.
type interruption struct {
	name string
	// interrupt breaks the watch, makes changes behind its back, and heals it.
	interrupt func(r *running, server *apiserver.Server, changes func())
}

func interruptions() []interruption {
	return []interruption{
		{"the server goes away and comes back with its history", func(r *running, server *apiserver.Server, changes func()) {
			r.loses(server)
			changes()
			server.Start()
		}},
		{"the server comes back with a compacted history", func(r *running, server *apiserver.Server, changes func()) {
			r.loses(server)
			changes()
			server.Compact()
			server.Start()
		}},
		{"the server comes back with an older state, restored from a backup", func(r *running, server *apiserver.Server, changes func()) {
			r.loses(server)
			server.Rewind(50)
			changes()
			server.Start()
		}},
		{"the watch breaks and its version is compacted meanwhile (410 Gone)", func(_ *running, server *apiserver.Server, changes func()) {
			release := server.HoldWatches()
			server.DropWatches()
			changes()
			server.Compact()
			release()
		}},
	}
}

// loses stops the server and waits until that is noticed.
func (r *running) loses(server *apiserver.Server) {
	r.t.Helper()
	server.Stop()
	for _, resource := range resources() {
		eventually(r.t, resource+" is unreachable", func() bool { return r.health(resource).Err != nil })
	}
}

func TestWhatAWatchMissedArrivesWithTheRelist(t *testing.T) {
	t.Parallel()
	for _, stream := range []bool{true, false} {
		for _, interruption := range interruptions() {
			name := interruption.name + ", lists are streamed"
			if !stream {
				name = interruption.name + ", lists are whole"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				server := apiserver.New(t)
				if !stream {
					server.DisableStreamedLists()
				}
				server.Put(node("stays"), pod("a", "goes"), pod("a", "changes"), pod("a", "recreated"), pod("a", "stays"))
				r := run(t, server).synced()
				// client-go resumes only watches that have brought something.
				server.Put(pod("a", "latest"))
				r.sees("pod a/latest added")
				before := len(r.seen.about("pod"))

				interruption.interrupt(r, server, func() {
					server.Delete(pod("a", "goes"))
					changed, recreated := pod("a", "changes"), pod("a", "recreated")
					changed.Status.Phase = corev1.PodRunning
					recreated.UID = "another"
					server.Put(changed, recreated, pod("a", "new"))
				})
				for _, line := range []string{"pod a/goes deleted", "pod a/changes updated", "pod a/recreated deleted", "pod a/new added"} {
					r.sees(line)
				}
				eventually(t, "the recreated pod is there", func() bool { return r.seen.count("pod a/recreated added") == 2 })
				told := r.seen.about("pod")[before:]
				if first, second := slices.Index(told, "pod a/recreated deleted"), slices.Index(told, "pod a/recreated added"); first > second {
					t.Errorf("recreated before it was deleted: %v", told)
				}
				eventually(t, "five pods are counted", func() bool { return r.health(informers.Pods).Objects == 5 })
				if health := r.health(informers.Pods); health.WatchErrors == 0 || health.Err != nil {
					t.Errorf("health is %+v", health)
				}
			})
		}
	}
}

func TestARelistDoesNotRepeatWhatHasNotChanged(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	server.Put(pod("a", "stays"))
	r := run(t, server).synced()
	r.loses(server)
	server.Start()
	server.Put(pod("a", "new"))
	r.sees("pod a/new added")
	if got := r.seen.about("pod"); !slices.Equal(got, []string{"pod a/stays added", "pod a/new added"}) {
		t.Errorf("told %v", got)
	}
	if count := r.seen.count("synced"); count != 1 {
		t.Errorf("synced is told %d times", count)
	}
}
