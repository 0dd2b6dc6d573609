package collector

import "testing"

// failed is what the first failure of a node adds to the samples.
func failed(node string, since string) samples {
	return also(gap(node, "node_unreachable", since), samples{
		"cluster_nodes{status=ready}": 2, "cluster_nodes{status=unreachable}": 1,
		"covered_nodes": 2,
		"node_failures_total{status=unreachable}":                                      1,
		"node_transitions_total{node=" + node + "}":                                    1,
		"node_not_ready_start_timestamp_seconds{node=" + node + ",status=unreachable}": clockTime(since),
	})
}

// back is what takes away again what failed says of the present.
func back(node string, since string) samples {
	return also(over(gap(node, "node_unreachable", since)), samples{
		"cluster_nodes{status=ready}": 3, "cluster_nodes{status=unreachable}": 0,
		"node_transitions_total{node=" + node + "}":                                    2,
		"node_not_ready_start_timestamp_seconds{node=" + node + ",status=unreachable}": 0,
	})
}

// detected is what reading Leases adds: how long before the turns they were
// renewed.
func detected(durations ...float64) samples {
	s := samples{"node_detection_duration_seconds_count": float64(len(durations))}
	for _, duration := range durations {
		s["node_detection_duration_seconds_sum"] += duration
	}
	return s
}

// outages is what outages that began as unreachable add.
func outages(durations ...float64) samples {
	s := samples{"node_outage_duration_seconds_count{status=unreachable}": float64(len(durations))}
	for _, duration := range durations {
		s["node_outage_duration_seconds_sum{status=unreachable}"] += duration
	}
	return s
}

