package collector

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recordings"
)

// step is a moment in a recording and what is different then from the step
// before. Everything that is not named must have stayed as it was.
type step struct {
	// at is the time of day; the step comes after what happened then.
	at      string
	why     string
	changes samples
	// forgets tells that only what is said of nodes is left.
	forgets bool
}

// leases says when the kubelets of a recording last renewed, by node and by the
// time of day from which on the Lease says so.
type leases map[string][]time.Time

// replay feeds a recording to a collector, each event at its own time and
// through the informers' transforms, and scrapes at each step: once in the order
// of the file, in which three watches overtake each other by milliseconds so
// that the clock runs backwards, and once in the order of the times.
func replay(t *testing.T, name string, kubelets leases, steps ...step) {
	t.Helper()
	t.Parallel()
	events := readRecording(t, name)
	byTime := slices.SortedStableFunc(slices.Values(events), func(a, b recordings.Event) int { return a.At.Compare(b.At) })
	for order, events := range map[string][]recordings.Event{"by file": events, "by time": byTime} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { play(t, events, kubelets, steps) })
		})
	}
}

func play(t *testing.T, events []recordings.Event, kubelets leases, steps []step) {
	t.Helper()
	day := events[0].At.Truncate(24 * time.Hour)
	w := newWorld(t, events[0].At)
	w.leases = kubelets.at
	w.run()
	var feed feed
	for len(events) > 0 && events[0].Node != nil {
		feed.next(t, w, events[0])
		events = events[1:]
	}
	w.do(func() { w.collector.Synced() })
	want := samples{}
	for _, s := range steps {
		at := timeOfDay(t, day, s.at)
		for len(events) > 0 && !events[0].At.After(at) {
			feed.next(t, w, events[0])
			events = events[1:]
		}
		w.at(at)
		maps.DeleteFunc(want, func(name string, _ float64) bool { return s.forgets && !ofNodes(name) })
		maps.Copy(want, s.changes)
		w.compare(s.at+": "+s.why, want)
	}
	for _, e := range events {
		feed.next(t, w, e)
	}
	w.compareLedger()
}

// ofNodes tells samples of nodes from those of DaemonSets.
func ofNodes(name string) bool {
	return !strings.HasPrefix(name, "node_gaps{") &&
		(strings.HasPrefix(name, "node_") || strings.HasPrefix(name, "cluster_"))
}

// feed remembers the last version of each object, as an informer does.
type feed struct {
	nodes map[string]*slim.Node
	pods  map[string]*slim.Pod
	sets  map[string]*slim.DaemonSet
}

// next delivers one event as the informers would.
func (f *feed) next(t *testing.T, w *world, e recordings.Event) {
	t.Helper()
	w.at(e.At)
	deleted := e.Type == "DELETED"
	switch {
	case e.Node != nil:
		tell(&f.nodes, e.Node, deleted, slim.FromNode, func(n *corev1.Node) string { return n.Name },
			func(old, new *slim.Node) { w.do(func() { w.collector.Node(old, new) }) })
	case e.Pod != nil:
		tell(&f.pods, e.Pod, deleted, slim.FromPod, func(p *corev1.Pod) string { return p.Namespace + "/" + p.Name },
			func(old, new *slim.Pod) { w.do(func() { w.collector.Pod(old, new) }) })
	case e.DaemonSet != nil:
		tell(&f.sets, e.DaemonSet, deleted, slim.FromDaemonSet, func(d *appsv1.DaemonSet) string { return d.Namespace + "/" + d.Name },
			func(old, new *slim.DaemonSet) { w.do(func() { w.collector.DaemonSet(old, new) }) })
	default:
		t.Fatalf("%q is no object", e.Action)
	}
}

func tell[O, R any](
	known *map[string]*R, object *O, deleted bool,
	reduce func(*O) *R, key func(*O) string, handle func(old, new *R),
) {
	if *known == nil {
		*known = map[string]*R{}
	}
	name, reduced := key(object), reduce(object)
	if deleted {
		delete(*known, name)
		handle(reduced, nil) // its last state is that of the deletion
		return
	}
	old := (*known)[name]
	(*known)[name] = reduced
	handle(old, reduced)
}

// readRecording gives the objects of a recording, without what was done to the
// cluster.
func readRecording(t *testing.T, name string) []recordings.Event {
	t.Helper()
	events, err := recordings.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(events, func(e recordings.Event) bool { return e.Action != "" })
}

func timeOfDay(t *testing.T, day time.Time, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse("15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	return day.Add(parsed.Sub(parsed.Truncate(24 * time.Hour)))
}

// at is the renewal that a node's Lease shows at a time: the latest before it.
func (l leases) at(node string, now time.Time) time.Time {
	var renewed time.Time
	for _, at := range l[node] {
		if !at.After(now) && at.After(renewed) {
			renewed = at
		}
	}
	return renewed
}

// onDay is a time of the day on which all recordings were made.
func onDay(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, "2026-11-23T"+text+"Z")
	if err != nil {
		panic(err)
	}
	return at
}

// clockTime is a time of that day as a sample's value.
func clockTime(text string) float64 { return float64(onDay(text).UnixMicro()) / 1e6 }

// rise is when a pod took its steps, in seconds of the same minute.
type rise struct{ created, bound, started, available float64 }

// rescheduled is what reschedulings add to the samples: those with a trigger
// that began at a time, each with the steps that its pod took.
func rescheduled(trigger string, needed float64, rises ...rise) samples {
	s := samples{}
	for _, r := range rises {
		s["pod_rescheduling_duration_seconds_count{trigger="+trigger+"}"]++
		s["pod_rescheduling_duration_seconds_sum{trigger="+trigger+"}"] += r.available - needed
		for stage, took := range map[string]float64{
			"create": r.created - needed, "schedule": r.bound - r.created,
			"start": r.started - r.bound, "ready": r.available - r.started,
		} {
			s["pod_rescheduling_stage_duration_seconds_count{stage="+stage+"}"]++
			s["pod_rescheduling_stage_duration_seconds_sum{stage="+stage+"}"] += took
		}
	}
	return s
}

// closed is what gaps of one cause that lasted so long add to the samples.
func closed(cause string, durations ...float64) samples {
	s := samples{"gap_duration_seconds_count{cause=" + cause + "}": float64(len(durations))}
	for _, duration := range durations {
		s["gap_duration_seconds_sum{cause="+cause+"}"] += duration
	}
	return s
}

// terminated is what pods that ended in so many seconds add to the samples.
func terminated(outcome string, durations ...float64) samples {
	s := samples{
		"pod_terminations_total{outcome=" + outcome + "}": float64(len(durations)),
		"pod_termination_duration_seconds_count":          float64(len(durations)),
	}
	for _, duration := range durations {
		s["pod_termination_duration_seconds_sum"] += duration
	}
	return s
}

// plus adds up samples.
func plus(parts ...samples) samples {
	sum := samples{}
	for _, part := range parts {
		for name, value := range part {
			sum[name] += value
		}
	}
	return sum
}

// also gives samples with others on top.
func also(parts ...samples) samples {
	all := samples{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

// gap is one open gap as the samples tell it.
func gap(node, reason, since string) samples {
	return samples{
		"gap_nodes{reason=" + reason + "}":                                     1,
		"gap_start_timestamp_seconds{node=" + node + ",reason=" + reason + "}": clockTime(since),
		"node_gaps{node=" + node + "}":                                         1,
	}
}

// over takes samples back: they must be gone or zero.
func over(parts ...samples) samples {
	gone := samples{}
	for _, part := range parts {
		for name := range part {
			gone[name] = 0
		}
	}
	return gone
}
