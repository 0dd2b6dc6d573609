package scenarios

import (
	"context"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

// nodeScenarios are nodes that fail, and zones.
func nodeScenarios() []*scenario {
	return []*scenario{
		{
			name: "down", story: "a kubelet reports NotReady and then falls silent", nodes: 3, agent: agent{present: true},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				if err := w.SetNodeBehaviour(ctx, s.node(1), cluster.NotReady); err != nil {
					return err
				}
				if err := pause(ctx, 5*time.Second); err != nil {
					return err
				}
				return w.PullPlug(ctx, s.node(1))
			},
			want: []want{{alert: "DaemonSetNodeDown", node: "down-1"}},
		},
		{
			name: "cordoned", story: "a cordoned node dies", nodes: 2, agent: agent{present: true},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				if err := s.patchNode(ctx, w, 1, `{"spec":{"unschedulable":true}}`); err != nil {
					return err
				}
				w.mark(s.name)
				return w.PullPlug(ctx, s.node(1))
			},
			want: []want{{alert: "DaemonSetNodeDown", node: "cordoned-1"}},
		},
		{
			name: "sick", story: "the kubelet of a cordoned node reports NotReady", nodes: 2, agent: agent{present: true},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				if err := s.patchNode(ctx, w, 1, `{"spec":{"unschedulable":true}}`); err != nil {
					return err
				}
				w.mark(s.name)
				return w.SetNodeBehaviour(ctx, s.node(1), cluster.NotReady)
			},
			want: []want{{alert: "DaemonSetNodeDown", node: "sick-1"}},
		},
		{
			name: "crashdown", story: "a pod crashes, and then its node dies", nodes: 2, agent: agent{present: true},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				if err := s.behave(ctx, w, 1, cluster.CrashLoop); err != nil {
					return err
				}
				if err := pause(ctx, 40*time.Second); err != nil {
					return err
				}
				return w.PullPlug(ctx, s.node(1))
			},
			want: []want{{alert: "DaemonSetPodCrashLooping", node: "crashdown-1"}, {alert: "DaemonSetNodeDown", node: "crashdown-1"}},
		},
		{
			name: "never", story: "a new node never becomes Ready", nodes: 1, agent: agent{present: true},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				spec := s.nodeSpec(2)
				spec.Unplugged = true
				return w.AddNode(ctx, spec)
			},
			want: []want{{alert: "DaemonSetNodeNeverReady", node: "never-2"}},
		},
		{
			name: "flap", story: "a node goes back and forth, and then dies", nodes: 2, agent: agent{present: true},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				for range 4 {
					for _, behaviour := range []cluster.Behaviour{cluster.NotReady, cluster.Healthy} {
						if err := w.SetNodeBehaviour(ctx, s.node(1), behaviour); err != nil {
							return err
						}
						if err := pause(ctx, 5*time.Second); err != nil {
							return err
						}
					}
				}
				return w.PullPlug(ctx, s.node(1))
			},
			want: []want{{alert: "DaemonSetNodeDown", node: "flap-1"}, {alert: "DaemonSetNodeFlapping", node: "flap-1", inhibited: true}},
		},
		{
			name: "zone", story: "all four nodes of a zone fall silent", nodes: 4, agent: agent{present: true},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				for i := 1; i <= s.nodes; i++ {
					if err := w.PullPlug(ctx, s.node(i)); err != nil {
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
			name: "lost", story: "a pod is deleted on a node that is dead", nodes: 2,
			agent: agent{present: true, more: "tolerations: [{operator: Exists}]"},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				if err := w.PullPlug(ctx, s.node(1)); err != nil {
					return err
				}
				return s.deletePod(ctx, w, 1)
			},
			want: []want{{alert: "DaemonSetNodeDown", node: "lost-1"}, {alert: "DaemonSetPodStuckOnLostNode"}},
		},
	}
}
