package rescheduling_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/rescheduling"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

type step struct {
	at    float64
	event edit
	want  string
}

func TestStep(t *testing.T) {
	t.Parallel()
	ready, unreachable, notReady := node(readiness.StatusReady), node(readiness.StatusUnreachable), node(readiness.StatusNotReady)
	for name, steps := range map[string][]step{
		"each stage ends where the pod was seen to take its step": {
			{10, gone("a-1"), "pod_deleted pending"},
			{12, pod("a-2", objects.Unbound()), "pod_deleted pending"},
			{15, pod("a-2", objects.On("a")), "pod_deleted pending"},
			{19, pod("a-2", objects.Scheduled(15), objects.Started(19)), "pod_deleted pending"},
			{24, pod("a-2", objects.Ready(24)), "pod_deleted 14s = 2+3+4+5"},
		},
		"a pod that is replaced twice is one rescheduling, with the stages of the one that works": {
			{10, gone("a-1"), "pod_deleted pending"},
			{11, pod("a-2", objects.Unbound()), "pod_deleted pending"},
			{13, gone("a-2"), "pod_deleted pending"},
			{15, pod("a-3", objects.Unbound()), "pod_deleted pending"},
			{16, pod("a-3", objects.On("a")), "pod_deleted pending"},
			{18, pod("a-3", objects.Scheduled(16), objects.Started(18)), "pod_deleted pending"},
			{21, pod("a-3", objects.Ready(21)), "pod_deleted 11s = 5+1+2+3"},
		},
		"of two pods that are starting the one that works counts, and the others may go": {
			{10, gone("a-1"), "pod_deleted pending"},
			{11, pod("a-2"), "pod_deleted pending"},
			{13, pod("a-3"), "pod_deleted pending"},
			{14, pod("a-4"), "pod_deleted pending"},
			{15, gone("a-2"), "pod_deleted pending"},
			{18, pod("a-3", objects.Started(18)), "pod_deleted pending"},
			{20, pod("a-3", objects.Ready(20)), "pod_deleted 10s = 3+0+5+2"},
		},
		"a pod that was seen when it worked had been needed until then": {
			{10, gone("a-1"), "pod_deleted pending"},
			{12, pod("a-2", objects.Ready(12)), "pod_deleted 2s = 2+0+0+0"},
		},
		"a pod that is on its way out takes no step": {
			{10, gone("a-1"), "pod_deleted pending"},
			{12, pod("a-2", objects.Started(12), objects.Terminating(12, 30)), "pod_deleted pending"},
			{13.5, pod("a-2", objects.Ready(13)), "pod_deleted 3.5s = 3.5+0+0+0"},
		},
		"minReadySeconds belong to ready": {
			{9, all(daemonSet(objects.MinReadySeconds(30))), ""},
			{10, gone("a-1"), "pod_deleted pending"},
			{12, pod("a-2"), "pod_deleted pending"},
			{15, pod("a-2", objects.Ready(15)), "pod_deleted pending"},
			{45, timePasses, "pod_deleted 35s = 2+0+3+30"},
		},
		"the start is that of a container that has ended since, not of one that waits": {
			{10, gone("a-1"), "pod_deleted pending"},
			{11, pod("a-2", objects.Waiting("ImagePullBackOff", 11)), "pod_deleted pending"},
			{14, pod("a-2", objects.Exited(1, 14)), "pod_deleted pending"},
			{20, pod("a-2", objects.Restarted(1, 1, "Error", 20), objects.Ready(20)), "pod_deleted 10s = 1+0+3+6"},
		},
		"the old containers of a rebooted node are no start": {
			{10, all(unreachable, pod("a-1", objects.Started(10))), ""},
			{40, ready, "node_recovered pending"},
			{41, pod("a-1", objects.ExitedBecause("Unknown", 255, 41)), "node_recovered pending"},
			{43, pod("a-1", objects.Restarted(1, 255, "Unknown", 43)), "node_recovered pending"},
			{44, pod("a-1", objects.Ready(44)), "node_recovered 4s = 0+0+3+1"},
		},
		"a pod that comes back with its node was not needed": {
			{10, all(unreachable, pod("a-1", objects.Started(10))), ""},
			{40, ready, "node_recovered pending"},
			{40.4, pod("a-1", objects.Ready(40)), ""},
		},
		"one that comes back a second later was": {
			{10, all(unreachable, pod("a-1", objects.Started(10))), ""},
			{40, ready, "node_recovered pending"},
			{41.5, pod("a-1", objects.Ready(41)), "node_recovered 1.5s = 0+0+0+1.5"},
		},
		"a node that flaps twice is one rescheduling, and waiting for it is the outage's time": {
			{10, all(unreachable, pod("a-1", objects.Started(10))), ""},
			{20, ready, "node_recovered pending"},
			{24, notReady, "node_recovered paused"},
			{30, ready, "node_recovered pending"},
			{33, notReady, "node_recovered paused"},
			{34, unreachable, "node_recovered paused"},
			{40, ready, "node_recovered pending"},
			{45, pod("a-1", objects.Ready(45)), "node_recovered 12s = 0+0+0+12"},
		},
		"a pod that comes back while its node is away was waited for before": {
			{10, all(unreachable, pod("a-1", objects.Started(10))), ""},
			{20, ready, "node_recovered pending"},
			{24, notReady, "node_recovered paused"},
			{26, pod("a-1", objects.Ready(26)), "node_recovered paused"},
			{30, ready, "node_recovered 4s = 0+0+0+4"},
		},
		"a successor made and started while its node is away took no time for that": {
			{10, gone("a-1"), "pod_deleted pending"},
			{13, notReady, "pod_deleted paused"},
			{20, pod("a-2"), "pod_deleted paused"},
			{25, pod("a-2", objects.Started(25)), "pod_deleted paused"},
			{30, ready, "node_recovered pending"},
			{32, pod("a-2", objects.Ready(32)), "node_recovered 5s = 3+0+0+2"},
		},
		"a pod that is stamped while its node was away does not backdate the need": {
			{9.9, unreachable, ""},
			{10.1, pod("a-1", objects.Started(10)), ""},
			{70, ready, "node_recovered pending"},
			{73, pod("a-1", objects.Ready(73)), "node_recovered 3s = 0+0+0+3"},
		},
		"a loss that is dated into its node's absence begins with the node": {
			{10, all(readySince(5), dated(3), gone("a-1")), "pod_deleted pending"},
			{20, pod("a-2", objects.Ready(20)), "pod_deleted 15s = 15+0+0+0"},
		},
		"a loss that is dated into the future begins now": {
			{10, all(dated(12), gone("a-1")), "pod_deleted pending"},
			{20, pod("a-2", objects.Ready(20)), "pod_deleted 10s = 10+0+0+0"},
		},
		"a loss of which no moment is known begins now": {
			{10, all(undated, gone("a-1")), "pod_deleted pending"},
			{20, pod("a-2", objects.Ready(20)), "pod_deleted 10s = 10+0+0+0"},
		},
		"a late change is dated by its stamps": {
			{10, gone("a-1"), "pod_deleted pending"},
			// Everything that happened from 12 to 20 arrives at 40.
			{40, all(dated(20), pod("a-2", objects.Created(12), objects.Scheduled(13), objects.StartTime(13), objects.Started(16), objects.Ready(20), objects.Late())), "pod_deleted 10s = 2+1+3+4"},
		},
		"a failure and a return of the node that are seen late are dated, too": {
			{10, gone("a-1"), "pod_deleted pending"},
			{20, all(notReady, dated(12)), "pod_deleted paused"},
			{40, all(ready, readySince(30)), "node_recovered pending"},
			{45, pod("a-2", objects.Ready(45)), "node_recovered 17s = 17+0+0+0"},
		},
		"a stage that is stamped before the one that precedes it took no time": {
			{10, gone("a-1"), "pod_deleted pending"},
			{40, all(dated(20), pod("a-2", objects.Created(14), objects.Scheduled(12), objects.StartTime(13), objects.Started(16), objects.Ready(20), objects.Late())), "pod_deleted 10s = 4+0+2+4"},
		},
		"a stage that is stamped after the pod was available ends with it": {
			{10, gone("a-1"), "pod_deleted pending"},
			{40, all(dated(20), pod("a-2", objects.Created(12), objects.Scheduled(13), objects.StartTime(13), objects.Started(25), objects.Ready(20), objects.Late())), "pod_deleted 10s = 2+1+7+0"},
		},
		"an end that is dated before the beginning is negative: clocks disagree": {
			{10, gone("a-1"), "pod_deleted pending"},
			{10, pod("a-2"), "pod_deleted pending"},
			{5, pod("a-2", objects.Ready(10)), "pod_deleted -5s = -5+0+0+0"},
		},
		"a clock that is set back while the node fails takes nothing away": {
			{10, gone("a-1"), "pod_deleted pending"},
			{5, notReady, "pod_deleted paused"},
			{20, ready, "node_recovered pending"},
			{23, pod("a-2", objects.Ready(23)), "node_recovered 3s = 3+0+0+0"},
		},
		"an exporter that starts while minReadySeconds run": {
			{62, all(daemonSet(objects.MinReadySeconds(50)), vanished("a-1"), pod("a-2", objects.JustCreated(22), objects.Ready(49)), started), "pod_deleted pending"},
			{99, timePasses, "pod_deleted 77s"},
		},
		"a command that is not there is no start": {
			{10, gone("a-1"), "pod_deleted pending"},
			{11, pod("a-2"), "pod_deleted pending"},
			{12, pod("a-2", objects.ExitedBecause("StartError", 128, 12)), "pod_deleted pending"},
			{14, pod("a-2", objects.Restarted(1, 128, "StartError", 13), objects.CrashLooping(14)), "pod_deleted pending"},
			{20, pod("a-2", objects.Restarted(1, 128, "StartError", 19), objects.Started(20)), "pod_deleted pending"},
			{22, pod("a-2", objects.Ready(22)), "pod_deleted 12s = 1+0+9+2"},
		},
		"a DaemonSet that is deleted ends it": {
			{10, gone("a-1"), "pod_deleted pending"},
			{12, pod("a-2"), "pod_deleted pending"},
			{15, all(expected(false), because(rescheduling.EventDaemonSetDeleted)), ""},
			{16, pod("a-2", objects.Ready(16)), ""},
			{17, gone("a-2"), ""},
		},
		"a node that is deleted ends it": {
			{10, gone("a-1"), "pod_deleted pending"},
			{11, notReady, "pod_deleted paused"},
			{12, ready, "node_recovered pending"},
			{20, all(expected(false), because(rescheduling.EventNodeDeleted)), ""},
		},
		"a node that is deleted while it is not Ready ends it": {
			{10, gone("a-1"), "pod_deleted pending"},
			{11, notReady, "pod_deleted paused"},
			{20, all(expected(false), because(rescheduling.EventNodeDeleted)), ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, twice := range []bool{false, true} {
				c := newCell()
				c.twice = twice
				for _, step := range steps {
					got := c.step(step.at, step.event)
					if !strings.Contains(step.want, "=") {
						got = total(got)
					}
					check.Equal(t, got, step.want, "at", step.at, "s, each change twice", twice)
				}
			}
		})
	}
	t.Run("a cell that is covered by no pod that says so ends it without a result", func(t *testing.T) {
		c := newCell()
		c.step(10, gone("a-1"))
		c.Reason = coverage.ReasonNone
		if next, _, finished := rescheduling.Step(c.open, &c.Change, objects.At(11)); next != nil || finished {
			t.Errorf("finished: %v, left open: %v", finished, next)
		}
	})
	t.Run("names of stages", func(t *testing.T) {
		check.Equal(t, label(rescheduling.Stages), []string{"create", "schedule", "start", "ready"})
	})
}

