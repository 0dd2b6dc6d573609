package shipped_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped/shippedtest"
)

var rowOfAlerts = regexp.MustCompile(`(?m)^\| (DaemonSet[^|]+) \|`)

// TestRemediation holds that docs/remediation.md says of every alert who acts on it,
// once. A name that ends with an ellipsis stands for those that begin with it and have no
// row of their own.
func TestRemediation(t *testing.T) {
	t.Parallel()
	rows := map[string]int{} // by name, how many alerts it stands for
	for _, row := range rowOfAlerts.FindAllStringSubmatch(read(t, shippedtest.Path(t, "docs/remediation.md")), -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			_, twice := rows[name]
			check.That(t, !twice, "%s has two rows", name)
			rows[name] = 0
		}
	}
	for _, alert := range rules(t).Alerts() {
		if _, own := rows[alert.Alert]; own {
			rows[alert.Alert]++
			continue
		}
		found := 0
		for name := range rows {
			if prefix, open := strings.CutSuffix(name, "…"); open && strings.HasPrefix(alert.Alert, prefix) {
				rows[name]++
				found++
			}
		}
		check.Equal(t, found, 1, alert.Alert, "rows")
	}
	for name, alerts := range rows {
		check.That(t, alerts > 0, "%s is no alert", name)
	}
}
