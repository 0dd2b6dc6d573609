package state_test

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recorder"
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

func TestCluster(t *testing.T) {
	runTests(t, map[string]func(t *testing.T){
		// Nodes, pods and DaemonSets come by three watches, in any order.
		"the order between objects does not matter": func(t *testing.T) {
			all := []any{
				objects.DaemonSet("agent", objects.Created(90)),
				objects.Node("a", objects.Created(95), objects.Ready(99), objects.Tainted("gpu", "PreferNoSchedule")),
				objects.Node("b", objects.Cordoned()),
				objects.PodOf("agent", "a", objects.Created(99), objects.Waiting("ErrImagePull", 99)),
				objects.PodOf("agent", "b", objects.Created(99), objects.Ready(99)),
			}
			for _, running := range []bool{true, false} {
				permutations(all, func(order []any) {
					f := newFixture(t)
					f.at(100)
					if running {
						f.Synced()
					}
					f.set(order...)
					f.Synced()
					f.expectCounts("agent", "expected joining: 1", "gap joining image_pull: 1",
						"expected cordoned: 1", "covered cordoned: 1", "unavailable pod: 1")
					if running {
						f.expectGaps("agent on a: image_pull since 100")
					} else {
						f.expectGaps("agent on a: image_pull since 99")
					}
					f.deleteAll(order...)
				})
			}
		},
		// Before all informers have synced, a cache is full of false gaps.
		"nothing is reported before the start": func(t *testing.T) {
			f := newFixture(t)
			f.set(objects.DaemonSet("agent"), objects.Node("a", objects.Unreachable(-60)), objects.Node("b"), objects.PodOf("agent", "b"))
			f.delete(objects.Node("b"))
			f.expectGaps()
			if got := f.counts(); len(got) != 0 || f.Started() {
				t.Errorf("it counts %v, running %v", got, f.Started())
			}
			for range f.NodeGroups() {
				t.Error("it counts nodes")
			}
			f.Synced()
			f.Start(objects.At(500)) // a second start changes nothing
			f.expectCounts("agent", "expected active: 1", "gap active node_unreachable: 1")
			f.expectGaps("agent on a: node_unreachable since -60")
		},
		"events that bring nothing new": func(t *testing.T) {
			all := []any{objects.DaemonSet("agent"), objects.Node("a", objects.Unreachable(-60)), objects.Node("b"), objects.PodOf("agent", "a"), objects.PodOf("agent", "b", objects.Named("x"), objects.Revision("zero", 0)), objects.PodOf("agent", "b")}
			f := start(t, all...)
			before := fmt.Sprint(f.counts(), f.gaps())
			f.at(10).set(all...).set(all...)
			f.delete(objects.Node("stranger"), objects.DaemonSet("stranger"), objects.PodOf("agent", "stranger"), objects.PodOf("stranger", "a"), objects.PodOf("agent", "a", objects.Named("stranger")))
			f.delete(objects.Node("a", objects.UID("stranger")))
			check.Equal(t, fmt.Sprint(f.counts(), f.gaps()), before)
			f.deleteAll(all...)
		},
		// A pod whose Node object is gone is no cell, although it claims Ready until the
		// pod garbage collector comes by.
		"a node is deleted": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent"), objects.Node("a"), objects.Node("b"), objects.PodOf("agent", "a"), objects.PodOf("agent", "b", objects.NotReady(-5)))
			f.at(10).delete(objects.Node("b"))
			f.expectCounts("agent", "expected active: 1", "covered active: 1")
			f.expectGaps()
			f.at(50).set(objects.PodOf("agent", "b", objects.Phase("Failed"))).delete(objects.PodOf("agent", "b"))
			f.expectCounts("agent", "expected active: 1", "covered active: 1")
			f.at(60.5).set(objects.Node("b", objects.UID("second"), objects.Created(60), objects.NotReady(60)))
			f.expectCounts("agent", "expected active: 1", "covered active: 1", "expected joining: 1", "gap joining node_never_ready: 1", "unavailable node: 1")
			f.expectGaps("agent on b: node_never_ready since 60.5")
		},
		// Owner is the controller's UID, never a name or a label.
		"a DaemonSet is recreated": func(t *testing.T) {
			second := objects.DaemonSet("agent", objects.UID("second"), objects.Created(60))
			ownedBySecond := objects.OwnedBy(second)
			f := start(t, objects.DaemonSet("agent"), objects.Node("a"), objects.PodOf("agent", "a"))
			f.at(60.5).delete(objects.DaemonSet("agent")).set(second)
			f.expectCounts("agent", "expected active: 1", "gap active pod_missing: 1", "unavailable scheduling: 1")
			f.at(61).set(objects.PodOf("agent", "a", objects.Named("new"), ownedBySecond))
			f.expectCounts("agent", "expected active: 1", "covered active: 1")
			f.at(62).set(objects.PodOf("agent", "a", objects.NotReady(61))) // the first one's pod still ends
			f.expectCounts("agent", "expected active: 1", "covered active: 1")
			f.deleteAll(objects.PodOf("agent", "a"), second, objects.Node("a"), objects.PodOf("agent", "a", objects.Named("new"), ownedBySecond))
		},
		// A DaemonSet that is being deleted promises nothing: foreground deletion can be
		// held up by a dead node for hours (kubernetes#64313).
		"a DaemonSet is deleted": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent"), objects.Node("a", objects.Unreachable(-60)), objects.Node("b"), objects.PodOf("agent", "b"))
			f.expectGaps("agent on a: node_unreachable since -60")
			f.set(objects.DaemonSet("agent", objects.Deleted(10)))
			f.expectGaps()
			f.expectCounts("agent")
			f.delete(objects.DaemonSet("agent"))
			f.expectGaps()
			f.expectCounts("agent")
			f.delete(objects.PodOf("agent", "b"))
			f.expectCounts("agent")
			f.deleteAll(objects.Node("b"), objects.Node("a"))
		},
		"a pod changes hands": func(t *testing.T) {
			orphan, toOther := objects.Orphaned(), objects.OwnedBy(objects.DaemonSet("other"))
			f := start(t, objects.DaemonSet("agent"), objects.DaemonSet("other"), objects.Node("a"), objects.Node("b"), objects.PodOf("agent", "a"), objects.PodOf("other", "b"))
			one := []string{"expected active: 2", "covered active: 1", "gap active pod_missing: 1", "unavailable scheduling: 1"}
			f.expectCounts("agent", one...)
			f.set(objects.PodOf("agent", "a", orphan))
			f.expectCounts("agent", "expected active: 2", "gap active pod_missing: 2", "unavailable scheduling: 2")
			f.set(objects.PodOf("agent", "a", toOther))
			f.expectCounts("agent", "expected active: 2", "gap active pod_missing: 2", "unavailable scheduling: 2")
			f.expectCounts("other", "expected active: 2", "covered active: 2")
			f.set(objects.PodOf("agent", "a"))
			f.expectCounts("agent", one...)
			f.expectCounts("other", one...)
			f.delete(objects.PodOf("agent", "a", orphan)) // an owner that was lost with the pod
		},
		// An unbound pod belongs to the node that it was made for, and stays there when
		// it is bound.
		"a pod is bound": func(t *testing.T) {
			f := start(t, objects.DaemonSet("agent"), objects.Node("a"), objects.PodOf("agent", "a", objects.Unbound()))
			f.expectCounts("agent", "expected active: 1", "gap active awaiting_scheduler: 1", "unavailable scheduling: 1")
			f.set(objects.PodOf("agent", "a", objects.Starting(5)))
			f.expectCounts("agent", "expected active: 1", "gap active pod_starting: 1", "unavailable pod: 1")
			f.deleteAll(objects.PodOf("agent", "a"), objects.Node("a"), objects.DaemonSet("agent"))
		},
	})
}

