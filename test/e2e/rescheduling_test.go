package e2e

import (
	"testing"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

func TestRescheduling(t *testing.T) {
	t.Parallel()
	f := newFixture(t, workers("a", "b"))
	slow := daemonSet{name: "agent", annotations: map[string]string{
		cluster.StartAfterAnnotation: "3",
		cluster.StopAfterAnnotation:  "2",
	}}
	applied := time.Now()
	f.apply(slow)
	samples := f.expect("the new DaemonSet has two pods",
		`daemonset_covered_nodes{daemonset="agent"} 2`,
		`daemonset_pod_rescheduling_duration_seconds_count{daemonset="agent",trigger="daemonset_created"} 2`)
	f.took(samples, "daemonset_pod_rescheduling_duration_seconds", exporter.Labels{"trigger": "daemonset_created"}, 2, time.Since(applied))
	f.stagesAddUp(samples, "agent")

	f.run("a pod that is deleted ends gracefully, and is replaced", func() {
		asked := time.Now()
		f.must(f.Client().CoreV1().Pods("default").Delete(f.t.Context(), f.podOn("agent", "a"), metav1.DeleteOptions{}))
		f.expect("it is terminating, within its grace period, and still covers the node",
			`daemonset_pods_terminating{daemonset="agent",state="within_grace"} 1`,
			`daemonset_covered_nodes{daemonset="agent"} 2`)
		f.expect("it ended gracefully", `daemonset_pod_terminations_total{daemonset="agent",outcome="graceful"} 1`)
		gone := time.Now()
		samples := f.expect("another has replaced it",
			`daemonset_covered_nodes{daemonset="agent"} 2`,
			`daemonset_pods_terminating{daemonset="agent"} 0`,
			`daemonset_pod_rescheduling_duration_seconds_count{daemonset="agent",trigger="pod_deleted"} 1`)
		f.took(samples, "daemonset_pod_termination_duration_seconds", nil, 1, gone.Sub(asked))
		f.took(samples, "daemonset_pod_rescheduling_duration_seconds", exporter.Labels{"trigger": "pod_deleted"}, 1, time.Since(gone))
	})

	f.run("a pod that is evicted through the API counts as such", func() {
		pod := f.podOn("agent", "a")
		f.must(f.Client().PolicyV1().Evictions("default").Evict(f.t.Context(), &policyv1.Eviction{
			ObjectMeta: metav1.ObjectMeta{Name: pod, Namespace: "default"},
		}))
		f.expect("one rescheduling after an eviction",
			`daemonset_pod_rescheduling_duration_seconds_count{daemonset="agent",trigger="pod_evicted"} 1`,
			`daemonset_pod_terminations_total{daemonset="agent",outcome="graceful"} 2`,
			`daemonset_pod_terminations_total{daemonset="agent"} 2`)
	})

	f.run("a rollout replaces both pods, one after the other", func() {
		slow.image = "example.com/agent:2"
		f.apply(slow)
		samples := f.expect("two reschedulings of a rollout",
			`daemonset_pod_rescheduling_duration_seconds_count{daemonset="agent",trigger="rollout"} 2`,
			`daemonset_pod_terminations_total{daemonset="agent",outcome="graceful"} 4`,
			`daemonset_rollout_outdated_nodes{daemonset="agent"} 0`,
			`daemonset_pod_rescheduling_pending{daemonset="agent"} 0`)
		f.took(samples, "daemonset_pod_rescheduling_duration_seconds", exporter.Labels{"trigger": "rollout"}, 2, 3*time.Second)
		f.stagesAddUp(samples, "agent")
	})

	f.run("a pod that does not end in its grace period exceeds it", func() {
		stubborn := daemonSet{name: "stubborn", grace: 2, annotations: map[string]string{cluster.StopAfterAnnotation: "60"}}
		f.apply(stubborn)
		f.expect("both nodes are covered", `daemonset_covered_nodes{daemonset="stubborn"} 2`)
		f.must(f.Client().CoreV1().Pods("default").Delete(f.t.Context(), f.podOn("stubborn", "a"), metav1.DeleteOptions{}))
		f.expect("it was killed",
			`daemonset_pod_terminations_total{daemonset="stubborn",outcome="grace_exceeded"} 1`,
			`daemonset_pod_terminations_total{daemonset="stubborn"} 1`)
	})

	f.run("a pod that is deleted by force is forced", func() {
		now := int64(0)
		f.must(f.Client().CoreV1().Pods("default").Delete(f.t.Context(), f.podOn("agent", "b"), metav1.DeleteOptions{GracePeriodSeconds: &now}))
		f.expect("it was forced",
			`daemonset_pod_terminations_total{daemonset="agent",outcome="forced"} 1`,
			`daemonset_covered_nodes{daemonset="agent"} 2`)
	})

	f.run("restarts are counted from what was first seen", func() {
		f.apply(daemonSet{name: "crash", behaviour: cluster.CrashLoop, nodeSelector: map[string]string{"kubernetes.io/hostname": "a"}})
		f.expectAtLeast("daemonset_container_restarts_total", exporter.Labels{"daemonset": "crash", "reason": "Error"}, 2)
	})
}

// stagesAddUp checks that the durations of the stages of a DaemonSet's reschedulings
// add up to the total, and that each stage was observed as often.
func (f *fixture) stagesAddUp(samples exporter.Samples, set string) {
	f.t.Helper()
	labels := exporter.Labels{"daemonset": set}
	whole := samples.Sum("daemonset_pod_rescheduling_duration_seconds_sum", labels)
	parts := samples.Sum("daemonset_pod_rescheduling_stage_duration_seconds_sum", labels)
	if difference := whole - parts; difference > 0.001 || difference < -0.001 {
		f.t.Errorf("the stages of %s add up to %g, want %g", set, parts, whole)
	}
	times := samples.Sum("daemonset_pod_rescheduling_duration_seconds_count", labels)
	for _, name := range []string{"create", "schedule", "start", "ready"} {
		got := samples.Sum("daemonset_pod_rescheduling_stage_duration_seconds_count", exporter.Labels{"daemonset": set, "stage": name})
		check.That(f.t, got == times, "stage %s of %s was observed %g times, want %g", name, set, got, times)
	}
}

// podOn returns the name of the pod of a DaemonSet on a node that is not terminating.
func (f *fixture) podOn(set, node string) string {
	f.t.Helper()
	pods, err := f.Client().CoreV1().Pods("default").List(f.t.Context(), metav1.ListOptions{
		LabelSelector: "app=" + set, FieldSelector: "spec.nodeName=" + node,
	})
	f.must(err)
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp == nil {
			return pod.Name
		}
	}
	f.t.Fatalf("no pod of %s on %s", set, node)
	return ""
}
