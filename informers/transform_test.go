package informers

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestTransform(t *testing.T) {
	t.Parallel()
	transform := resourceNamed(t, Pods).transform
	trimmed := check.Must(transform(pod("a", "p")))(t)
	t.Run("trims an object", func(t *testing.T) {
		if got, ok := trimmed.(*slim.Pod); !ok || got.Name != "p" {
			t.Errorf("a pod becomes %#v", trimmed)
		}
		if key, err := cache.MetaNamespaceKeyFunc(trimmed); err != nil || key != "a/p" {
			t.Errorf("its key is %q, %v", key, err)
		}
	})
	t.Run("returns a slim object as it is", func(t *testing.T) {
		if again, err := transform(trimmed); err != nil || again != trimmed {
			t.Errorf("a slim pod becomes %#v, %v", again, err)
		}
	})
	t.Run("refuses an object of another type", func(t *testing.T) {
		if _, err := transform(node("n")); err == nil || !strings.Contains(err.Error(), "sent a *v1.Node instead of a *v1.Pod") {
			t.Errorf("the error is %v", err)
		}
	})
	for name, object := range map[string]any{"an object": pod("a", "p"), "a slim object": trimmed} {
		t.Run("trims the tombstone of "+name, func(t *testing.T) {
			got, err := transform(cache.DeletedFinalStateUnknown{Key: "a/p", Obj: object})
			tombstone, ok := got.(cache.DeletedFinalStateUnknown)
			if err != nil || !ok || tombstone.Key != "a/p" {
				t.Fatalf("it becomes %#v, %v", got, err)
			}
			if _, ok := tombstone.Obj.(*slim.Pod); !ok {
				t.Errorf("it holds %T", tombstone.Obj)
			}
		})
	}
	// The peak of memory at start depends on this.
	withServer(t, "trims streamed objects before the list ends", func(t *testing.T, server *apiserver.Server) {
		server.Put(node("n"))
		release := server.HoldLists()
		defer release()
		nodes, trimmed := resourceNamed(t, Nodes), make(chan struct{}, 1)
		transform := nodes.transform
		nodes.transform = func(obj any) (any, error) {
			if _, whole := obj.(*corev1.Node); whole {
				trimmed <- struct{}{}
			}
			return transform(obj)
		}
		informer := check.Must(newInformer(newTestListWatch(t, server, nodes)))(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			informer.shared.RunWithContext(ctx)
			informer.stop()
		}()
		defer func() { cancel(); <-ended }()
		select {
		case <-trimmed:
		case <-time.After(async.Patience):
			t.Fatal("the object has not been trimmed")
		}
		check.That(t, !informer.shared.HasSynced(), "the list has ended already")
	})
}
