package collector

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	dto "github.com/prometheus/client_model/go"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
)

// samples are values by their series, as the exposition has them: the name, then
// the labels in alphabetical order. Of a histogram they are count and sum.
type samples map[string]float64

// exposition reads samples from the text format.
func exposition(format string, values ...any) samples {
	all := samples{}
	for line := range strings.Lines(fmt.Sprintf(format, values...)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		space := strings.LastIndex(line, " ")
		value, err := strconv.ParseFloat(line[space+1:], 64)
		if err != nil || space < 0 {
			panic("no sample: " + line)
		}
		all[line[:space]] += value
	}
	return all
}

// scrape returns all samples.
func (e *exporter) scrape() samples {
	e.t.Helper()
	families, err := e.registry.Gather()
	if err != nil {
		e.t.Fatal(err)
	}
	all := samples{}
	for _, family := range families {
		for _, metric := range family.Metric {
			name, labels := family.GetName(), labelsOf(metric)
			switch family.GetType() {
			case dto.MetricType_HISTOGRAM:
				all[name+"_count"+labels] = float64(metric.GetHistogram().GetSampleCount())
				all[name+"_sum"+labels] = metric.GetHistogram().GetSampleSum()
			case dto.MetricType_COUNTER:
				all[name+labels] = metric.GetCounter().GetValue()
			default:
				all[name+labels] = metric.GetGauge().GetValue()
			}
		}
	}
	return all
}

func labelsOf(metric *dto.Metric) string {
	var labels []string
	for _, label := range metric.Label {
		labels = append(labels, fmt.Sprintf("%s=%q", label.GetName(), label.GetValue()))
	}
	if len(labels) == 0 {
		return ""
	}
	return "{" + strings.Join(labels, ",") + "}"
}

// expect checks all samples of the families whose names begin with one of the
// words. Zeros are left out, and times agree to the millisecond.
func (e *exporter) expect(why, families string, want ...samples) {
	e.t.Helper()
	keep := func(all samples) samples {
		maps.DeleteFunc(all, func(series string, value float64) bool {
			for family := range strings.FieldsSeq(families) {
				if strings.HasPrefix(series, family) {
					return math.Abs(value) < 1e-6
				}
			}
			return true
		})
		return all
	}
	if diff := cmp.Diff(keep(merge(want...)), keep(e.scrape()), cmpopts.EquateApprox(0, 0.001)); diff != "" {
		e.t.Errorf("%s (-want +got):\n%s", why, diff)
	}
}

