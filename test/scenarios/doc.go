// Package scenarios tests alerts and dashboards with real programs: a control
// plane, the exporter in two replicas, Prometheus with the shipped rules,
// Alertmanager with the example configuration and, for comparison,
// kube-state-metrics with the rules that most people run.
//
// Each scenario has nodes, a zone and a DaemonSet of its own, all with its name.
// So all of them run at once in one cluster, and the labels of an alert identify
// its scenario. Exporters that fail have a label cluster, but for the replica that loses
// the API server beside the two that work.
//
// The two exporters must tell the same of each scenario in the end: see pair.
//
// Durations are a thirtieth of those in production: see pace.
package scenarios
