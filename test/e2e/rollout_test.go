package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

func TestRollout(t *testing.T) {
	t.Parallel()
	run(t, "a surge pod that does not start leaves the old one in service", workers("a", "b"), func(f *fixture) {
		surge := "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}"
		f.apply(daemonSet{name: "agent", strategy: surge})
		f.expect("both nodes are covered and up to date",
			`daemonset_covered_nodes{daemonset="agent"} 2`,
			`daemonset_rollout_outdated_nodes{daemonset="agent"} 0`,
			`daemonset_rollout_max_surge_nodes{daemonset="agent"} 1`,
			`daemonset_rollout_max_unavailable_nodes{daemonset="agent"} 0`)

		f.apply(daemonSet{name: "agent", strategy: surge, image: "example.com/agent:2", behaviour: cluster.ImagePull})
		f.must(f.WaitPods(f.t.Context(), "default", "app=agent", "a new pod beside an old one", func(pods []corev1.Pod) (bool, string) {
			return len(pods) == 3, "no third pod"
		}))
		f.expect("a new pod that does not start leaves the old one at work, and outdated",
			`daemonset_covered_nodes{daemonset="agent"} 2`,
			`daemonset_gap_nodes{daemonset="agent"} 0`,
			`daemonset_rollout_outdated_nodes{daemonset="agent"} 2`)

		f.apply(daemonSet{name: "agent", strategy: surge, image: "example.com/agent:3"})
		f.expect("with an image that works the rollout ends",
			`daemonset_covered_nodes{daemonset="agent"} 2`,
			`daemonset_gap_nodes{daemonset="agent"} 0`,
			`daemonset_rollout_outdated_nodes{daemonset="agent"} 0`,
			`daemonset_status_difference_nodes{daemonset="agent"} 0`)
	})
	run(t, "a dead node spends the budget of one node", workers("a", "b", "c", "d"), func(f *fixture) {
		agent := daemonSet{name: "agent", tolerations: "[{operator: Exists}]"}
		f.apply(agent)
		f.expect("nothing spends the budget of one node",
			`daemonset_covered_nodes{daemonset="agent"} 4`,
			`daemonset_rollout_max_unavailable_nodes{daemonset="agent"} 1`,
			`daemonset_rollout_unavailable_nodes{daemonset="agent"} 0`)

		f.must(f.PullPlug(f.t.Context(), "d"))
		f.expect("the dead node spends it",
			`daemonset_gap_nodes{daemonset="agent",reason="node_unreachable"} 1`,
			`daemonset_rollout_unavailable_nodes{daemonset="agent",cause="node"} 1`,
			`daemonset_rollout_unavailable_nodes{daemonset="agent"} 1`)

		agent.image = "example.com/agent:2"
		f.apply(agent)
		f.expect("a rollout replaces the pod on the dead node at most, where it waits",
			`daemonset_rollout_outdated_nodes{daemonset="agent"} 4`,
			`daemonset_rollout_unavailable_nodes{daemonset="agent",cause="node"} 1`)

		f.must(f.PlugIn(f.t.Context(), "d"))
		f.expect("with the node the rollout ends",
			`daemonset_covered_nodes{daemonset="agent"} 4`,
			`daemonset_rollout_outdated_nodes{daemonset="agent"} 0`,
			`daemonset_rollout_unavailable_nodes{daemonset="agent"} 0`)
	})
}
