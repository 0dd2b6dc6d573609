package collector

import (
	"strings"
	"testing"
)

// in moves samples to another lifecycle than active.
func in(lifecycle string, all samples) samples {
	moved := samples{}
	for name, value := range all {
		family, labels, _ := strings.Cut(name, "{")
		if labels == "" {
			labels = "}"
		} else {
			labels = "," + labels
		}
		moved[family+"{lifecycle="+lifecycle+labels] = value
	}
	return moved
}

func TestReplayCrashLoop(t *testing.T) {
	// The agent exits with code 3 after 4 s, again and again. Its node joined 11 s
	// before the exporter looked.
	first := rescheduled("daemonset_created", 41.489949,
		rise{41.504678, 41.518726, 41.566640, 41.566640}, // sim-1
		rise{41.519155, 41.531488, 41.565813, 41.565813}, // sim-2
		rise{41.519336, 41.536272, 42.092682, 42.105647}) // real-0
	opened := closed("scheduling", 41.566640-41.489949, 41.565813-41.489949, 42.105647-41.489949)
	restarts := "container_restarts_total{reason=Error}"
	replay(t, "c-crash", nil,
		step{at: "21:10:46", why: "all run; the node was Ready before the exporter started, so that its start is not known", changes: also(
			samples{
				"cluster_nodes{status=ready}": 2, "expected_nodes": 2, "covered_nodes": 2,
				"cluster_nodes{lifecycle=joining,status=ready}": 1, "expected_nodes{lifecycle=joining}": 1, "covered_nodes{lifecycle=joining}": 1,
			}, first, opened)},
		step{at: "21:10:46.650", why: "the first exit is no loop yet", changes: also(
			in("joining", gap("real-0", "pod_not_ready", "21:10:46.620979")), samples{"covered_nodes{lifecycle=joining}": 0})},
		step{at: "21:10:47", why: "up again after 0.1 s, within one stamped second: a gap, and no rescheduling", changes: also(
			in("joining", over(gap("real-0", "pod_not_ready", "21:10:46.620979"))),
			samples{"covered_nodes{lifecycle=joining}": 1, restarts: 1}, closed("pod", 46.725385-46.620979))},
		step{at: "21:10:52", why: "the second exit", changes: also(
			in("joining", gap("real-0", "crash_loop", "21:10:51.641268")), samples{"covered_nodes{lifecycle=joining}": 0})},
		step{at: "21:11:00", why: "CrashLoopBackOff"},
		step{at: "21:11:05", why: "it runs, and is not Ready yet: the same gap", changes: also(
			in("joining", over(gap("real-0", "crash_loop", "21:10:51.641268"))),
			in("joining", gap("real-0", "pod_not_ready", "21:10:51.641268")), samples{restarts: 2})},
		step{at: "21:11:06", why: "Ready for a moment", changes: also(
			in("joining", over(gap("real-0", "pod_not_ready", "21:10:51.641268"))),
			samples{"covered_nodes{lifecycle=joining}": 1}, closed("pod", 46.725385-46.620979, 65.637695-51.641268))},
		step{at: "21:11:20", why: "the third exit is shown as terminated for 26 s, and is a crash loop all the time", changes: also(
			in("joining", gap("real-0", "crash_loop", "21:11:09.649331")), samples{"covered_nodes{lifecycle=joining}": 0})},
		step{at: "21:11:30", why: "the join grace is over, by a timer; the gap is the same", changes: also(
			in("joining", over(gap("real-0", "crash_loop", "21:11:09.649331"))), gap("real-0", "crash_loop", "21:11:09.649331"),
			samples{
				"cluster_nodes{lifecycle=joining,status=ready}": 0, "cluster_nodes{status=ready}": 3,
				"expected_nodes{lifecycle=joining}": 0, "expected_nodes": 3,
			})},
		step{at: "21:11:36", why: "Ready again", changes: also(
			over(gap("real-0", "crash_loop", "21:11:09.649331")), samples{"covered_nodes": 3, restarts: 3},
			closed("pod", 46.725385-46.620979, 65.637695-51.641268, 35.754790-9.649331))},
		step{at: "21:12:21", why: "the fourth exit", changes: also(
			gap("real-0", "crash_loop", "21:11:39.769721"), samples{"covered_nodes": 2})},
		step{at: "21:12:22", why: "deleted in back-off: now another pod is needed", changes: also(
			over(gap("real-0", "crash_loop", "21:11:39.769721")), gap("real-0", "pod_terminating", "21:11:39.769721"),
			samples{"pods_terminating{state=within_grace}": 1, "pod_rescheduling_pending{trigger=pod_deleted}": 1})},
		step{at: "21:12:24", why: "the exit code that it carries is not of its end: nothing ran when that was asked for", changes: also(
			over(gap("real-0", "pod_terminating", "21:11:39.769721")), gap("real-0", "pod_starting", "21:11:39.769721"),
			samples{"pods_terminating{state=within_grace}": 0}, terminated("not_running", 23.926696-21.973733))},
		step{at: "21:12:26", why: "the rescheduling runs from the deletion, the gap from the crash", changes: also(
			over(gap("real-0", "pod_starting", "21:11:39.769721")),
			samples{"covered_nodes": 3, "pod_rescheduling_pending{trigger=pod_deleted}": 0},
			plus(first, rescheduled("pod_deleted", 21.973733, rise{23.507782, 23.523913, 24.178792, 25.190942})),
			closed("pod", 46.725385-46.620979, 65.637695-51.641268, 35.754790-9.649331, 85.190942-39.769721))},
		afterDaemonSet("21:12:29.200"),
	)
}

