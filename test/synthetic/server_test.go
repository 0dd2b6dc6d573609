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
	"github.com/daemonset-exporter/daemonset_exporter/test/synthetic"
)

func small() synthetic.Size {
	return synthetic.Size{Nodes: 23, DaemonSets: 5, OtherPods: 90, BrokenPercent: 20}
}

// requests remembers which requests came.
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

// lists counts the lists among the requests for pods.
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

func TestInformersSync(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		refuses, lists bool
	}{
		"from streamed lists":                             {},
		"from plain lists where the server cannot stream": {refuses: true, lists: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, seen := serve(t, synthetic.Config{Size: small(), NoStreamedLists: test.refuses})
			got := syncFrom(t, config)
			size := small()
			if len(got.nodes) != size.Nodes || len(got.sets) != size.DaemonSets || len(got.pods) != size.DaemonSetPods() {
				t.Errorf("got %d nodes, %d DaemonSets, %d pods, want %d, %d, %d",
					len(got.nodes), len(got.sets), len(got.pods), size.Nodes, size.DaemonSets, size.DaemonSetPods())
			}
			if unready := got.unready() + size.Cells() - len(got.pods); unready != size.Broken() || unready == 0 {
				t.Errorf("%d cells without a working pod, want %d and more than none", unready, size.Broken())
			}
			if listed := seen.lists() > 0; listed != test.lists {
				t.Errorf("%d lists of pods, wanted any: %v: %q", seen.lists(), test.lists, seen.seen)
			}
		})
	}
}

func TestListComesInPieces(t *testing.T) {
	t.Parallel()
	config, _ := serve(t, synthetic.Config{Size: small()})
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	size := small()
	for _, selector := range []string{"", informers.DefaultPodsSelector} {
		want := size.DaemonSetPods()
		if selector == "" {
			want += size.OtherPods
		}
		names := map[string]bool{}
		options := metav1.ListOptions{LabelSelector: selector, Limit: 10}
		for {
			list, err := client.CoreV1().Pods("").List(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			if len(list.Items) > 10 {
				t.Fatalf("%d pods in one piece, want at most 10", len(list.Items))
			}
			for i := range list.Items {
				names[list.Items[i].Namespace+"/"+list.Items[i].Name] = true
			}
			if options.Continue = list.Continue; options.Continue == "" {
				break
			}
		}
		if len(names) != want {
			t.Errorf("selector %q: %d pods with a name of their own, want %d", selector, len(names), want)
		}
	}
}

func TestObjectsAreAsLargeAsRealOnes(t *testing.T) {
	t.Parallel()
	config, _ := serve(t, synthetic.Config{Size: small()})
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	pods, err := client.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range pods.Items {
		if size := pods.Items[i].Size(); size < 4<<10 || size > 9<<10 {
			t.Errorf("pod %s takes %d bytes, want 4 to 9 KiB", pods.Items[i].Name, size)
		}
	}
	nodes, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range nodes.Items {
		node := &nodes.Items[i]
		if len(node.Status.Images) != 50 || len(node.Labels) < 20 {
			t.Errorf("node %s has %d images and %d labels, want 50 and 20", node.Name, len(node.Status.Images), len(node.Labels))
		}
	}
	if _, err := client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(t.Context(), "a", metav1.GetOptions{}); err == nil {
		t.Error("got a lease, want none")
	}
}

// caught is what the informers handed over.
type caught struct {
	mu     sync.Mutex
	nodes  map[string]*slim.Node
	pods   map[string]*slim.Pod
	sets   map[string]*slim.DaemonSet
	synced chan struct{}
}

func (c *caught) Node(_, added *slim.Node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[added.Name] = added
}

func (c *caught) Pod(_, added *slim.Pod) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pods[added.Namespace.Value()+"/"+added.Name] = added
}

func (c *caught) DaemonSet(_, added *slim.DaemonSet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sets[added.Namespace.Value()+"/"+added.Name] = added
}

func (c *caught) Synced() { close(c.synced) }

func (c *caught) unready() (count int) {
	for _, pod := range c.pods {
		if pod.Ready.Status != slim.ConditionTrue {
			count++
		}
	}
	return count
}

// syncFrom runs the exporter's informers until they have synced, then ends them.
func syncFrom(t *testing.T, config *rest.Config) *caught {
	t.Helper()
	set, err := informers.New(informers.Options{
		Config: config, PodsSelector: informers.DefaultPodsSelector, Clock: clock.RealClock{}, Logger: log.NewNopLogger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := &caught{
		nodes: map[string]*slim.Node{}, pods: map[string]*slim.Pod{}, sets: map[string]*slim.DaemonSet{},
		synced: make(chan struct{}),
	}
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
