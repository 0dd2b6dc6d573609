package scenarios

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

// nodeScenarios returns nodes that fail, and zones.
func nodeScenarios() []*scenario {
	return []*scenario{
		{
			name: "down", summary: "a kubelet reports NotReady and then falls silent", nodes: 3, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				if err := f.SetNodeBehaviour(ctx, s.node(1), cluster.NotReady); err != nil {
					return err
				}
				if err := pause(ctx, 5*time.Second); err != nil {
					return err
				}
				return f.PullPlug(ctx, s.node(1))
			},
			want: []want{{alert: "DaemonSetNodeDown", node: "down-1"}},
		},
		{
			name: "cordoned", summary: "a cordoned node dies", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				if err := s.patchNode(ctx, f, 1, `{"spec":{"unschedulable":true}}`); err != nil {
					return err
				}
				f.mark(s.name)
				return f.PullPlug(ctx, s.node(1))
			},
			want: []want{{alert: "DaemonSetNodeDown", node: "cordoned-1"}},
		},
		{
			name: "sick", summary: "the kubelet of a cordoned node reports NotReady", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				if err := s.patchNode(ctx, f, 1, `{"spec":{"unschedulable":true}}`); err != nil {
					return err
				}
				f.mark(s.name)
				return f.SetNodeBehaviour(ctx, s.node(1), cluster.NotReady)
			},
			want: []want{{alert: "DaemonSetNodeDown", node: "sick-1"}},
		},
		{
			name: "crashdown", summary: "a pod crashes, and then its node dies", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				if err := s.behave(ctx, f, 1, cluster.CrashLoop); err != nil {
					return err
				}
				if err := pause(ctx, 40*time.Second); err != nil {
					return err
				}
				return f.PullPlug(ctx, s.node(1))
			},
			want: []want{{alert: "DaemonSetPodCrashLooping", node: "crashdown-1"}, {alert: "DaemonSetNodeDown", node: "crashdown-1"}},
		},
		{
			name: "cni", summary: "a node's agent cannot be started, and so its kubelet reports NotReady", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				if err := s.deletePod(ctx, f, 1); err != nil {
					return err
				}
				if err := s.behave(ctx, f, 1, cluster.ContainerConfig); err != nil {
					return err
				}
				if err := pause(ctx, 4*time.Second); err != nil {
					return err
				}
				return f.SetNodeBehaviour(ctx, s.node(1), cluster.NotReady)
			},
			want: []want{{alert: "DaemonSetNodeDown", node: "cni-1", says: "a pod that fails on it: default/cni (container_config)"}},
		},
		{
			name: "tainted", summary: "a remediator leaves its taint on a node that is back", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return s.patchNode(ctx, f, 1, `{"spec":{"taints":[{"key":"node.kubernetes.io/out-of-service","value":"nodeshutdown","effect":"NoExecute"}]}}`)
			},
			want: []want{{alert: "DaemonSetNodeTainted", node: "tainted-1", says: "node.kubernetes.io/out-of-service:NoExecute"}},
		},
		{
			name: "startup", summary: "the network agent of a new node never removes its startup taint", nodes: 1, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return f.AddNode(ctx, s.starting(2))
			},
			want: []want{{alert: "DaemonSetNodeTainted", node: "startup-2", says: "node.cilium.io/agent-not-ready:NoSchedule"}},
		},
		{
			name: "undrained", summary: "a node whose removal was announced two days ago is still there", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return s.patchNode(ctx, f, 1, `{"spec":{"taints":[{"key":"ToBeDeletedByClusterAutoscaler","effect":"NoSchedule","timeAdded":"`+since(48*time.Hour)+`"}]}}`)
			},
			want: []want{{alert: "DaemonSetNodeLeavingTooLong", node: "undrained-1", says: "2d 0h"}},
		},
		{
			name: "forgotten", summary: "a node was cordoned four days ago", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return s.patchNode(ctx, f, 1, `{"spec":{"unschedulable":true,"taints":[{"key":"node.kubernetes.io/unschedulable","effect":"NoSchedule","timeAdded":"`+since(96*time.Hour)+`"}]}}`)
			},
			want: []want{{alert: "DaemonSetNodeCordonedTooLong", node: "forgotten-1", says: "4d 0h"}},
		},
		{
			name: "deleted", summary: "a DaemonSet is deleted in the foreground, and a dead node holds it", nodes: 3,
			agent: agent{present: true, more: "tolerations: [{operator: Exists}]"},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				if err := f.PullPlug(ctx, s.node(1)); err != nil {
					return err
				}
				if err := f.WaitNodeReady(ctx, s.node(1), "Unknown"); err != nil {
					return err
				}
				foreground := metav1.DeletePropagationForeground
				return f.Client().AppsV1().DaemonSets(s.agent.space()).Delete(ctx, s.name, metav1.DeleteOptions{PropagationPolicy: &foreground})
			},
			want: []want{{alert: "DaemonSetNodeDown", node: "deleted-1"}},
		},
		{
			name: "never", summary: "a new node never becomes Ready", nodes: 1, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				spec := s.nodeSpec(2)
				spec.Unplugged = true
				return f.AddNode(ctx, spec)
			},
			want: []want{{alert: "DaemonSetNodeNeverReady", node: "never-2"}},
		},
		{
			name: "flap", summary: "a node goes back and forth, and then dies", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				for range 4 {
					for _, behaviour := range []cluster.Behaviour{cluster.NotReady, cluster.Healthy} {
						if err := f.SetNodeBehaviour(ctx, s.node(1), behaviour); err != nil {
							return err
						}
						if err := pause(ctx, 5*time.Second); err != nil {
							return err
						}
					}
				}
				return f.PullPlug(ctx, s.node(1))
			},
			want: []want{{alert: "DaemonSetNodeDown", node: "flap-1"}, {alert: "DaemonSetNodeFlapping", node: "flap-1", inhibited: true}},
		},
		{
			name: "zone", summary: "all four nodes of a zone fall silent", nodes: 4, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				for i := 1; i <= s.nodes; i++ {
					if err := f.PullPlug(ctx, s.node(i)); err != nil {
						return err
					}
				}
				return nil
			},
			want: []want{
				{alert: "DaemonSetZoneDown"},
				{alert: "DaemonSetNodeDown", node: "zone-1", inhibited: true},
				{alert: "DaemonSetNodeDown", node: "zone-2", inhibited: true},
				{alert: "DaemonSetNodeDown", node: "zone-3", inhibited: true},
				{alert: "DaemonSetNodeDown", node: "zone-4", inhibited: true},
			},
		},
		{
			name: "lost", summary: "a pod is deleted on a node that is dead", nodes: 2,
			agent: agent{present: true, more: "tolerations: [{operator: Exists}]"},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				if err := f.PullPlug(ctx, s.node(1)); err != nil {
					return err
				}
				return s.deletePod(ctx, f, 1)
			},
			want: []want{{alert: "DaemonSetNodeDown", node: "lost-1"}, {alert: "DaemonSetPodStuckOnLostNode"}},
		},
	}
}