func TestReplayImageThatDoesNotExist(t *testing.T) {
	first := rescheduled("daemonset_created", 32.734135,
		rise{32.757919, 32.768561, 32.819238, 32.819238}, // sim-2
		rise{32.781986, 32.806591, 32.848724, 32.848724}) // sim-1
	pending := samples{"pod_rescheduling_pending{trigger=daemonset_created}": 1}
	replay(t, "d-image", nil,
		step{at: "20:54:33", why: "two run, the third is being made", changes: also(
			threeCovered(), samples{"covered_nodes": 2}, pending, first,
			closed("scheduling", 32.819238-32.734135, 32.848724-32.734135), gap("real-0", "pod_starting", "20:54:32.734135"))},
		step{at: "20:54:40", why: "ErrImagePull", changes: also(
			over(gap("real-0", "pod_starting", "20:54:32.734135")), gap("real-0", "image_pull", "20:54:32.734135"))},
		step{at: "20:54:50", why: "ImagePullBackOff is the same"},
		step{at: "20:55:18", why: "and so is the next attempt"},
		step{at: "20:55:19", why: "deleted by hand; what is waited for is still the DaemonSet's first pod on this node", changes: also(
			over(gap("real-0", "image_pull", "20:54:32.734135")), gap("real-0", "pod_terminating", "20:54:32.734135"),
			samples{"pods_terminating{state=within_grace}": 1})},
		step{at: "20:55:20", why: "137 ContainerStatusUnknown is said of a container that never ran", changes: also(
			over(gap("real-0", "pod_terminating", "20:54:32.734135")), gap("real-0", "pod_starting", "20:54:32.734135"),
			samples{"pods_terminating{state=within_grace}": 0}, terminated("not_running", 19.499224-18.358715))},
		step{at: "20:55:22", why: "replaced in vain: one gap, one rescheduling, both open", changes: also(
			over(gap("real-0", "pod_starting", "20:54:32.734135")), gap("real-0", "image_pull", "20:54:32.734135"))},
		afterDaemonSet("20:55:23.600"),
	)
}

