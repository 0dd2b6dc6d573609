//go:build linux

package faults

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
	"github.com/daemonset-exporter/daemonset_exporter/test/synthetic"
)

// world is a cluster whose truth is known.
type world interface {
	url() string
	// change makes the next change, if the world has any.
	change()
	// truth returns how many nodes are expected and how many are covered.
	truth() counts
}

type counts struct{ expected, covered float64 }

func countsOf(samples exporter.Samples) counts {
	return counts{samples.Sum("daemonset_expected_nodes", nil), samples.Sum("daemonset_covered_nodes", nil)}
}

// still is a large cluster in which nothing changes.
type still struct {
	size   synthetic.Size
	server *httptest.Server
}

func newStill(t *testing.T, streams bool) *still {
	t.Helper()
	size := synthetic.Size{Nodes: 300, DaemonSets: 10, BrokenPercent: 5}
	if *long {
		size.Nodes, size.DaemonSets = 1000, 12
	}
	server := httptest.NewServer(synthetic.NewServer(synthetic.Config{Size: size, NoStreamedLists: !streams}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return &still{size, server}
}

func (s *still) url() string { return s.server.URL }
func (s *still) change()     {}
func (s *still) truth() counts {
	return counts{float64(s.size.Cells()), float64(s.size.Cells() - s.size.Broken())}
}

// failing is a cluster of a DaemonSet whose pods fail one after the other.
type failing struct {
	server *apiserver.Server

	mu     sync.Mutex
	failed int
}

// failingNodes is the number of its nodes: more than can fail in a minute.
const failingNodes = 300

func newFailing(t *testing.T) *failing {
	t.Helper()
	f := &failing{server: apiserver.New(t)}
	f.server.Put(agent())
	for number := range failingNodes {
		f.server.Put(objects.Node(nodeName(number), objects.Created(-9000), objects.Ready(-8990)), f.pod(number, objects.Ready(-6990)))
	}
	return f
}

func agent() *appsv1.DaemonSet { return objects.DaemonSet("agent", objects.Created(-9000)) }

func nodeName(number int) string { return fmt.Sprintf("n%04d", number) }

func (f *failing) pod(number int, state objects.Option) *corev1.Pod {
	return objects.Pod(nodeName(number)+"-1", objects.On(nodeName(number)), objects.OwnedBy(agent()),
		objects.Created(-7000), objects.Scheduled(-7000), objects.StartTime(-7000), state)
}

// grow gives the last pod, which never fails, annotations of a mebibyte and a half, as
// much as etcd takes.
func (f *failing) grow() {
	pod := f.pod(failingNodes-1, objects.Ready(-6990))
	pod.Annotations = map[string]string{"example.com/large": strings.Repeat("x", 3<<19-4096)}
	f.server.Put(pod)
}

func (f *failing) url() string { return f.server.URL() }

func (f *failing) change() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed < failingNodes-1 {
		f.server.Put(f.pod(f.failed, objects.NotReady(0)))
		f.failed++
	}
}

func (f *failing) truth() counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return counts{failingNodes, float64(failingNodes - f.failed)}
}
