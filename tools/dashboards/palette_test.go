package main

import (
	"slices"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestPalettes(t *testing.T) {
	t.Parallel()
	t.Run("have a meaning for every value of a label, and for no other", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			metric, label string
			palette       palette
		}{
			{"daemonset_cluster_nodes", "status", statuses()},
			{"daemonset_cluster_nodes", "lifecycle", lifecycles()},
			{"daemonset_gap_nodes", "cause", causes()},
			{"daemonset_rollout_unavailable_nodes", "cause", causes()},
			{"daemonset_gap_nodes", "reason", reasons()},
			{"daemonset_gap_start_timestamp_seconds", "reason", reasons()},
			{"daemonset_excluded_nodes", "reason", exclusions()},
			{"daemonset_pod_rescheduling_stage_duration_seconds", "stage", stages()},
			{"daemonset_pod_rescheduling_pending", "trigger", triggers()},
			{"daemonset_pod_terminations_total", "outcome", outcomes()},
			{"daemonset_pods_terminating", "state", terminationStates()},
			{"daemonset_container_restarts_total", "reason", restartReasons()},
		} {
			var got []string
			for _, m := range c.palette {
				got = append(got, m.value)
			}
			want := enum(t, c.metric, c.label)
			slices.Sort(got)
			slices.Sort(want)
			check.Equal(t, got, want, c.label, "of", c.metric)
		}
	})
	t.Run("give two values two texts", func(t *testing.T) {
		t.Parallel()
		for _, p := range []palette{append(reasons(), nodeStates()...), triggers(), outcomes()} {
			texts, numbers := map[string]bool{}, map[string]bool{}
			for _, m := range p {
				if texts[m.text] || numbers[p.number(m.value)] || p.number(m.value) == "0" {
					t.Errorf("%s: text %q, number %s", m.value, m.text, p.number(m.value))
				}
				texts[m.text], numbers[p.number(m.value)] = true, true
			}
		}
	})
	t.Run("have green for nothing but what is well", func(t *testing.T) {
		t.Parallel()
		for _, p := range []palette{reasons(), causes(), exclusions()} {
			for _, m := range p {
				check.That(t, m.colour != green, "%s is green", m.value)
			}
		}
	})
}

// enum returns the values that a label of a metric can have.
func enum(t *testing.T, metric, label string) []string {
	t.Helper()
	for _, m := range collector.Metrics() {
		if m.Name == metric {
			return m.LabelValues()[label]
		}
	}
	t.Fatalf("there is no metric %s", metric)
	return nil
}
