// Package e2e tests the exporter's binary over HTTP on a real control plane. Expected
// values follow from what a test does to the cluster and from its own clock.
package e2e
