package scenarios

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// notCaused are the alerts that no scenario can bring about: a part of a scrape
// fails only by a fault of the program.
func notCaused() []string { return []string{"DaemonSetExporterPartFailed"} }

func TestEveryAlertHasAScenario(t *testing.T) {
	root, err := shipped.Root()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := shipped.ReadRules(filepath.Join(root, shipped.RuleFile))
	if err != nil {
		t.Fatal(err)
	}
	wanted := notCaused()
	for _, s := range all() {
		for _, want := range s.want {
			if !want.maybe {
				wanted = append(wanted, want.alert)
			}
		}
	}
	for _, alert := range rules.Alerts() {
		if !slices.Contains(wanted, alert.Alert) {
			t.Errorf("no scenario causes %s", alert.Alert)
		}
	}
}
