// Package scenarios proves alerts and dashboards with real parts: a control
// plane, the exporter in two replicas, Prometheus with the shipped rules,
// Alertmanager with the example configuration and, for comparison,
// kube-state-metrics with the rules that most people run.
//
// Each scenario has nodes, a zone and a DaemonSet of its own, all called by its
// name, so that all of them run at once in one cluster and what fires can still
// be told apart by its labels. Exporters that are made to fail bear a label
// cluster.
//
// Time runs thirty times as fast: see [Pace].
package scenarios