// In every sequence of six of these events the clock shows the time in which the
// node was Ready, and each stage the part of it until the pod took its step. A
// change that is delivered twice changes nothing.
func TestStepLaws(t *testing.T) {
	t.Parallel()
	const length = 6
	finished := 0
	for number := range 2 << (2 * length) {
		c, again := newCell(), newCell()
		again.twice = true
		first, name, steps := gone("a-1"), "", 0 // steps that the pod has taken
		if number%2 == 0 {
			first, name, steps = all(node(readiness.StatusUnreachable), pod("a-1", objects.Started(5))), "a-1", 3
		}
		again.step(5, first)
		sequence := []string{c.step(5, first)}
		clock, reached := 0.0, [4]float64{} // what it showed when the pod took its steps
		for i, rest := 0, number/2; i < length; i, rest = i+1, rest/4 {
			at := float64(int(10) << i)
			if sequence[i] == "" || strings.Contains(sequence[i], "=") {
				clock, reached = 0, [4]float64{}
			} else if c.Node.Ready {
				clock += at - c.now
			}
			event := edit(timePasses)
			switch move := rest % 4; {
			case move == 0 && c.Node.Ready:
				event = node(readiness.StatusUnreachable)
			case move == 0:
				event = node(readiness.StatusReady)
			case move == 1 && steps > 0:
				event, steps = gone(name), 0
			case move == 2 && steps < 4:
				if steps == 0 {
					name = fmt.Sprint("a-", at)
				}
				event = pod(name, [...][]objects.Option{
					{objects.Unbound()}, {objects.On("a")}, {objects.Scheduled(at), objects.Started(at)}, {objects.Ready(at)},
				}[steps]...)
				reached[steps] = clock
				steps++
			}
			got := c.step(at, event)
			if second := again.step(at, event); second != got {
				t.Fatalf("%q, then %q, delivered twice %q", sequence, got, second)
			}
			sequence = append(sequence, got)
			if _, got, ended := strings.Cut(got, " "); ended && strings.Contains(got, "=") {
				finished++
				want := fmt.Sprintf("%vs = %v+%v+%v+%v", clock, reached[0], reached[1]-reached[0], reached[2]-reached[1], clock-reached[2])
				check.Require(t, got == want, "%q: want %s", sequence, want)
			}
		}
	}
	check.That(t, finished >= 500, "%d reschedulings prove too little", finished)
}