func TestReplayFrozenKubelet(t *testing.T) {
	// real-0's kubelet is frozen for 60 s while its agent runs on; in the middle
	// of that the simulated sim-1 fails for 31 s.
	kubelets := leases{
		"real-0": {onDay("21:03:49.900"), onDay("21:04:51.100")},
		"sim-1":  {onDay("21:04:10.300"), onDay("21:04:51.600")},
	}
	first := rescheduled("daemonset_created", 45.315325,
		rise{45.381349, 45.412440, 45.412956, 45.412956}, // sim-1
		rise{45.412100, 45.412630, 46.145453, 46.521000}, // real-0
		rise{45.412803, 45.525907, 45.526219, 45.526219}) // sim-2
	replay(t, "e-outage", kubelets,
		step{at: "21:03:59", why: "frozen for 9 s, and nobody knows", changes: also(threeCovered(), first,
			closed("scheduling", 45.412956-45.315325, 46.521000-45.315325, 45.526219-45.315325))},
		step{at: "21:03:59.410", why: "noticed; the Lease was last renewed at 49.9", changes: also(
			failed("real-0", "21:03:59.408653"), detected(59.408653-49.9))},
		step{at: "21:04:20", why: "taints and a Ready that the controller manager took away change nothing: the node is expected as before"},
		step{at: "21:04:20.590", why: "the other node", changes: samples{
			"cluster_nodes{status=ready}": 1, "cluster_nodes{status=unreachable}": 2, "covered_nodes": 1,
			"gap_nodes{reason=node_unreachable}": 2, "node_gaps{node=sim-1}": 1,
			"gap_start_timestamp_seconds{node=sim-1,reason=node_unreachable}":       clockTime("21:04:20.583392"),
			"node_not_ready_start_timestamp_seconds{node=sim-1,status=unreachable}": clockTime("21:04:20.583392"),
			"node_failures_total{status=unreachable}":                               2,
			"node_transitions_total{node=sim-1}":                                    1,
			"node_detection_duration_seconds_count":                                 2,
			"node_detection_duration_seconds_sum":                                   59.408653 - 49.9 + 20.583392 - 10.3,
		}},
		step{at: "21:04:51.200", why: "awake, but not ready yet: the same outage, no second failure, the gap since the same moment", changes: samples{
			"cluster_nodes{status=unreachable}": 1, "cluster_nodes{status=not_ready}": 1,
			"gap_nodes{reason=node_unreachable}": 1, "gap_nodes{reason=node_not_ready}": 1,
			"gap_start_timestamp_seconds{node=real-0,reason=node_unreachable}":       0,
			"gap_start_timestamp_seconds{node=real-0,reason=node_not_ready}":         clockTime("21:03:59.408653"),
			"node_not_ready_start_timestamp_seconds{node=real-0,status=unreachable}": 0,
			"node_not_ready_start_timestamp_seconds{node=real-0,status=not_ready}":   clockTime("21:03:59.408653"),
		}},
		step{at: "21:04:51.750", why: "sim-1 is Ready with the stamp of 20:49, which is ignored: 31 s by the watch. Its pod is not Ready and is needed", changes: also(
			samples{
				"cluster_nodes{status=ready}": 2, "cluster_nodes{status=unreachable}": 0,
				"gap_nodes{reason=node_unreachable}": 0, "gap_nodes{reason=pod_not_ready}": 1,
				"gap_start_timestamp_seconds{node=sim-1,reason=node_unreachable}":       0,
				"gap_start_timestamp_seconds{node=sim-1,reason=pod_not_ready}":          clockTime("21:04:20.583392"),
				"node_not_ready_start_timestamp_seconds{node=sim-1,status=unreachable}": 0,
				"node_transitions_total{node=sim-1}":                                    2,
				"pod_rescheduling_pending{trigger=node_recovered}":                      1,
			}, outages(51.698223-20.583392))},
		step{at: "21:05:01", why: "real-0's pod is Ready, by a stamp from before the outage; not believed on a node that is not"},
		step{at: "21:05:01.480", why: "Ready after 62 s, and its pod available at that moment: nothing to reschedule", changes: also(
			samples{
				"cluster_nodes{status=ready}": 3, "cluster_nodes{status=not_ready}": 0, "covered_nodes": 2,
				"gap_nodes{reason=node_not_ready}": 0, "node_gaps{node=real-0}": 0,
				"gap_start_timestamp_seconds{node=real-0,reason=node_not_ready}":       0,
				"node_not_ready_start_timestamp_seconds{node=real-0,status=not_ready}": 0,
				"node_transitions_total{node=real-0}":                                  2,
			},
			outages(51.698223-20.583392, 121.478964-59.408653),
			closed("node", 121.478964-59.408653))},
		step{at: "21:05:17", why: "the last taints go; sim-1's simulated pod never comes back"},
		afterDaemonSet("21:05:18.300"),
	)
}

func TestReplayPowerCut(t *testing.T) {
	// The machine loses power and boots 32 s later. The node is Ready before its
	// kubelet has noticed that the agent died: the pod is the same one, its
	// container is started again.
	first := rescheduled("daemonset_created", 21.500822,
		rise{21.574783, 21.575124, 21.622174, 21.622174}, // sim-1
		rise{21.575316, 21.621909, 22.218068, 23.182687}, // real-0
		rise{21.613289, 21.654667, 21.694282, 21.694282}) // sim-2
	replay(t, "e-reboot", leases{"real-0": {onDay("21:05:26.500")}},
		step{at: "21:05:30", why: "dead for 3 s, and nobody knows", changes: also(threeCovered(), first,
			closed("scheduling", 21.622174-21.500822, 23.182687-21.500822, 21.694282-21.500822))},
		step{at: "21:05:37", why: "noticed", changes: also(failed("real-0", "21:05:36.939958"), detected(36.939958-26.5))},
		step{at: "21:05:59.100", why: "back after 22 s; the pod has been needed on a Ready node since then", changes: also(
			back("real-0", "21:05:36.939958"), gap("real-0", "pod_not_ready", "21:05:36.939958"),
			outages(58.994675-36.939958), samples{"pod_rescheduling_pending{trigger=node_recovered}": 1})},
		step{at: "21:05:59.900", why: "255 Unknown, finished at the boot: nobody saw the end, and the pod has not restarted yet"},
		step{at: "21:06:01", why: "the gap is 23.5 s, the rescheduling 1.4 s of them; waiting for the node is not the scheduler's time. What the node claimed to run was not running, so that the start is the second one", changes: also(
			over(gap("real-0", "pod_not_ready", "21:05:36.939958")),
			samples{
				"covered_nodes": 3, "container_restarts_total{reason=other}": 1,
				"pod_rescheduling_pending{trigger=node_recovered}": 0,
			},
			plus(first, rescheduled("node_recovered", 58.994675, rise{58.994675, 58.994675, 60.419317, 60.434640})),
			closed("node", 60.434640-36.939958))},
		afterDaemonSet("21:06:30.100"),
	)
}

