package coverage_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// permutations calls visit with every order of the objects.
func permutations(objects []any, visit func(order []any)) {
	if len(objects) == 0 {
		visit(nil)
	}
	for i := range objects {
		rest := append(append([]any{}, objects[:i]...), objects[i+1:]...)
		permutations(rest, func(order []any) { visit(append([]any{objects[i]}, order...)) })
	}
}

// Nodes, pods and DaemonSets come by three watches, in any order.
func TestOrderBetweenObjectsDoesNotMatter(t *testing.T) {
	t.Parallel()
	objects := []any{
		daemonSet("agent", daemonSetCreated(90)),
		node("a", nodeCreated(95), nodeIs("True", 99), tainted("gpu", "PreferNoSchedule")),
		node("b", cordoned),
		pod("agent", "a", podCreated(99), podIs("False", 99), containerIs(waiting("ErrImagePull"), 0)),
		pod("agent", "b", podCreated(99), podIs("True", 99)),
	}
	for _, running := range []bool{true, false} {
		permutations(objects, func(order []any) {
			w := newWorld(t)
			w.now = at(100)
			if running {
				w.ledger.Start(w.now)
				w.see(order...)
			} else {
				w.see(order...)
				w.ledger.Start(w.now)
			}
			w.says("agent", "expected joining: 1", "gap joining image_pull: 1",
				"expected cordoned: 1", "covered cordoned: 1", "spent pod: 1")
			if running {
				w.gapsAre("agent on a: image_pull since 100")
			} else {
				w.gapsAre("agent on a: image_pull since 99")
			}
			w.loseAll(order)
		})
	}
}

// loseAll takes everything away, in the order given, and checks that nothing is
// left.
func (w *world) loseAll(objects []any) {
	w.t.Helper()
	w.lose(objects...)
	w.at(86400)
	if left := w.ledger.Left(); len(left) > 0 {
		w.t.Errorf("with everything gone the ledger still holds %v", left)
	}
}

// Before all informers have synced, a cache is full of false gaps.
func TestNothingIsSaidBeforeTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.see(daemonSet("agent"), node("a", unreachable(-60)), node("b"), pod("agent", "b"))
	w.lose(node("b"))
	w.gapsAre()
	if got := countsOf(w.ledger); len(got) != 0 || w.ledger.Running() {
		t.Errorf("it says %v, running %v", got, w.ledger.Running())
	}
	for range w.ledger.NodeGroups() {
		t.Error("it counts nodes")
	}
	w.ledger.Start(w.now)
	w.ledger.Start(at(500)) // a second start changes nothing
	w.says("agent", "expected active: 1", "gap active node_unreachable: 1")
	w.gapsAre("agent on a: node_unreachable since -60")
}

// A pod whose Node object is gone is no cell, although it claims Ready until the
// pod garbage collector comes by.
func TestANodeIsDeleted(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), node("a"), node("b"), pod("agent", "a"), pod("agent", "b", podIs("False", -5)))
	w.at(10).lose(node("b"))
	w.says("agent", "expected active: 1", "covered active: 1")
	w.gapsAre()
	w.at(50).see(pod("agent", "b", phase("Failed"))).lose(pod("agent", "b"))
	w.says("agent", "expected active: 1", "covered active: 1")
	w.at(60.5).see(node("b", nodeUID("second"), nodeCreated(60), nodeIs("False", 60)))
	w.says("agent", "expected active: 1", "covered active: 1", "expected joining: 1", "gap joining node_never_ready: 1", "spent node: 1")
	w.gapsAre("agent on b: node_never_ready since 60.5")
}

// A node that is deleted and made again under its name is another node, also
// where the watch missed the deletion.
func TestANodeIsRecreated(t *testing.T) {
	t.Parallel()
	second := []func(*corev1.Node){nodeUID("second"), nodeCreated(60), nodeIs("True", 61)}
	t.Run("the deletion comes first", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), node("a", unreachable(-60)), pod("agent", "a"))
		w.at(70).lose(node("a")).see(node("a", second...))
		w.says("agent", "expected joining: 1", "covered joining: 1")
	})
	t.Run("the deletion is missed", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), node("a", unreachable(-60)), pod("agent", "a"))
		w.at(70).see(node("a", second...))
		w.says("agent", "expected joining: 1", "covered joining: 1")
	})
	t.Run("the deletion comes last", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), node("a", unreachable(-60)), pod("agent", "a"))
		w.at(70).see(node("a", second...)).lose(node("a", unreachable(-60)))
		w.says("agent", "expected joining: 1", "covered joining: 1")
	})
	t.Run("its gap begins anew", func(t *testing.T) {
		t.Parallel()
		w := start(t, daemonSet("agent"), node("a", unreachable(-60)), pod("agent", "a", podIs("False", -60)))
		w.at(70.5).see(node("a", second...))
		w.gapsAre("agent on a: pod_not_ready since 70.5")
	})
	t.Run("before the start the last one counts", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.see(daemonSet("agent"), node("a", unreachable(-60)), node("a", nodeUID("second")), pod("agent", "a"))
		w.lose(node("a", unreachable(-60)))
		w.ledger.Start(w.now)
		w.says("agent", "expected active: 1", "covered active: 1")
	})
}

