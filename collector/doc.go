// Package collector turns what the informers see into metrics. It is the only
// package that knows Prometheus.
//
// A pod's event, from door to door: an informer calls Collector.Pod, which takes the
// lock and the time and hands both versions to state.Cluster.SetPod. The Cluster puts
// the pod into its cell, re-evaluates the cell (coverage.GapReason, rollout.Count),
// dates the change, corrects its sums and the list of open gaps, sets or removes the
// cell's timer, takes the cell's rescheduling and the pod's termination a step
// further, and tells the Recorder what is over: a gap closed, a pod rescheduled, a
// pod terminated, a container restarted. The recorder adds that to counters and
// histograms. If the cell's timer is now the first of all, Run is woken, which lets
// time pass (Cluster.Advance) whenever a timer is due.
//
// What stands in no watched object is read on demand: the Recorder queues the node
// that turns unreachable or the DaemonSet whose template is new, a goroutine of Run
// reads Lease or ControllerRevisions, and the answer is observed or goes back to the
// Cluster (SetRevision) like an event.
//
// A scrape, from door to door: package server calls the registry's Gather, which
// calls Collect. That takes the lock once, reads the Cluster's sums, open gaps and
// troubled nodes into samples (gauges.go) and the recorder's counters and histograms
// into snapshots, releases the lock, and only then sends them. It costs nothing for
// a pod that is well.
//
// Construction runs in one direction: metrics, recorder, Cluster, Collector. None of
// them holds the one that holds it.
package collector