func TestReplayKubeletAwayDuringTermination(t *testing.T) {
	// The kubelet is killed; 6 s later the pod is asked to end within 10 s. The
	// kubelet comes back after 40 s and ends the pod gracefully, with its full
	// grace period. 46 s are no proof that anything was forced.
	first := rescheduled("daemonset_created", 37.862014,
		rise{37.887247, 37.898693, 37.924281, 37.924281}, // sim-1
		rise{37.890968, 37.906699, 37.923044, 37.923044}, // sim-2
		rise{37.896502, 37.923997, 38.511505, 38.529821}) // real-0
	replay(t, "f-kubelet-dead", leases{"real-0": {onDay("21:07:41.000")}},
		step{at: "21:07:48", why: "asked to end on a node that still counts as Ready", changes: also(threeCovered(), first,
			closed("scheduling", 37.924281-37.862014, 37.923044-37.862014, 38.529821-37.862014),
			samples{"pods_terminating{state=within_grace}": 1})},
		step{at: "21:07:52", why: "noticed: nobody can tell what becomes of the pod", changes: also(
			failed("real-0", "21:07:51.329975"), detected(51.329975-41),
			samples{"pods_terminating{state=within_grace}": 0, "pods_terminating{state=node_lost}": 1})},
		step{at: "21:08:20", why: "23 s past its grace period, and still lost, not overdue"},
		step{at: "21:08:29", why: "the node is back, the old pod is still on its way out, a new one is needed since now", changes: also(
			back("real-0", "21:07:51.329975"), gap("real-0", "pod_terminating", "21:07:51.329975"),
			outages(88.417256-51.329975), samples{
				"pods_terminating{state=node_lost}": 0, "pods_terminating{state=overdue}": 1,
				"pod_rescheduling_pending{trigger=node_recovered}": 1,
			})},
		step{at: "21:08:33.100", why: "ended gracefully at last; its successor starts", changes: also(
			over(gap("real-0", "pod_terminating", "21:07:51.329975")),
			gap("real-0", "pod_not_ready", "21:07:51.329975"))},
		step{at: "21:08:34", why: "the node was lost between request and removal", changes: also(
			over(gap("real-0", "pod_not_ready", "21:07:51.329975")),
			samples{
				"covered_nodes": 3, "pods_terminating{state=overdue}": 0,
				"pod_rescheduling_pending{trigger=node_recovered}": 0,
			},
			terminated("node_lost", 93.430914-47.705749),
			plus(first, rescheduled("node_recovered", 28.417256, rise{32.446766, 32.447094, 33.018133, 33.435912})),
			closed("node", 93.435912-51.329975))},
		afterDaemonSet("21:08:49.500"),
	)
}

