package files_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// log notes what exporters are told.
type log struct{ calls []string }

func (l *log) add(format string, values ...any) {
	l.calls = append(l.calls, fmt.Sprintf(format, values...))
}

// loggingExporter is an exporter that notes what it is told.
type loggingExporter struct{ *log }

func (e loggingExporter) SetTime(time.Time) {}
func (e loggingExporter) Synced()           { e.add("synced") }

func (e loggingExporter) Node(old, new *slim.Node) {
	note(e.log, "node", old, new, func(n *slim.Node) (*slim.Meta, bool) { return &n.Meta, false })
}

func (e loggingExporter) Pod(old, new *slim.Pod) {
	note(e.log, "pod", old, new, func(p *slim.Pod) (*slim.Meta, bool) { return &p.Meta, p.DeletionMissed })
}

func (e loggingExporter) DaemonSet(old, new *slim.DaemonSet) {
	note(e.log, "daemonset", old, new, func(d *slim.DaemonSet) (*slim.Meta, bool) { return &d.Meta, false })
}

func (e loggingExporter) NodeSelector(namespace string, selector labels.Selector) {
	e.add("%s selects %s", namespace, selector)
}

func (e loggingExporter) LeaseRenewed(node string, at time.Time) {
	e.add("%s renewed at %v", node, objects.Seconds(at))
}

func (e loggingExporter) NewRevision(namespace string, revision slim.ControllerRevision) {
	e.add("revision %d in %s", revision.Revision, namespace)
}

func note[T any](l *log, resource string, old, new *T, read func(*T) (meta *slim.Meta, missed bool)) {
	what, object := "changed", new
	switch {
	case old == nil:
		what = "added"
	case new == nil:
		what, object = "deleted", old
	}
	meta, missed := read(object)
	text := fmt.Sprintf("%s %s %s", resource, meta.Name, what)
	if meta.Late {
		text += ", late"
	}
	if missed {
		text += ", missed"
	}
	l.add("%s", text)
}

// version returns an option for an object's resource version.
func version(number int) objects.Option {
	return func(o metav1.Object) { o.SetResourceVersion(fmt.Sprint(number)) }
}

