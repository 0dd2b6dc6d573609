package collector

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// namespaceReader is what reads namespaces in a test, and a Collector that runs on it.
type namespaceReader struct {
	*Collector
	t     *testing.T
	begin time.Time

	mu        sync.Mutex
	selectors map[string]string
	err       error
	// reads are the namespaces of each reading, with the seconds since the begin.
	reads []string
}

// withReader runs a test in a bubble with two nodes, of which one has the label pool=a.
func withReader(t *testing.T, name string, test func(r *namespaceReader)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := &namespaceReader{t: t, begin: time.Now(), selectors: map[string]string{}}
			var err error
			if r.Collector, err = New(Config{
				Clock: clock.RealClock{}, Logger: log.NewNopLogger(), MaxGapSeries: 100,
				Health:             func() []informers.ResourceHealth { return nil },
				NamespaceSelectors: r.read,
			}); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			defer synctest.Wait()
			defer stop()
			go r.Run(ctx)
			r.Node(nil, slim.FromNode(objects.Node("a", objects.Label("pool", "a"))))
			r.Node(nil, slim.FromNode(objects.Node("b")))
			test(r)
		})
	})
}

func (r *namespaceReader) read(ctx context.Context, namespaces []string) (map[string]labels.Selector, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads = append(r.reads, fmt.Sprintf("%s at %v", strings.Join(namespaces, ","), time.Since(r.begin).Seconds()))
	if errors.Is(r.err, errSilent) {
		r.mu.Unlock()
		<-ctx.Done()
		r.mu.Lock()
	}
	if r.err != nil {
		return nil, r.err
	}
	selectors := map[string]labels.Selector{}
	for _, name := range namespaces {
		if text, ok := r.selectors[name]; ok {
			selectors[name] = informers.NodeSelector(map[string]string{"openshift.io/node-selector": text}, nil)
		}
	}
	return selectors, nil
}

var (
	errAway   = errors.New("the API server is away")
	errSilent = errors.New("the API server does not answer")
)

func inNamespace(namespace, name string) *slim.DaemonSet {
	return slim.FromDaemonSet(objects.DaemonSet(name, objects.Change(func(ds *appsv1.DaemonSet) { ds.Namespace = namespace })))
}

// set sets the node selector of a namespace.
func (r *namespaceReader) set(namespace, selector string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.selectors[namespace] = selector
}

// fail makes reading fail, until it is called with nil.
func (r *namespaceReader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *namespaceReader) add(namespace, name string) { r.DaemonSet(nil, inNamespace(namespace, name)) }

// at lets time pass until so many seconds after the begin.
func (r *namespaceReader) at(seconds float64) {
	<-time.After(time.Until(r.begin.Add(time.Duration(seconds * float64(time.Second)))))
	synctest.Wait()
}

func (r *namespaceReader) expectReads(want ...string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	check.Equal(r.t, r.reads, want, "reads")
	r.reads = nil
}

// expectGaps checks how many nodes are gaps of DaemonSets that have no pods.
func (r *namespaceReader) expectGaps(want map[string]int) {
	r.t.Helper()
	text := check.Must(testutil.CollectAndFormat(r, expfmt.TypeTextPlain, "daemonset_gap_start_timestamp_seconds"))(r.t)
	got := map[string]int{}
	for _, line := range strings.Split(string(text), "\n") {
		if _, rest, found := strings.Cut(line, `{cause="scheduling",daemonset="`); found {
			name, _, _ := strings.Cut(rest, `"`)
			got[name]++
		}
	}
	check.Equal(r.t, got, want, "gaps")
}

func TestNamespaceSelectors(t *testing.T) {
	t.Parallel()
	withReader(t, "are read when DaemonSets appear, and all every five minutes", func(r *namespaceReader) {
		r.set("x", "pool=a")
		r.add("x", "one")
		r.add("x", "two")
		r.add("y", "three")
		r.Synced()
		r.expectReads("x at 0", "y at 0")
		r.expectGaps(map[string]int{"one": 1, "two": 1, "three": 2})
		r.at(60)
		r.set("x", "")
		r.set("z", "pool=b")
		r.add("z", "four")
		r.DaemonSet(inNamespace("z", "four"), inNamespace("z", "four"))
		r.expectReads("z at 60")
		r.expectGaps(map[string]int{"one": 1, "two": 1, "three": 2})
		r.at(299)
		r.expectReads()
		r.at(300)
		r.expectReads("x,y,z at 300")
		r.expectGaps(map[string]int{"one": 2, "two": 2, "three": 2})
		r.DaemonSet(inNamespace("z", "four"), nil)
		r.at(600)
		r.expectReads("x,y at 600")
		r.set("x", "pool=b")
		r.add("x", "five")
		r.expectReads("x at 600")
		r.expectGaps(map[string]int{"three": 2})
	})
	withReader(t, "are read again after an error, later and later, and nothing waits meanwhile", func(r *namespaceReader) {
		r.set("x", "pool=a")
		r.set("y", "pool=a")
		r.fail(errAway)
		r.add("x", "one")
		r.add("y", "two")
		r.Synced()
		r.expectReads("x at 0")
		r.expectGaps(map[string]int{"one": 2, "two": 2})
		r.at(310)
		r.expectReads("x,y at 10", "x,y at 30", "x,y at 70", "x,y at 150", "x,y at 310")
		r.at(1209)
		r.expectReads("x,y at 610", "x,y at 910")
		r.fail(nil)
		r.at(1210)
		r.expectReads("x,y at 1210")
		r.expectGaps(map[string]int{"one": 1, "two": 1})
		r.at(1510)
		r.expectReads("x,y at 1510")
		r.fail(errAway)
		r.at(1820)
		r.expectReads("x,y at 1810", "x,y at 1820")
		r.expectGaps(map[string]int{"one": 1, "two": 1})
	})
	withReader(t, "are waited for ten seconds", func(r *namespaceReader) {
		r.Synced()
		r.fail(errSilent)
		r.add("x", "one")
		check.Equal(r.t, time.Since(r.begin), selectorTimeout, "waited")
		r.expectGaps(map[string]int{"one": 2})
	})
	t.Run("are not waited for once Run has ended", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := check.Must(New(Config{
				Clock: clock.RealClock{}, Logger: log.NewNopLogger(),
				NamespaceSelectors: func(ctx context.Context, _ []string) (map[string]labels.Selector, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				},
			}))(t)
			begin := time.Now()
			ctx, stop := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, stop)
			go c.Run(ctx)
			c.DaemonSet(nil, inNamespace("x", "one"))
			check.Equal(t, time.Since(begin), time.Second, "waited")
		})
	})
}
