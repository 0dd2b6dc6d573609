package scenarios

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped/shippedtest"
)

func TestComparisonTable(t *testing.T) {
	// At pace, two seconds are a minute.
	fire := func(alert string, minutes time.Duration) firing {
		return firing{alert: alert, after: minutes * 2 * time.Second}
	}
	failure := func(name string) *scenario {
		return &scenario{summary: name, nodes: 1, want: []want{{alert: "DaemonSetNodeDown"}}}
	}
	results := []result{
		{scenario: failure("both"), fired: []firing{fire("NodeDown", 11)}, theirs: []firing{fire("PodNotReady", 20), fire("NodeNotReady", 16), fire("PodNotReady", 18)}},
		{scenario: failure("only ours"), fired: []firing{fire("ZoneDown", 11)}, inhibits: []firing{fire("NodeDown", 12), fire("NodeDown", 12)}},
		{scenario: &scenario{summary: "an exporter", want: []want{{}}}, fired: []firing{fire("ExporterDown", 11)}},
		{scenario: &scenario{summary: "a false alarm", nodes: 1}, theirs: []firing{fire("MisScheduled", 15)}},
		{scenario: &scenario{summary: "a quiet day", nodes: 1}},
	}
	const table = `| what happens | daemonset_exporter | kube-state-metrics and kubernetes-mixin |
| --- | --- | --- |
| both | NodeDown 11 min | NodeNotReady 16 min, 2 × PodNotReady 18 to 20 min |
| only ours | ZoneDown 11 min; inhibited: 2 × NodeDown 12 min | **nothing** |
| *nothing is wrong:* a false alarm | silent | **false**: MisScheduled 15 min |
| *nothing is wrong:* a quiet day | silent | silent |
`
	check.Equal(t, comparisonTable(results), table, "table")

	t.Run("the page has the lines between which it stands", func(t *testing.T) {
		page := check.Must(os.ReadFile(shippedtest.Path(t, comparisonFile)))(t)
		path := filepath.Join(t.TempDir(), "page.md")
		check.NoError(t, os.WriteFile(path, page, 0o600))
		check.NoError(t, writeComparison(path, results))
		check.NoError(t, writeComparison(path, results))
	})
}
