package collector

import "testing"

// three nodes without trouble, all of which run the agent.
func threeCovered() samples {
	return samples{"cluster_nodes{status=ready}": 3, "expected_nodes": 3, "covered_nodes": 3}
}

func TestReplayGracefulTermination(t *testing.T) {
	// The agent needs 3 s to end and has 30; it ends with exit code 0.
	replay(t, "a-graceful", nil,
		step{at: "20:52:37.5", why: "nodes older than the join grace, and no DaemonSet yet", changes: samples{
			"cluster_nodes{status=ready}": 3,
		}},
		step{at: "20:52:37.9", why: "the DaemonSet is there, its pods are not", changes: also(samples{
			"expected_nodes": 3, "gap_nodes{reason=pod_missing}": 3,
			"pod_rescheduling_pending{trigger=daemonset_created}": 3,
		}, missingOn("20:52:37.882050", "real-0", "sim-1", "sim-2"))},
		step{at: "20:52:42", why: "a new DaemonSet needs a pod on every node", changes: also(
			threeCovered(), samples{"gap_nodes{reason=pod_missing}": 0, "pod_rescheduling_pending{trigger=daemonset_created}": 0},
			over(missingOn("20:52:37.882050", "real-0", "sim-1", "sim-2")),
			rescheduled("daemonset_created", 37.882050,
				rise{37.922776, 38.015557, 38.015752, 38.015752},  // sim-1: plays, so is Ready as it starts
				rise{37.935706, 38.015896, 38.016215, 38.016215},  // sim-2
				rise{37.973646, 38.016069, 38.628619, 38.637803}), // real-0
			closed("scheduling", 38.015752-37.882050, 38.016215-37.882050, 38.637803-37.882050),
		)},
		step{at: "20:52:45", why: "asked to end, the agent still works: a pod stays Ready until its containers have ended", changes: samples{
			"pods_terminating{state=within_grace}": 1,
		}},
		step{at: "20:52:45.670", why: "its container has ended: the node needs a pod", changes: also(
			gap("real-0", "pod_terminating", "20:52:45.666147"),
			samples{"covered_nodes": 2, "pod_rescheduling_pending{trigger=pod_deleted}": 1},
		)},
		step{at: "20:52:46", why: "the successor is bound before the old pod is gone; the gap is still the same one", changes: also(
			over(gap("real-0", "pod_terminating", "20:52:45.666147")),
			gap("real-0", "pod_starting", "20:52:45.666147"),
		)},
		step{at: "20:52:46.2", why: "gone: 3.7 s after the request, well within 30", changes: also(
			samples{"pods_terminating{state=within_grace}": 0},
			terminated("graceful", 46.093696-42.358373),
		)},
		step{at: "20:52:46.340", why: "the container runs, its probe has not answered", changes: also(
			over(gap("real-0", "pod_starting", "20:52:45.666147")),
			gap("real-0", "pod_not_ready", "20:52:45.666147"),
		)},
		step{at: "20:52:48", why: "the successor works", changes: also(
			over(gap("real-0", "pod_not_ready", "20:52:45.666147")),
			samples{"covered_nodes": 3, "pod_rescheduling_pending{trigger=pod_deleted}": 0},
			plus(rescheduled("daemonset_created", 37.882050,
				rise{37.922776, 38.015557, 38.015752, 38.015752},
				rise{37.935706, 38.015896, 38.016215, 38.016215},
				rise{37.973646, 38.016069, 38.628619, 38.637803}),
				rescheduled("pod_deleted", 45.666147, rise{45.675539, 45.702357, 46.334063, 46.357729})),
			closed("pod", 46.357729-45.666147),
		)},
		afterDaemonSet("20:52:53.1"),
	)
}

func TestReplayExitCodeOfItsOwn(t *testing.T) {
	// The agent ends at SIGTERM with exit code 143: phase Failed, and graceful.
	first := rescheduled("daemonset_created", 56.053566,
		rise{56.099984, 56.100423, 56.140504, 56.140504}, // sim-1
		rise{56.100690, 56.176649, 56.809229, 57.057878}, // real-0
		rise{56.100876, 56.177127, 56.224315, 56.224315}) // sim-2
	replay(t, "a-exit143", nil,
		step{at: "20:53:00", why: "all run", changes: also(threeCovered(), first,
			closed("scheduling", 56.140504-56.053566, 57.057878-56.053566, 56.224315-56.053566))},
		step{at: "20:53:01", why: "asked to end", changes: samples{"pods_terminating{state=within_grace}": 1}},
		step{at: "20:53:01.7", why: "a failed phase is how such a pod ends; the reason is that it was asked to", changes: also(
			gap("real-0", "pod_starting", "20:53:01.167980"),
			samples{"covered_nodes": 2, "pod_rescheduling_pending{trigger=pod_deleted}": 1},
		)},
		step{at: "20:53:03", why: "gone after 1.2 s, replaced after 1.7 s", changes: also(
			over(gap("real-0", "pod_starting", "20:53:01.167980")),
			samples{
				"covered_nodes": 3, "pods_terminating{state=within_grace}": 0,
				"pod_rescheduling_pending{trigger=pod_deleted}": 0,
			},
			terminated("graceful", 2.103614-0.933214),
			plus(first, rescheduled("pod_deleted", 61.167980, rise{61.168620, 61.169010, 61.795712, 62.822453})),
			closed("pod", 62.822453-61.167980),
		)},
		afterDaemonSet("20:53:06.2"),
	)
}

