package collector

import (
	"net/http"
	"runtime"
	"testing"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// BenchmarkFleet measures what clusters of several sizes, given as nodes x
// DaemonSets, cost. Each fleet is built once for all benchmarks of its size.
func BenchmarkFleet(b *testing.B) {
	for _, size := range []fleetSize{{1000, 20}, {5000, 30}, {100_000, 10}} {
		b.Run(size.String(), func(b *testing.B) {
			if testing.Short() && size.cells() > 200_000 {
				b.Skip("takes a gigabyte of memory")
			}
			b.Run("heap", func(b *testing.B) { benchmarkHeap(b, size) })
			f := newFleet(b, size)
			f.fill(b)
			b.Run("initial_list", f.benchmarkInitialList)
			b.Run("scrape", f.benchmarkScrape)
			b.Run("event", f.benchmarkEvents)
			b.Run("scrape_of_gaps", func(b *testing.B) {
				gaps := newFleet(b, size)
				gaps.waiting = true
				gaps.fill(b)
				gaps.benchmarkScrape(b)
			})
		})
	}
}

// benchmarkHeap measures what stays in memory for a node and for a pod of a
// DaemonSet, in the informers' caches and in the collector together: with 1 % of
// the cells in a rescheduling, and with all of them.
func benchmarkHeap(b *testing.B, size fleetSize) {
	for b.Loop() {
		nodes := heapOf(b, size, func(f *fleet) { f.addNodes(b) })
		perPod := func(waiting bool) float64 {
			all := heapOf(b, size, func(f *fleet) {
				f.waiting = waiting
				f.add(b)
			})
			return float64(all-nodes) / float64(size.cells())
		}
		b.ReportMetric(float64(nodes)/float64(size.nodes), "B/node")
		b.ReportMetric(perPod(false), "B/pod")
		b.ReportMetric(perPod(true), "B/pod-in-rescheduling")
	}
}

// heapOf returns the heap of a fleet that is filled so.
func heapOf(b *testing.B, size fleetSize, fill func(*fleet)) int64 {
	before := liveHeap()
	f := newFleet(b, size)
	fill(f)
	f.collector.Synced()
	after := liveHeap()
	runtime.KeepAlive(f)
	return after - before
}

// liveHeap returns the bytes of live objects. What package unique interned goes with
// the second collection.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// benchmarkInitialList measures taking everything in, from the first object to
// the end of Synced, without decoding.
func (f *fleet) benchmarkInitialList(b *testing.B) {
	pods := f.pods()
	b.ReportAllocs()
	for b.Loop() {
		collector := newFleetCollector(b, f.clock)
		for _, node := range f.nodes {
			collector.Node(nil, node)
		}
		for _, pod := range pods {
			collector.Pod(nil, pod.(*slim.Pod))
		}
		for _, ds := range f.daemonSets {
			collector.DaemonSet(nil, ds)
		}
		collector.Synced()
	}
}

// benchmarkScrape measures a scrape: gathered, and over HTTP.
func (f *fleet) benchmarkScrape(b *testing.B) {
	b.Run("gather", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			check.Must(f.collector.Gather())(b)
		}
	})
	for _, encoding := range []string{"text", "gzip"} {
		b.Run(encoding, func(b *testing.B) {
			handler := promhttp.HandlerFor(f.collector, promhttp.HandlerOpts{DisableCompression: encoding == "text"})
			request := check.Must(http.NewRequestWithContext(b.Context(), http.MethodGet, "/metrics", nil))(b)
			request.Header.Set("Accept-Encoding", "gzip")
			b.ReportAllocs()
			var sent countingWriter
			for b.Loop() {
				sent = countingWriter{header: http.Header{}}
				handler.ServeHTTP(&sent, request)
				if sent.code != 0 && sent.code != http.StatusOK {
					b.Fatalf("status %d", sent.code)
				}
			}
			b.ReportMetric(float64(sent.size), "B/scrape")
		})
	}
}

// countingWriter is an http.ResponseWriter that discards the response.
type countingWriter struct {
	header http.Header
	code   int
	size   int
}

func (w *countingWriter) Header() http.Header { return w.header }

func (w *countingWriter) WriteHeader(code int) { w.code = code }

func (w *countingWriter) Write(data []byte) (int, error) {
	w.size += len(data)
	return len(data), nil
}

func thereAndBack(there, back func()) func(i int) {
	return func(i int) { []func(){there, back}[i%2]() }
}

// benchmarkEvents measures a change and the change back.
func (f *fleet) benchmarkEvents(b *testing.B) {
	const set, node = 3, 250
	pods := [2]*slim.Pod{f.size.pod(set, node, true, 1), f.size.pod(set, node, true, 2)}
	lost := f.size.pod(set, node, false, 3)
	nodes := [2]*slim.Node{f.nodes[node], f.size.node(b, node, corev1.ConditionTrue)}
	away := f.size.node(b, node, corev1.ConditionUnknown)
	labelled := f.size.node(b, node, corev1.ConditionTrue)
	labelled.Labels["node.example.com/another"] = "label"
	sets := [2]*slim.DaemonSet{f.daemonSets[set], f.size.daemonSet(set, 1)}
	changed := f.size.daemonSet(set, 2)

	for _, event := range []struct {
		name   string
		change func(i int)
	}{
		{"pod/same", func(i int) { f.collector.Pod(pods[i%2], pods[(i+1)%2]) }},
		{"pod/readiness", thereAndBack(func() { f.collector.Pod(pods[0], lost) }, func() { f.collector.Pod(lost, pods[0]) })},
		{"node/heartbeat", func(i int) { f.collector.Node(nodes[i%2], nodes[(i+1)%2]) }},
		{"node/readiness", thereAndBack(func() { f.collector.Node(nodes[0], away) }, func() { f.collector.Node(away, nodes[0]) })},
		{"node/labels", thereAndBack(func() { f.collector.Node(nodes[0], labelled) }, func() { f.collector.Node(labelled, nodes[0]) })},
		{"daemonset/status", func(i int) { f.collector.DaemonSet(sets[i%2], sets[(i+1)%2]) }},
		{"daemonset/template", thereAndBack(func() { f.collector.DaemonSet(sets[0], changed) }, func() { f.collector.DaemonSet(changed, sets[0]) })},
	} {
		b.Run(event.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				event.change(i)
				i++
			}
			if i%2 == 1 {
				event.change(i) // and back, for the next benchmark
			}
		})
	}
}