// lostNodes counts the nodes that were lost, by why.
type lostNodes struct {
	recorder.Nothing
	counts map[string]int
}

func (l *lostNodes) NodeLost(_ *slim.DaemonSet, exclusion coverage.Exclusion) {
	l.counts[exclusion.String()]++
}

func TestNamespaceSelector(t *testing.T) {
	poolA := func(node string) any { return objects.Node(node, objects.Label("pool", "a")) }
	selects := func(f *fixture, selector string) {
		f.t.Helper()
		parsed := check.Must(labels.Parse(selector))(f.t)
		f.SetNamespaceSelector("default", parsed, f.now)
	}
	const expected, covered, excluded = "expected active: 1", "covered active: 1", "excluded active namespace_selector: 1"
	all := []any{objects.DaemonSet("agent"), poolA("a"), objects.Node("b"), objects.PodOf("agent", "a")}
	runTests(t, map[string]func(t *testing.T){
		"one that is known before the start excludes nodes from the start": func(t *testing.T) {
			f := newFixture(t)
			f.set(all...)
			selects(f, "pool=a")
			f.Synced()
			f.expectCounts("agent", expected, covered, excluded)
			f.expectGaps()
			f.at(10).set(objects.Node("b", objects.Label("pool", "a")))
			f.expectGaps("agent on b: pod_missing since 10")
			f.deleteAll(all...)
		},
		"one that is known before its DaemonSet excludes nodes too": func(t *testing.T) {
			f := start(t, all[1:3]...)
			selects(f, "pool=a")
			f.set(all...)
			f.expectCounts("agent", expected, covered, excluded)
			f.deleteAll(all...)
		},
		"one that changes is decided anew, and a node is lost": func(t *testing.T) {
			lost := &lostNodes{counts: map[string]int{}}
			f := &fixture{t: t, ledger: newLedger(lost)}
			f.set(append(all, objects.PodOf("agent", "b"))...)
			selects(f, "")
			f.Synced()
			f.expectCounts("agent", "expected active: 2", "covered active: 2")
			f.at(10)
			selects(f, "pool=a")
			f.expectCounts("agent", expected, covered, excluded, "misplaced active stop: 1")
			f.at(20)
			selects(f, "pool = a") // the same in other words
			f.delete(objects.PodOf("agent", "b")).at(30)
			selects(f, "")
			f.expectGaps("agent on b: pod_missing since 30")
			check.Equal(t, lost.counts, map[string]int{"namespace_selector": 1}, "lost nodes")
			f.deleteAll(all...)
		},
		"one that becomes known late loses no node": func(t *testing.T) {
			lost := &lostNodes{counts: map[string]int{}}
			f := &fixture{t: t, ledger: newLedger(lost)}
			f.set(all...)
			f.Synced()
			f.expectGaps("agent on b: pod_missing since 0")
			f.at(10)
			selects(f, "pool=a")
			f.expectGaps()
			f.expectCounts("agent", expected, covered, excluded)
			check.That(t, len(lost.counts) == 0, "lost nodes: %v", lost.counts)
			f.deleteAll(all...)
		},
		"it is that of its own namespace, and goes with its last DaemonSet": func(t *testing.T) {
			other := objects.DaemonSet("other", objects.Change(func(ds *appsv1.DaemonSet) { ds.Namespace = "elsewhere" }))
			f := start(t, append(all, other)...)
			selects(f, "pool=a")
			f.expectCounts("agent", expected, covered, excluded)
			f.expectCounts("other", "expected active: 2", "gap active pod_missing: 2", "unavailable scheduling: 2")
			check.Equal(t, f.Namespaces(), []string{"default", "elsewhere"}, "namespaces")
			f.delete(objects.DaemonSet("agent")).set(objects.DaemonSet("agent", objects.UID("second")))
			f.expectCounts("agent", "expected active: 2", "gap active pod_missing: 2", "unavailable scheduling: 2")
			f.deleteAll(append(all, other, objects.DaemonSet("agent", objects.UID("second")))...)
		},
		"a DaemonSet that is being deleted still promises nothing": func(t *testing.T) {
			f := start(t, append(all, objects.DaemonSet("agent", objects.Deleted(5)))...)
			selects(f, "pool=b")
			selects(f, "")
			f.expectCounts("agent")
			f.deleteAll(all...)
		},
	})
}

