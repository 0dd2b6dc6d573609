package scenarios

import (
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

func TestRulesAreHastened(t *testing.T) {
	rules := &shipped.Rules{Groups: []shipped.Group{{Rules: []shipped.Rule{{
		Alert: "a", For: "10m",
		Expr: `increase(a[1h]) > 0 and b offset 1h30m > 600 and rate(c_bucket{le=~"120(\\.0)?"}[5m])`,
	}}}}}
	fast, err := Hasten(rules)
	if err != nil {
		t.Fatal(err)
	}
	got := fast.Groups[0].Rules[0]
	if want := `increase(a[2m]) > 0 and b offset 3m > 600 and rate(c_bucket{le=~"10(\\.0)?"}[10s])`; got.Expr != want || got.For != "20s" {
		t.Errorf("got for %s, %s", got.For, got.Expr)
	}
	text, err := hastenText("group_wait: 30s\nrepeat_interval: 12h\nurl: http://10m\n")
	if err != nil {
		t.Fatal(err)
	}
	if want := "group_wait: 1s\nrepeat_interval: 24m\nurl: http://10m\n"; text != want {
		t.Errorf("got %s", text)
	}
}
