package state_test

import (
	"fmt"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recorder"
)

// revisionRecorder keeps what is asked for: DaemonSet, generation, and the hash of the
// revision that was known last.
type revisionRecorder struct {
	recorder.Nothing
	asked []string
}

func (r *revisionRecorder) RevisionUnknown(ds *slim.DaemonSet, last slim.ControllerRevision) {
	words := fmt.Sprint(ds.Name, " ", ds.Generation)
	if last.Revision != 0 {
		words += fmt.Sprint(" after ", last.Hash.Value())
	}
	r.asked = append(r.asked, words)
}

// revisionFixture is a ledger whose revisions a test reads.
type revisionFixture struct {
	*fixture
	recorder *revisionRecorder
}

func newRevisionFixture(t *testing.T) *revisionFixture {
	t.Helper()
	f := &revisionFixture{recorder: &revisionRecorder{}}
	f.fixture = &fixture{t: t, ledger: newLedger(f.recorder)}
	return f
}

// expectAsked checks what has been asked for since the last call.
func (f *revisionFixture) expectAsked(why string, want ...string) {
	f.t.Helper()
	check.Equal(f.t, slices.Clone(f.recorder.asked), want, why, "asked")
	f.recorder.asked = nil
}

// read answers with what the ControllerRevisions of the DaemonSet agent say.
func (f *revisionFixture) read(generation int64, hash string, number int64) {
	f.SetRevision(slim.ControllerRevision{
		Owner: slim.FromDaemonSet(objects.DaemonSet("agent")).UID, Hash: slim.Intern(hash), Revision: number,
	}, generation, f.now)
}

// expectRevision checks how many nodes are outdated, how many the controller counts as
// updated, and whether that is inferred.
func (f *revisionFixture) expectRevision(why string, outdated, updated int32, inferred bool) {
	f.t.Helper()
	summary := f.summary("agent")
	got := fmt.Sprint(summary.Totals.Outdated, summary.Totals.Upstream.Updated, summary.RevisionInferred)
	if want := fmt.Sprint(outdated, updated, inferred); got != want {
		f.t.Errorf("%s: outdated, updated, inferred are %s, want %s", why, got, want)
	}
}

// updatedNodes is a status of the present generation.
func updatedNodes(count int32) objects.Option {
	return objects.Status(appsv1.DaemonSetStatus{UpdatedNumberScheduled: count})
}

// observed is a status of an earlier generation.
func observed(generation int64) objects.Option {
	return objects.Status(appsv1.DaemonSetStatus{ObservedGeneration: generation})
}

// rolledBack begins after an update from first to second that has come to nodes d and
// e and is rolled back while node a is dead: first is on three nodes, second on two,
// and the controller counts two as updated.
func rolledBack(t *testing.T) *revisionFixture {
	t.Helper()
	f := newRevisionFixture(t)
	f.set(objects.DaemonSet("agent", objects.Generation(2)))
	f.set(objects.Node("a", objects.Unreachable(-60)))
	for _, name := range []string{"b", "c", "d", "e"} {
		f.set(objects.Node(name))
	}
	for _, name := range []string{"a", "b", "c"} {
		f.set(objects.PodOf("agent", name))
	}
	for _, name := range []string{"d", "e"} {
		f.set(objects.PodOf("agent", name, objects.Revision("second", 2)))
	}
	f.Synced()
	f.expectAsked("at the start", "agent 2")
	f.read(2, "second", 2)
	f.expectRevision("during the update", 3, 2, false)
	f.at(10).set(objects.DaemonSet("agent", objects.Generation(3), observed(2)))
	f.expectAsked("before the controller has seen it")
	f.at(11).set(objects.DaemonSet("agent", objects.Generation(3), updatedNodes(2)))
	f.expectAsked("when it has", "agent 3 after second")
	return f
}

