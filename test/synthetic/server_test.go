package synthetic_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/synthetic"
)

func small() synthetic.Size {
	return synthetic.Size{Nodes: 23, DaemonSets: 5, OtherPods: 90, BrokenPercent: 20}
}

// requests records the requests to a handler.
type requests struct {
	next http.Handler

	mu   sync.Mutex
	seen []string
}

func (r *requests) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	r.seen = append(r.seen, request.URL.Path+"?"+request.URL.RawQuery)
	r.mu.Unlock()
	r.next.ServeHTTP(w, request)
}

// lists returns the number of lists of pods.
func (r *requests) lists() (count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, request := range r.seen {
		if strings.HasPrefix(request, "/api/v1/pods") && !strings.Contains(request, "watch=true") {
			count++
		}
	}
	return count
}

func serve(t *testing.T, config synthetic.Config) (*rest.Config, *requests) {
	t.Helper()
	seen := &requests{next: synthetic.NewServer(config)}
	server := httptest.NewServer(seen)
	t.Cleanup(server.Close)
	return &rest.Config{
		Host: server.URL, QPS: -1,
		ContentConfig: rest.ContentConfig{ContentType: runtime.ContentTypeProtobuf},
	}, seen
}

func TestServer(t *testing.T) {
	t.Parallel()
	for name, plain := range map[string]bool{"streams lists": false, "lists where it does not stream": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, seen := serve(t, synthetic.Config{Size: small(), NoStreamedLists: plain})
			got := syncFrom(t, config)
			size := small()
			if got.nodes != size.Nodes || got.daemonSets != size.DaemonSets || got.pods != size.DaemonSetPods() {
				t.Errorf("got %d nodes, %d DaemonSets, %d pods, want %d, %d, %d",
					got.nodes, got.daemonSets, got.pods, size.Nodes, size.DaemonSets, size.DaemonSetPods())
			}
			if broken := got.unready + size.Cells() - got.pods; broken != size.Broken() || broken == 0 {
				t.Errorf("%d cells without a working pod, want %d, not 0", broken, size.Broken())
			}
			check.Equal(t, seen.lists() > 0, plain, "whether pods were listed in", seen.seen)
		})
	}
	t.Run("serves pages", func(t *testing.T) {
		t.Parallel()
		config, _ := serve(t, synthetic.Config{Size: small()})
		client := check.Must(kubernetes.NewForConfig(config))(t)
		size := small()
		for _, selector := range []string{"", informers.DefaultPodsSelector} {
			want := size.DaemonSetPods()
			if selector == "" {
				want += size.OtherPods
			}
			names := map[string]bool{}
			options := metav1.ListOptions{LabelSelector: selector, Limit: 10}
			for {
				list := check.Must(client.CoreV1().Pods("").List(t.Context(), options))(t)
				check.Require(t, len(list.Items) <= 10, "%d pods in one page, want at most 10", len(list.Items))
				for i := range list.Items {
					names[list.Items[i].Namespace+"/"+list.Items[i].Name] = true
				}
				if options.Continue = list.Continue; options.Continue == "" {
					break
				}
			}
			check.That(t, len(names) == want, "selector %q: %d pods with different names, want %d", selector, len(names), want)
		}
	})
	t.Run("serves objects as large as real ones", func(t *testing.T) {
		t.Parallel()
		config, _ := serve(t, synthetic.Config{Size: small()})
		client := check.Must(kubernetes.NewForConfig(config))(t)
		pods := check.Must(client.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{}))(t)
		for i := range pods.Items {
			if size := pods.Items[i].Size(); size < 4<<10 || size > 9<<10 {
				t.Errorf("pod %s takes %d bytes, want 4 to 9 KiB", pods.Items[i].Name, size)
			}
		}
		nodes := check.Must(client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}))(t)
		for i := range nodes.Items {
			node := &nodes.Items[i]
			check.That(t, len(node.Status.Images) == 50 && len(node.Labels) >= 20, "node %s has %d images and %d labels, want 50 and 20", node.Name, len(node.Status.Images), len(node.Labels))
		}
		if _, err := client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(t.Context(), "a", metav1.GetOptions{}); err == nil {
			t.Error("got a lease, want none")
		}
	})
}

// handler counts the objects that the informers deliver.
type handler struct {
	mu                               sync.Mutex
	nodes, pods, unready, daemonSets int
	synced                           chan struct{}
}

func (h *handler) Node(_, _ *slim.Node) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nodes++
}

func (h *handler) Pod(_, added *slim.Pod) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pods++
	if added.Ready.Status != slim.ConditionTrue {
		h.unready++
	}
}

func (h *handler) DaemonSet(_, _ *slim.DaemonSet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.daemonSets++
}

func (h *handler) Synced() { close(h.synced) }

// syncFrom runs the exporter's informers until they have synced.
func syncFrom(t *testing.T, config *rest.Config) *handler {
	t.Helper()
	set := check.Must(informers.New(informers.Options{
		Config: config, PodsSelector: informers.DefaultPodsSelector, Clock: clock.RealClock{}, Logger: log.NewNopLogger(),
	}))(t)
	got := &handler{synced: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- set.Run(ctx, got) }()
	select {
	case <-got.synced:
	case <-ctx.Done():
		t.Error("not synced in a minute")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return got
}
