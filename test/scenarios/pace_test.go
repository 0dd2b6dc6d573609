package scenarios

import (
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

func TestSpeedUp(t *testing.T) {
	t.Run("divides the durations of a rule", func(t *testing.T) {
		rules := check.Must(speedUp(&shipped.Rules{Groups: []shipped.Group{{Rules: []shipped.Rule{{
			Alert: "a", For: "10m",
			Expr: `increase(a[1h]) > 0 and b offset 1h30m > time() - 3600 and changes(d[1h:5m]) and rate(c_bucket{le=~"120(\\.0)?"}[5m])`,
		}}}}}))(t)
		got := rules.Groups[0].Rules[0]
		if want := `increase(a[2m]) > 0 and b offset 3m > time() - 120 and changes(d[2m:10s]) and rate(c_bucket{le=~"10(\\.0)?"}[10s])`; got.Expr != want || got.For != "20s" {
			t.Errorf("got for %s, %s", got.For, got.Expr)
		}
	})
	t.Run("divides the intervals of an Alertmanager configuration", func(t *testing.T) {
		got, err := speedUpText("group_wait: 30s\nrepeat_interval: 12h\nurl: http://10m\n")
		if want := "group_wait: 1s\nrepeat_interval: 24m\nurl: http://10m\n"; err != nil || got != want {
			t.Errorf("got %s, %v", got, err)
		}
	})
}
