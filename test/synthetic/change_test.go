package synthetic_test

import (
	"net/http/httptest"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/synthetic"
)

// clientOf returns a client of a server.
func clientOf(t *testing.T, server *synthetic.Server) kubernetes.Interface {
	t.Helper()
	listening := httptest.NewServer(server)
	t.Cleanup(func() { listening.CloseClientConnections(); listening.Close() })
	return check.Must(kubernetes.NewForConfig(&rest.Config{
		Host: listening.URL, QPS: -1, ContentConfig: rest.ContentConfig{ContentType: runtime.ContentTypeProtobuf},
	}))(t)
}

func TestChange(t *testing.T) {
	t.Parallel()
	// A watch receives changes from its first bookmark on.
	following := func(client kubernetes.Interface, resource string) watch.Interface {
		options := metav1.ListOptions{AllowWatchBookmarks: true, ResourceVersion: "9000000000"}
		events := map[string]func() (watch.Interface, error){
			"nodes": func() (watch.Interface, error) { return client.CoreV1().Nodes().Watch(t.Context(), options) },
			"pods":  func() (watch.Interface, error) { return client.CoreV1().Pods("").Watch(t.Context(), options) },
		}[resource]
		return check.Must(events())(t)
	}
	config := synthetic.Config{Size: small(), BookmarkInterval: 20 * time.Millisecond}
	// changes returns what a watch receives of so many changes.
	changes := func(t *testing.T, resource string, count int) watch.Interface {
		t.Helper()
		server := synthetic.NewServer(config)
		events := following(clientOf(t, server), resource)
		t.Cleanup(events.Stop)
		awaitBookmark(t, events)
		check.NoError(t, server.Change(t.Context(), resource, count, 1000))
		return events
	}
	t.Run("of nodes are heartbeats", func(t *testing.T) {
		t.Parallel()
		events := changes(t, "nodes", 2)
		first := nextChange[*corev1.Node](t, events)
		second := nextChange[*corev1.Node](t, events)
		check.That(t, first.Name != second.Name, "the same node twice")
		check.That(t, first.ResourceVersion < second.ResourceVersion, "version %s, then %s", first.ResourceVersion, second.ResourceVersion)
		ready := first.Status.Conditions[len(first.Status.Conditions)-1]
		check.Equal(t, ready.Status, corev1.ConditionTrue, "Ready")
		check.That(t, ready.LastHeartbeatTime.After(ready.LastTransitionTime.Time), "no heartbeat")
	})
	t.Run("of pods take each other back", func(t *testing.T) {
		t.Parallel()
		events := changes(t, "pods", 4)
		var names []string
		for _, want := range []corev1.ConditionStatus{corev1.ConditionFalse, corev1.ConditionTrue, corev1.ConditionFalse, corev1.ConditionTrue} {
			pod := nextChange[*corev1.Pod](t, events)
			names = append(names, pod.Name)
			for _, condition := range pod.Status.Conditions {
				check.That(t, condition.Type != corev1.PodReady || condition.Status == want, "%s is Ready=%s, want %s", pod.Name, condition.Status, want)
			}
		}
		check.That(t, names[0] == names[1] && names[2] == names[3] && names[1] != names[2], "changed pods: %v", names)
	})
	t.Run("of other resources do not exist", func(t *testing.T) {
		t.Parallel()
		check.That(t, synthetic.NewServer(config).Change(t.Context(), "daemonsets", 1, 1) != nil, "no error")
	})
}

// awaitBookmark waits for the first bookmark of a watch.
func awaitBookmark(t *testing.T, events watch.Interface) {
	t.Helper()
	event := next(t, events)
	check.Equal(t, event.Type, watch.Bookmark, "the first event")
}

// nextChange returns the next object that has changed.
func nextChange[T runtime.Object](t *testing.T, events watch.Interface) T {
	t.Helper()
	event := next(t, events)
	for event.Type == watch.Bookmark {
		event = next(t, events)
	}
	object, ok := event.Object.(T)
	check.Require(t, ok && event.Type == watch.Modified, "the next event is %s %T", event.Type, event.Object)
	return object
}

func next(t *testing.T, events watch.Interface) watch.Event {
	t.Helper()
	select {
	case event := <-events.ResultChan():
		return event
	case <-time.After(10 * time.Second):
		t.Fatal("no event in ten seconds")
		return watch.Event{}
	}
}

func TestNoHistory(t *testing.T) {
	t.Parallel()
	client := clientOf(t, synthetic.NewServer(synthetic.Config{Size: small(), NoHistory: true}))
	_, err := client.CoreV1().Nodes().Watch(t.Context(), metav1.ListOptions{ResourceVersion: "9000000000"})
	check.That(t, apierrors.IsResourceExpired(err), "got %v, want that the version has expired", err)
}