func TestPlayer(t *testing.T) {
	t.Parallel()
	at := func(seconds float64, eventType files.EventType, of ...any) files.Event {
		event := files.Event{Time: objects.At(seconds), Type: eventType}
		for _, value := range of {
			switch value := value.(type) {
			case string:
				event.Resource = value
			case runtime.Object:
				event.Object = value.DeepCopyObject()
			}
		}
		return event
	}
	node := func(name string, options ...objects.Option) runtime.Object { return objects.Node(name, options...) }
	pod := func(name string, options ...objects.Option) runtime.Object { return objects.Pod(name, options...) }
	readings := recordReadings(t)
	for _, tc := range []struct {
		name   string
		events []files.Event
		want   []string
	}{
		{
			"nothing is delivered before SYNCED, then what is there in its last version",
			[]files.Event{
				at(0, files.Added, node("a")), at(1, files.Added, node("b")), at(1, files.Deleted, node("b")),
				at(2, files.Synced), at(3, files.Modified, node("a")), at(4, files.Deleted, node("a")),
			},
			[]string{"start", "node a added, late", "synced", "node a changed", "node a deleted"},
		},
		{
			"each resource may say that it is complete",
			[]files.Event{at(0, files.Added, node("a")), at(0, files.Synced, "nodes"), at(0, files.Synced, "pods"), at(1, files.Synced, "daemonsets")},
			[]string{"start", "node a added, late", "synced"},
		},
		{
			"what comes between RESTORED and SYNCED is late, of that resource",
			[]files.Event{
				at(0, files.Synced), at(1, files.Lost, "nodes"), at(2, files.Added, node("a")), at(3, files.Restored, "nodes"),
				at(4, files.Modified, node("a")), at(4, files.Added, pod("p")), at(5, files.Synced, "nodes"), at(6, files.Modified, node("a")),
			},
			[]string{"start", "synced", "node a added", "node a changed, late", "pod p added", "node a changed"},
		},
		{
			"a list finds gone what has the version that was seen last, and repeats the others",
			[]files.Event{
				at(0, files.Synced), at(1, files.Added, pod("p", version(1))), at(1, files.Added, pod("q", version(2))), at(1, files.Added, pod("r", version(3))),
				at(3, files.Restored, "pods"), at(4, files.Added, pod("p", version(1))), at(4, files.Deleted, pod("q", version(2))), at(4, files.Deleted, pod("r", version(9))),
			},
			[]string{"start", "synced", "pod p added", "pod q added", "pod r added", "pod q deleted, missed", "pod r deleted, late"},
		},
		{
			"an object of the same name is another object",
			[]files.Event{at(0, files.Synced), at(1, files.Added, pod("p", objects.UID("1"))), at(2, files.Modified, pod("p", objects.UID("2")))},
			[]string{"start", "synced", "pod p added", "pod p deleted, missed", "pod p added"},
		},
		{
			"a new exporter finds what is there, and what changes in that instant",
			[]files.Event{
				at(0, files.Added, node("a")), at(0, files.Synced), at(1, files.Restart), at(1, files.Added, node("b")), at(2, files.Modified, node("a")),
			},
			[]string{"start", "node a added, late", "synced", "start", "node a added, late", "node b added, late", "synced", "node a changed"},
		},
		{
			"a new exporter waits for its SYNCED",
			[]files.Event{
				at(0, files.Added, node("a")), at(0, files.Synced), at(1, files.Restart), at(2, files.Modified, node("a")), at(3, files.Added, node("b")), at(4, files.Synced),
			},
			[]string{"start", "node a added, late", "synced", "start", "node a added, late", "node b added, late", "synced"},
		},
		{
			"what a new exporter's list leaves out is gone",
			[]files.Event{
				at(0, files.Added, node("a")), at(0, files.Added, node("b")), at(0, files.Synced), at(1, files.Restart), at(2, files.Added, node("a")), at(4, files.Synced),
			},
			[]string{"start", "node a added, late", "node b added, late", "synced", "start", "node a added, late", "synced"},
		},
		{
			"what is read on demand comes as it is, and a new exporter knows selectors and revisions",
			[]files.Event{
				at(0, files.Synced), at(1, files.Added, readings[0]), at(2, files.Modified, readings[1]),
				at(3, files.Added, readings[2]), at(4, files.Added, readings[3]), at(5, files.Restart), at(6, files.Mark),
			},
			[]string{"start", "synced", "n selects pool=a", "a renewed at 1.5", "revision 2 in n", "start", "n selects pool=a", "revision 2 in n", "synced"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			told := &log{}
			restarts := restartsOf(t, tc.events)
			player := files.NewPlayer(func(time.Time) files.Exporter { told.add("start"); return loggingExporter{told} }, restarts)
			for _, event := range tc.events {
				player.Play(event)
			}
			if !player.Settle(tc.events[len(tc.events)-1].Time) {
				t.Error("the exporter has not started")
			}
			if diff := cmp.Diff(tc.want, told.calls); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// recordReadings returns what is recorded when an exporter reads on demand: a selector,
// a Lease, and two revisions of a DaemonSet, the newer one first. What is read again is
// not recorded again, except for Leases.
func recordReadings(t *testing.T) (recorded []runtime.Object) {
	t.Helper()
	number := int64(2)
	reading := files.OnDemand{
		NodeSelectors: func(context.Context, []string) (map[string]labels.Selector, error) {
			return map[string]labels.Selector{"n": labels.SelectorFromSet(labels.Set{"pool": "a"})}, nil
		},
		LeaseRenewTime: func(context.Context, string) (time.Time, error) { return objects.At(1.5), nil },
		NewestRevisions: func(context.Context, string) (map[slim.UID]slim.ControllerRevision, error) {
			uid := slim.ParseUID("agent")
			return map[slim.UID]slim.ControllerRevision{uid: {Owner: uid, Hash: slim.Intern("hash"), Revision: number}}, nil
		},
	}.Record(func(event files.Event) { recorded = append(recorded, event.Object) })
	for range 2 {
		_, _ = reading.NodeSelectors(t.Context(), []string{"n"})
	}
	_, _ = reading.LeaseRenewTime(t.Context(), "a")
	for range 2 {
		_, _ = reading.NewestRevisions(t.Context(), "n")
	}
	number = 1
	_, _ = reading.NewestRevisions(t.Context(), "n")
	if len(recorded) != 4 {
		t.Fatalf("%d readings were recorded", len(recorded))
	}
	return recorded
}

// restartsOf returns what the index of a recording says of its restarts.
func restartsOf(t *testing.T, events []files.Event) []bool {
	t.Helper()
	index, err := files.IndexRecording(write(t, false, events...))
	if err != nil {
		t.Fatal(err)
	}
	return index.Restarts
}
