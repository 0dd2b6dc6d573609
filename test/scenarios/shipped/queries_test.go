package shipped_test

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/promql/parser"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/replay"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// textQueries returns the queries in the texts of all alerts, by alert.
func textQueries(t *testing.T) map[string][]string {
	t.Helper()
	queries := map[string][]string{}
	for _, alert := range rules(t).Alerts() {
		queries[alert.Alert] = check.Must(alert.TextQueries())(t)
		inTexts := 0
		for _, text := range alert.Annotations {
			inTexts += strings.Count(text, "query")
		}
		check.Equal(t, len(queries[alert.Alert]), inTexts, alert.Alert, "queries in texts")
	}
	return queries
}

// allQueries returns the expressions of all rules and the queries in their texts.
func allQueries(t *testing.T) map[string][]string {
	t.Helper()
	queries := textQueries(t)
	for _, rule := range rules(t).All() {
		name := rule.Alert + rule.Record
		queries[name] = append(queries[name], rule.Expr)
	}
	return queries
}

func TestTextQueries(t *testing.T) {
	t.Parallel()
	vocabulary := vocabulary(t)
	for alert, queries := range textQueries(t) {
		for _, query := range queries {
			check.NoError(t, vocabulary.Check(query))
			expr := check.Must(parser.NewParser(parser.Options{}).ParseExpr(query))(t)
			for _, selector := range parser.ExtractSelectors(expr) {
				// Thresholds hold for all clusters; replicas are matched by theirs.
				if strings.HasPrefix(selector[len(selector)-1].Value, "daemonset_exporter:") {
					continue
				}
				ofCluster := false
				for _, matcher := range selector {
					ofCluster = ofCluster || matcher.Name == "cluster" && matcher.Value == "label"
				}
				check.That(t, ofCluster, "%s: a query in its texts is not about its cluster: %s", alert, query)
			}
		}
	}
}

func TestOfStaleReplicas(t *testing.T) {
	t.Parallel()
	t.Run("rules leave them out", func(t *testing.T) {
		t.Parallel()
		for name, queries := range allQueries(t) {
			for _, query := range queries {
				stale := check.Must(shipped.OfStaleReplicas(query))(t)
				check.That(t, len(stale) == 0, "%s: replicas that have lost the API server are not left out of %v: add `unless on (cluster, instance) %s` before the replicas are added up", name, stale, shipped.Superseded)
			}
		}
	})
	for query, want := range map[string][]string{
		`max by (node) (daemonset_node_gaps)`: {"daemonset_node_gaps"},
		`max by (node) (daemonset_node_gaps unless on (cluster, instance) daemonset_exporter:superseded:info)`:                         nil,
		`max by (node) (daemonset_node_gaps) unless on (cluster, instance) daemonset_exporter:superseded:info`:                         {"daemonset_node_gaps"},
		`sum without (zone) (daemonset_node_gaps) unless on (cluster, instance) daemonset_exporter:superseded:info`:                    nil,
		`sum without (instance) (daemonset_node_gaps) unless on (cluster, instance) daemonset_exporter:superseded:info`:                {"daemonset_node_gaps"},
		`up unless on (cluster, instance) daemonset_node_gaps`:                                                                         {"daemonset_node_gaps"},
		`daemonset_node_gaps unless on (instance) daemonset_exporter:superseded:info`:                                                  {"daemonset_node_gaps"},
		`rate(daemonset_node_gaps[5m]) unless on (cluster, instance) daemonset_exporter:superseded:info`:                               nil,
		`daemonset_exporter_informer_fresh + on (cluster) group_left () daemonset:expected_nodes:max unless on (cluster, instance) up`: nil,
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			check.Equal(t, check.Must(shipped.OfStaleReplicas(query))(t), want)
		})
	}
}

func TestOfManyClusters(t *testing.T) {
	t.Parallel()
	t.Run("rules tell clusters apart", func(t *testing.T) {
		t.Parallel()
		for _, rule := range rules(t).All() {
			parts := check.Must(shipped.OfManyClusters(rule.Expr, false))(t)
			check.That(t, len(parts) == 0, "%s%s mixes clusters: the label cluster is missing in %q", rule.Alert, rule.Record, parts)
		}
	})
	for _, c := range []struct {
		query  string
		totals bool
		want   []string
	}{
		{query: `max by (cluster, node) (up)`},
		{query: `max by (node) (up)`, want: []string{`max by (node) (up)`}},
		{query: `max(up)`, totals: true, want: []string{`max(up)`}},
		{query: `sum by (node) (up)`, want: []string{`sum by (node) (up)`}},
		{query: `sum by (node) (up)`, totals: true},
		{query: `sum without (instance) (up)`},
		{query: `sum without (cluster) (up)`, want: []string{`sum without (cluster) (up)`}},
		{query: `topk(5, up)`},
		{query: `up and on (cluster) up`},
		{query: `up and on (node) up`, want: []string{`up and on (node) up`}},
		{query: `up / ignoring (node) up`},
		{query: `up / ignoring (cluster) up`, want: []string{`up / ignoring (cluster) up`}},
		{query: `absent(up) unless on () up`},
		{query: `max(daemonset_exporter:coverage_objective:ratio) * 2`},
		{query: `max(daemonset_exporter:superseded:info)`, want: []string{`max(daemonset_exporter:superseded:info)`}},
	} {
		t.Run(c.query, func(t *testing.T) {
			t.Parallel()
			check.Equal(t, check.Must(shipped.OfManyClusters(c.query, c.totals))(t), c.want)
		})
	}
}