// A node that is deleted and made again under its name is another node, also
// where the watch missed the deletion.
func TestNodeRecreated(t *testing.T) {
	t.Parallel()
	first, second := objects.Node("a", objects.Unreachable(-60)), objects.Node("a", objects.UID("second"), objects.Created(60), objects.Ready(61))
	for name, change := range map[string]func(f *fixture){
		"the deletion comes first": func(f *fixture) { f.delete(first).set(second) },
		"the deletion is missed":   func(f *fixture) { f.set(second) },
		"the deletion comes last":  func(f *fixture) { f.set(second).delete(first) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, objects.DaemonSet("agent"), first, objects.PodOf("agent", "a"))
			change(f.at(70))
			f.expectCounts("agent", "expected joining: 1", "covered joining: 1")
		})
	}
	t.Run("its gap begins anew", func(t *testing.T) {
		t.Parallel()
		f := start(t, objects.DaemonSet("agent"), first, objects.PodOf("agent", "a", objects.NotReady(-60)))
		f.at(70.5).set(second).expectGaps("agent on a: pod_not_ready since 70.5")
	})
	t.Run("before the start the last one counts", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t)
		f.set(objects.DaemonSet("agent"), first, objects.Node("a", objects.UID("second")), objects.PodOf("agent", "a")).delete(first)
		f.Synced()
		f.expectCounts("agent", "expected active: 1", "covered active: 1")
	})
}
