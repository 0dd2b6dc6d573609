package state_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/random"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recorder"
)

// The law watched equals found: a Cluster that is started in the middle and one that
// watched all along agree on every gap's reason, on its start (within a second: stamps
// have no more), and on how many reschedulings are pending, wherever the objects carry
// the knowledge; and from then on for as long as both watch.
func TestWatchedEqualsFound(t *testing.T) {
	t.Parallel()
	for name, seed := range map[string]uint64{
		"seed 1": 1, "seed 2": 2, "seed 3": 3, "seed 4": 4, "new seed": random.Seeds()["new seed"],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all compared
			for run := range uint64(runs / 10) {
				c := comparison{t: t, cluster: random.NewOperation(random.Seeded(seed, run)), watched: newLedger(recorder.Nothing{}), knowledge: map[string]*knowledge{}}
				c.run()
				all.gaps, all.starts, all.later = all.gaps+c.gaps, all.starts+c.starts, all.later+c.later
				if t.Failed() {
					t.Fatalf("run %d of seed %d", run, seed)
				}
			}
			t.Logf("seed %d: of %d gaps that were found %d starts were told by the objects; %d were compared later", seed, all.gaps, all.starts, all.later)
			if all.starts < 3*runs/10 || all.starts*4 < all.gaps {
				t.Errorf("of %d gaps that were found only %d starts were compared", all.gaps, all.starts)
			}
		})
	}
}

// compared counts the gaps that were found, the starts of them that were compared, and
// those that were compared while both watched.
type compared struct{ gaps, starts, later int }

// comparison is one run.
type comparison struct {
	compared
	t              *testing.T
	cluster        *random.Operation
	story          []string
	watched, found *ledger
	knowledge      map[string]*knowledge
	// untold are the nodes whose gap was open when found was started, and whose start
	// no object told then.
	untold map[string]bool
}

func (c *comparison) run() {
	c.watched.applyTimes(1, c.cluster.Present()...)
	c.watched.Synced()
	for step := range 60 {
		// Stamps are cut to seconds, and events are not.
		now := c.watched.now.Add(time.Duration(3+step%5)*time.Second + time.Duration(step%7)*100*time.Millisecond)
		c.watched.advance(now)
		if c.found != nil {
			c.found.advance(now)
		}
		for _, event := range c.cluster.Next(now) {
			c.story = append(c.story, event.String())
			c.watched.applyTimes(1, event)
			if c.found != nil {
				c.found.applyTimes(1, event)
			}
			c.witness(event)
		}
		if step%6 == 5 {
			c.restart()
		}
		c.compare(step)
		if c.t.Failed() {
			c.t.Log(strings.Join(c.story, "\n"))
			return
		}
	}
}

// restart starts another Cluster.
func (c *comparison) restart() {
	c.found = c.watched.restarted()
	c.untold = map[string]bool{}
	for node, gap := range c.watched.gapsByNode() {
		c.gaps++
		if c.untold[node] = !c.knowledge[node].told(gap, c.watched.podsOn(node)); !c.untold[node] {
			c.starts++
		}
	}
}

func (c *comparison) compare(step int) {
	if c.found == nil {
		return
	}
	watched, found := c.watched.gapsByNode(), c.found.gapsByNode()
	maps.DeleteFunc(c.untold, func(node string, _ bool) bool { _, open := watched[node]; return !open })
	for _, node := range slices.Sorted(maps.Keys(watched)) {
		want, got := watched[node], found[node]
		if c.knowledge[node].neverReady(want) {
			continue // and the reason with it
		}
		apart := got.Opened.Sub(want.Opened).Abs()
		if !c.untold[node] {
			c.later++
		}
		if want.Reason != got.Reason || !c.untold[node] && apart > time.Second {
			c.t.Errorf("step %d, %v after noon: on %s %v since %v as watched, %v since %v as found", step, c.watched.now.Sub(objects.Noon), node,
				want.Reason, objects.Seconds(want.Opened), got.Reason, objects.Seconds(got.Opened))
		}
	}
	counts := func(l *ledger) open { all := l.open(); all.Terminating = [rescheduling.States]int{}; return all } // a second is a second
	check.Equal(c.t, counts(c.found), counts(c.watched), "step", step, "as found, as watched")
}

// knowledge is what a watch has seen of an open gap and no object tells any more. It is
// written from the design: section 3, and the definition of never_ready.
type knowledge struct {
	// missing: there was no pod for a part of the gap's time, whether the reason said so
	// or the node was down. A pod that is not there carries no stamp.
	missing bool
	// lost: a pod of the cell has gone since the gap opened, or with its opening, and its
	// stamps with it.
	lost bool
	// moved: the node's Ready condition went from one way of not being Ready to another,
	// and its stamp with it.
	moved bool
	// up: the node was Ready for a part of the gap's time.
	up bool
	// down is the node's Ready condition if it is not Ready.
	down slim.ConditionStatus
}

// witness notes what an event does to the knowledge of gaps.
func (c *comparison) witness(event random.Event) {
	open := c.watched.gapsByNode()
	maps.DeleteFunc(c.knowledge, func(node string, _ *knowledge) bool { _, ok := open[node]; return !ok })
	for node, gap := range open {
		k := c.knowledge[node]
		if k == nil {
			k = &knowledge{}
			c.knowledge[node] = k
		}
		k.missing = k.missing || len(c.watched.podsOn(node)) == 0
		if pod, ok := event.Object.(*slim.Pod); ok {
			k.lost = k.lost || event.Gone && pod.NodeName.Value() == node && pod.Owner == gap.DaemonSet.UID
		}
		if status := gap.Node.Ready.Status; status == slim.ConditionTrue {
			k.up, k.down = true, slim.ConditionAbsent
		} else {
			k.moved = k.moved || k.down != slim.ConditionAbsent && status != k.down
			k.down = status
		}
	}
}

// told reports whether the objects tell when the gap began: the node's stamp where its
// failure opened the gap and still lasts, else the pods', which those that were not Ready
// before the node failed, or were marked with it, keep when the node's is gone.
func (k *knowledge) told(gap state.Gap, pods []*slim.Pod) bool {
	byNode := !k.up && !k.moved
	byPods := !k.missing && (!k.moved || !slices.ContainsFunc(pods, readyTrue))
	return !k.lost && (byNode || byPods) && !k.neverReady(gap)
}

func readyTrue(pod *slim.Pod) bool { return pod.Ready.Status == slim.ConditionTrue }

// neverReady reports whether only the watch tells that the node never was Ready: its
// condition has another stamp than its creation by now.
func (k *knowledge) neverReady(gap state.Gap) bool {
	return gap.Reason == coverage.ReasonNodeNeverReady && gap.Node.Ready.LastTransitionTime != gap.Node.CreationTimestamp
}

func (l *ledger) gapsByNode() map[string]state.Gap {
	all := map[string]state.Gap{}
	gaps, _ := l.Gaps(1000)
	for _, gap := range gaps {
		all[gap.Node.Name] = gap
	}
	return all
}

// podsOn are the pods of the cell.
func (l *ledger) podsOn(node string) (pods []*slim.Pod) {
	gap := l.gapsByNode()[node]
	for _, object := range l.watch.Objects() {
		if pod, ok := object.(*slim.Pod); ok && pod.NodeName.Value() == node && pod.Owner == gap.DaemonSet.UID {
			pods = append(pods, pod)
		}
	}
	return pods
}
