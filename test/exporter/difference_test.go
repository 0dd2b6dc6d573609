package exporter

import (
	"slices"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
)

func TestDifferences(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first, second string
		want          []string
	}{
		"a level that differs": {
			`daemonset_gap_nodes{daemonset="agent"} 1`, `daemonset_gap_nodes{daemonset="agent"} 2`,
			[]string{`daemonset_gap_nodes{daemonset="agent"}: 1 and 2`},
		},
		"another label is two differences": {
			`daemonset_gap_nodes{reason="crash_loop"} 1`, `daemonset_gap_nodes{reason="pod_not_ready"} 1`,
			[]string{`daemonset_gap_nodes{reason="crash_loop"}: 1 and none`, `daemonset_gap_nodes{reason="pod_not_ready"}: none and 1`},
		},
		"zero is as good as none": {`daemonset_gap_nodes{daemonset="agent"} 0`, `daemonset_node_gaps{node="a"} 0`, nil},
		"a time within apart":     {`daemonset_gap_start_timestamp_seconds 1800000001.4`, `daemonset_gap_start_timestamp_seconds 1800000000`, nil},
		"a time beyond apart": {
			`daemonset_gap_start_timestamp_seconds 1800000001.6`, `daemonset_gap_start_timestamp_seconds 1800000000`,
			[]string{`daemonset_gap_start_timestamp_seconds{}: 1800000001.6 and 1800000000`},
		},
		"durations within apart each": {
			"d_seconds_count 2\nd_seconds_sum 7", "d_seconds_count 2\nd_seconds_sum 8.9", nil,
		},
		"durations beyond apart each": {
			"d_seconds_count 1\nd_seconds_sum 7", "d_seconds_count 1\nd_seconds_sum 8.9", []string{`d_seconds_sum{}: 7 and 8.9`},
		},
		"node-seconds within apart for each node": {
			"daemonset_expected_nodes 3\ndaemonset_gap_node_seconds_total 60", "daemonset_expected_nodes 3\ndaemonset_gap_node_seconds_total 62.5", nil,
		},
		"node-seconds beyond that": {
			"daemonset_expected_nodes 3\ndaemonset_gap_node_seconds_total 60", "daemonset_expected_nodes 3\ndaemonset_gap_node_seconds_total 64.6",
			[]string{`daemonset_gap_node_seconds_total{}: 60 and 64.6`},
		},
		"what is an exporter's own": {
			"go_goroutines 20\nprocess_cpu_seconds_total 1", "go_goroutines 30\nprocess_cpu_seconds_total 9", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, difference := range Differences(parse(t, test.first), parse(t, test.second)) {
				got = append(got, difference.String())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestIncrease(t *testing.T) {
	t.Parallel()
	before := parse(t, "# TYPE a_total counter\na_total 3\n# TYPE b gauge\nb 4")
	now := parse(t, "# TYPE a_total counter\na_total 5\n# TYPE b gauge\nb 4\n# TYPE new_total counter\nnew_total 1")
	for name, want := range map[string]float64{"a_total": 2, "b": 4, "new_total": 1} {
		if got := now.Since(before).Sum(name, nil); got != want {
			t.Errorf("%s: got %g, want %g", name, got, want)
		}
	}
}

// A metric that is renamed must not be left out unnoticed.
func TestOwnMetricsExist(t *testing.T) {
	t.Parallel()
	for name := range own {
		if !strings.HasSuffix(name, "_") && !slices.ContainsFunc(collector.Metrics(), func(m *collector.Metric) bool { return m.Name == name }) {
			t.Errorf("there is no metric %s", name)
		}
	}
}

func parse(t *testing.T, text string) Samples {
	t.Helper()
	samples, err := Parse(text + "\n")
	if err != nil {
		t.Fatal(err)
	}
	return samples
}
