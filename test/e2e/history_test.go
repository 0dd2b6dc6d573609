package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// tolerance is how far a duration may be from what the test's own clock says.
const tolerance = 2 * time.Second

// took checks the mean of a histogram's observations, of which there must be so
// many, against the test's own clock.
func (s *stage) took(samples exporter.Samples, metric string, labels exporter.Labels, count int, want time.Duration) {
	s.t.Helper()
	if got := samples.Sum(metric+"_count", labels); got != float64(count) {
		s.t.Errorf("%s%v was observed %g times, want %d", metric, labels, got, count)
		return
	}
	mean := time.Duration(samples.Sum(metric+"_sum", labels) / float64(count) * float64(time.Second))
	if (mean - want).Abs() > tolerance {
		s.t.Errorf("%s%v is %s, want %s give or take %s", metric, labels, mean, want.Round(time.Millisecond), tolerance)
	}
}

// lasts waits until a moment has passed since another.
func (s *stage) lasts(since time.Time, long time.Duration) {
	s.t.Helper()
	ctx, cancel := s.deadline()
	defer cancel()
	s.must(s.Wait(ctx, "time to pass", func(context.Context) (bool, string, error) {
		passed := time.Since(since)
		return passed >= long, passed.String(), nil
	}))
}

func TestPlugIsPulledForTwentySecondsStory(t *testing.T) {
	t.Parallel()
	s := setUp(t, workers("a", "b"))
	sets := []string{"narrow", "broad"}
	s.must(s.Apply(t.Context(), daemonSet{name: "narrow"}.manifest()))
	s.must(s.Apply(t.Context(), daemonSet{name: "broad", tolerations: "[{operator: Exists}]"}.manifest()))
	for _, set := range sets {
		s.expect("both nodes are covered", `daemonset_covered_nodes{daemonset="`+set+`"} 2`)
	}

	pulled := time.Now()
	s.must(s.PullPlug(t.Context(), "b"))
	s.must(s.WaitNodeReady(t.Context(), "b", corev1.ConditionUnknown))
	noticed := time.Now()
	s.lasts(pulled, 20*time.Second)
	s.must(s.PlugIn(t.Context(), "b"))
	s.must(s.WaitNodeReady(t.Context(), "b", corev1.ConditionTrue))
	returned := time.Now()

	samples := s.expect("one failure, one outage, and one rescheduling for each DaemonSet",
		`daemonset_node_failures_total{status="unreachable",zone="z2"} 1`,
		`daemonset_node_failures_total 1`,
		`daemonset_node_transitions_total{node="b"} 2`,
		`daemonset_node_transitions_total 2`,
		`daemonset_node_outage_duration_seconds_count{status="unreachable",zone="z2"} 1`,
		`daemonset_node_detection_duration_seconds_count 1`,
		`daemonset_pod_rescheduling_duration_seconds_count{daemonset="narrow",trigger="node_recovered"} 1`,
		`daemonset_pod_rescheduling_duration_seconds_count{daemonset="broad",trigger="node_recovered"} 1`,
		`daemonset_pod_rescheduling_pending 0`,
		`daemonset_gap_nodes 0`)
	s.took(samples, "daemonset_node_outage_duration_seconds", nil, 1, returned.Sub(noticed))
	// The Lease was renewed at most a second before the plug was pulled.
	s.took(samples, "daemonset_node_detection_duration_seconds", nil, 1, noticed.Sub(pulled))
	for _, set := range sets {
		s.took(samples, "daemonset_gap_duration_seconds", exporter.Labels{"daemonset": set, "cause": "node"}, 1, returned.Sub(noticed))
		s.took(samples, "daemonset_pod_rescheduling_duration_seconds", exporter.Labels{"daemonset": set, "trigger": "node_recovered"}, 1, 0)
		s.stagesAddUp(samples, set)
	}
}

func TestNodeFlapsThreeTimesStory(t *testing.T) {
	t.Parallel()
	s := setUp(t, workers("a", "b"))
	s.must(s.Apply(t.Context(), daemonSet{name: "agent"}.manifest()))
	s.expect("both nodes are covered", `daemonset_covered_nodes{daemonset="agent"} 2`)
	for i := range 3 {
		s.must(s.SetNodeBehaviour(t.Context(), "b", cluster.NotReady))
		s.must(s.WaitNodeReady(t.Context(), "b", corev1.ConditionFalse))
		s.must(s.SetNodeBehaviour(t.Context(), "b", cluster.Healthy))
		s.must(s.WaitNodeReady(t.Context(), "b", corev1.ConditionTrue))
		s.expect("each flap is a failure and an outage, however short",
			fmt.Sprintf(`daemonset_node_failures_total{status="not_ready",zone="z2"} %d`, i+1),
			fmt.Sprintf(`daemonset_node_transitions_total{node="b"} %d`, 2*(i+1)),
			fmt.Sprintf(`daemonset_node_outage_duration_seconds_count{status="not_ready"} %d`, i+1),
			`daemonset_node_detection_duration_seconds_count 0`)
	}
	s.must(s.DeleteNode(t.Context(), "b"))
	s.expect("the counter of a node goes with it", `daemonset_node_transitions_total 0`)
}

