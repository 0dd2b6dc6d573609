package scenarios

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// backfillStep is how far apart the samples of the replayed recording are.
const backfillStep = 5 * time.Second

// checkBackfill replays the whole recording into a Prometheus, which must answer the
// dashboards.
func (a *asking) checkBackfill(t *testing.T) {
	t.Helper()
	answer := check.Must(exporter.Ask(t.Context(), a.f.Kubeconfig(), nil, slices.Concat(
		[]string{"replay", a.file, "--step=" + backfillStep.String()}, graces())...))(t)
	check.Require(t, answer.Code == 0, "replay: exit code %d: %s", answer.Code, answer.Stderr)
	openMetrics := filepath.Join(a.f.dir, "scenarios.om")
	check.NoError(t, os.WriteFile(openMetrics, []byte(answer.Stdout), 0o600))
	run(t, filepath.Join(a.f.tools.Prometheus, "promtool"), "tsdb", "create-blocks-from", "openmetrics", openMetrics, filepath.Join(a.f.dir, "backfilled-data"))
	check.NoError(t, os.WriteFile(filepath.Join(a.f.dir, "backfilled.yaml"), []byte("{}\n"), 0o600))
	backfilled, err := startProgram(t.Context(), a.f.launcher, a.f.dir, "backfilled", filepath.Join(a.f.tools.Prometheus, "prometheus"), "/-/ready", func(address string) []string {
		return []string{"--config.file=backfilled.yaml", "--storage.tsdb.path=backfilled-data", "--query.lookback-delta=10s", "--web.listen-address=" + address}
	})
	check.NoError(t, err)
	a.f.programs = append(a.f.programs, backfilled)
	begun, ended := a.moments[0].at, a.moments[len(a.moments)-1].at
	window := shipped.Window{Interval: 15 * time.Second, Range: ended.Sub(begun)}
	panels := 0
	for file, dashboard := range check.Must(shipped.ReadDashboards(a.f.root))(t) {
		if file == "exporter.json" {
			continue // it is about the exporter
		}
		for _, panel := range dashboard.AllPanels() {
			shown := false
			for _, target := range panel.Targets {
				for _, values := range fillings(t, a.f, file) {
					query := shipped.Fill(target.Expr, values, window)
					series, err := backfilled.query(t.Context(), query, begun, ended, backfillStep)
					check.That(t, err == nil, "%s, %q: %v\n%s", file, panel.Title, err, query)
					if shown = shown || len(series) > 0; shown {
						break // one node or DaemonSet will do
					}
				}
			}
			why := notRecorded[panel.Title]
			check.That(t, shown == (why == "") || len(panel.Targets) == 0, "%s, %q is shown by what was backfilled: %t, though it needs %q", file, panel.Title, shown, why)
			panels++
		}
	}
	t.Logf("%d panels are answered by what was backfilled, or say why not", panels)
}

// notRecorded has the panels that need more than what a recording has.
var notRecorded = map[string]string{
	"Data age":                   "metrics about the exporter",
	"Firing alerts":              "alerts",
	"Error budget":               "recording rules",
	"Budget left":                "recording rules",
	"Slower than 2 minutes":      "recording rules",
	"Transitions within an hour": "when the exporter was started",
}
