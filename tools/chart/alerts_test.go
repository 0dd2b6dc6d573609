package main

import (
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	const rules = `groups:
- name: settings
  rules:
  # How long:
  # one day.
  - {record: "daemonset_exporter:limit:seconds", expr: vector(86400)}
- name: more
  rules:
  - {record: "a:b", expr: up}
  # Not of the table.
  - {alert: Down, expr: up == 0, for: 5m, labels: {severity: critical}}
`
	alerts, thresholds, err := settings([]byte(rules))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("tables have a row for each", func(t *testing.T) {
		t.Parallel()
		want := "| [Down](runbooks/Down.md) | critical | 5m | `/spec/groups/1/rules/1` |\n"
		if got := alertTable(alerts); !strings.HasSuffix(got, "|---|---|---|---|\n"+want) {
			t.Error(got)
		}
		want = "| `limit` | 86400 | How long: one day. | `/spec/groups/0/rules/0` |\n"
		if got := thresholdTable(thresholds); !strings.HasSuffix(got, "|---|---|---|---|\n"+want) {
			t.Error(got)
		}
	})
	t.Run("the schema allows these names", func(t *testing.T) {
		t.Parallel()
		schema := `{"alerts": {"type": "object", "propertyNames": {"enum": ["Old"]}}, "enum": []}`
		got, err := allow([]byte(schema), "alerts", alerts)
		if err != nil || strings.Join(strings.Fields(string(got)), " ") != `{"alerts": {"type": "object", "propertyNames": {"enum": [ "Down" ]}}, "enum": []}` {
			t.Errorf("%v\n%s", err, got)
		}
		if _, err := allow([]byte(schema), "thresholds", thresholds); err == nil {
			t.Error("a schema without the map is accepted")
		}
	})
	t.Run("a threshold without a comment is an error", func(t *testing.T) {
		t.Parallel()
		if _, _, err := settings([]byte(strings.ReplaceAll(rules, "  # How long:\n  # one day.\n", ""))); err == nil {
			t.Error("it is accepted")
		}
	})
}