func TestNodeIsAddedStory(t *testing.T) {
	t.Parallel()
	s := setUp(t, workers("a"))
	// Kubernetes may create the pod before the node is Ready: a slow one is not
	// available by then.
	slow := daemonSet{name: "agent", annotations: map[string]string{cluster.StartAfterAnnotation: "8"}}
	s.must(s.Apply(t.Context(), slow.manifest()))
	s.expect("the node is covered", `daemonset_covered_nodes{daemonset="agent"} 1`)

	added := time.Now()
	s.must(s.AddNode(t.Context(), cluster.NodeSpec{Name: "late", ReadyAfterSeconds: 5}))
	s.expect("until it is Ready it is a gap of its own kind",
		`daemonset_gap_nodes{daemonset="agent",cause="node",reason="node_never_ready"} 1`,
		`daemonset_cluster_nodes{status="never_ready"} 1`)
	s.must(s.WaitNodeReady(t.Context(), "late", corev1.ConditionTrue))
	ready := time.Now()
	samples := s.expect("its startup is on record, and the rescheduling that it caused",
		`daemonset_covered_nodes{daemonset="agent"} 2`,
		`daemonset_node_startup_duration_seconds_count{stage="ready"} 1`,
		`daemonset_node_startup_duration_seconds_count{stage="covered"} 1`,
		`daemonset_pod_rescheduling_duration_seconds_count{daemonset="agent",trigger="node_added"} 1`,
		`daemonset_node_failures_total 0`,
		`daemonset_node_transitions_total 0`)
	covered := time.Now()
	s.took(samples, "daemonset_node_startup_duration_seconds", exporter.Labels{"stage": "ready"}, 1, ready.Sub(added))
	s.took(samples, "daemonset_node_startup_duration_seconds", exporter.Labels{"stage": "covered"}, 1, covered.Sub(added))
	s.took(samples, "daemonset_pod_rescheduling_duration_seconds", exporter.Labels{"trigger": "node_added"}, 1, covered.Sub(ready))
	s.stagesAddUp(samples, "agent")
}

