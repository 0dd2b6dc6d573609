package collector

import (
	"fmt"
	"maps"
	"math"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	dto "github.com/prometheus/client_model/go"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	testsamples "github.com/daemonset-exporter/daemonset_exporter/internal/testing/samples"
)

// samples holds values by series, in the text format. Of a histogram it holds count
// and sum.
type samples = testsamples.Samples

// exposition parses samples in the text format.
func exposition(format string, values ...any) samples {
	return testsamples.Parse(fmt.Sprintf(format, values...))
}

// scrape returns all samples.
func (e *exporter) scrape() samples {
	e.t.Helper()
	families := check.Must(e.registry.Gather())(e.t)
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
// words. Zeros are left out, and times agree to the millisecond. Node-seconds, which
// never stand still, must be named in full.
func (e *exporter) expect(why, families string, want ...samples) {
	e.t.Helper()
	keep := func(all samples) samples {
		maps.DeleteFunc(all, func(series string, value float64) bool {
			for family := range strings.FieldsSeq(families) {
				if strings.HasPrefix(series, family) && (!strings.Contains(series, "_node_seconds_total") || strings.Contains(family, "_node_seconds_total")) {
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

// gone returns samples that must be absent or zero.
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

// The samples of each metric. Those of DaemonSets are of agent, and nodes are
// active, unless on moves them. The arguments are the labels that differ, in the
// order of the names, and the value.
var (
	expectedNodes     = metric(`daemonset_expected_nodes{daemonset="agent",lifecycle="active",namespace="default"} %v`)
	coveredNodes      = metric(`daemonset_covered_nodes{daemonset="agent",lifecycle="active",namespace="default"} %v`)
	excludedNodes     = metric(`daemonset_excluded_nodes{daemonset="agent",lifecycle="active",namespace="default",reason=%q} %v`)
	withheldNodes     = metric(`daemonset_withheld_nodes{daemonset="agent",lifecycle="active",namespace="default",taint_effect=%q,taint_key=%q} %v`)
	nodesLost         = metric(`daemonset_nodes_lost_total{daemonset="agent",namespace="default",reason=%q} %v`)
	clusterNodes      = metric(`daemonset_cluster_nodes{lifecycle="active",status=%q,zone=""} %v`)
	nodeGaps          = metric(`daemonset_node_gaps{lifecycle="active",node=%q,zone=""} %v`)
	nodeNotReadyStart = metric(`daemonset_node_not_ready_start_timestamp_seconds{lifecycle="active",node=%q,status=%q,zone=""} %v`)
	suspectPod        = metric(`daemonset_node_suspect_pods{daemonset="agent",namespace="default",node=%q,reason=%q,zone=""} %v`)
	expectedSeconds   = metric(`daemonset_expected_node_seconds_total{daemonset="agent",namespace="default"} %v`)
	gapSeconds        = metric(`daemonset_gap_node_seconds_total{cause=%q,daemonset="agent",namespace="default"} %v`)
	lifecycleStart    = metric(`daemonset_node_lifecycle_start_timestamp_seconds{lifecycle="active",node=%q,zone=""} %v`)
	nodeFailures      = metric(`daemonset_node_failures_total{lifecycle="active",status=%q,zone=""} %v`)
	nodeTransitions   = metric(`daemonset_node_transitions_total{node=%q} %v`)
	pending           = metric(`daemonset_pod_rescheduling_pending{daemonset="agent",namespace="default",trigger=%q} %v`)
	podsTerminating   = metric(`daemonset_pods_terminating{daemonset="agent",namespace="default",state=%q} %v`)
	terminationsTotal = metric(`daemonset_pod_terminations_total{daemonset="agent",namespace="default",outcome=%q} %v`)
	podRestarts       = metric(`daemonset_pod_restarts_total{daemonset="agent",namespace="default",node=%q,zone=""} %v`)
	containerRestarts = metric(`daemonset_container_restarts_total{daemonset="agent",namespace="default",reason=%q} %v`)

	gapDurations         = histogram("daemonset_gap_duration_seconds", `{cause=%q,daemonset="agent",lifecycle="active",namespace="default"}`)
	nodeOutages          = histogram("daemonset_node_outage_duration_seconds", `{status=%q,zone=""}`)
	nodeStartups         = histogram("daemonset_node_startup_duration_seconds", `{stage=%q}`)
	reschedulings        = histogram("daemonset_pod_rescheduling_duration_seconds", `{daemonset="agent",namespace="default",trigger=%q}`)
	stages               = histogram("daemonset_pod_rescheduling_stage_duration_seconds", `{daemonset="agent",namespace="default",stage=%q}`)
	terminationDurations = histogram("daemonset_pod_termination_duration_seconds", `{daemonset="agent",namespace=%q}`)
)

func metric(series string) func(values ...any) samples {
	return func(values ...any) samples { return exposition(series, values...) }
}

// histogram returns the count and the sum of durations in seconds.
func histogram(name, labels string) func(label string, durations ...float64) samples {
	return func(label string, durations ...float64) samples {
		total := 0.0
		for _, duration := range durations {
			total += duration
		}
		of := fmt.Sprintf(labels, label)
		return samples{name + "_count" + of: float64(len(durations)), name + "_sum" + of: total}
	}
}

func gapNodes(reason string, count int) samples {
	return exposition(`daemonset_gap_nodes{cause=%q,daemonset="agent",lifecycle="active",namespace="default",reason=%q} %d`, causeOf(reason), reason, count)
}

func gapStart(node, reason string, unix float64) samples {
	return exposition(`daemonset_gap_start_timestamp_seconds{cause=%q,daemonset="agent",lifecycle="active",namespace="default",node=%q,reason=%q,zone=""} %v`,
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

// terminations returns the samples of Pods that ended within durations in seconds.
func terminations(outcome string, durations ...float64) samples {
	return merge(terminationsTotal(outcome, len(durations)), terminationDurations("default", durations...))
}

// nodeDetections returns the samples of a metric without labels.
func nodeDetections(durations ...float64) samples {
	return histogram("daemonset_node_detection_duration_seconds", "%s")("", durations...)
}
