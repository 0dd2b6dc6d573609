// Package state is the one owner of what the exporter remembers: for every
// DaemonSet and every node whether a working pod should be there and is, and if not
// why and since when; what nodes have been through; which pods are awaited, and
// which are on their way out.
//
// The informers' events come in through the Cluster's SetNode, SetPod,
// SetDaemonSet and their opposites, in any order between objects. Each
// re-evaluates the cells, that is (DaemonSet, node) pairs, that depend on it:
// coverage.Placement decides whether a cell is expected, coverage.GapReason why it
// is not covered, rollout.Count what upstream counts. All are pure functions of the
// objects and the time. The Cluster remembers the outcome and keeps the sums, so
// that reading them costs nothing for each pod. What has happened and is over goes
// out through the Recorder, as it happens.
//
// Nothing here locks, reads a clock or knows Prometheus: package collector does.
package state
