package informers

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
)

func resourceNamed(t *testing.T, name string) resource {
	t.Helper()
	for _, resource := range resources() {
		if resource.name == name {
			return resource
		}
	}
	t.Fatalf("%s is not watched", name)
	return resource{}
}

func TestReducing(t *testing.T) {
	t.Parallel()
	reduce := resourceNamed(t, Pods).transform
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "p"}}

	reduced, err := reduce(pod)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := reduced.(*slim.Pod); !ok || got.Name != "p" {
		t.Errorf("a pod becomes %#v", reduced)
	}
	if again, err := reduce(reduced); err != nil || again != reduced {
		t.Errorf("a record becomes %#v, %v", again, err)
	}
	if key, err := cache.MetaNamespaceKeyFunc(reduced); err != nil || key != "a/p" {
		t.Errorf("client-go takes the record for %q, %v", key, err)
	}
	if _, err := reduce(&corev1.Node{}); err == nil || !strings.Contains(err.Error(), "sent a *v1.Node instead of a *v1.Pod") {
		t.Errorf("a node among pods gives the error %v", err)
	}
	for name, object := range map[string]any{"an object": pod, "a record": reduced} {
		got, err := reduce(cache.DeletedFinalStateUnknown{Key: "a/p", Obj: object})
		tombstone, ok := got.(cache.DeletedFinalStateUnknown)
		if err != nil || !ok || tombstone.Key != "a/p" {
			t.Fatalf("a tombstone of %s becomes %#v, %v", name, got, err)
		}
		if _, ok := tombstone.Obj.(*slim.Pod); !ok {
			t.Errorf("a tombstone of %s holds %T", name, tombstone.Obj)
		}
	}
}

// The peak of memory at start depends on this: objects of a streamed list must
// not pile up until its end.
func TestStreamedObjectsAreReducedBeforeTheListEnds(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	server.Put(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}})
	release := server.HoldLists()
	defer release()

	counting := resourceNamed(t, Nodes)
	reduce, reduced := counting.transform, make(chan struct{}, 1)
	counting.transform = func(obj any) (any, error) {
		if _, whole := obj.(*corev1.Node); whole {
			reduced <- struct{}{}
		}
		return reduce(obj)
	}
	clients, err := newClients(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	client, err := clients.forVersion(counting.version)
	if err != nil {
		t.Fatal(err)
	}
	watcher, err := newInformer(&listWatch{
		client: client, resource: counting,
		health:   &informerHealth{clock: clock.RealClock{}},
		errorLog: newErrorLog(clock.RealClock{}, log.NewNopLogger()),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		watcher.shared.RunWithContext(ctx)
		watcher.stop()
	}()
	defer func() { cancel(); <-ended }()

	select {
	case <-reduced:
	case <-time.After(30 * time.Second):
		t.Fatal("the object is still whole")
	}
	if watcher.shared.HasSynced() {
		t.Error("the list has ended already")
	}
}

func TestAnAbandonedListIsWaitedForAndRefusedAfterwards(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	clients, err := newClients(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	nodes := resourceNamed(t, Nodes)
	client, err := clients.forVersion(nodes.version)
	if err != nil {
		t.Fatal(err)
	}
	from := &listWatch{client: client, resource: nodes, health: &informerHealth{clock: clock.RealClock{}}, errorLog: newErrorLog(clock.RealClock{}, log.NewNopLogger())}
	if _, err := from.List(metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	from.stop()
	if _, err := from.List(metav1.ListOptions{}); err == nil {
		t.Error("a list after the end is not refused")
	}
	if lists := server.Requests(Nodes, "list"); len(lists) != 1 {
		t.Errorf("%d lists have reached the server", len(lists))
	}
}