func TestRevisions(t *testing.T) {
	runTests(t, map[string]func(t *testing.T){
		"a roll-back with a dead node": func(t *testing.T) {
			f := rolledBack(t)
			f.expectRevision("as many pods are of second as the controller counts", 3, 2, true)
			f.read(3, "first", 3)
			f.expectRevision("the truth", 2, 2, false)
			f.at(20).set(objects.DaemonSet("agent", objects.Generation(3), updatedNodes(3)))
			f.expectRevision("whatever .status says", 2, 2, false)
			f.expectAsked("known is known")
		},
		"two roll-backs in a row": func(t *testing.T) {
			f := rolledBack(t)
			f.at(12).set(objects.DaemonSet("agent", objects.Generation(4), updatedNodes(2)))
			f.expectAsked("before the first was read", "agent 4 after second")
			f.read(3, "first", 3)
			f.expectRevision("an answer to an earlier question counts for nothing", 3, 2, true)
			f.read(4, "second", 4)
			f.expectRevision("forward again", 3, 2, false)
			f.at(20).set(objects.DaemonSet("agent", objects.Generation(5), updatedNodes(2)))
			f.expectAsked("back again", "agent 5 after second")
			f.read(5, "first", 5)
			f.expectRevision("back again", 2, 2, false)
		},
		"an adopted pod of another template": func(t *testing.T) {
			// The DaemonSet was deleted without its pods and made anew with another template.
			f := newRevisionFixture(t)
			f.set(objects.DaemonSet("agent", updatedNodes(2)), objects.Node("a"), objects.Node("b"))
			f.set(objects.PodOf("agent", "a"), objects.PodOf("agent", "b", objects.Revision("second", 1)))
			f.Synced()
			f.expectRevision("inferred: both are of the present generation", 0, 2, true)
			f.read(1, "second", 2)
			f.expectRevision("one is outdated, and the controller calls it updated", 1, 2, false)
			for _, difference := range f.summary("agent").StatusDifferences() {
				check.That(t, difference.Field != "updated" || difference.Nodes == 0, "the controller is at odds with itself: %+v", difference)
			}
		},
		"a change of the budget leaves the revision known": func(t *testing.T) {
			f := rolledBack(t)
			f.read(3, "first", 3)
			f.at(20).set(objects.DaemonSet("agent", objects.Generation(4), objects.TemplateGeneration(3), updatedNodes(2)))
			f.expectAsked("the template is the same")
			f.expectRevision("the template is the same", 2, 2, false)
		},
		"where templates have no generation each change is asked for": func(t *testing.T) {
			f := newRevisionFixture(t)
			f.set(objects.DaemonSet("agent", objects.Generation(1), objects.TemplateGeneration(0)), objects.Node("a"), objects.PodOf("agent", "a"))
			f.Synced()
			f.expectAsked("at the start", "agent 1")
			f.read(1, "first", 1)
			f.expectRevision("read", 0, 1, false)
			f.at(10).set(objects.DaemonSet("agent", objects.Generation(2), objects.TemplateGeneration(0)))
			f.expectAsked("changed", "agent 2 after first")
			f.read(2, "second", 2)
			f.expectRevision("read again", 1, 0, false)
		},
		"each generation is asked for once": func(t *testing.T) {
			f := newRevisionFixture(t)
			f.set(objects.DaemonSet("agent"))
			f.expectAsked("before the start")
			f.Synced()
			f.expectAsked("at the start", "agent 1")
			f.at(10).set(objects.DaemonSet("agent", updatedNodes(1)))
			f.expectAsked("only the status has changed")
			f.at(20).set(objects.DaemonSet("second", observed(-1)))
			f.expectAsked("a new one that no controller has seen")
			f.at(21).set(objects.DaemonSet("second"))
			f.expectAsked("now it has", "second 1")
		},
		"what was read before the start counts": func(t *testing.T) {
			f := newRevisionFixture(t)
			f.set(objects.DaemonSet("agent"), objects.Node("a"), objects.PodOf("agent", "a"))
			f.read(1, "second", 1)
			f.Synced()
			f.expectAsked("at the start")
			f.expectRevision("at the start", 1, 1, false)
		},
		"a DaemonSet that is being deleted is not asked for": func(t *testing.T) {
			f := newRevisionFixture(t)
			f.set(objects.DaemonSet("agent", objects.Deleted(-10)), objects.Node("a"), objects.PodOf("agent", "a"))
			f.Synced()
			f.expectAsked("at the start")
			f.expectRevision("nothing is said of it", 0, 0, false)
		},
		"a DaemonSet that is gone takes its revision along": func(t *testing.T) {
			f := newRevisionFixture(t)
			agent := objects.DaemonSet("agent")
			f.set(agent, objects.Node("a"), objects.PodOf("agent", "a"))
			f.Synced()
			f.read(1, "first", 1)
			f.expectAsked("at the start", "agent 1")
			f.delete(agent)
			f.read(1, "first", 1)
			f.set(objects.DaemonSet("agent", objects.UID(types.UID("another"))))
			f.expectAsked("another of that name", "agent 1")
			check.That(t, f.summary("agent").RevisionInferred, "another DaemonSet of that name has its revision")
		},
		"no answer is an answer": func(t *testing.T) {
			f := newRevisionFixture(t)
			f.set(objects.DaemonSet("agent"), objects.Node("a"), objects.PodOf("agent", "a"))
			f.Synced()
			f.read(1, "", 1)
			f.SetRevision(slim.ControllerRevision{Owner: slim.UID{1}, Hash: slim.Intern("first"), Revision: 1}, 1, f.now)
			f.expectRevision("an answer without a hash, and one of nobody", 0, 1, true)
		},
	})
}
