package collector

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-kit/log"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// fleetSize is a cluster for benchmarks: each DaemonSet fits each node, and one
// cell in a hundred is a gap.
type fleetSize struct{ nodes, daemonSets int }

func (s fleetSize) String() string { return fmt.Sprintf("%dx%d", s.nodes, s.daemonSets) }
func (s fleetSize) cells() int     { return s.nodes * s.daemonSets }

// broken reports whether a cell is a gap. Neighbours on a node are not, so that gaps
// are on as many nodes as possible.
func (s fleetSize) broken(set, node int) bool { return (node+set*7)%100 == 0 }

// fleetCreated is when everything was created, ten days before.
const fleetCreated = -240 * 60 * 60

func fleetUID(kind byte, index int) types.UID {
	return types.UID(fmt.Sprintf("%02x6d96d7-8bd6-4b79-91a8-%012x", kind, index))
}

func fleetNodeName(index int) string {
	return fmt.Sprintf("ip-10-%03d-%03d-%03d.eu-central-1.compute.internal", index>>16, index>>8&0xff, index&0xff)
}

// node returns a node with 20 labels and 50 images, decoded from protobuf, so that its
// strings are in memory as those from an API server.
func (s fleetSize) node(tb testing.TB, index int, ready corev1.ConditionStatus) *slim.Node {
	source := objects.Node(fleetNodeName(index), objects.UID(fleetUID('n', index)), objects.Created(fleetCreated),
		objects.Label(corev1.LabelTopologyZone, "eu-central-1"+string(rune('a'+index%3))), objects.Label(corev1.LabelHostname, fleetNodeName(index)))
	source.ResourceVersion, source.Status.Conditions = "1", nil
	for i := len(source.Labels); i < 20; i++ {
		source.Labels[fmt.Sprintf("node.example.com/label-number-%d", i)] = fmt.Sprintf("value-%d", i)
	}
	for i := range 50 {
		image := fmt.Sprintf("registry.example.com/platform/observability/agent-%d", i)
		source.Status.Images = append(source.Status.Images, corev1.ContainerImage{Names: []string{
			image + "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", image + ":v1.14.2",
		}})
	}
	for _, kind := range []corev1.NodeConditionType{corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure, corev1.NodeReady} {
		condition := corev1.NodeCondition{Type: kind, Status: corev1.ConditionFalse, LastTransitionTime: objects.Stamp(fleetCreated)}
		if kind == corev1.NodeReady {
			condition.Status, condition.Reason = ready, "KubeletReady"
		}
		source.Status.Conditions = append(source.Status.Conditions, condition)
	}
	wire := check.Must(source.Marshal())(tb)
	decoded := &corev1.Node{}
	check.NoError(tb, decoded.Unmarshal(wire))
	return slim.FromNode(decoded)
}

// daemonSet returns a DaemonSet that tolerates everything.
func (s fleetSize) daemonSet(index int, generation int64) *slim.DaemonSet {
	ds := objects.DaemonSet(fmt.Sprintf("node-agent-%d", index), objects.UID(fleetUID('d', index)), objects.Created(fleetCreated),
		objects.Generation(generation), objects.TemplateGeneration(3), objects.Status(appsv1.DaemonSetStatus{DesiredNumberScheduled: int32(s.nodes)}),
		objects.NodeSelector("node.example.com/label-number-7", "value-7"), objects.Tolerating(objects.TolerateAll()))
	ds.Namespace, ds.ResourceVersion = "kube-system", fmt.Sprint(generation)
	return slim.FromDaemonSet(ds)
}

