package informers_test

import (
	"bytes"
	"context"
	"fmt"
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
	testclock "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
)

// patience is how long a test waits for what must come. client-go waits up to
// two seconds before its first retry.
const patience = 30 * time.Second

// start is what every test's clock shows at first.
func start() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// running is a Set that runs against an apiserver.Server.
type running struct {
	*informers.Set
	t     *testing.T
	clock *testclock.FakePassiveClock
	seen  *journal
	logs  *logs
	// stop ends the Set and waits for it.
	stop func()
}

// run starts a Set; change adapts its options.
func run(t *testing.T, server *apiserver.Server, change ...func(*informers.Options)) *running {
	t.Helper()
	r := &running{t: t, clock: testclock.NewFakePassiveClock(start()), seen: &journal{}, logs: &logs{}}
	options := informers.Options{
		Config:       protobuf(server.Config()),
		PodsSelector: informers.DefaultPodsSelector,
		Clock:        r.clock,
		Logger:       log.NewLogfmtLogger(r.logs),
	}
	for _, adapt := range change {
		adapt(&options)
	}
	set, err := informers.New(options)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	r.Set = set
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- set.Run(ctx, r.seen) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run has not returned")
		}
	})
	t.Cleanup(r.stop)
	return r
}

func protobuf(config *rest.Config) *rest.Config {
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	return config
}

// synced waits until the handler knows everything.
func (r *running) synced() *running {
	r.t.Helper()
	eventually(r.t, "the handler is told that it knows everything", func() bool { return r.seen.count("synced") == 1 })
	return r
}

// health is the health of one resource.
func (r *running) health(resource string) informers.ResourceHealth {
	r.t.Helper()
	for _, health := range r.Health() {
		if health.Resource == resource {
			return health
		}
	}
	r.t.Fatalf("no health of %s", resource)
	return informers.ResourceHealth{}
}

// sees waits until a line stands in the journal.
func (r *running) sees(line string) {
	r.t.Helper()
	eventually(r.t, "the handler is told: "+line, func() bool { return r.seen.count(line) > 0 })
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(patience), time.NewTicker(2*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// journal is a Handler that writes down what it is told, a line per call:
// "pod a/x added", "node n updated", "synced".
type journal struct {
	mu    sync.Mutex
	lines []string
	nodes []*slim.Node
	pods  []*slim.Pod
}

func (j *journal) write(what string, meta *slim.Meta, old, new bool) {
	verb := "updated"
	switch {
	case !old:
		verb = "added"
	case !new:
		verb = "deleted"
	}
	name := meta.Name
	if namespace := meta.Namespace.Value(); namespace != "" {
		name = namespace + "/" + name
	}
	j.lines = append(j.lines, fmt.Sprintf("%s %s %s", what, name, verb))
}

func (j *journal) Node(old, new *slim.Node) {
	j.mu.Lock()
	defer j.mu.Unlock()
	told := new
	if told == nil {
		told = old
	}
	j.nodes = append(j.nodes, told)
	j.write("node", &told.Meta, old != nil, new != nil)
}

func (j *journal) Pod(old, new *slim.Pod) {
	j.mu.Lock()
	defer j.mu.Unlock()
	told := new
	if told == nil {
		told = old
	}
	j.pods = append(j.pods, told)
	j.write("pod", &told.Meta, old != nil, new != nil)
}

func (j *journal) DaemonSet(old, new *slim.DaemonSet) {
	j.mu.Lock()
	defer j.mu.Unlock()
	told := new
	if told == nil {
		told = old
	}
	j.write("daemonset", &told.Meta, old != nil, new != nil)
}

func (j *journal) Synced() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, "synced")
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.lines...)
}

// about is the journal without lines about other things.
func (j *journal) about(what string) []string {
	var lines []string
	for _, line := range j.all() {
		if strings.HasPrefix(line, what+" ") {
			lines = append(lines, line)
		}
	}
	return lines
}

func (j *journal) count(line string) int {
	count := 0
	for _, other := range j.all() {
		if other == line {
			count++
		}
	}
	return count
}

// logs collects log lines.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// with are the lines that contain a text.
func (l *logs) with(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

func node(name string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}
}

// pod is a pod as the DaemonSet controller makes it.
func pod(namespace, name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: types.UID(namespace + name),
		Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: "1"},
	}}
}

func daemonSet(namespace, name string) *appsv1.DaemonSet {
	return &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + name)}}
}
