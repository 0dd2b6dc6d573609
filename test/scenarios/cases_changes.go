package scenarios

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

// changeScenarios are rollouts and terminations that go wrong.
func changeScenarios() []*scenario {
	return []*scenario{
		{
			name: "rollout", story: "a new revision refers to a ConfigMap that is not there", nodes: 3, agent: agent{present: true},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				return s.roll(ctx, w, map[string]string{cluster.BehaviourAnnotation: string(cluster.ContainerConfig)})
			},
			want: []want{
				{alert: "DaemonSetPodConfigError"},
				{alert: "DaemonSetRolloutStuck"},
				{alert: "DaemonSetReschedulingHangs", inhibited: true},
			},
		},
		{
			name: "budget", story: "a dead node spends the whole budget of a rollout", nodes: 4,
			agent: agent{present: true, more: "tolerations: [{operator: Exists}]"},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				if err := w.PullPlug(ctx, s.node(1)); err != nil {
					return err
				}
				if err := w.WaitNodeReady(ctx, s.node(1), "Unknown"); err != nil {
					return err
				}
				return s.roll(ctx, w, map[string]string{"example.com/revision": "2"})
			},
			want: []want{
				{alert: "DaemonSetNodeDown", node: "budget-1"},
				{alert: "DaemonSetRolloutBlockedByNodes"},
				{alert: "DaemonSetPodStuckOnLostNode", maybe: true},
			},
		},
		{
			name: "finalizer", story: "a finalizer holds a deleted pod", nodes: 2,
			agent: agent{present: true, metadata: "finalizers: [example.com/hold]"},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				return s.deletePod(ctx, w, 1)
			},
			want: []want{{alert: "DaemonSetTerminationOverdue"}, {alert: "DaemonSetReschedulingHangs", inhibited: true, maybe: true}},
		},
		{
			name: "grace", story: "pods have to be killed, one after the other", nodes: 4,
			agent: agent{present: true, annotations: map[string]string{cluster.StopAfterAnnotation: "9"}},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				for round := range 8 {
					if err := s.deletePod(ctx, w, 1+round%s.nodes); err != nil {
						return err
					}
					if err := pause(ctx, 4*time.Second); err != nil {
						return err
					}
				}
				return nil
			},
			want: []want{{alert: "DaemonSetGracePeriodExceeded"}},
		},
	}
}

// everydayScenarios only look like failures.
func everydayScenarios() []*scenario {
	return []*scenario{
		{
			name: "autoscale", story: "the autoscaler adds two nodes and removes one within 12 minutes", nodes: 3,
			agent: agent{present: true},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				for i := 4; i <= 5; i++ {
					spec := s.nodeSpec(i)
					spec.ReadyAfterSeconds = 4
					if err := w.AddNode(ctx, spec); err != nil {
						return err
					}
				}
				if err := s.leave(ctx, w, 1); err != nil {
					return err
				}
				if err := pause(ctx, 24*time.Second); err != nil {
					return err
				}
				return s.remove(ctx, w, 1)
			},
		},
		{
			name: "linger", story: "a node that the autoscaler removes is switched off and stays listed for 25 minutes", nodes: 2,
			agent: agent{present: true},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				if err := s.leave(ctx, w, 1); err != nil {
					return err
				}
				if err := pause(ctx, 50*time.Second); err != nil {
					return err
				}
				return s.remove(ctx, w, 1)
			},
		},
		{
			name: "reboot", story: "a node is cordoned, rebooted within minutes and used again", nodes: 2, agent: agent{present: true},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				if err := s.patchNode(ctx, w, 1, `{"spec":{"unschedulable":true}}`); err != nil {
					return err
				}
				w.mark(s.name)
				if err := w.PullPlug(ctx, s.node(1)); err != nil {
					return err
				}
				if err := w.WaitNodeReady(ctx, s.node(1), "Unknown"); err != nil {
					return err
				}
				if err := pause(ctx, 6*time.Second); err != nil {
					return err
				}
				if err := w.PlugIn(ctx, s.node(1)); err != nil {
					return err
				}
				return s.patchNode(ctx, w, 1, `{"spec":{"unschedulable":null}}`)
			},
		},
		{
			name: "maintenance", story: "a node is cordoned, and its agent broken for a while by whoever works there", nodes: 2, agent: agent{present: true},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				if err := s.patchNode(ctx, w, 1, `{"spec":{"unschedulable":true}}`); err != nil {
					return err
				}
				w.mark(s.name)
				if err := s.behave(ctx, w, 1, cluster.NeverReady); err != nil {
					return err
				}
				if err := pause(ctx, 60*time.Second); err != nil {
					return err
				}
				return s.behave(ctx, w, 1, cluster.Healthy)
			},
		},
		{
			name: "update", story: "six nodes are updated in order, two at a time", nodes: 6,
			agent: agent{present: true, strategy: "2", annotations: map[string]string{cluster.StartAfterAnnotation: "5"}},
			cause: func(ctx context.Context, w *world, s *scenario) error {
				w.mark(s.name)
				return s.roll(ctx, w, map[string]string{cluster.StartAfterAnnotation: "5", "example.com/revision": "2"})
			},
		},
	}
}

// leave marks a node as the cluster autoscaler does before it removes it, and
// switches it off.
func (s *scenario) leave(ctx context.Context, w *world, i int) error {
	if err := s.patchNode(ctx, w, i, `{"spec":{"taints":[{"key":"ToBeDeletedByClusterAutoscaler","effect":"NoSchedule"}]}}`); err != nil {
		return err
	}
	return w.PullPlug(ctx, s.node(i))
}

// remove deletes a node and, for the pod garbage collector, its pod: that takes
// 45 s, which at our pace would be 20 minutes.
func (s *scenario) remove(ctx context.Context, w *world, i int) error {
	pod, err := s.pod(ctx, w, i)
	if err != nil {
		return err
	}
	if err := w.DeleteNode(ctx, s.node(i)); err != nil {
		return err
	}
	now := int64(0)
	return w.Client().CoreV1().Pods(s.agent.space()).Delete(ctx, pod, metav1.DeleteOptions{GracePeriodSeconds: &now})
}