// pod returns a pod of a DaemonSet on a node. Of five DaemonSets one has an init
// container and two have two containers.
func (s fleetSize) pod(set, node int, ready bool, version int) *slim.Pod {
	status := objects.Ready
	if !ready {
		status = objects.NotReady
	}
	pod := objects.Pod(fmt.Sprintf("node-agent-%d-%05d", set, node), objects.UID(fleetUID('p', set*s.nodes+node)), objects.Created(fleetCreated),
		objects.On(fleetNodeName(node)), objects.OwnedBy(objects.DaemonSet(fmt.Sprintf("node-agent-%d", set), objects.UID(fleetUID('d', set)))),
		objects.Revision(fmt.Sprintf("66879f7%03d", set), 3), objects.Scheduled(fleetCreated), objects.StartTime(fleetCreated), status(fleetCreated))
	pod.Namespace, pod.ResourceVersion = "kube-system", fmt.Sprint(version)
	running := pod.Status.ContainerStatuses[0]
	running.State.Running.StartedAt = pod.CreationTimestamp
	pod.Status.ContainerStatuses = nil
	for number := range 1 + set%5/3 {
		running.Name = fmt.Sprintf("agent-%d", number)
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, running)
	}
	if set%5 == 0 {
		pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "init", State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", FinishedAt: pod.CreationTimestamp},
		}}}
	}
	return slim.FromPod(pod)
}

// fleet is a collector of a whole cluster, and the informers' caches.
type fleet struct {
	size      fleetSize
	clock     *testingclock.FakeClock
	collector *Collector
	// caches are those of the informers, by resource.
	caches     [3]cache.Indexer
	nodes      []*slim.Node
	daemonSets []*slim.DaemonSet
	// waiting is set if no pod has been Ready yet.
	waiting bool
}

// newFleet returns an empty fleet.
func newFleet(tb testing.TB, size fleetSize) *fleet {
	tb.Helper()
	f := &fleet{size: size, clock: testingclock.NewFakeClock(objects.Noon)}
	f.collector = newFleetCollector(tb, f.clock)
	for i := range f.caches {
		f.caches[i] = cache.NewIndexer(cache.DeletionHandlingMetaNamespaceKeyFunc, cache.Indexers{})
	}
	return f
}

func newFleetCollector(tb testing.TB, now *testingclock.FakeClock) *Collector {
	tb.Helper()
	collector := check.Must(New(Config{
		Clock: now, Logger: log.NewNopLogger(), Health: func() []informers.ResourceHealth { return nil },
		MaxGapSeries: 10_000, JoinGrace: 5 * time.Minute,
	}))(tb)
	return collector
}

// fill adds everything and starts the collector.
func (f *fleet) fill(tb testing.TB) {
	tb.Helper()
	f.add(tb)
	f.collector.Synced()
}

// add adds everything.
func (f *fleet) add(tb testing.TB) {
	tb.Helper()
	f.addNodes(tb)
	f.addDaemonSets(tb)
	f.addPods(tb)
}

// addNodes adds all nodes as an informer does.
func (f *fleet) addNodes(tb testing.TB) {
	tb.Helper()
	for index := range f.size.nodes {
		node := f.size.node(tb, index, corev1.ConditionTrue)
		f.store(tb, 0, node)
		f.nodes = append(f.nodes, node)
		f.collector.Node(nil, node)
	}
}

func (f *fleet) addDaemonSets(tb testing.TB) {
	tb.Helper()
	for index := range f.size.daemonSets {
		ds := f.size.daemonSet(index, 1)
		f.store(tb, 1, ds)
		f.daemonSets = append(f.daemonSets, ds)
		f.collector.DaemonSet(nil, ds)
	}
}

func (f *fleet) addPods(tb testing.TB) {
	tb.Helper()
	for set := range f.size.daemonSets {
		for node := range f.size.nodes {
			pod := f.size.pod(set, node, !f.waiting && !f.size.broken(set, node), 1)
			f.store(tb, 2, pod)
			f.collector.Pod(nil, pod)
		}
	}
}

func (f *fleet) store(tb testing.TB, resource int, object any) {
	tb.Helper()
	check.NoError(tb, f.caches[resource].Add(object))
}

// pods returns all pods.
func (f *fleet) pods() []any { return f.caches[2].List() }
