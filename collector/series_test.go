package collector

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func zone(name string) objects.Option { return objects.Label("topology.kubernetes.io/zone", name) }

// Neither rate nor increase sees the value with which a series is born: what is a small
// closed set is there from the start, at zero.
func TestSeriesFromTheStart(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.node("a", zone("z1"))
	s.node("b", zone("z2"))
	all := s.synced().scrape()
	want := exposition(`
		daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="Completed"} 0
		daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="Error"} 0
		daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="OOMKilled"} 0
		daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="StartError"} 0
		daemonset_container_restarts_total{daemonset="agent",namespace="default",reason="other"} 0
		daemonset_expected_node_seconds_total{daemonset="agent",namespace="default"} 0
		daemonset_gap_node_seconds_total{cause="node",daemonset="agent",namespace="default"} 0
		daemonset_gap_node_seconds_total{cause="other",daemonset="agent",namespace="default"} 0
		daemonset_gap_node_seconds_total{cause="pod",daemonset="agent",namespace="default"} 0
		daemonset_gap_node_seconds_total{cause="scheduling",daemonset="agent",namespace="default"} 0
		daemonset_node_detection_duration_seconds_count 0
		daemonset_node_detection_duration_seconds_sum 0
		daemonset_node_failures_total{lifecycle="active",status="not_ready",zone="z1"} 0
		daemonset_node_failures_total{lifecycle="active",status="not_ready",zone="z2"} 0
		daemonset_node_failures_total{lifecycle="active",status="unreachable",zone="z1"} 0
		daemonset_node_failures_total{lifecycle="active",status="unreachable",zone="z2"} 0
		daemonset_node_failures_total{lifecycle="cordoned",status="not_ready",zone="z1"} 0
		daemonset_node_failures_total{lifecycle="cordoned",status="not_ready",zone="z2"} 0
		daemonset_node_failures_total{lifecycle="cordoned",status="unreachable",zone="z1"} 0
		daemonset_node_failures_total{lifecycle="cordoned",status="unreachable",zone="z2"} 0
		daemonset_node_failures_total{lifecycle="joining",status="not_ready",zone="z1"} 0
		daemonset_node_failures_total{lifecycle="joining",status="not_ready",zone="z2"} 0
		daemonset_node_failures_total{lifecycle="joining",status="unreachable",zone="z1"} 0
		daemonset_node_failures_total{lifecycle="joining",status="unreachable",zone="z2"} 0
		daemonset_node_failures_total{lifecycle="leaving",status="not_ready",zone="z1"} 0
		daemonset_node_failures_total{lifecycle="leaving",status="not_ready",zone="z2"} 0
		daemonset_node_failures_total{lifecycle="leaving",status="unreachable",zone="z1"} 0
		daemonset_node_failures_total{lifecycle="leaving",status="unreachable",zone="z2"} 0
		daemonset_node_startup_duration_seconds_count{stage="covered"} 0
		daemonset_node_startup_duration_seconds_count{stage="ready"} 0
		daemonset_node_startup_duration_seconds_sum{stage="covered"} 0
		daemonset_node_startup_duration_seconds_sum{stage="ready"} 0
		daemonset_nodes_lost_total{daemonset="agent",namespace="default",reason="namespace_selector"} 0
		daemonset_nodes_lost_total{daemonset="agent",namespace="default",reason="node_affinity"} 0
		daemonset_nodes_lost_total{daemonset="agent",namespace="default",reason="node_name"} 0
		daemonset_nodes_lost_total{daemonset="agent",namespace="default",reason="node_selector"} 0
		daemonset_nodes_lost_total{daemonset="agent",namespace="default",reason="taint"} 0
		daemonset_pod_terminations_total{daemonset="agent",namespace="default",outcome="forced"} 0
		daemonset_pod_terminations_total{daemonset="agent",namespace="default",outcome="grace_exceeded"} 0
		daemonset_pod_terminations_total{daemonset="agent",namespace="default",outcome="graceful"} 0
		daemonset_pod_terminations_total{daemonset="agent",namespace="default",outcome="node_lost"} 0
		daemonset_pod_terminations_total{daemonset="agent",namespace="default",outcome="not_running"} 0
		daemonset_pod_terminations_total{daemonset="agent",namespace="default",outcome="oom_killed"} 0
		daemonset_pod_terminations_total{daemonset="agent",namespace="default",outcome="unknown"} 0
	`)
	got := samples{}
	for series, value := range all {
		counter := strings.Contains(series, "_total{") || strings.Contains(series, "_seconds_sum") || strings.Contains(series, "_seconds_count")
		if counter && !strings.HasPrefix(series, "daemonset_exporter_") {
			got[series] = value
		}
	}
	check.Equal(t, got, want, "counters and histograms at the start")
}

