// Package clustertest ties a cluster to a test.
package clustertest

import (
	"os"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

// Kubernetes is the environment variable with the version of the servers.
const Kubernetes = "DAEMONSET_EXPORTER_KUBERNETES"

// Start returns a cluster that ends with the test. The components' logs of a failed
// test are copied to its artifact directory, which `go test -artifacts` keeps.
func Start(t testing.TB, config cluster.Config) *cluster.Cluster {
	t.Helper()
	if config.Progress == nil {
		config.Progress = os.Stderr
	}
	if config.Kubernetes == "" {
		config.Kubernetes = os.Getenv(Kubernetes)
	}
	c, err := cluster.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			if err := c.CopyLogs(t.ArtifactDir()); err != nil {
				t.Log(err)
			}
		}
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}