func TestReplayDeletedNode(t *testing.T) {
	// The Node object is deleted under a healthy kubelet, and comes back as a new
	// node when the kubelet is started again.
	first := rescheduled("daemonset_created", 52.486906,
		rise{52.504945, 52.514667, 52.569817, 52.569817}, // sim-1
		rise{52.518498, 52.542363, 52.586775, 52.586775}, // sim-2
		rise{52.529156, 52.569391, 53.249667, 53.476996}) // real-0
	opened := closed("scheduling", 52.569817-52.486906, 52.586775-52.486906, 53.476996-52.486906)
	replay(t, "g-node-deleted", nil,
		step{at: "21:08:57", why: "all run", changes: also(threeCovered(), first, opened)},
		step{at: "21:08:58", why: "no node, no cell; its pod claims Ready and is on no node of the cluster", changes: samples{
			"cluster_nodes{status=ready}": 2, "expected_nodes": 2, "covered_nodes": 2,
		}},
		step{at: "21:09:41.875", why: "44 s later the pod garbage collector makes it fail"},
		step{at: "21:09:41.890", why: "and deletes it without grace, with its containers running: nobody forced that, the node is gone", changes: samples{
			"pods_terminating{state=node_lost}": 1,
		}},
		step{at: "21:09:42", why: "removed", changes: also(
			samples{"pods_terminating{state=node_lost}": 0}, terminated("node_lost", 41.905240-41.881178))},
		step{at: "21:10:29.710", why: "a new node of the same name, which has not been Ready since its creation", changes: samples{
			"cluster_nodes{lifecycle=joining,status=never_ready}": 1, "expected_nodes{lifecycle=joining}": 1,
			"gap_nodes{lifecycle=joining,reason=node_never_ready}":                                     1,
			"gap_start_timestamp_seconds{lifecycle=joining,node=real-0,reason=node_never_ready}":       clockTime("21:10:29.709905"),
			"node_not_ready_start_timestamp_seconds{lifecycle=joining,node=real-0,status=never_ready}": clockTime("21:10:29"),
			"node_gaps{lifecycle=joining,node=real-0}":                                                 1,
		}},
		step{at: "21:10:30", why: "Ready 0.9 s after its creation, which is no recovery; it needs a pod now", changes: samples{
			"cluster_nodes{lifecycle=joining,status=never_ready}": 0, "cluster_nodes{lifecycle=joining,status=ready}": 1,
			"gap_nodes{lifecycle=joining,reason=node_never_ready}":                                     0,
			"gap_nodes{lifecycle=joining,reason=pod_missing}":                                          1,
			"gap_start_timestamp_seconds{lifecycle=joining,node=real-0,reason=node_never_ready}":       0,
			"gap_start_timestamp_seconds{lifecycle=joining,node=real-0,reason=pod_missing}":            clockTime("21:10:29.709905"),
			"node_not_ready_start_timestamp_seconds{lifecycle=joining,node=real-0,status=never_ready}": 0,
			"node_startup_duration_seconds_count{stage=ready}":                                         1,
			"node_startup_duration_seconds_sum{stage=ready}":                                           29.921793 - 29,
			"pod_rescheduling_pending{trigger=node_added}":                                             1,
		}},
		step{at: "21:10:32", why: "covered 2.5 s after its creation", changes: also(
			samples{
				"covered_nodes{lifecycle=joining}": 1, "node_gaps{lifecycle=joining,node=real-0}": 0,
				"gap_nodes{lifecycle=joining,reason=pod_missing}":                               0,
				"gap_start_timestamp_seconds{lifecycle=joining,node=real-0,reason=pod_missing}": 0,
				"pod_rescheduling_pending{trigger=node_added}":                                  0,
				"node_startup_duration_seconds_count{stage=covered}":                            1,
				"node_startup_duration_seconds_sum{stage=covered}":                              31.497631 - 29,
			},
			plus(first, rescheduled("node_added", 29.921793, rise{30.094834, 30.138760, 31.473102, 31.497631})),
			closed("node", 31.497631-29.709905))},
		afterDaemonSet("21:10:38.700"),
	)
}
