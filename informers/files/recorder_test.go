package files_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	kitlog "github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// lockedHandler notes the calls of several informers.
type lockedHandler struct {
	mu sync.Mutex
	to loggingExporter
}

func (h *lockedHandler) Node(old, new *slim.Node) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.to.Node(old, new)
}

func (h *lockedHandler) Pod(old, new *slim.Pod) { h.mu.Lock(); defer h.mu.Unlock(); h.to.Pod(old, new) }
func (h *lockedHandler) Synced()                { h.mu.Lock(); defer h.mu.Unlock(); h.to.Synced() }
func (h *lockedHandler) DaemonSet(old, new *slim.DaemonSet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.to.DaemonSet(old, new)
}

// has reports whether there was a call that begins so.
func (h *lockedHandler) has(call string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, made := range h.to.calls {
		if strings.HasPrefix(made, call) {
			return true
		}
	}
	return false
}

// byResource returns the calls of each resource in their order: those of different
// resources come as they please.
func byResource(calls []string) map[string][]string {
	sorted := map[string][]string{}
	for _, call := range calls {
		resource, _, _ := strings.Cut(call, " ")
		sorted[resource] = append(sorted[resource], call)
	}
	delete(sorted, "start")
	for _, calls := range sorted { // a list has no order
		listed := 0
		for listed < len(calls) && strings.HasSuffix(calls[listed], " added, late") {
			listed++
		}
		slices.Sort(calls[:listed])
	}
	return sorted
}

// TestRecorder records informers, and plays what was recorded: it brings the same calls.
func TestRecorder(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	ds := objects.DaemonSet("agent")
	server.Put(ds, objects.Node("a"), objects.Node("b"), objects.PodOf("agent", "a"), objects.PodOf("agent", "b"))
	live := &lockedHandler{to: loggingExporter{&log{}}}
	var text bytes.Buffer
	recorder := files.NewRecorder(files.NewRecordingWriter(&text, false), clock.RealClock{}, live)
	set, err := informers.New(informers.Options{
		Config: server.Config(), Clock: clock.RealClock{}, Logger: kitlog.NewNopLogger(), Trimmed: recorder.Trimmed,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = set.Run(ctx, recorder) })
	wait := func(call string) {
		t.Helper()
		async.Eventually(t, call, func() bool { recorder.Tick(set.Health()); return live.has(call) })
	}

	wait("synced")
	server.Put(objects.PodOf("agent", "a", objects.CrashLooping(60)))
	wait("pod agent-a changed")
	server.Delete(objects.Node("b"))
	wait("node b deleted")
	server.Stop()
	stopped := time.Now()
	server.Compact() // so that everything is read again
	server.Delete(objects.PodOf("agent", "b"))
	server.Put(objects.Node("c"))
	async.Eventually(t, "LOST", func() bool {
		recorder.Tick(set.Health())
		return lost(set) && time.Since(stopped) > 1100*time.Millisecond
	})
	server.Start()
	wait("node c added, late")
	wait("pod agent-b deleted, late, missed")
	server.Put(objects.Node("d"))
	wait("node d added")
	cancel()
	running.Wait()

	if err := recorder.Err(); err != nil {
		t.Fatal(err)
	}
	recorded := text.String()
	for _, line := range []string{`"type":"SYNCED"}`, `"type":"LOST","resource":"nodes"}`, `"type":"RESTORED","resource":"pods"}`, `"type":"SYNCED","resource":"nodes"}`} {
		if !strings.Contains(recorded, line) {
			t.Errorf("%s is not in\n%s", line, recorded)
		}
	}
	events, err := read(t, strings.NewReader(recorded))
	if err != nil {
		t.Fatal(err)
	}
	played := &log{}
	player := files.NewPlayer(func(time.Time) files.Exporter { return loggingExporter{played} }, nil)
	for _, event := range events {
		player.Play(event)
	}
	if diff := cmp.Diff(byResource(live.to.calls), byResource(played.calls)); diff != "" {
		t.Errorf("(-live +played):\n%s\n%s", diff, recorded)
	}
}

// lost reports whether the watches of all resources are known to be interrupted.
func lost(set *informers.Set) bool {
	for _, health := range set.Health() {
		if health.Err == nil {
			return false
		}
	}
	return true
}

func TestRecorderKeepsSecrets(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	recorder := files.NewRecorder(files.NewRecordingWriter(&text, false), clock.RealClock{}, &lockedHandler{to: loggingExporter{&log{}}})
	pod := objects.PodOf("agent", "a", objects.Change(func(p *corev1.Pod) {
		p.Annotations = map[string]string{"note": "planted"}
		p.Spec.Containers = []corev1.Container{{Name: "c", Image: "planted", Env: []corev1.EnvVar{{Name: "TOKEN", Value: "planted"}}}}
	}))
	trimmed := slim.FromPod(pod)
	recorder.Trimmed(pod, trimmed)
	recorder.Pod(nil, trimmed)
	if err := recorder.Err(); err != nil || !strings.Contains(text.String(), `"name":"agent-a"`) || strings.Contains(text.String(), "planted") {
		t.Errorf("recorded %s, %v", &text, err)
	}
}

func TestRecorderFails(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	recorder := files.NewRecorder(files.NewRecordingWriter(failingWriter{full}, false), clock.RealClock{}, &lockedHandler{to: loggingExporter{&log{}}})
	recorder.Synced()
	if err := recorder.Err(); !errors.Is(err, full) {
		t.Errorf("the error is %v", err)
	}
}

type failingWriter struct{ error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.error }