// Series of a node label's value go with the last node that has it.
func TestSeriesOfNodeLabels(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	for _, name := range []string{"a", "b"} {
		s.node(name, zone("z1"), objects.Created(-9000))
	}
	s.node("c", zone("z2"), objects.Created(-9000))
	s.synced()
	zones := func(want ...string) {
		t.Helper()
		got := map[string]bool{}
		for series := range s.scrape() {
			if _, value, ok := strings.Cut(series, `zone="`); ok {
				value, _, _ = strings.Cut(value, `"`)
				got[value] = true
			}
		}
		check.Equal(t, slices.Sorted(maps.Keys(got)), want, "zones of all series")
	}
	const outages = "daemonset_node_failures daemonset_node_outage"
	z1 := merge(exposition(`daemonset_node_failures_total{lifecycle="active",status="unreachable",zone="z1"} 1`),
		exposition(`daemonset_node_outage_duration_seconds_count{status="unreachable",zone="z1"} 1`),
		exposition(`daemonset_node_outage_duration_seconds_sum{status="unreachable",zone="z1"} 20`))
	s.at(10).node("a", objects.ReadyUnknown(10))
	s.at(30).node("a", objects.Ready(30))
	s.expect("an outage of 20 s", outages, z1)
	zones("z1", "z2")
	s.at(40).deleteNode("a")
	s.expect("b is in z1, too", outages, z1)
	zones("z1", "z2")
	s.at(50).node("b", zone("z3"))
	s.expect("it has moved", outages)
	zones("z2", "z3")
	s.at(60).deleteNode("b")
	s.deleteNode("c")
	zones()
	s.at(70).node("d", zone("z1"))
	s.expect("a zone that comes back begins anew", outages)
	zones("z1")
}

// A DaemonSet that is deleted before all objects are known leaves nothing behind.
func TestDaemonSetDeletedBeforeTheStart(t *testing.T) {
	t.Parallel()
	s := newScenario(t, "a")
	s.daemonSet("short-lived")
	s.deleteDaemonSet("short-lived")
	s.synced()
	for series := range s.scrape() {
		if strings.Contains(series, "short-lived") {
			t.Errorf("%s stays", series)
		}
	}
}

// What is no UTF-8 is repaired, wherever it comes from.
func TestInvalidUTF8(t *testing.T) {
	t.Parallel()
	s := newScenario(t, "a")
	s.node("b\xff", zone("z\xfe1"), objects.Created(-9000))
	s.daemonSet("agent\xff")
	s.pod("b\xff-1", objects.CrashLooping(-60))
	s.synced()
	s.at(10).node("b\xff", zone("z\xfe1"), objects.Created(-9000), objects.ReadyUnknown(10))
	s.at(20).node("b\xff", zone("z\xfe1"), objects.Created(-9000), objects.Ready(20))
	s.expect("a zone's name is repaired", `daemonset_node_outage_duration_seconds_count`,
		exposition(`daemonset_node_outage_duration_seconds_count{status="unreachable",zone="z�1"} 1`))
	s.expect("so is a node's", `daemonset_node_transitions_total`,
		exposition(`daemonset_node_transitions_total{node="b�"} 2`))
	s.deleteNode("b\xff")
	s.deleteDaemonSet("agent\xff")
	for series := range s.scrape() {
		if strings.Contains(series, "�") {
			t.Errorf("%s stays", series)
		}
	}
}

// A pod's restarts are a series from the second that was seen, for as long as it lives.
func TestPodRestarts(t *testing.T) {
	const restarts = "daemonset_pod_restarts_total"
	crash := func(s *scenario, at float64, pod string, times int32) {
		s.at(at).pod(pod, objects.Restarted(times, 137, "OOMKilled", at))
	}
	runScenarios(t, map[string]func(s *scenario){
		"eleven minutes apart": func(s *scenario) {
			crash(s, 660, "a-1", 1)
			s.expect("one restart is no loop", restarts)
			s.pod("a-1", objects.Ready(661))
			s.expect("nor is it for being delivered again", restarts)
			crash(s, 1320, "a-1", 1)
			s.expect("two", restarts, podRestarts("a", 2))
			crash(s, 1980, "a-1", 1)
			s.expect("three", restarts, podRestarts("a", 3))
			s.at(2000).node("a", objects.ReadyUnknown(2000))
			s.expect("its node's failure ends nothing", restarts, podRestarts("a", 3))
			s.at(2100).pod("a-1", objects.Terminating(2100, 30))
			s.expect("nor does the request to end", restarts, podRestarts("a", 3))
			s.at(2110).deletePod("a-1")
			s.expect("the end does", restarts)
			s.pod("a-2", objects.Ready(2110))
			crash(s, 2120, "a-2", 1)
			s.expect("its successor begins anew", restarts)
			crash(s, 2130, "a-2", 1)
			s.expect("two of its own", restarts, podRestarts("a", 2))
		},
		"two between two versions": func(s *scenario) {
			crash(s, 10, "a-1", 2)
			s.expect("are two", restarts, podRestarts("a", 2))
		},
		"what was before it was seen": func(s *scenario) {
			s.at(10).deletePod("a-1")
			s.pod("a-2", objects.RestartCount(40))
			s.expect("is not counted", restarts)
			crash(s, 20, "a-2", 1)
			s.expect("nor is one more a loop", restarts)
			s.restarted().expect("nor for another exporter", restarts)
		},
		"a successor beside it": func(s *scenario) {
			crash(s, 10, "a-1", 2)
			s.at(15).pod("a-2")
			s.at(20).deletePod("a-1")
			s.expect("the series ends with the pod that restarted", restarts)
		},
		"a node that is deleted": func(s *scenario) {
			crash(s, 10, "a-1", 2)
			s.at(20).deleteNode("a")
			s.expect("takes it along", restarts)
		},
		"a DaemonSet that is deleted": func(s *scenario) {
			crash(s, 10, "a-1", 2)
			s.at(20).deleteDaemonSet("agent")
			s.expect("takes it along", restarts)
		},
	})
}