func TestPodsGoAndComeBackStories(t *testing.T) {
	t.Parallel()
	s := setUp(t, workers("a", "b"))
	slow := daemonSet{name: "agent", annotations: map[string]string{
		cluster.StartAfterAnnotation: "3",
		cluster.StopAfterAnnotation:  "2",
	}}
	applied := time.Now()
	s.must(s.Apply(t.Context(), slow.manifest()))
	samples := s.expect("two pods came with the DaemonSet",
		`daemonset_covered_nodes{daemonset="agent"} 2`,
		`daemonset_pod_rescheduling_duration_seconds_count{daemonset="agent",trigger="daemonset_created"} 2`)
	s.took(samples, "daemonset_pod_rescheduling_duration_seconds", exporter.Labels{"trigger": "daemonset_created"}, 2, time.Since(applied))
	s.stagesAddUp(samples, "agent")

	t.Run("a pod that is deleted ends gracefully, and is replaced", func(t *testing.T) {
		asked := time.Now()
		s.must(s.Client().CoreV1().Pods("default").Delete(t.Context(), s.podOn("agent", "a"), metav1.DeleteOptions{}))
		s.expect("it is terminating, within its grace period, and still covers the node",
			`daemonset_pods_terminating{daemonset="agent",state="within_grace"} 1`,
			`daemonset_covered_nodes{daemonset="agent"} 2`)
		s.expect("it ended gracefully", `daemonset_pod_terminations_total{daemonset="agent",outcome="graceful"} 1`)
		gone := time.Now()
		samples := s.expect("another has taken its place",
			`daemonset_covered_nodes{daemonset="agent"} 2`,
			`daemonset_pods_terminating{daemonset="agent"} 0`,
			`daemonset_pod_rescheduling_duration_seconds_count{daemonset="agent",trigger="pod_deleted"} 1`)
		s.took(samples, "daemonset_pod_termination_duration_seconds", nil, 1, gone.Sub(asked))
		s.took(samples, "daemonset_pod_rescheduling_duration_seconds", exporter.Labels{"trigger": "pod_deleted"}, 1, time.Since(gone))
	})

	t.Run("a pod that is evicted through the API counts as such", func(t *testing.T) {
		pod := s.podOn("agent", "a")
		s.must(s.Client().PolicyV1().Evictions("default").Evict(t.Context(), &policyv1.Eviction{
			ObjectMeta: metav1.ObjectMeta{Name: pod, Namespace: "default"},
		}))
		s.expect("one rescheduling after an eviction",
			`daemonset_pod_rescheduling_duration_seconds_count{daemonset="agent",trigger="pod_evicted"} 1`,
			`daemonset_pod_terminations_total{daemonset="agent",outcome="graceful"} 2`,
			`daemonset_pod_terminations_total{daemonset="agent"} 2`)
	})

	t.Run("a rollout replaces both pods, one after the other", func(t *testing.T) {
		slow.image = "example.com/agent:2"
		s.must(s.Apply(t.Context(), slow.manifest()))
		samples := s.expect("two reschedulings of a rollout",
			`daemonset_pod_rescheduling_duration_seconds_count{daemonset="agent",trigger="rollout"} 2`,
			`daemonset_pod_terminations_total{daemonset="agent",outcome="graceful"} 4`,
			`daemonset_rollout_outdated_nodes{daemonset="agent"} 0`,
			`daemonset_pod_rescheduling_pending{daemonset="agent"} 0`)
		s.took(samples, "daemonset_pod_rescheduling_duration_seconds", exporter.Labels{"trigger": "rollout"}, 2, 3*time.Second)
		s.stagesAddUp(samples, "agent")
	})

	t.Run("a pod that does not end in its grace period exceeds it", func(t *testing.T) {
		stubborn := daemonSet{name: "stubborn", grace: 2, annotations: map[string]string{cluster.StopAfterAnnotation: "60"}}
		s.must(s.Apply(t.Context(), stubborn.manifest()))
		s.expect("both nodes are covered", `daemonset_covered_nodes{daemonset="stubborn"} 2`)
		s.must(s.Client().CoreV1().Pods("default").Delete(t.Context(), s.podOn("stubborn", "a"), metav1.DeleteOptions{}))
		s.expect("it was killed",
			`daemonset_pod_terminations_total{daemonset="stubborn",outcome="grace_exceeded"} 1`,
			`daemonset_pod_terminations_total{daemonset="stubborn"} 1`)
	})

	t.Run("a pod that is deleted by force is forced", func(t *testing.T) {
		now := int64(0)
		s.must(s.Client().CoreV1().Pods("default").Delete(t.Context(), s.podOn("agent", "b"), metav1.DeleteOptions{GracePeriodSeconds: &now}))
		s.expect("it was forced",
			`daemonset_pod_terminations_total{daemonset="agent",outcome="forced"} 1`,
			`daemonset_covered_nodes{daemonset="agent"} 2`)
	})

	t.Run("restarts are counted from what was first seen", func(t *testing.T) {
		s.must(s.Apply(t.Context(), daemonSet{name: "crash", behaviour: cluster.CrashLoop, nodeSelector: map[string]string{"kubernetes.io/hostname": "a"}}.manifest()))
		ctx, cancel := s.deadline()
		defer cancel()
		_, err := s.exporter.Wait(ctx, "two restarts", func(samples exporter.Samples) error {
			return atLeast(samples, "daemonset_container_restarts_total", exporter.Labels{"daemonset": "crash", "reason": "Error"}, 2)
		})
		s.must(err)
	})
}

// stagesAddUp checks that the stages of a DaemonSet's reschedulings add up to
// the whole, each observed as often.
func (s *stage) stagesAddUp(samples exporter.Samples, set string) {
	s.t.Helper()
	labels := exporter.Labels{"daemonset": set}
	whole := samples.Sum("daemonset_pod_rescheduling_duration_seconds_sum", labels)
	parts := samples.Sum("daemonset_pod_rescheduling_stage_duration_seconds_sum", labels)
	if difference := whole - parts; difference > 0.001 || difference < -0.001 {
		s.t.Errorf("the stages of %s add up to %g, want %g", set, parts, whole)
	}
	times := samples.Sum("daemonset_pod_rescheduling_duration_seconds_count", labels)
	for _, name := range []string{"create", "schedule", "start", "ready"} {
		got := samples.Sum("daemonset_pod_rescheduling_stage_duration_seconds_count", exporter.Labels{"daemonset": set, "stage": name})
		if got != times {
			s.t.Errorf("stage %s of %s was observed %g times, want %g", name, set, got, times)
		}
	}
}

// podOn is the pod of a DaemonSet on a node that is not on its way out.
func (s *stage) podOn(set, node string) string {
	s.t.Helper()
	pods, err := s.Client().CoreV1().Pods("default").List(s.t.Context(), metav1.ListOptions{
		LabelSelector: "app=" + set, FieldSelector: "spec.nodeName=" + node,
	})
	s.must(err)
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp == nil {
			return pod.Name
		}
	}
	s.t.Fatalf("no pod of %s on %s", set, node)
	return ""
}
