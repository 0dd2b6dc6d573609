package informers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	testclock "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
)

// noon is the first time of every test's clock.
func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// resourceNames returns the names of the watched resources.
func resourceNames() []string { return []string{Nodes, Pods, DaemonSets} }

// withServer runs a parallel subtest with an API server of its own.
func withServer(t *testing.T, name string, test func(t *testing.T, server *apiserver.Server)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		test(t, apiserver.New(t))
	})
}

// testSet is a running Set.
type testSet struct {
	*Set
	t       *testing.T
	clock   *testclock.FakePassiveClock
	handler *testHandler
	logs    *async.Buffer
	// stop ends the Set and waits for that.
	stop func()
}

// runSet starts a Set; change adapts its options.
func runSet(t *testing.T, server *apiserver.Server, change ...func(*Options)) *testSet {
	t.Helper()
	s := &testSet{t: t, clock: testclock.NewFakePassiveClock(noon()), handler: &testHandler{}, logs: &async.Buffer{}}
	options := Options{
		Config: protobuf(server.Config()), PodsSelector: DefaultPodsSelector,
		Clock: s.clock, Logger: log.NewLogfmtLogger(s.logs),
	}
	for _, adapt := range change {
		adapt(&options)
	}
	set, err := New(options)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	s.Set = set
	for _, informer := range set.informers {
		informer.hasten()
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- set.Run(ctx, s.handler) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(async.Patience):
			t.Error("Run has not returned")
		}
	})
	t.Cleanup(s.stop)
	return s
}

// hasten makes a listWatch try again at once.
func (lw *listWatch) hasten() {
	lw.pace.firstDelay, lw.pace.maxDelay = 5*time.Millisecond, 20*time.Millisecond
	lw.resetDelays()
}

// failures returns how many requests for a resource have failed.
func failures(of ResourceHealth) uint64 {
	total := uint64(0)
	for _, count := range of.Errors {
		total += count
	}
	return total
}

func resourceNamed(t *testing.T, name string) resource {
	t.Helper()
	all := resources()
	return all[slices.IndexFunc(all, func(r resource) bool { return r.name == name })]
}

func newTestListWatch(t *testing.T, server *apiserver.Server, resource resource) *listWatch {
	t.Helper()
	clients, err := newClients(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	client, err := clients.forVersion(resource.version)
	if err != nil {
		t.Fatal(err)
	}
	health := newInformerHealth(clock.RealClock{})
	return &listWatch{
		client: client, resource: resource, health: health, pace: defaultPace(), access: newAccess(health, nil),
		errorLog: newErrorLog(clock.RealClock{}, log.NewNopLogger()),
	}
}

func protobuf(config *rest.Config) *rest.Config {
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	return config
}

// awaitSynced waits for the call of Handler.Synced.
func (s *testSet) awaitSynced() *testSet {
	s.t.Helper()
	s.awaitCall("synced", 1)
	return s
}

// awaitCall waits until the Handler has been called that often with that line.
func (s *testSet) awaitCall(line string, times int) {
	s.t.Helper()
	async.Eventually(s.t, fmt.Sprintf("%d calls: %s", times, line), func() bool { return s.handler.count(line) == times })
}

// expectLate checks whether the last version of an object was late.
func (s *testSet) expectLate(object string, want bool) {
	s.t.Helper()
	s.handler.mu.Lock()
	defer s.handler.mu.Unlock()
	if got, known := s.handler.late[object]; got != want || !known {
		s.t.Errorf("%s is late: %v, want %v (known: %v)", object, got, want, known)
	}
}

// awaitErrors waits until every resource has an error of that kind.
func (s *testSet) awaitErrors(kind ErrorKind) {
	s.t.Helper()
	s.awaitEach(string(kind), func(h ResourceHealth) bool { return h.Err != nil && h.Err.Kind == kind })
}

// awaitEach waits for a condition of the health of every resource.
func (s *testSet) awaitEach(what string, holds func(ResourceHealth) bool) {
	s.t.Helper()
	for _, resource := range resourceNames() {
		async.Eventually(s.t, resource+": "+what, func() bool { return holds(s.healthOf(resource)) })
	}
}

func (s *testSet) healthOf(resource string) ResourceHealth {
	s.t.Helper()
	for _, health := range s.Health() {
		if health.Resource == resource {
			return health
		}
	}
	s.t.Fatalf("no health of %s", resource)
	return ResourceHealth{}
}

// testHandler is a Handler that keeps a line per call: "node n updated", "pod a/x
// deleted", "pod a/x missed" for a deletion that was missed, "synced".
type testHandler struct {
	mu      sync.Mutex
	lines   []string
	lastPod *slim.Pod
	// late reports of each object whether its last version was late.
	late map[string]bool
}

func (h *testHandler) Node(old, new *slim.Node)           { appendCall(h, "node", old, new) }
func (h *testHandler) DaemonSet(old, new *slim.DaemonSet) { appendCall(h, "daemonset", old, new) }

func (h *testHandler) Pod(old, new *slim.Pod) {
	pod := appendCall(h, "pod", old, new)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastPod = pod
}

func (h *testHandler) Synced() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, "synced")
}

func appendCall[T any](h *testHandler, what string, old, new *T) *T {
	object, verb := new, "updated"
	switch {
	case old == nil:
		verb = "added"
	case new == nil:
		object, verb = old, "deleted"
	}
	if pod, ok := any(object).(*slim.Pod); ok && pod.DeletionMissed {
		verb = "missed"
	}
	name, err := cache.MetaNamespaceKeyFunc(object)
	if err != nil {
		name = err.Error()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, fmt.Sprintf("%s %s %s", what, name, verb))
	if h.late == nil {
		h.late = map[string]bool{}
	}
	h.late[what+" "+name] = isLate(object)
	return object
}

func isLate(object any) bool {
	switch object := object.(type) {
	case *slim.Node:
		return object.Late
	case *slim.Pod:
		return object.Late
	case *slim.DaemonSet:
		return object.Late
	default:
		return false
	}
}

func (h *testHandler) calls() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.lines)
}

// callsFor returns the calls of one method.
func (h *testHandler) callsFor(what string) []string {
	return slices.DeleteFunc(h.calls(), func(line string) bool { return !strings.HasPrefix(line, what+" ") })
}

func (h *testHandler) count(line string) int {
	return len(slices.DeleteFunc(h.calls(), func(other string) bool { return other != line }))
}

func node(name string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}
}

// pod returns a pod with the label of the DaemonSet controller.
func pod(namespace, name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: types.UID(namespace + name),
		Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: "1"},
	}}
}

func daemonSet(namespace, name string) *appsv1.DaemonSet {
	return &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + name)}}
}
