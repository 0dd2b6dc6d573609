package collector

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestLabelValues(t *testing.T) {
	t.Parallel()
	metric := func(name string) *Metric {
		rows := Metrics()
		return rows[slices.IndexFunc(rows, func(m *Metric) bool { return m.Name == name })]
	}
	t.Run("a label can mean something else on another metric", func(t *testing.T) {
		t.Parallel()
		for name, want := range map[string]map[string][]string{
			"daemonset_node_startup_duration_seconds":           {"stage": {"ready", "covered"}},
			"daemonset_pod_rescheduling_stage_duration_seconds": {"stage": {"create", "schedule", "start", "ready"}},
			"daemonset_container_restarts_total":                {"reason": {"Completed", "Error", "OOMKilled", "StartError", "other"}},
			"daemonset_misplaced_nodes":                         {"lifecycle": {"active", "joining", "cordoned", "leaving"}, "verdict": {"stop", "keep"}},
			"daemonset_exporter_informer_objects":               {"resource": {"nodes", "pods", "daemonsets"}},
			"daemonset_node_transitions_total":                  {},
		} {
			check.Equal(t, metric(name).LabelValues(), want, name)
		}
	})
	t.Run("over all metrics every value is listed once", func(t *testing.T) {
		t.Parallel()
		check.Equal(t, LabelValues()["stage"], []string{"create", "schedule", "start", "ready", "covered"}, "stage")
	})
	t.Run("a label without values names an object", func(t *testing.T) {
		t.Parallel()
		open := []string{"namespace", "daemonset", "node", "zone", "taint_key", "taint_effect"}
		for _, m := range Metrics() {
			for _, label := range m.Labels {
				if _, closed := m.LabelValues()[label]; closed == slices.Contains(open, label) {
					t.Errorf("%s: label %s has values: %v", m.Name, label, closed)
				}
			}
		}
	})
	t.Run("every row of the list belongs to a metric", func(t *testing.T) {
		t.Parallel()
		for _, e := range enums() {
			if !slices.ContainsFunc(Metrics(), func(m *Metric) bool {
				return strings.HasPrefix(m.Name, e.metrics) && slices.Contains(m.Labels, e.label)
			}) {
				t.Errorf("no metric %s* has the label %s", e.metrics, e.label)
			}
		}
	})
}

func TestNodeLabels(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, err string
		labels    []NodeLabel
	}{
		{"labels with names of their own are valid", "", []NodeLabel{{"a", "pool"}, {"b", "arch"}}},
		{"a node label is needed", `metric label "pool" has no node label`, []NodeLabel{{"", "pool"}}},
		{"a dash is not valid", `"node-pool" is not a valid metric label: `, []NodeLabel{{"a", "node-pool"}}},
		{"two underscores in front are not valid", `"__pool" is not a valid metric label: `, []NodeLabel{{"a", "__pool"}}},
		{"a label of the table is reserved", `metric label "zone" is reserved: `, []NodeLabel{{"a", "zone"}}},
		{"a label of Prometheus is reserved", `metric label "le" is reserved: `, []NodeLabel{{"a", "le"}}},
		{"a label is used once", `metric label "pool" is used more than once`, []NodeLabel{{"a", "pool"}, {"b", "pool"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(Config{Clock: testingclock.NewFakeClock(time.Time{}), Logger: log.NewNopLogger(), NodeLabels: tc.labels})
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.HasPrefix(err.Error(), "node labels: "+tc.err)) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
		})
	}
}