func TestOfAllClusters(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][]string{
		`up{cluster=~"$cluster"}`: nil,
		`up{node="a"}`:            {"up"},
		`up{cluster="a"} unless on (cluster, instance) daemonset_exporter:superseded:info`: nil,
		`up{cluster="a"} > scalar(daemonset_exporter:coverage_objective:ratio)`:            nil,
		`up{cluster="a"} and on (cluster) process_start_time_seconds`:                      {"process_start_time_seconds"},
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			check.Equal(t, check.Must(shipped.OfAllClusters(query))(t), want)
		})
	}
}

// families returns what the exporter serves before anything has happened.
func families(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	c := check.Must(collector.New(collector.Config{
		Clock: testingclock.NewFakeClock(objects.Noon), Logger: log.NewNopLogger(), MaxGapSeries: 1, JoinGrace: time.Minute,
		Health: func() []informers.ResourceHealth {
			return []informers.ResourceHealth{{Resource: "nodes"}, {Resource: "pods"}, {Resource: "daemonsets"}}
		},
	}))(t)
	watch := replay.NewWatch(c)
	watch.Set(objects.DaemonSet("agent", objects.Created(-100)), objects.Node("a", objects.Created(-100), objects.Ready(-90)))
	c.Synced()
	families := map[string]*dto.MetricFamily{}
	for _, family := range check.Must(c.Gather())(t) {
		families[family.GetName()] = family
	}
	return families
}

// fromTheStart returns the metrics that the exporter serves before anything has happened,
// with all values of their enums.
func fromTheStart(t *testing.T) map[string]bool {
	t.Helper()
	families, served := families(t), map[string]bool{}
	for _, metric := range collector.Metrics() {
		family := families[metric.Name]
		if family == nil {
			continue
		}
		served[metric.Name] = true
		for label, values := range metric.LabelValues() {
			for _, value := range values {
				found := slices.ContainsFunc(family.GetMetric(), func(m *dto.Metric) bool {
					return slices.ContainsFunc(m.GetLabel(), func(pair *dto.LabelPair) bool { return pair.GetName() == label && pair.GetValue() == value })
				})
				served[metric.Name] = served[metric.Name] && found
			}
		}
	}
	return served
}

func TestWithoutFirst(t *testing.T) {
	t.Parallel()
	served := fromTheStart(t)
	check.That(t, served["daemonset_nodes_lost_total"] && !served["daemonset_node_transitions_total"] && !served["daemonset_pod_rescheduling_duration_seconds"],
		"what the exporter serves from the start is %v", served)
	recorded := map[string]string{}
	for _, rule := range rules(t).All() {
		recorded[rule.Record] = rule.Expr
	}
	begins := func(name string) bool {
		if expr, ok := recorded[name]; ok {
			zeros := check.Must(shipped.Zeros(expr))(t)
			return slices.ContainsFunc(zeros, func(name string) bool { return served[name] })
		}
		return served[name]
	}
	t.Run("rules count it", func(t *testing.T) {
		t.Parallel()
		for name, queries := range allQueries(t) {
			for _, query := range queries {
				missed := check.Must(shipped.WithoutFirst(query, begins))(t)
				missed = slices.DeleteFunc(missed, func(counter string) bool {
					// Levels that are recorded, not counters.
					return strings.HasPrefix(counter, "daemonset:") && !strings.HasSuffix(counter, ":total")
				})
				check.That(t, len(missed) == 0, "%s: the first event of %v does not count, see the group daemonset_exporter.counters", name, missed)
			}
		}
	})
	for query, want := range map[string][]string{
		`increase(daemonset_nodes_lost_total[1h])`:                        nil,
		`rate(daemonset:reschedulings:total[1h])`:                         nil,
		`sum(rate(daemonset_node_transitions_total[1h]))`:                 {"daemonset_node_transitions_total"},
		`changes(daemonset_pod_restarts_total[1h:5m])`:                    {"daemonset_pod_restarts_total"},
		`increase(daemonset_pod_rescheduling_duration_seconds_count[1h])`: {"daemonset_pod_rescheduling_duration_seconds_count"},
		`increase(daemonset_node_transitions_total[1h]) + (min_over_time(daemonset_node_transitions_total[1h]) unless daemonset_node_transitions_total offset 1h)`: nil,
		`increase(daemonset_node_transitions_total[1h]) + (min_over_time(daemonset_node_transitions_total[1h]) unless daemonset_node_transitions_total offset 5m)`: {"daemonset_node_transitions_total"},
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			check.Equal(t, check.Must(shipped.WithoutFirst(query, begins))(t), want)
		})
	}
}

func TestHeatmaps(t *testing.T) {
	t.Parallel()
	t.Run("have the bounds of the exporter's buckets", func(t *testing.T) {
		t.Parallel()
		var want []string
		for _, bucket := range families(t)["daemonset_node_detection_duration_seconds"].GetMetric()[0].GetHistogram().GetBucket() {
			if !math.IsInf(bucket.GetUpperBound(), 1) {
				want = append(want, strconv.FormatFloat(bucket.GetUpperBound(), 'f', -1, 64))
			}
		}
		bound := regexp.MustCompile(`histogram_fraction\(0, ([\d.]+),`)
		heatmaps := 0
		for file, dashboard := range dashboards(t) {
			for _, panel := range dashboard.AllPanels() {
				if panel.Type != "heatmap" {
					continue
				}
				heatmaps++
				var got []string
				for _, match := range bound.FindAllStringSubmatch(panel.Targets[0].Expr, -1) {
					got = append(got, match[1])
				}
				check.That(t, len(got) >= len(want) && slices.Equal(got[:len(want)], want), "%s, %q has the bounds %v of %v", file, panel.Title, got, want)
			}
		}
		check.That(t, heatmaps > 0, "there are no heatmaps")
	})
}