// Owner is the controller's UID, never a name or a label.
func TestADaemonSetIsRecreated(t *testing.T) {
	t.Parallel()
	second := daemonSet("agent", daemonSetUID("second"), daemonSetCreated(60))
	ownedBySecond := func(p *corev1.Pod) { p.OwnerReferences[0].UID = "second" }
	w := start(t, daemonSet("agent"), node("a"), pod("agent", "a"))
	w.at(60.5).lose(daemonSet("agent")).see(second)
	w.says("agent", "expected active: 1", "gap active pod_missing: 1", "spent scheduling: 1")
	w.at(61).see(pod("agent", "a", called("new"), ownedBySecond))
	w.says("agent", "expected active: 1", "covered active: 1")
	w.at(62).see(pod("agent", "a", podIs("False", 61))) // the first one's pod still ends
	w.says("agent", "expected active: 1", "covered active: 1")
	w.loseAll([]any{pod("agent", "a"), second, node("a"), pod("agent", "a", called("new"), ownedBySecond)})
}

func TestAPodChangesHands(t *testing.T) {
	t.Parallel()
	orphan := func(p *corev1.Pod) { p.OwnerReferences = nil }
	toOther := func(p *corev1.Pod) { p.OwnerReferences[0].UID = "other" }
	w := start(t, daemonSet("agent"), daemonSet("other"), node("a"), node("b"), pod("agent", "a"), pod("other", "b"))
	one := []string{"expected active: 2", "covered active: 1", "gap active pod_missing: 1", "spent scheduling: 1"}
	w.says("agent", one...)
	w.see(pod("agent", "a", orphan))
	w.says("agent", "expected active: 2", "gap active pod_missing: 2", "spent scheduling: 2")
	w.see(pod("agent", "a", toOther))
	w.says("agent", "expected active: 2", "gap active pod_missing: 2", "spent scheduling: 2")
	w.says("other", "expected active: 2", "covered active: 2")
	w.see(pod("agent", "a"))
	w.says("agent", one...)
	w.says("other", one...)
	w.lose(pod("agent", "a", orphan)) // an owner that was lost with the pod
}

// An unbound pod belongs to the node that it was made for, and stays there when
// it is bound.
func TestAPodIsBound(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), node("a"), pod("agent", "a", unbound))
	w.says("agent", "expected active: 1", "gap active pod_unschedulable: 1", "spent scheduling: 1")
	w.see(pod("agent", "a", starting(5)))
	w.says("agent", "expected active: 1", "gap active pod_starting: 1", "spent pod: 1")
	w.loseAll([]any{pod("agent", "a"), node("a"), daemonSet("agent")})
}

func TestEventsThatSayNothingNew(t *testing.T) {
	t.Parallel()
	objects := []any{daemonSet("agent"), node("a", unreachable(-60)), node("b"), pod("agent", "a"), pod("agent", "b", called("x"), revision("zero", 0)), pod("agent", "b")}
	w := start(t, objects...)
	before := fmt.Sprint(countsOf(w.ledger), gapsOf(w.ledger))
	w.at(10).see(objects...).see(objects...)
	w.lose(node("stranger"), daemonSet("stranger"), pod("agent", "stranger"), pod("stranger", "a"), pod("agent", "a", called("stranger")))
	w.lose(node("a", nodeUID("stranger")))
	if diff := cmp.Diff(before, fmt.Sprint(countsOf(w.ledger), gapsOf(w.ledger))); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	w.loseAll(objects)
}

// A DaemonSet that is being deleted is reported until it is gone.
func TestADaemonSetIsDeleted(t *testing.T) {
	t.Parallel()
	w := start(t, daemonSet("agent"), node("a", unreachable(-60)), node("b"), pod("agent", "b"))
	w.see(daemonSet("agent", func(ds *appsv1.DaemonSet) { now := stamp(10); ds.DeletionTimestamp = &now }))
	w.gapsAre("agent on a: node_unreachable since -60")
	w.lose(daemonSet("agent"))
	w.gapsAre()
	w.says("agent")
	w.lose(pod("agent", "b"))
	w.says("agent")
	w.loseAll([]any{node("b"), node("a")})
}
