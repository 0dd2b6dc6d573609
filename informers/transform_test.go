package informers

import (
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
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)
	transform := resourceNamed(t, Pods).transform(store)
	trimmed, err := transform(pod("a", "p"))
	if err != nil {
		t.Fatal(err)
	}
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
	t.Run("keeps one copy of what arrives again", func(t *testing.T) {
		held, changed, reused := slimPod(t, transform, "1", ""), slimPod(t, transform, "2", ""), slimPod(t, transform, "1", "node")
		if err := store.Add(held); err != nil {
			t.Fatal(err)
		}
		for name, tc := range map[string]struct {
			version, node string
			late          bool
			want          *slim.Pod
		}{
			"the same":                     {"1", "", true, held},
			"another version":              {"2", "", true, changed},
			"a version that is used again": {"1", "node", true, reused},
			"an event":                     {"1", "", false, slimPod(t, transform, "1", "")},
		} {
			object := versioned(tc.version, tc.node)
			if tc.late {
				slim.MarkLate(object)
			}
			got, err := transform(object)
			if err != nil {
				t.Fatal(err)
			}
			if (got == held) != (tc.want == held) {
				t.Errorf("%s: the pod that is held is kept: %v", name, got == held)
			}
			if pod, ok := got.(*slim.Pod); !ok || pod.NodeName != tc.want.NodeName || !pod.SameVersion(&tc.want.Meta) {
				t.Errorf("%s: it becomes %+v", name, got)
			}
		}
	})
	// The peak of memory at start depends on this.
	withServer(t, "trims streamed objects before the list ends", func(t *testing.T, server *apiserver.Server) {
		server.Put(node("n"))
		release := server.HoldLists()
		defer release()
		nodes, trimmed := resourceNamed(t, Nodes), make(chan struct{}, 1)
		transform := nodes.transform
		nodes.transform = func(store cache.Store) cache.TransformFunc {
			transform := transform(store)
			return func(obj any) (any, error) {
				if _, whole := obj.(*corev1.Node); whole {
					trimmed <- struct{}{}
				}
				return transform(obj)
			}
		}
		informer := runListWatch(t, newTestListWatch(t, server, nodes))
		select {
		case <-trimmed:
		case <-time.After(async.Patience):
			t.Fatal("the object has not been trimmed")
		}
		check.That(t, !informer.shared.HasSynced(), "the list has ended already")
	})
}

func versioned(version, node string) *corev1.Pod {
	made := pod("a", "p")
	made.ResourceVersion, made.Spec.NodeName = version, node
	return made
}

func slimPod(t *testing.T, transform cache.TransformFunc, version, node string) *slim.Pod {
	t.Helper()
	made, err := transform(versioned(version, node))
	if err != nil {
		t.Fatal(err)
	}
	pod, ok := made.(*slim.Pod)
	if !ok {
		t.Fatalf("a pod becomes a %T", made)
	}
	return pod
}
