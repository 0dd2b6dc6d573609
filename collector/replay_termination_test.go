package collector

import "testing"

func TestReplayTermination(t *testing.T) {
	t.Parallel()
	t.Run("graceful", func(t *testing.T) {
		// The agent needs 3 s to end and has 30; it ends with exit code 0.
		first := filled("daemonset_created", 37.882050,
			podTimes{37.922776, 38.015557, 38.015752, 38.015752}, // sim-1: plays, so is Ready as it starts
			podTimes{37.935706, 38.015896, 38.016215, 38.016215}, // sim-2
			podTimes{37.973646, 38.016069, 38.628619, 38.637803}) // real-0
		replayRecording(t, "a-graceful", nil,
			at("20:52:37.5", "nodes older than the join grace, and no DaemonSet yet", clusterNodes("ready", 3)),
			at("20:52:37.9", "the DaemonSet is there, its pods are not",
				expectedNodes(3), gapNodes("pod_missing", 3), pending("daemonset_created", 3),
				missingOn("20:52:37.882050", "real-0", "sim-1", "sim-2")),
			at("20:52:42", "a new DaemonSet needs a pod on every node",
				threeCovered(), gapNodes("pod_missing", 0), pending("daemonset_created", 0), first,
				gone(missingOn("20:52:37.882050", "real-0", "sim-1", "sim-2"))),
			at("20:52:45", "asked to end, the agent still works: a pod stays Ready until its containers have ended", podsTerminating("within_grace", 1)),
			at("20:52:45.670", "its container has ended: the node needs a pod",
				gap("real-0", "pod_terminating", "20:52:45.666147"), coveredNodes(2), pending("pod_deleted", 1)),
			at("20:52:46", "the successor is bound before the old pod is gone; the gap is still the same one",
				turned("real-0", "pod_terminating", "pod_starting", "20:52:45.666147")),
			at("20:52:46.2", "gone: 3.7 s after the request, well within 30", podsTerminating("within_grace", 0), terminations("graceful", 46.093696-42.358373)),
			at("20:52:46.340", "the container runs, its probe has not answered",
				turned("real-0", "pod_starting", "pod_not_ready", "20:52:45.666147")),
			at("20:52:48", "the successor works",
				gone(gap("real-0", "pod_not_ready", "20:52:45.666147")), coveredNodes(3), pending("pod_deleted", 0),
				sum(first, rescheduled("pod_deleted", 45.666147, podTimes{45.675539, 45.702357, 46.334063, 46.357729}), gapDurations("pod", 46.357729-45.666147))),
			afterDaemonSet("20:52:53.1"),
		)
	})
	t.Run("an exit code of its own", func(t *testing.T) {
		// The agent ends at SIGTERM with exit code 143: phase Failed, and graceful.
		first := filled("daemonset_created", 56.053566,
			podTimes{56.099984, 56.100423, 56.140504, 56.140504}, // sim-1
			podTimes{56.100690, 56.176649, 56.809229, 57.057878}, // real-0
			podTimes{56.100876, 56.177127, 56.224315, 56.224315}) // sim-2
		replayRecording(t, "a-exit143", nil,
			at("20:53:00", "all run", threeCovered(), first),
			at("20:53:01", "asked to end", podsTerminating("within_grace", 1)),
			at("20:53:01.7", "a failed phase is how such a pod ends; the reason is that it was asked to",
				gap("real-0", "pod_starting", "20:53:01.167980"), coveredNodes(2), pending("pod_deleted", 1)),
			at("20:53:03", "gone after 1.2 s, replaced after 1.7 s",
				gone(gap("real-0", "pod_starting", "20:53:01.167980")), coveredNodes(3), podsTerminating("within_grace", 0),
				pending("pod_deleted", 0), terminations("graceful", 2.103614-0.933214),
				sum(first, rescheduled("pod_deleted", 61.167980, podTimes{61.168620, 61.169010, 61.795712, 62.822453}), gapDurations("pod", 62.822453-61.167980))),
			afterDaemonSet("20:53:06.2"),
		)
	})
	t.Run("grace period exceeded", func(t *testing.T) {
		// SIGTERM is ignored; after 5 s the kubelet kills: exit code 137, reason Error.
		first := filled("daemonset_created", 30.172479,
			podTimes{30.236424, 30.260253, 30.293856, 30.293856}, // sim-1
			podTimes{30.243094, 30.351279, 30.896751, 31.160598}, // real-0
			podTimes{30.260688, 30.346839, 30.354437, 30.354437}) // sim-2
		replayRecording(t, "b-ignore", nil,
			at("20:53:34", "all run", threeCovered(), first),
			at("20:53:39.7", "4.99 s after the request was seen", podsTerminating("within_grace", 1)),
			at("20:53:39.8", "the 5 s are over", podsTerminating("within_grace", 0), podsTerminating("overdue", 1)),
			at("20:53:40.005", "killed", gap("real-0", "pod_terminating", "20:53:39.998343"), coveredNodes(2), pending("pod_deleted", 1)),
			at("20:53:40.3", "gone half a second after the grace period: 137 tells, not the lateness",
				turned("real-0", "pod_terminating", "pod_starting", "20:53:39.998343"), podsTerminating("overdue", 0),
				terminations("grace_exceeded", 40.196378-34.713656)),
			at("20:53:42", "replaced",
				gone(gap("real-0", "pod_starting", "20:53:39.998343")), coveredNodes(3), pending("pod_deleted", 0),
				sum(first, rescheduled("pod_deleted", 39.998343, podTimes{40.012290, 40.021956, 40.695683, 41.224576}), gapDurations("pod", 41.224576-39.998343))),
			afterDaemonSet("20:53:49.3"),
		)
	})
	t.Run("forced", func(t *testing.T) {
		// kubectl delete --force: the API server removes the pod at once, while its
		// containers run. The successor's probe reaches the old process on the host's
		// port: a false Ready, and then a crash loop.
		first := filled("daemonset_created", 14.544974,
			podTimes{14.578427, 14.578828, 14.594448, 14.594448}, // sim-2
			podTimes{14.578967, 14.595248, 15.242883, 15.310791}, // real-0
			podTimes{14.579100, 14.595445, 14.678511, 14.678511}) // sim-1
		forced := filled("pod_deleted", 19.338737, podTimes{19.339039, 19.356219, 19.936846, 19.947493})
		replayRecording(t, "b-force", nil,
			at("20:54:18", "all run", threeCovered(), first),
			at("20:54:19.3388", "gone within a millisecond, containers running",
				gap("real-0", "pod_missing", "20:54:19.338737"), coveredNodes(2), pending("pod_deleted", 1),
				terminations("forced", 19.338737-19.338112)),
			at("20:54:20", "the successor claims Ready: nothing in the objects says otherwise",
				gone(gap("real-0", "pod_missing", "20:54:19.338737")), coveredNodes(3), pending("pod_deleted", 0), sum(first, forced)),
			at("20:54:20.4", "it cannot bind and exits, for the first time; it may regain Ready in place, which is no rescheduling",
				gap("real-0", "pod_not_ready", "20:54:20.326858"), coveredNodes(2)),
			at("20:54:20.6", "started again, and falsely Ready again",
				gone(gap("real-0", "pod_not_ready", "20:54:20.326858")), coveredNodes(3), containerRestarts("Error", 1),
				sum(first, forced, gapDurations("pod", 20.508016-20.326858))),
			at("20:54:22", "the second exit of a container that was restarted is a crash loop, though it stands terminated",
				gap("real-0", "crash_loop", "20:54:21.345310"), coveredNodes(2)),
			at("20:54:29", "CrashLoopBackOff says the same"),
			afterDaemonSet("20:54:29.7"),
		)
	})
}
