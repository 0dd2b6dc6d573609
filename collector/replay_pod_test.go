package collector

import "testing"

func TestReplayPod(t *testing.T) {
	t.Parallel()
	t.Run("crash loop", func(t *testing.T) {
		// The agent exits with code 3 after 4 s, again and again. Its node joined 11 s
		// before the exporter looked, and is joining for most of the time.
		first := sum(
			filled("daemonset_created", 41.489949,
				podTimes{41.504678, 41.518726, 41.566640, 41.566640},  // sim-1
				podTimes{41.519155, 41.531488, 41.565813, 41.565813}), // sim-2
			on("joining", filled("daemonset_created", 41.489949, podTimes{41.519336, 41.536272, 42.092682, 42.105647}))) // real-0
		crashes := func(durations ...float64) samples {
			return sum(first, on("joining", gapDurations("pod", durations...)))
		}
		replayRecording(t, "c-crash", nil,
			at("21:10:46", "all run; the node was Ready before the exporter started, so that its start is not known",
				clusterNodes("ready", 2), expectedNodes(2), coveredNodes(2),
				on("joining", clusterNodes("ready", 1), expectedNodes(1), coveredNodes(1)), first),
			at("21:10:46.650", "the first exit is no loop yet", on("joining", gap("real-0", "pod_not_ready", "21:10:46.620979")), on("joining", coveredNodes(0))),
			at("21:10:47", "up again after 0.1 s, within one stamped second: a gap, and no rescheduling",
				on("joining", gone(gap("real-0", "pod_not_ready", "21:10:46.620979")), coveredNodes(1)), containerRestarts("Error", 1),
				crashes(46.725385-46.620979)),
			at("21:10:52", "the second exit", on("joining", gap("real-0", "crash_loop", "21:10:51.641268")), on("joining", coveredNodes(0))),
			at("21:11:00", "CrashLoopBackOff"),
			at("21:11:05", "it runs, and is not Ready yet: the same gap",
				podRestarts("real-0", 2), on("joining", turned("real-0", "crash_loop", "pod_not_ready", "21:10:51.641268")),
				containerRestarts("Error", 2)),
			at("21:11:06", "Ready for a moment",
				on("joining", gone(gap("real-0", "pod_not_ready", "21:10:51.641268")), coveredNodes(1)),
				crashes(46.725385-46.620979, 65.637695-51.641268)),
			at("21:11:20", "the third exit is shown as terminated for 26 s, and is a crash loop all the time",
				on("joining", gap("real-0", "crash_loop", "21:11:09.649331"), coveredNodes(0))),
			at("21:11:30", "the join grace is over, by a timer; the gap is the same",
				on("joining", gone(gap("real-0", "crash_loop", "21:11:09.649331"))), gap("real-0", "crash_loop", "21:11:09.649331"),
				on("joining", clusterNodes("ready", 0)), clusterNodes("ready", 3), on("joining", expectedNodes(0)), expectedNodes(3)),
			at("21:11:36", "Ready again; the gap began on a joining node",
				podRestarts("real-0", 3), gone(gap("real-0", "crash_loop", "21:11:09.649331")), coveredNodes(3), containerRestarts("Error", 3),
				crashes(46.725385-46.620979, 65.637695-51.641268, 35.754790-9.649331)),
			at("21:12:21", "the fourth exit", gap("real-0", "crash_loop", "21:11:39.769721"), coveredNodes(2)),
			at("21:12:22", "deleted in back-off: now another pod is needed",
				turned("real-0", "crash_loop", "pod_terminating", "21:11:39.769721"), podsTerminating("within_grace", 1), pending("pod_deleted", 1)),
			at("21:12:24", "the exit code that it carries is not of its end: nothing ran when that was asked for",
				podRestarts("real-0", 0), turned("real-0", "pod_terminating", "pod_starting", "21:11:39.769721"), podsTerminating("within_grace", 0),
				terminations("not_running", 23.926696-21.973733)),
			at("21:12:26", "the rescheduling runs from the deletion, the gap from the crash",
				gone(gap("real-0", "pod_starting", "21:11:39.769721")), coveredNodes(3), pending("pod_deleted", 0),
				sum(crashes(46.725385-46.620979, 65.637695-51.641268, 35.754790-9.649331), gapDurations("pod", 85.190942-39.769721), rescheduled("pod_deleted", 21.973733, podTimes{23.507782, 23.523913, 24.178792, 25.190942}))),
			afterDaemonSet("21:12:29.200"),
		)
	})
	t.Run("an image that does not exist", func(t *testing.T) {
		first := filled("daemonset_created", 32.734135,
			podTimes{32.757919, 32.768561, 32.819238, 32.819238}, // sim-2
			podTimes{32.781986, 32.806591, 32.848724, 32.848724}) // sim-1
		waiting := pending("daemonset_created", 1)
		replayRecording(t, "d-image", nil,
			at("20:54:33", "two run, the third is being made",
				threeCovered(), coveredNodes(2), waiting, first, gap("real-0", "pod_starting", "20:54:32.734135")),
			at("20:54:40", "ErrImagePull", turned("real-0", "pod_starting", "image_pull", "20:54:32.734135")),
			at("20:54:50", "ImagePullBackOff is the same"),
			at("20:55:18", "and so is the next attempt"),
			at("20:55:19", "deleted by hand; what is waited for is still the DaemonSet's first pod on this node",
				turned("real-0", "image_pull", "pod_terminating", "20:54:32.734135"), podsTerminating("within_grace", 1)),
			at("20:55:20", "137 ContainerStatusUnknown is said of a container that never ran",
				turned("real-0", "pod_terminating", "pod_starting", "20:54:32.734135"), podsTerminating("within_grace", 0),
				terminations("not_running", 19.499224-18.358715)),
			at("20:55:22", "replaced in vain: one gap, one rescheduling, both open",
				turned("real-0", "pod_starting", "image_pull", "20:54:32.734135")),
			afterDaemonSet("20:55:23.600"),
		)
	})
	t.Run("eviction", func(t *testing.T) {
		// kubectl drain cordons the node and evicts a pod that is none of ours; then
		// the agent is evicted through the API.
		first := filled("daemonset_created", 23.752852,
			podTimes{23.778801, 23.831247, 24.396006, 24.649438}, // real-0
			podTimes{23.830832, 23.854825, 23.949042, 23.949042}, // sim-2
			podTimes{23.853086, 23.891855, 23.948347, 23.948347}) // sim-1
		cordoned := merge(clusterNodes("ready", 2), expectedNodes(2), coveredNodes(2),
			on("cordoned", clusterNodes("ready", 1), expectedNodes(1), coveredNodes(1), lifecycleStart("real-0", clockTime("20:56:29"))))
		replayRecording(t, "h-evict", nil,
			at("20:56:29", "all run", threeCovered(), first),
			at("20:56:33", "cordoned, tainted, and drained of what is not ours; the agent is expected as before", cordoned),
			at("20:56:35", "evicted: asked to end like any other", podsTerminating("within_grace", 1)),
			at("20:56:36.060", "ended, on a cordoned node that needs it still",
				on("cordoned", gap("real-0", "pod_terminating", "20:56:36.057091"), coveredNodes(0)), pending("pod_evicted", 1)),
			at("20:56:36.700", "gracefully, with a successor in the making",
				on("cordoned", turned("real-0", "pod_terminating", "pod_starting", "20:56:36.057091")), podsTerminating("within_grace", 0),
				terminations("graceful", 36.686986-33.764840)),
			at("20:56:38", "back on the cordoned node",
				on("cordoned", gone(gap("real-0", "pod_starting", "20:56:36.057091")), coveredNodes(1)), pending("pod_evicted", 0),
				sum(first, rescheduled("pod_evicted", 36.057091, podTimes{36.098593, 36.104748, 36.739382, 37.694461})),
				on("cordoned", gapDurations("pod", 37.694461-36.057091))),
			at("20:56:41", "uncordoned", gone(cordoned), threeCovered()),
			afterDaemonSet("20:56:45.800"),
		)
	})
	t.Run("rollout", func(t *testing.T) {
		// A new template, one node at a time. The agent's probe takes 5 s. The first
		// pod comes in before its DaemonSet does.
		first := filled("daemonset_created", 56.659770,
			podTimes{56.659770, 56.734832, 56.783100, 56.783100}, // sim-1
			podTimes{56.673817, 56.713576, 56.754679, 56.754679}, // sim-2
			podTimes{56.690725, 56.735083, 57.242342, 61.567684}) // real-0
		sims := filled("rollout", 6.547104, podTimes{6.552429, 6.573265, 6.585450, 6.585450})
		simsToo := filled("rollout", 6.621668, podTimes{6.630112, 6.639147, 6.657471, 6.657471})
		replayRecording(t, "i-rolling", nil,
			at("20:56:06", "all run", threeCovered(), first),
			at("20:56:06.550", "the simulated kubelet removes at once and reports no exit: nothing is known",
				gap("sim-1", "pod_missing", "20:56:06.547104"), coveredNodes(2), pending("rollout", 1), terminations("unknown", 6.547104-6.520669)),
			at("20:56:08.800", "both simulated nodes are done; the third pod was asked to end",
				gone(gap("sim-1", "pod_missing", "20:56:06.547104")), coveredNodes(3), pending("rollout", 0), podsTerminating("within_grace", 1),
				terminations("unknown", 6.547104-6.520669, 6.621668-6.611960), sum(first, sims, simsToo)),
			at("20:56:08.860", "its container has ended", gap("real-0", "pod_terminating", "20:56:08.857032"), coveredNodes(2), pending("rollout", 1)),
			at("20:56:12", "gone; its successor runs and is not Ready",
				turned("real-0", "pod_terminating", "pod_not_ready", "20:56:08.857032"), podsTerminating("within_grace", 0),
				sum(terminations("unknown", 6.547104-6.520669, 6.621668-6.611960), terminations("graceful", 9.641358-6.706798))),
			at("20:56:15", "of 5.5 s, 5 were the probe's",
				gone(gap("real-0", "pod_not_ready", "20:56:08.857032")), coveredNodes(3), pending("rollout", 0),
				sum(first, sims, simsToo, rescheduled("rollout", 8.857032, podTimes{8.862508, 8.878463, 9.389035, 14.388996}), gapDurations("pod", 14.388996-8.857032))),
			afterDaemonSet("20:56:20.700"),
		)
	})
}
