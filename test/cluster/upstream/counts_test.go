package upstream

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/random"
)

// The exporter's own counts equal a status that the DaemonSet controller has just
// written for the same objects.
func TestCounts(t *testing.T) {
	t.Parallel()
	for name, seed := range random.Seeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dice := random.Seeded(seed, 1)
			seen := map[string]int{}
			for number := range 5 {
				cluster := randomCluster(dice)
				for _, problem := range cluster.compare(cluster.run(t).statuses, seen) {
					t.Errorf("cluster %d of seed %d: %s", number, seed, problem)
				}
			}
			t.Logf("statuses of seed %d: %v", seed, seen)
			for _, count := range []string{"desired", "current", "ready", "available", "unavailable", "updated", "misscheduled"} {
				check.That(t, seen[count] >= 100, "%s is %d in all statuses together: too few", count, seen[count])
			}
		})
	}
}

// compare returns the differences between the statuses that the controller wrote and
// the exporter's own counts, and adds up the statuses in seen.
func (c *cluster) compare(statuses map[string]appsv1.DaemonSetStatus, seen map[string]int) (problems []string) {
	for summary := range c.state(statuses).Summaries() {
		status := statuses[summary.DaemonSet.Name]
		seen["statuses"]++
		seen["desired"] += int(status.DesiredNumberScheduled)
		seen["current"] += int(status.CurrentNumberScheduled)
		seen["ready"] += int(status.NumberReady)
		seen["available"] += int(status.NumberAvailable)
		seen["unavailable"] += int(status.NumberUnavailable)
		seen["updated"] += int(status.UpdatedNumberScheduled)
		seen["misscheduled"] += int(status.NumberMisscheduled)
		for _, difference := range summary.StatusDifferences() {
			if difference.Nodes != 0 {
				problems = append(problems, fmt.Sprintf("%s of %s differs by %d: the controller counts %+v, the exporter %+v",
					difference.Field, summary.DaemonSet.Name, difference.Nodes, status, summary.Totals.Upstream))
			}
		}
	}
	return problems
}
