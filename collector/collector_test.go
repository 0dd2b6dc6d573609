package collector

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// allMetrics returns a scenario after events that make every metric appear.
func allMetrics(t *testing.T) *scenario {
	t.Helper()
	s := newScenario(t, "a", "b", "c", "d")
	s.collector.config.Health = func() []informers.ResourceHealth {
		return []informers.ResourceHealth{{Resource: "pods", Synced: true, Objects: 4, LastEvent: objects.Noon}}
	}
	s.daemonSet("tainted", objects.NodeName("d"))
	s.synced()
	s.at(10).node("a", objects.ReadyUnknown(10))
	s.node("d", objects.Tainted("gpu", corev1.TaintEffectNoSchedule))
	s.collector.observeDetection(silencedNode{"a", objects.At(10)}, objects.At(1))
	s.at(20).node("a", objects.Ready(20))
	s.pod("b-1", objects.Restarted(1, 1, "Error", 20), objects.Started(20))
	s.at(25).pod("b-1", objects.Ready(25))
	s.pod("a-1", objects.Restarted(2, 1, "Error", 25))
	s.pod("c-1", objects.Terminating(25, 30))
	s.at(30).pod("c-1", objects.Finished(0, 30))
	s.deletePod("c-1")
	s.pod("c-2", objects.Ready(30))
	s.node("e", objects.NotReady(30))
	s.at(40).node("e", objects.Ready(40))
	s.pod("e-1", objects.Ready(40))
	s.pod("b-1", objects.Terminating(40, 30), objects.Finished(0, 40))
	s.node("a", objects.NotReady(40))
	s.pod("a-1", objects.CrashLooping(40))
	s.node("c", objects.Cordoned())
	s.node("f", objects.Tainted("node.cilium.io/agent-not-ready", corev1.TaintEffectNoSchedule))
	return s
}

func TestAllMetrics(t *testing.T) {
	t.Parallel()
	families := check.Must(allMetrics(t).registry.Gather())(t)
	problems := check.Must(promlint.NewWithMetricFamilies(families).Lint())(t)
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
	gathered := map[string]*dto.MetricFamily{}
	for _, family := range families {
		gathered[family.GetName()] = family
	}
	for _, row := range Metrics() {
		family := gathered[row.Name]
		if family == nil {
			t.Errorf("%s never appears in the story of allMetrics", row.Name)
			continue
		}
		delete(gathered, row.Name)
		checkFamily(t, row, family)
	}
	delete(gathered, "daemonset_exporter_build_info") // of the library
	for name := range gathered {
		t.Errorf("%s is not in the table", name)
	}
}

// The first increase of a counter shows only if it was there before, and what
// nobody counts any more must not stay.
func TestMetricsOfADaemonSet(t *testing.T) {
	t.Parallel()
	gather := func(t *testing.T, s *scenario) map[string]bool {
		t.Helper()
		families := check.Must(s.registry.Gather())(t)
		names := map[string]bool{}
		for _, family := range families {
			names[family.GetName()] = true
		}
		return names
	}
	ofDaemonSets := slices.DeleteFunc(Metrics(), func(row *Metric) bool { return !slices.Contains(row.Labels, labelDaemonSet) })
	t.Run("counters begin at zero", func(t *testing.T) {
		t.Parallel()
		there := gather(t, newScenario(t).synced())
		for _, row := range ofDaemonSets {
			ofNodes := slices.Contains(row.Labels, labelNode) // begins with the trouble that it counts
			check.That(t, row.Type != dto.MetricType_COUNTER || ofNodes || there[row.Name], "%s has no series for a new DaemonSet", row.Name)
		}
	})
	t.Run("all series go with it", func(t *testing.T) {
		t.Parallel()
		s := allMetrics(t)
		for _, name := range slices.Collect(maps.Keys(s.daemonSets)) {
			s.deleteDaemonSet(name)
		}
		there := gather(t, s)
		for _, row := range ofDaemonSets {
			check.That(t, !there[row.Name], "%s stays", row.Name)
		}
	})
}

