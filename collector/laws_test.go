package collector

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// lawful checks what is recorded, and passes it on.
type lawful struct {
	rescheduling.Recorder
	t       testing.TB
	elapsed func() time.Duration
	// finished counts the reschedulings.
	finished int
}

func (l *lawful) Rescheduled(ds *slim.DaemonSet, trigger rescheduling.Trigger, stages [rescheduling.Stages]time.Duration) {
	l.finished++
	total := time.Duration(0)
	for _, stage := range stages {
		total += stage
		if stage < 0 {
			l.t.Errorf("a stage of %v took %v", stages, stage)
		}
	}
	if total > l.elapsed() {
		l.t.Errorf("a rescheduling took %v in a story of %v", total, l.elapsed())
	}
	l.Recorder.Rescheduled(ds, trigger, stages)
}

func (l *lawful) Terminated(ds *slim.DaemonSet, outcome rescheduling.Outcome, duration time.Duration) {
	if duration < 0 && duration != rescheduling.Unmeasured {
		l.t.Errorf("a termination took %v", duration)
	}
	l.Recorder.Terminated(ds, outcome, duration)
}

func (l *lawful) Restarted(ds *slim.DaemonSet, ending slim.TerminationReason, times int32) {
	if times <= 0 {
		l.t.Errorf("%d restarts", times)
	}
	l.Recorder.Restarted(ds, ending, times)
}

// obey has a collector watched by a lawful recorder.
func (c *cast) obey() *lawful {
	h := c.collector.history
	l := &lawful{Recorder: h, t: c.t, elapsed: func() time.Duration { return c.clock.Now().Sub(c.begin) }}
	h.cells = rescheduling.NewTracker(l)
	h.terminating = rescheduling.NewTerminations(l, c.collector.ledger)
	return l
}

// state is what is open: the gauges.
type state struct {
	Covered, Expected, Gaps, Pending int
	Terminating                      [rescheduling.States]int
}

func (c *cast) state() state {
	var s state
	ledger, h := c.collector.ledger, c.collector.history
	for summary := range ledger.Summaries() {
		for lifecycle := range summary.Totals.Expected {
			s.Expected += int(summary.Totals.Expected[lifecycle])
			s.Covered += int(summary.Totals.Covered[lifecycle])
		}
		for trigger := range rescheduling.Triggers {
			s.Pending += h.cells.Pending(summary.DaemonSet.UID, trigger)
		}
		for state := range rescheduling.States {
			s.Terminating[state] += h.terminating.Count(summary.DaemonSet.UID, state)
		}
	}
	gaps, _ := ledger.Gaps(1000)
	s.Gaps = len(gaps)
	return s
}

// fate is the next thing that happens to a cast. It does the same to two casts
// that are in the same state.
func (c *cast) fate(roll *rand.Rand, serial int) {
	node := []string{"a", "b"}[roll.IntN(2)]
	pods := []string{node + "-1", node + "-2"}
	name := pods[roll.IntN(2)]
	what := roll.IntN(30)
	object, there := c.nodes[node]
	alive := there && object.Status.Conditions[0].Status == up
	switch {
	case what == 0 && there:
		c.deleteNode(node)
	case what >= 1 && what <= 2 && !there:
		c.node(node, []corev1.ConditionStatus{up, broken}[what-1])
	case what <= 4 && there:
		c.fail(node, alive)
	case what == 5 && there:
		c.node(node, []corev1.ConditionStatus{up, broken, unheard}[serial%3])
	case what == 6 && c.sets["agent"] != nil:
		c.deleteDaemonSet("agent")
	case what <= 9 && c.sets["agent"] == nil:
		c.daemonSet("agent")
	case c.pods[name] == nil && c.sets["agent"] != nil && there && !c.lives(pods[0]) && !c.lives(pods[1]):
		c.pod(name, node)
	case c.pods[name] != nil:
		c.podFate(name, node, what, alive)
	}
}

// lives tells that a pod of the DaemonSet is there and may work: its controller
// makes no second one then.
func (c *cast) lives(name string) bool {
	pod := c.pods[name]
	return pod != nil && pod.OwnerReferences[0].UID == c.sets["agent"].UID && pod.DeletionTimestamp == nil &&
		pod.Status.Phase != corev1.PodFailed && pod.Status.Phase != corev1.PodSucceeded
}