// merge returns all samples; of two of one series the later.
func merge(parts ...samples) samples {
	all := samples{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

// sum adds samples up.
func sum(parts ...samples) samples {
	all := samples{}
	for _, part := range parts {
		for series, value := range part {
			all[series] += value
		}
	}
	return all
}

// gone are samples that must be absent or zero.
func gone(parts ...samples) samples {
	all := merge(parts...)
	for series := range all {
		all[series] = 0
	}
	return all
}

// on moves samples of active nodes to nodes of another lifecycle.
func on(lifecycle string, parts ...samples) samples {
	all := samples{}
	for series, value := range merge(parts...) {
		all[strings.Replace(series, `lifecycle="active"`, `lifecycle="`+lifecycle+`"`, 1)] = value
	}
	return all
}

// histogram are the count and the sum of durations in seconds.
func histogram(name, labels string, durations ...float64) samples {
	total := 0.0
	for _, duration := range durations {
		total += duration
	}
	if labels != "" {
		labels = "{" + labels + "}"
	}
	return samples{name + "_count" + labels: float64(len(durations)), name + "_sum" + labels: total}
}

func clusterNodes(status string, count int) samples {
	return exposition(`daemonset_cluster_nodes{lifecycle="active",status=%q,zone=""} %d`, status, count)
}

func expectedNodes(count int) samples {
	return exposition(`daemonset_expected_nodes{daemonset="agent",lifecycle="active",namespace="default"} %d`, count)
}

func coveredNodes(count int) samples {
	return exposition(`daemonset_covered_nodes{daemonset="agent",lifecycle="active",namespace="default"} %d`, count)
}

func gapNodes(reason string, count int) samples {
	return exposition(`daemonset_gap_nodes{cause=%q,daemonset="agent",lifecycle="active",namespace="default",reason=%q} %d`, causeOf(reason), reason, count)
}

func gapStart(node, reason string, unix float64) samples {
	return exposition(`daemonset_gap_start_timestamp_seconds{cause=%q,daemonset="agent",lifecycle="active",namespace="default",node=%q,reason=%q,zone=""} %f`,
		causeOf(reason), node, reason, unix)
}

func causeOf(reason string) string {
	for r := range coverage.Reasons {
		if r.String() == reason {
			return r.Cause().String()
		}
	}
	panic("no reason: " + reason)
}

func nodeGaps(node string, count int) samples {
	return exposition(`daemonset_node_gaps{lifecycle="active",node=%q,zone=""} %d`, node, count)
}

func gapDurations(cause string, durations ...float64) samples {
	return histogram("daemonset_gap_duration_seconds", fmt.Sprintf(`cause=%q,daemonset="agent",namespace="default"`, cause), durations...)
}

func nodeNotReadyStart(node, status string, unix float64) samples {
	return exposition(`daemonset_node_not_ready_start_timestamp_seconds{lifecycle="active",node=%q,status=%q,zone=""} %f`, node, status, unix)
}

func nodeFailures(status string, count int) samples {
	return exposition(`daemonset_node_failures_total{status=%q,zone=""} %d`, status, count)
}

func nodeTransitions(node string, count int) samples {
	return exposition(`daemonset_node_transitions_total{node=%q} %d`, node, count)
}

func nodeDetections(durations ...float64) samples {
	return histogram("daemonset_node_detection_duration_seconds", "", durations...)
}

func nodeOutages(status string, durations ...float64) samples {
	return histogram("daemonset_node_outage_duration_seconds", fmt.Sprintf(`status=%q,zone=""`, status), durations...)
}

func nodeStartups(stage string, durations ...float64) samples {
	return histogram("daemonset_node_startup_duration_seconds", fmt.Sprintf("stage=%q", stage), durations...)
}

func pending(trigger string, count int) samples {
	return exposition(`daemonset_pod_rescheduling_pending{daemonset="agent",namespace="default",trigger=%q} %d`, trigger, count)
}

func reschedulings(trigger string, durations ...float64) samples {
	return histogram("daemonset_pod_rescheduling_duration_seconds", fmt.Sprintf(`daemonset="agent",namespace="default",trigger=%q`, trigger), durations...)
}

func stages(stage string, durations ...float64) samples {
	return histogram("daemonset_pod_rescheduling_stage_duration_seconds", fmt.Sprintf(`daemonset="agent",namespace="default",stage=%q`, stage), durations...)
}

func podsTerminating(state string, count int) samples {
	return exposition(`daemonset_pods_terminating{daemonset="agent",namespace="default",state=%q} %d`, state, count)
}

// terminations are Pods that ended in so many seconds.
func terminations(outcome string, durations ...float64) samples {
	return merge(terminationsTotal(outcome, len(durations)),
		histogram("daemonset_pod_termination_duration_seconds", `daemonset="agent",namespace="default"`, durations...))
}

func terminationsTotal(outcome string, count int) samples {
	return exposition(`daemonset_pod_terminations_total{daemonset="agent",namespace="default",outcome=%q} %d`, outcome, count)
}

func containerRestarts(reason string, count int) samples {
	return exposition(`daemonset_container_restarts_total{daemonset="agent",namespace="default",reason=%q} %d`, reason, count)
}

func clockSkews(count int) samples {
	return exposition(`daemonset_exporter_clock_skew_total %d`, count)
}