func TestReplayGracePeriodExceeded(t *testing.T) {
	// SIGTERM is ignored; after 5 s the kubelet kills: exit code 137, reason Error.
	first := rescheduled("daemonset_created", 30.172479,
		rise{30.236424, 30.260253, 30.293856, 30.293856}, // sim-1
		rise{30.243094, 30.351279, 30.896751, 31.160598}, // real-0
		rise{30.260688, 30.346839, 30.354437, 30.354437}) // sim-2
	replay(t, "b-ignore", nil,
		step{at: "20:53:34", why: "all run", changes: also(threeCovered(), first,
			closed("scheduling", 30.293856-30.172479, 31.160598-30.172479, 30.354437-30.172479))},
		step{at: "20:53:39.7", why: "4.99 s after the request was seen", changes: samples{"pods_terminating{state=within_grace}": 1}},
		step{at: "20:53:39.8", why: "the 5 s are over", changes: samples{
			"pods_terminating{state=within_grace}": 0, "pods_terminating{state=overdue}": 1,
		}},
		step{at: "20:53:40.005", why: "killed", changes: also(
			gap("real-0", "pod_terminating", "20:53:39.998343"),
			samples{"covered_nodes": 2, "pod_rescheduling_pending{trigger=pod_deleted}": 1},
		)},
		step{at: "20:53:40.3", why: "gone half a second after the grace period: 137 tells, not the lateness", changes: also(
			over(gap("real-0", "pod_terminating", "20:53:39.998343")),
			gap("real-0", "pod_starting", "20:53:39.998343"),
			samples{"pods_terminating{state=overdue}": 0},
			terminated("grace_exceeded", 40.196378-34.713656),
		)},
		step{at: "20:53:42", why: "replaced", changes: also(
			over(gap("real-0", "pod_starting", "20:53:39.998343")),
			samples{"covered_nodes": 3, "pod_rescheduling_pending{trigger=pod_deleted}": 0},
			plus(first, rescheduled("pod_deleted", 39.998343, rise{40.012290, 40.021956, 40.695683, 41.224576})),
			closed("pod", 41.224576-39.998343),
		)},
		afterDaemonSet("20:53:49.3"),
	)
}

func TestReplayForcedDeletion(t *testing.T) {
	// kubectl delete --force: the API server removes the pod at once, while its
	// containers run. The successor's probe reaches the old process on the host's
	// port: a false Ready, and then a crash loop.
	first := rescheduled("daemonset_created", 14.544974,
		rise{14.578427, 14.578828, 14.594448, 14.594448}, // sim-2
		rise{14.578967, 14.595248, 15.242883, 15.310791}, // real-0
		rise{14.579100, 14.595445, 14.678511, 14.678511}) // sim-1
	opened := closed("scheduling", 14.594448-14.544974, 15.310791-14.544974, 14.678511-14.544974)
	replay(t, "b-force", nil,
		step{at: "20:54:18", why: "all run", changes: also(threeCovered(), first, opened)},
		step{at: "20:54:19.3388", why: "gone within a millisecond, containers running", changes: also(
			gap("real-0", "pod_missing", "20:54:19.338737"),
			samples{"covered_nodes": 2, "pod_rescheduling_pending{trigger=pod_deleted}": 1},
			terminated("forced", 19.338737-19.338112),
		)},
		step{at: "20:54:20", why: "the successor claims Ready: nothing in the objects says otherwise", changes: also(
			over(gap("real-0", "pod_missing", "20:54:19.338737")),
			samples{"covered_nodes": 3, "pod_rescheduling_pending{trigger=pod_deleted}": 0},
			plus(first, rescheduled("pod_deleted", 19.338737, rise{19.339039, 19.356219, 19.936846, 19.947493})),
			plus(opened, closed("scheduling", 19.947493-19.338737)),
		)},
		step{at: "20:54:20.4", why: "it cannot bind and exits, for the first time; it may regain Ready in place, which is no rescheduling", changes: also(
			gap("real-0", "pod_not_ready", "20:54:20.326858"), samples{"covered_nodes": 2},
		)},
		step{at: "20:54:20.6", why: "started again, and falsely Ready again", changes: also(
			over(gap("real-0", "pod_not_ready", "20:54:20.326858")),
			samples{"covered_nodes": 3, "container_restarts_total{reason=Error}": 1},
			closed("pod", 20.508016-20.326858),
		)},
		step{at: "20:54:22", why: "the second exit of a container that was restarted is a crash loop, though it stands terminated", changes: also(
			gap("real-0", "crash_loop", "20:54:21.345310"), samples{"covered_nodes": 2},
		)},
		step{at: "20:54:29", why: "CrashLoopBackOff says the same", changes: nil},
		afterDaemonSet("20:54:29.7"),
	)
}

// missingOn are the gaps of nodes that a pod was never made for.
func missingOn(since string, nodes ...string) samples {
	s := samples{}
	for _, node := range nodes {
		s["gap_start_timestamp_seconds{node="+node+",reason=pod_missing}"] = clockTime(since)
		s["node_gaps{node="+node+"}"] = 1
	}
	return s
}

// afterDaemonSet is the end of every recording: the DaemonSet is deleted, and
// everything that was ever said of it is gone and does not come back when its
// pods end. What is said of nodes stays.
func afterDaemonSet(at string) step {
	return step{at: at, why: "the DaemonSet is gone, and its pods after it", forgets: true}
}
