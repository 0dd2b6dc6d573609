package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/costs"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	all := check.Must(costs.Load(root))(t)
	t.Run("memory leaves room above the measured peak", func(t *testing.T) {
		t.Parallel()
		for _, s := range sizes() {
			cost, _, _ := s.cost(all) // zero if it was not measured
			peak := max(cost.Peak, cost.Restarted) >> 20
			check.That(t, peak < s.memoryRequest+s.memoryRequest/5, "%d nodes: %d MiB were used, %d are requested", s.nodes, peak, s.memoryRequest)
			check.That(t, peak < s.maximum*3/4, "%d nodes: %d MiB were used, the limit is %d", s.nodes, peak, s.maximum)
		}
	})
	t.Run("the processor suffices for a busy hour", func(t *testing.T) {
		t.Parallel()
		cost := costs.Cost{
			Heartbeats:      costs.Duration(100 * time.Millisecond),
			PodEvents:       costs.Duration(90 * time.Millisecond),
			ScrapeProcessor: costs.Duration(15 * time.Millisecond),
		}
		// 1,000 heartbeats in 300 s take 100 ms, 20,000 pods × 8 changes in 3,600 s
		// 14,400 ms, and each 15 s 15 ms: 0.33 + 4 + 1 ms per second.
		got := processorRequest(cost, costs.World{Nodes: 1000, DaemonSets: 20})
		check.Equal(t, got, 10, "thousandths of a processor")
	})
	t.Run("chart and kustomize request what is recommended", func(t *testing.T) {
		t.Parallel()
		s := sizes()[slices.IndexFunc(sizes(), func(s size) bool { return s.nodes == defaultNodes })]
		cost, world, measured := s.cost(all)
		check.Require(t, measured, "%d nodes were not measured", s.nodes)
		for _, file := range []string{"deploy/helm/daemonset-exporter/values.yaml", "deploy/kustomize/base/deployment.yaml"} {
			content := string(check.Must(os.ReadFile(filepath.Join(root, file)))(t))
			for _, want := range []string{
				fmt.Sprintf("requests: {cpu: %dm, memory: %dMi}", processorRequest(cost, world), s.memoryRequest),
				fmt.Sprintf("limits: {memory: %dMi}", s.maximum),
			} {
				check.That(t, strings.Contains(content, want), "%s has no %q", file, want)
			}
		}
	})
}