func checkFamily(t *testing.T, row *Metric, family *dto.MetricFamily) {
	t.Helper()
	check.That(t, family.GetType() == row.Type && family.GetHelp() == row.Help, "%s: type %v and help %q differ from the table", row.Name, family.GetType(), family.GetHelp())
	want := slices.Sorted(slices.Values(row.Labels))
	for _, metric := range family.Metric {
		var got []string
		for _, label := range metric.Label {
			got = append(got, label.GetName())
		}
		check.That(t, slices.Equal(got, want), "%s has labels %v, want %v", row.Name, got, want)
		if h := metric.Histogram; h != nil && (len(h.Bucket) != 14 || h.Schema == nil || h.GetSampleSum() > 0 && len(h.PositiveSpan) == 0) {
			t.Errorf("%s is not both classic and native: %v", row.Name, h)
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	descs := make(chan *prometheus.Desc, 100)
	s.collector.Describe(descs)
	close(descs)
	var all strings.Builder
	for desc := range descs {
		all.WriteString(desc.String())
	}
	for _, row := range Metrics() {
		check.That(t, strings.Contains(all.String(), `"`+row.Name+`"`), "%s is not described", row.Name)
	}
}

func TestMetricNames(t *testing.T) {
	t.Parallel()
	unit := regexp.MustCompile(`_(seconds|nodes|gaps|total|terminating|pending|synced|objects|dropped|success|pods|inferred|fresh|namespaces)$`)
	seen := map[string]bool{}
	for _, row := range Metrics() {
		switch {
		case seen[row.Name]:
			t.Errorf("%s is declared twice", row.Name)
		case !strings.HasPrefix(row.Name, "daemonset_") || !unit.MatchString(row.Name):
			t.Errorf("%s has no unit", row.Name)
		case row.Type == dto.MetricType_COUNTER != strings.HasSuffix(row.Name, "_total"):
			t.Errorf("%s is a %v", row.Name, row.Type)
		case slices.ContainsFunc(row.Labels, func(label string) bool { return !slices.Contains(reservedLabels(), label) }):
			t.Errorf("%s has labels that are not reserved: %v", row.Name, row.Labels)
		}
		seen[row.Name] = true
	}
}

// What is served is what a Registry makes of Collect: the same families, and no series
// twice.
func TestGather(t *testing.T) {
	t.Parallel()
	s := allMetrics(t)
	s.node("g", zone("\xff"), objects.NotReady(40)) // repaired
	checked, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	gathered, err := s.collector.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(gathered, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) }) {
		t.Error("the families are not in the order of their names")
	}
	text := func(families []*dto.MetricFamily) []string {
		var out bytes.Buffer
		for _, family := range families {
			if _, err := expfmt.MetricFamilyToText(&out, family); err != nil {
				t.Fatal(err)
			}
		}
		return slices.Sorted(strings.Lines(out.String()))
	}
	if diff := cmp.Diff(text(checked), text(gathered)); diff != "" {
		t.Errorf("(-registry +gathered):\n%s", diff)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	families := check.Must(allMetrics(t).registry.Gather())(t)
	for _, format := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics, expfmt.TypeProtoDelim} {
		var out bytes.Buffer
		encoder := expfmt.NewEncoder(&out, expfmt.NewFormat(format))
		for _, family := range families {
			if err := encoder.Encode(family); err != nil {
				t.Errorf("format %v: %v", format, err)
			}
		}
		if closer, ok := encoder.(expfmt.Closer); ok {
			if err := closer.Close(); err != nil {
				t.Errorf("format %v: %v", format, err)
			}
		}
		check.That(t, out.Len() >= 10_000, "format %v: only %d bytes", format, out.Len())
	}
}

