package scenarios

import (
	"slices"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped/shippedtest"
)

// notCaused returns the alerts that no scenario can cause: a scrape fails
// only by a bug.
func notCaused() []string { return []string{"DaemonSetExporterScrapeFailed"} }

func TestAlerts(t *testing.T) {
	t.Run("each has a scenario", func(t *testing.T) {
		rules := check.Must(shipped.ReadRules(shippedtest.Path(t, shipped.RuleFile)))(t)
		wanted := notCaused()
		for _, s := range all() {
			for _, want := range s.want {
				if !want.optional {
					wanted = append(wanted, want.alert)
				}
			}
		}
		for _, alert := range rules.Alerts() {
			check.That(t, slices.Contains(wanted, alert.Alert), "no scenario causes %s", alert.Alert)
		}
	})
}
