package collector

import "testing"

// nodeFailed is what the first failure of a node adds to the samples.
func nodeFailed(node, since string) samples {
	return merge(gap(node, "node_unreachable", since), clusterNodes("ready", 2), clusterNodes("unreachable", 1), coveredNodes(2),
		nodeFailures("unreachable", 1), nodeTransitions(node, 1), nodeNotReadyStart(node, "unreachable", clockTime(since)))
}

// nodeBack returns the end of the present samples of nodeFailed.
func nodeBack(node, since string) samples {
	return merge(gone(gap(node, "node_unreachable", since)), clusterNodes("ready", 3), clusterNodes("unreachable", 0),
		nodeTransitions(node, 2), nodeNotReadyStart(node, "unreachable", 0))
}

func TestReplayNode(t *testing.T) {
	t.Parallel()
	t.Run("a frozen kubelet", func(t *testing.T) {
		// real-0's kubelet is frozen for 60 s while its agent runs on; in the middle
		// of that the simulated sim-1 fails for 31 s.
		kubelets := leases{
			"real-0": {onDay("21:03:49.900"), onDay("21:04:51.100")},
			"sim-1":  {onDay("21:04:10.300"), onDay("21:04:51.600")},
		}
		first := filled("daemonset_created", 45.315325,
			podTimes{45.381349, 45.412440, 45.412956, 45.412956}, // sim-1
			podTimes{45.412100, 45.412630, 46.145453, 46.521000}, // real-0
			podTimes{45.412803, 45.525907, 45.526219, 45.526219}) // sim-2
		replayRecording(t, "e-outage", kubelets,
			at("21:03:59", "frozen for 9 s, and nobody knows", threeCovered(), first),
			at("21:03:59.410", "noticed; the Lease was last renewed at 49.9", nodeFailed("real-0", "21:03:59.408653"), nodeDetections(59.408653-49.9)),
			at("21:04:20", "taints and a Ready that the controller manager took away change nothing: the node is expected as before"),
			at("21:04:20.590", "the other node",
				clusterNodes("ready", 1), clusterNodes("unreachable", 2), coveredNodes(1), gapNodes("node_unreachable", 2), nodeGaps("sim-1", 1),
				gapStart("sim-1", "node_unreachable", clockTime("21:04:20.583392")),
				nodeNotReadyStart("sim-1", "unreachable", clockTime("21:04:20.583392")), nodeFailures("unreachable", 2), nodeTransitions("sim-1", 1),
				nodeDetections(59.408653-49.9, 20.583392-10.3)),
			at("21:04:51.200", "awake, but not ready yet: the same outage, no second failure, the gap since the same moment",
				clusterNodes("unreachable", 1), clusterNodes("not_ready", 1), gapNodes("node_unreachable", 1), gapNodes("node_not_ready", 1),
				gapStart("real-0", "node_unreachable", 0), gapStart("real-0", "node_not_ready", clockTime("21:03:59.408653")),
				nodeNotReadyStart("real-0", "unreachable", 0), nodeNotReadyStart("real-0", "not_ready", clockTime("21:03:59.408653"))),
			at("21:04:51.750", "sim-1 is Ready with the stamp of 20:49, which is ignored: 31 s by the watch. Its pod is not Ready and is needed",
				clusterNodes("ready", 2), clusterNodes("unreachable", 0), gapNodes("node_unreachable", 0), gapNodes("pod_not_ready", 1),
				gapStart("sim-1", "node_unreachable", 0), gapStart("sim-1", "pod_not_ready", clockTime("21:04:20.583392")),
				nodeNotReadyStart("sim-1", "unreachable", 0), nodeTransitions("sim-1", 2), pending("node_recovered", 1),
				nodeOutages("unreachable", 51.698223-20.583392)),
			at("21:05:01", "real-0's pod is Ready, by a stamp from before the outage; not believed on a node that is not"),
			at("21:05:01.480", "Ready after 62 s, and its pod available at that moment: nothing to reschedule",
				clusterNodes("ready", 3), clusterNodes("not_ready", 0), coveredNodes(2), gapNodes("node_not_ready", 0), nodeGaps("real-0", 0),
				gapStart("real-0", "node_not_ready", 0), nodeNotReadyStart("real-0", "not_ready", 0), nodeTransitions("real-0", 2),
				nodeOutages("unreachable", 51.698223-20.583392, 121.478964-59.408653), gapDurations("node", 121.478964-59.408653)),
			at("21:05:17", "the last taints go; sim-1's simulated pod never comes back"),
			afterDaemonSet("21:05:18.300"),
		)
	})
	t.Run("a power cut", func(t *testing.T) {
		// The machine loses power and boots 32 s later. The node is Ready before its
		// kubelet has noticed that the agent died: the pod is the same one, its
		// container is started again.
		first := filled("daemonset_created", 21.500822,
			podTimes{21.574783, 21.575124, 21.622174, 21.622174}, // sim-1
			podTimes{21.575316, 21.621909, 22.218068, 23.182687}, // real-0
			podTimes{21.613289, 21.654667, 21.694282, 21.694282}) // sim-2
		replayRecording(t, "e-reboot", leases{"real-0": {onDay("21:05:26.500")}},
			at("21:05:30", "dead for 3 s, and nobody knows", threeCovered(), first),
			at("21:05:37", "noticed", nodeFailed("real-0", "21:05:36.939958"), nodeDetections(36.939958-26.5)),
			at("21:05:59.100", "back after 22 s; the pod has been needed on a Ready node since then",
				nodeBack("real-0", "21:05:36.939958"), gap("real-0", "pod_not_ready", "21:05:36.939958"),
				nodeOutages("unreachable", 58.994675-36.939958), pending("node_recovered", 1)),
			at("21:05:59.900", "255 Unknown, finished at the boot: nobody saw the end, and the pod has not restarted yet",
				turned("real-0", "pod_not_ready", "pod_starting", "21:05:36.939958")),
			at("21:06:01", "the gap is 23.5 s, the rescheduling 1.4 s of them; waiting for the node is not the scheduler's time. What the node claimed to run was not running, so that the start is the second one",
				gone(gap("real-0", "pod_starting", "21:05:36.939958")), coveredNodes(3), containerRestarts("other", 1), pending("node_recovered", 0),
				sum(first, rescheduled("node_recovered", 58.994675, podTimes{58.994675, 58.994675, 60.419317, 60.434640})),
				gapDurations("node", 60.434640-36.939958)),
			afterDaemonSet("21:06:30.100"),
		)
	})
	t.Run("a kubelet that is away during a termination", func(t *testing.T) {
		// The kubelet is killed; 6 s later the pod is asked to end within 10 s. The
		// kubelet comes back after 40 s and ends the pod gracefully, with its full
		// grace period. 46 s are no proof that anything was forced.
		first := filled("daemonset_created", 37.862014,
			podTimes{37.887247, 37.898693, 37.924281, 37.924281}, // sim-1
			podTimes{37.890968, 37.906699, 37.923044, 37.923044}, // sim-2
			podTimes{37.896502, 37.923997, 38.511505, 38.529821}) // real-0
		replayRecording(t, "f-kubelet-dead", leases{"real-0": {onDay("21:07:41.000")}},
			at("21:07:48", "asked to end on a node that still counts as Ready", threeCovered(), first, podsTerminating("within_grace", 1)),
			at("21:07:52", "noticed: nobody can tell what becomes of the pod",
				nodeFailed("real-0", "21:07:51.329975"), nodeDetections(51.329975-41), podsTerminating("within_grace", 0),
				podsTerminating("node_lost", 1)),
			at("21:08:20", "23 s past its grace period, and still lost, not overdue"),
			at("21:08:29", "the node is back, the old pod is still on its way out, a new one is needed since now",
				nodeBack("real-0", "21:07:51.329975"), gap("real-0", "pod_terminating", "21:07:51.329975"),
				nodeOutages("unreachable", 88.417256-51.329975), podsTerminating("node_lost", 0), podsTerminating("overdue", 1),
				pending("node_recovered", 1)),
			at("21:08:33.100", "ended gracefully at last; its successor starts",
				turned("real-0", "pod_terminating", "pod_not_ready", "21:07:51.329975")),
			at("21:08:34", "the node was lost between request and removal",
				gone(gap("real-0", "pod_not_ready", "21:07:51.329975")), coveredNodes(3), podsTerminating("overdue", 0), pending("node_recovered", 0),
				terminations("node_lost", 93.430914-47.705749),
				sum(first, rescheduled("node_recovered", 28.417256, podTimes{32.446766, 32.447094, 33.018133, 33.435912})),
				gapDurations("node", 93.435912-51.329975)),
			afterDaemonSet("21:08:49.500"),
		)
	})
	t.Run("a deleted node", func(t *testing.T) {
		// The Node object is deleted under a healthy kubelet, and comes back as a new
		// node when the kubelet is started again.
		first := filled("daemonset_created", 52.486906,
			podTimes{52.504945, 52.514667, 52.569817, 52.569817}, // sim-1
			podTimes{52.518498, 52.542363, 52.586775, 52.586775}, // sim-2
			podTimes{52.529156, 52.569391, 53.249667, 53.476996}) // real-0
		replayRecording(t, "g-node-deleted", nil,
			at("21:08:57", "all run", threeCovered(), first),
			at("21:08:58", "no node, no cell; its pod claims Ready and is on no node of the cluster", clusterNodes("ready", 2), expectedNodes(2), coveredNodes(2)),
			at("21:09:41.875", "44 s later the pod garbage collector makes it fail"),
			at("21:09:41.890", "and deletes it without grace, with its containers running: nobody forced that, the node is gone", podsTerminating("node_lost", 1)),
			at("21:09:42", "removed", podsTerminating("node_lost", 0), terminations("node_lost", 41.905240-41.881178)),
			at("21:10:29.710", "a new node of the same name, which has not been Ready since its creation",
				on("joining", clusterNodes("never_ready", 1), expectedNodes(1), gapNodes("node_never_ready", 1), gapStart("real-0", "node_never_ready", clockTime("21:10:29.709905")), nodeNotReadyStart("real-0", "never_ready", clockTime("21:10:29")), nodeGaps("real-0", 1))),
			at("21:10:30", "Ready 0.9 s after its creation, which is no recovery; it needs a pod now",
				on("joining", clusterNodes("never_ready", 0), clusterNodes("ready", 1), gapNodes("node_never_ready", 0), gapNodes("node_tainted", 1), gapStart("real-0", "node_never_ready", 0), gapStart("real-0", "node_tainted", clockTime("21:10:29.709905")), nodeNotReadyStart("real-0", "never_ready", 0)),
				nodeStartups("ready", 29.921793-29), pending("node_added", 1)),
			at("21:10:32", "covered 2.5 s after its creation; of the gap's 1.79 s the node held 0.38, its pod 1.36",
				on("joining", gapDurations("pod", 31.497631-29.709905), coveredNodes(1), nodeGaps("real-0", 0), gapNodes("node_tainted", 0), gapStart("real-0", "node_tainted", 0)),
				pending("node_added", 0), nodeStartups("covered", 31.497631-29),
				sum(first, rescheduled("node_added", 29.921793, podTimes{30.094834, 30.138760, 31.473102, 31.497631}))),
			afterDaemonSet("21:10:38.700"),
		)
	})
}
