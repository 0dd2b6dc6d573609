package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

func TestSurgeRolloutStory(t *testing.T) {
	t.Parallel()
	s := setUp(t, workers("a", "b"))
	surge := "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}"
	s.must(s.Apply(t.Context(), daemonSet{name: "agent", strategy: surge}.manifest()))
	s.expect("both nodes are covered and up to date",
		`daemonset_covered_nodes{daemonset="agent"} 2`,
		`daemonset_rollout_outdated_nodes{daemonset="agent"} 0`,
		`daemonset_rollout_max_unavailable_nodes{daemonset="agent"} 0`)

	s.must(s.Apply(t.Context(), daemonSet{name: "agent", strategy: surge, image: "example.com/agent:2", behaviour: cluster.ImagePull}.manifest()))
	s.must(s.WaitPods(t.Context(), "default", "app=agent", "a new pod beside an old one", func(pods []corev1.Pod) (bool, string) {
		return len(pods) == 3, "no third pod"
	}))
	s.expect("a new pod that does not start leaves the old one at work, and outdated",
		`daemonset_covered_nodes{daemonset="agent"} 2`,
		`daemonset_gap_nodes{daemonset="agent"} 0`,
		`daemonset_rollout_outdated_nodes{daemonset="agent"} 2`)

	s.must(s.Apply(t.Context(), daemonSet{name: "agent", strategy: surge, image: "example.com/agent:3"}.manifest()))
	s.expect("with an image that works the rollout ends",
		`daemonset_covered_nodes{daemonset="agent"} 2`,
		`daemonset_gap_nodes{daemonset="agent"} 0`,
		`daemonset_rollout_outdated_nodes{daemonset="agent"} 0`,
		`daemonset_status_difference_nodes{daemonset="agent"} 0`)
}

// Four nodes, a budget of one, and a dead node that has eaten it.
func TestBudgetSpentByDeadNodeStory(t *testing.T) {
	t.Parallel()
	s := setUp(t, workers("a", "b", "c", "d"))
	agent := daemonSet{name: "agent", tolerations: "[{operator: Exists}]"}
	s.must(s.Apply(t.Context(), agent.manifest()))
	s.expect("nothing spends the budget of one node",
		`daemonset_covered_nodes{daemonset="agent"} 4`,
		`daemonset_rollout_max_unavailable_nodes{daemonset="agent"} 1`,
		`daemonset_rollout_unavailable_nodes{daemonset="agent"} 0`)

	s.must(s.PullPlug(t.Context(), "d"))
	s.expect("the dead node spends it",
		`daemonset_gap_nodes{daemonset="agent",reason="node_unreachable"} 1`,
		`daemonset_rollout_unavailable_nodes{daemonset="agent",cause="node"} 1`,
		`daemonset_rollout_unavailable_nodes{daemonset="agent"} 1`)

	agent.image = "example.com/agent:2"
	s.must(s.Apply(t.Context(), agent.manifest()))
	s.expect("a rollout replaces the pod on the dead node at most, where it waits",
		`daemonset_rollout_outdated_nodes{daemonset="agent"} 4`,
		`daemonset_rollout_unavailable_nodes{daemonset="agent",cause="node"} 1`)

	s.must(s.PlugIn(t.Context(), "d"))
	s.expect("with the node the rollout ends",
		`daemonset_covered_nodes{daemonset="agent"} 4`,
		`daemonset_rollout_outdated_nodes{daemonset="agent"} 0`,
		`daemonset_rollout_unavailable_nodes{daemonset="agent"} 0`)
}
