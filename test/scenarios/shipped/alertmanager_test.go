package shipped_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped/shippedtest"
)

func inhibitions(t *testing.T) []shipped.Inhibition {
	t.Helper()
	return check.Must(shipped.ReadInhibitions(shippedtest.Path(t, shipped.AlertmanagerFile)))(t)
}

func identity(t *testing.T, alert shipped.Rule) []string {
	t.Helper()
	return check.Must(alert.Identity())(t)
}

// podAlerts returns the names of the alerts about one pod on one node: those
// that a DaemonSet and a node identify.
func podAlerts(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, alert := range rules(t).Alerts() {
		if labels := identity(t, alert); slices.Contains(labels, "daemonset") && slices.Contains(labels, "node") {
			names = append(names, alert.Alert)
		}
	}
	check.Require(t, len(names) != 0, "no alert is about a pod")
	return names
}

func TestAlertmanagerExample(t *testing.T) {
	t.Parallel()
	t.Run("refers to alerts that exist", func(t *testing.T) {
		t.Parallel()
		config := read(t, shippedtest.Path(t, shipped.AlertmanagerFile))
		var known []string
		for _, alert := range rules(t).Alerts() {
			known = append(known, alert.Alert)
		}
		for _, name := range regexp.MustCompile(`DaemonSet[A-Z]\w+`).FindAllString(config, -1) {
			check.That(t, slices.Contains(known, name), "there is no alert %s", name)
		}
	})
	t.Run("inhibits exactly what another alert explains", func(t *testing.T) {
		t.Parallel()
		want := map[string]string{}
		explain := func(sources []string, equal string, targets ...string) {
			for _, source := range sources {
				for _, target := range targets {
					want[source+" inhibits "+target] = equal
				}
			}
		}
		pods := podAlerts(t)
		explain([]string{"DaemonSetZoneDown"}, "cluster zone", append(pods, "DaemonSetNodeDown")...)
		explain([]string{"DaemonSetNodeDown"}, "cluster node", append(pods, "DaemonSetNodeFlapping")...)
		explain([]string{"DaemonSetCoversNothing"}, "cluster namespace daemonset", append(pods, "DaemonSetCoverageLow")...)
		explain([]string{"DaemonSetCoverageLow"}, "cluster namespace daemonset", pods...)
		explain(append(pods, "DaemonSetCoversNothing", "DaemonSetCoverageLow", "DaemonSetTerminationOverdue"),
			"cluster namespace daemonset", "DaemonSetReschedulingHangs")
		explain(append(pods, "DaemonSetCoversNothing", "DaemonSetCoverageLow"), "cluster namespace daemonset", "DaemonSetCoverageBudgetBurn")
		explain([]string{"DaemonSetExporterNotSynced"}, "cluster instance", "DaemonSetExporterForbidden")

		got := map[string]string{}
		eachInhibited(t, func(source, target shipped.Rule, equal []string) {
			got[source.Alert+" inhibits "+target.Alert] += strings.Join(equal, " ")
		})
		check.Equal(t, got, want)
	})
	t.Run("compares labels that both alerts have", func(t *testing.T) {
		t.Parallel()
		eachInhibited(t, func(source, target shipped.Rule, equal []string) {
			for _, label := range equal {
				if label == "cluster" { // optional
					continue
				}
				for _, alert := range []shipped.Rule{source, target} {
					check.That(t, slices.Contains(identity(t, alert), label), "%s inhibits %s by %s, which %s lacks", source.Alert, target.Alert, label, alert.Alert)
				}
			}
		})
	})
}

// eachInhibited calls do for every pair of alerts and every inhibit rule that
// applies to it.
func eachInhibited(t *testing.T, do func(source, target shipped.Rule, equal []string)) {
	t.Helper()
	alerts := rules(t).Alerts()
	for _, inhibition := range inhibitions(t) {
		for _, source := range alerts {
			for _, target := range alerts {
				applies := check.Must(inhibition.Inhibits(source, target))(t)
				if applies {
					do(source, target, inhibition.Equal)
				}
			}
		}
	}
}