func TestExposition(t *testing.T) {
	t.Parallel()
	s := newScenario(t, "a", "b").synced()
	s.at(10).node("a", objects.ReadyUnknown(10))
	want := `
# HELP daemonset_gap_start_timestamp_seconds Unix time at which the open gap of the DaemonSet on the node began.
# TYPE daemonset_gap_start_timestamp_seconds gauge
daemonset_gap_start_timestamp_seconds{cause="node",daemonset="agent",lifecycle="active",namespace="default",node="a",reason="node_unreachable",zone=""} 1.79543521e+09
# HELP daemonset_node_failures_total Total number of transitions of nodes from Ready to not Ready, by the status entered and the lifecycle then.
# TYPE daemonset_node_failures_total counter
daemonset_node_failures_total{lifecycle="active",status="not_ready",zone=""} 0
daemonset_node_failures_total{lifecycle="active",status="unreachable",zone=""} 1
daemonset_node_failures_total{lifecycle="cordoned",status="not_ready",zone=""} 0
daemonset_node_failures_total{lifecycle="cordoned",status="unreachable",zone=""} 0
daemonset_node_failures_total{lifecycle="joining",status="not_ready",zone=""} 0
daemonset_node_failures_total{lifecycle="joining",status="unreachable",zone=""} 0
daemonset_node_failures_total{lifecycle="leaving",status="not_ready",zone=""} 0
daemonset_node_failures_total{lifecycle="leaving",status="unreachable",zone=""} 0
# HELP daemonset_covered_nodes Number of expected nodes that are Ready and run an available pod of the DaemonSet.
# TYPE daemonset_covered_nodes gauge
daemonset_covered_nodes{daemonset="agent",lifecycle="active",namespace="default"} 1
daemonset_covered_nodes{daemonset="agent",lifecycle="cordoned",namespace="default"} 0
daemonset_covered_nodes{daemonset="agent",lifecycle="joining",namespace="default"} 0
daemonset_covered_nodes{daemonset="agent",lifecycle="leaving",namespace="default"} 0
`
	if err := testutil.GatherAndCompare(s.registry, strings.NewReader(want),
		"daemonset_gap_start_timestamp_seconds", "daemonset_node_failures_total", "daemonset_covered_nodes"); err != nil {
		t.Error(err)
	}
}

// A scrape that fails in one part returns no metrics at all, and is counted.
func TestFailedScrape(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"exporter", "coverage"} {
		t.Run("in the part "+part, func(t *testing.T) {
			t.Parallel()
			broken := false
			s := newScenario(t, "a")
			s.collector.config.Health = func() []informers.ResourceHealth {
				if broken && part == "exporter" {
					panic("no health")
				}
				return nil
			}
			s.synced()
			s.expect("from the start", "daemonset_exporter_scrape_failures", exposition(`daemonset_exporter_scrape_failures_total 0`))
			cluster := s.collector.cluster
			for range 2 {
				broken = true
				if part == "coverage" {
					s.collector.cluster = nil
				}
				for range 3 {
					families, err := s.collector.Gather()
					check.That(t, len(families) == 0 && err != nil && strings.Contains(err.Error(), part), "gathered %d families and %v", len(families), err)
				}
				families, err := s.registry.Gather()
				check.That(t, len(families) == 0 && err != nil, "a registry gathered %d families and %v", len(families), err)
				broken, s.collector.cluster = false, cluster
				s.scrape()
			}
			s.expect("those that succeed say how many failed", "daemonset_exporter_scrape_failures daemonset_covered",
				exposition(`daemonset_exporter_scrape_failures_total 8`), coveredNodes(1))
			lines := strings.Split(strings.TrimSpace(s.logs.String()), "\n")
			check.Equal(t, len(lines), 2, "lines of the log, one for each row of failures")
			for _, line := range lines {
				check.That(t, strings.Contains(line, "level=error") && strings.Contains(line, "report this line") &&
					strings.Contains(line, "part="+part) && strings.Contains(line, "collector.(*Collector).emit"), "logged %s", line)
			}
		})
	}
}

// A scrape that has the metrics of DaemonSets says that all resources have synced: their
// state is read in the lock window in which the DaemonSets are.
func TestScrapeWhileSyncing(t *testing.T) {
	t.Parallel()
	s := newScenario(t, "a")
	s.collector.config.Health = func() []informers.ResourceHealth {
		if s.collector.mu.TryLock() {
			s.collector.mu.Unlock()
			t.Error("the state of the resources is read without the lock")
		}
		return []informers.ResourceHealth{{Resource: informers.Pods}}
	}
	s.scrape()
}