func TestReplayEviction(t *testing.T) {
	// kubectl drain cordons the node and evicts a pod that is none of ours; then
	// the agent is evicted through the API.
	first := rescheduled("daemonset_created", 23.752852,
		rise{23.778801, 23.831247, 24.396006, 24.649438}, // real-0
		rise{23.830832, 23.854825, 23.949042, 23.949042}, // sim-2
		rise{23.853086, 23.891855, 23.948347, 23.948347}) // sim-1
	cordoned := samples{
		"cluster_nodes{status=ready}": 2, "expected_nodes": 2, "covered_nodes": 2,
		"cluster_nodes{lifecycle=cordoned,status=ready}": 1, "expected_nodes{lifecycle=cordoned}": 1, "covered_nodes{lifecycle=cordoned}": 1,
	}
	replay(t, "h-evict", nil,
		step{at: "20:56:29", why: "all run", changes: also(threeCovered(), first,
			closed("scheduling", 24.649438-23.752852, 23.949042-23.752852, 23.948347-23.752852))},
		step{at: "20:56:33", why: "cordoned, tainted, and drained of what is not ours; the agent is expected as before", changes: cordoned},
		step{at: "20:56:35", why: "evicted: asked to end like any other", changes: samples{"pods_terminating{state=within_grace}": 1}},
		step{at: "20:56:36.060", why: "ended, on a cordoned node that needs it still", changes: also(
			in("cordoned", gap("real-0", "pod_terminating", "20:56:36.057091")),
			samples{"covered_nodes{lifecycle=cordoned}": 0, "pod_rescheduling_pending{trigger=pod_evicted}": 1})},
		step{at: "20:56:36.700", why: "gracefully, with a successor in the making", changes: also(
			in("cordoned", over(gap("real-0", "pod_terminating", "20:56:36.057091"))),
			in("cordoned", gap("real-0", "pod_starting", "20:56:36.057091")),
			samples{"pods_terminating{state=within_grace}": 0}, terminated("graceful", 36.686986-33.764840))},
		step{at: "20:56:38", why: "back on the cordoned node", changes: also(
			in("cordoned", over(gap("real-0", "pod_starting", "20:56:36.057091"))),
			samples{"covered_nodes{lifecycle=cordoned}": 1, "pod_rescheduling_pending{trigger=pod_evicted}": 0},
			plus(first, rescheduled("pod_evicted", 36.057091, rise{36.098593, 36.104748, 36.739382, 37.694461})),
			closed("pod", 37.694461-36.057091))},
		step{at: "20:56:41", why: "uncordoned", changes: also(over(cordoned), threeCovered())},
		afterDaemonSet("20:56:45.800"),
	)
}

func TestReplayRollout(t *testing.T) {
	// A new template, one node at a time. The agent's probe takes 5 s. The first
	// pod comes in before its DaemonSet does.
	first := rescheduled("daemonset_created", 56.659770,
		rise{56.659770, 56.734832, 56.783100, 56.783100}, // sim-1
		rise{56.673817, 56.713576, 56.754679, 56.754679}, // sim-2
		rise{56.690725, 56.735083, 57.242342, 61.567684}) // real-0
	opened := []float64{56.783100 - 56.659770, 56.754679 - 56.659770, 61.567684 - 56.659770}
	sims := rescheduled("rollout", 6.547104, rise{6.552429, 6.573265, 6.585450, 6.585450})
	simsToo := rescheduled("rollout", 6.621668, rise{6.630112, 6.639147, 6.657471, 6.657471})
	replay(t, "i-rolling", nil,
		step{at: "20:56:06", why: "all run", changes: also(threeCovered(), first, closed("scheduling", opened...))},
		step{at: "20:56:06.550", why: "the simulated kubelet removes at once and reports no exit: nothing is known", changes: also(
			gap("sim-1", "pod_missing", "20:56:06.547104"),
			samples{"covered_nodes": 2, "pod_rescheduling_pending{trigger=rollout}": 1},
			terminated("unknown", 6.547104-6.520669))},
		step{at: "20:56:08.800", why: "both simulated nodes are done; the third pod was asked to end", changes: also(
			over(gap("sim-1", "pod_missing", "20:56:06.547104")),
			samples{"covered_nodes": 3, "pod_rescheduling_pending{trigger=rollout}": 0, "pods_terminating{state=within_grace}": 1},
			terminated("unknown", 6.547104-6.520669, 6.621668-6.611960), plus(first, sims, simsToo),
			closed("scheduling", append(opened, 6.585450-6.547104, 6.657471-6.621668)...))},
		step{at: "20:56:08.860", why: "its container has ended", changes: also(
			gap("real-0", "pod_terminating", "20:56:08.857032"),
			samples{"covered_nodes": 2, "pod_rescheduling_pending{trigger=rollout}": 1})},
		step{at: "20:56:12", why: "gone; its successor runs and is not Ready", changes: also(
			over(gap("real-0", "pod_terminating", "20:56:08.857032")), gap("real-0", "pod_not_ready", "20:56:08.857032"),
			samples{"pods_terminating{state=within_grace}": 0},
			plus(terminated("unknown", 6.547104-6.520669, 6.621668-6.611960), terminated("graceful", 9.641358-6.706798)))},
		step{at: "20:56:15", why: "of 5.5 s, 5 were the probe's", changes: also(
			over(gap("real-0", "pod_not_ready", "20:56:08.857032")),
			samples{"covered_nodes": 3, "pod_rescheduling_pending{trigger=rollout}": 0},
			plus(first, sims, simsToo, rescheduled("rollout", 8.857032, rise{8.862508, 8.878463, 9.389035, 14.388996})),
			closed("pod", 14.388996-8.857032))},
		afterDaemonSet("20:56:20.700"),
	)
}
