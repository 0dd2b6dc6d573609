// Package remediation is an example of what may act on an alert of the exporter: a
// receiver for Alertmanager that declares a dead machine out of service, so that
// Kubernetes gives up the pods that wait for it. docs/remediation.md says when that is
// right, and TestRemediation in test/scenarios runs it. The exporter itself changes
// nothing, ever.
package remediation
