package scenarios

import (
	"context"
	"time"

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