// fail lets a node fail, and the controller manager take Ready away from its
// pods, or lets it come back.
func (c *cast) fail(node string, alive bool) {
	if !alive {
		c.node(node, up)
		return
	}
	c.node(node, unheard)
	for _, name := range []string{node + "-1", node + "-2"} {
		if pod := c.pods[name]; pod != nil && pod.Status.Phase == corev1.PodRunning {
			c.pod(name, node, started)
		}
	}
}

// podFate is what happens to one pod. Its kubelet does nothing while it is away.
func (c *cast) podFate(name, node string, what int, alive bool) {
	pod := c.pods[name]
	ended := pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
	asked0 := pod.DeletionTimestamp != nil
	switch {
	case what == 10:
		c.gone(name, true)
	case what == 11 && asked0:
		c.gone(name, false)
	case what <= 14 && !asked0:
		c.pod(name, node, asked(int64(what-10)*10))
	case what == 15 && asked0 && *pod.DeletionGracePeriodSeconds > 9:
		c.pod(name, node, func(p *corev1.Pod, _ metav1.Time) {
			end, grace := p.DeletionTimestamp.Add(-9*time.Second), *p.DeletionGracePeriodSeconds-9
			p.DeletionTimestamp, p.DeletionGracePeriodSeconds = new(metav1.NewTime(end)), &grace
		})
	case !alive:
	case ended && asked0:
		c.gone(name, false)
	case ended:
	case asked0 && what > 20:
		c.pod(name, node, ends(int32([]int{0, 137, 143}[what%3])))
	case what == 16:
		c.pod(name, node, ends(1))
	case what == 17 && pod.Status.Phase == corev1.PodRunning:
		c.pod(name, node, restarts(1, 1, "Error"), backsOff)
	case what == 18:
		c.pod(name, node, started)
	default:
		c.pod(name, node, []change{started, ready}[what%2])
	}
}

func TestLawsOfWhatHappensOverTime(t *testing.T) {
	t.Parallel()
	seeds := []uint64{1, 2, 3, 4, uint64(time.Now().UnixNano())}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			finished := 0
			for story := range 150 {
				finished += tellStory(t, seed, uint64(story))
				if t.Failed() {
					t.Fatalf("story %d of seed %d", story, seed)
				}
			}
			if finished < 100 {
				t.Errorf("150 stories hold no more than %d reschedulings", finished)
			}
		})
	}
}

// tellStory lets the same things happen to a cluster that is watched, and to
// one whose every change is delivered twice; now and then it starts another
// exporter.
func tellStory(t *testing.T, seed, story uint64) (finished int) {
	t.Helper()
	c, twice := stage(t, "a", "b"), stage(t, "a", "b")
	twice.twice = true
	recorder := c.obey()
	twice.obey()
	c.synced()
	twice.synced()
	roll, same := rand.New(rand.NewPCG(seed, story)), rand.New(rand.NewPCG(seed, story))
	seconds := 0
	for step := range 60 {
		seconds += 3 + step%5
		c.after(float64(seconds)).fate(roll, step)
		twice.after(float64(seconds)).fate(same, step)
		if diff := cmp.Diff(c.state(), twice.state()); diff != "" {
			t.Fatalf("step %d: delivered once and twice (-once +twice):\n%s", step, diff)
		}
		if step%6 == 5 {
			if diff := cmp.Diff(c.state(), c.restarted().state()); diff != "" {
				t.Fatalf("step %d: as watched and as found (-watched +found):\n%s", step, diff)
			}
		}
		h := c.collector.history
		if s := c.state(); s.Pending > h.cells.Open() || h.cells.Open() > s.Gaps || s.Covered+s.Gaps != s.Expected {
			t.Fatalf("step %d: %d episodes are open in %+v", step, h.cells.Open(), s)
		}
	}
	c.endAll()
	c.compareLedger()
	if s := c.state(); s != (state{}) {
		t.Fatalf("left of nothing: %+v", s)
	}
	if skew := c.scrape()["exporter_clock_skew_total"]; skew != 0 {
		t.Fatalf("%v negative durations", skew)
	}
	return recorder.finished
}

// endAll deletes everything, and lets all timers come.
func (c *cast) endAll() {
	for name := range c.nodes {
		c.deleteNode(name)
	}
	for name := range c.sets {
		c.deleteDaemonSet(name)
	}
	for name := range c.pods {
		c.gone(name, false)
	}
	c.at(c.clock.Now().Add(time.Hour))
}
