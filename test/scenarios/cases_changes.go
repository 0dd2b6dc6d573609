package scenarios

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

// changeScenarios returns rollouts and terminations that go wrong.
func changeScenarios() []*scenario {
	return []*scenario{
		{
			name: "rollout", summary: "a new revision refers to a ConfigMap that is not there", nodes: 3, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return s.roll(ctx, f, map[string]string{cluster.BehaviourAnnotation: string(cluster.ContainerConfig)})
			},
			want: []want{
				{alert: "DaemonSetPodConfigError"},
				{alert: "DaemonSetRolloutStuck"},
				{alert: "DaemonSetReschedulingHangs", inhibited: true},
			},
		},
		{
			name: "surge", summary: "the new pods of a surging update cannot be started beside the old ones", nodes: 2,
			agent: agent{present: true, surge: "1"},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return s.roll(ctx, f, map[string]string{cluster.BehaviourAnnotation: string(cluster.ImagePull)})
			},
			want: []want{{alert: "DaemonSetRolloutSurgeStuck"}},
		},
		{
			name: "budget", summary: "a dead node spends the whole budget of a rollout", nodes: 4,
			agent: agent{present: true, more: "tolerations: [{operator: Exists}]"},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				if err := f.PullPlug(ctx, s.node(1)); err != nil {
					return err
				}
				if err := f.WaitNodeReady(ctx, s.node(1), "Unknown"); err != nil {
					return err
				}
				return s.roll(ctx, f, map[string]string{"example.com/revision": "2"})
			},
			want: []want{
				{alert: "DaemonSetNodeDown", node: "budget-1"},
				{alert: "DaemonSetRolloutBlockedByNodes"},
				{alert: "DaemonSetPodStuckOnLostNode", optional: true},
			},
		},
		{
			name: "finalizer", summary: "a finalizer holds a deleted pod", nodes: 2,
			agent: agent{present: true, metadata: "finalizers: [example.com/hold]"},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return s.deletePod(ctx, f, 1)
			},
			want: []want{{alert: "DaemonSetTerminationOverdue"}, {alert: "DaemonSetReschedulingHangs", inhibited: true, optional: true}},
		},
		{
			name: "grace", summary: "pods have to be killed, one after the other", nodes: 4,
			agent: agent{present: true, annotations: map[string]string{cluster.StopAfterAnnotation: "9"}},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				for round := range 8 {
					if err := s.deletePod(ctx, f, 1+round%s.nodes); err != nil {
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

// everydayScenarios returns scenarios that only look like failures.
func everydayScenarios() []*scenario {
	return []*scenario{
		{
			name: "autoscale", summary: "the autoscaler adds two nodes and removes one within 12 minutes", nodes: 3,
			agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				for i := 4; i <= 5; i++ {
					spec := s.nodeSpec(i)
					spec.ReadyAfterSeconds = 4
					if err := f.AddNode(ctx, spec); err != nil {
						return err
					}
				}
				if err := s.leave(ctx, f, 1); err != nil {
					return err
				}
				if err := pause(ctx, 24*time.Second); err != nil {
					return err
				}
				return s.remove(ctx, f, 1)
			},
		},
		{
			name: "linger", summary: "a node that the autoscaler removes is switched off and stays listed for 25 minutes", nodes: 2,
			agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				if err := s.leave(ctx, f, 1); err != nil {
					return err
				}
				if err := pause(ctx, 50*time.Second); err != nil {
					return err
				}
				return s.remove(ctx, f, 1)
			},
		},
		{
			name: "warmup", summary: "the network agent of a new node removes its startup taint after ten minutes", nodes: 1, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				if err := f.AddNode(ctx, s.starting(2)); err != nil {
					return err
				}
				if err := pause(ctx, 10*time.Minute/pace); err != nil {
					return err
				}
				return s.patchNode(ctx, f, 2, `{"spec":{"taints":null}}`)
			},
		},
		{
			name: "reboot", summary: "a node is cordoned, rebooted within minutes and used again", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				if err := s.patchNode(ctx, f, 1, `{"spec":{"unschedulable":true}}`); err != nil {
					return err
				}
				f.mark(s.name)
				if err := f.PullPlug(ctx, s.node(1)); err != nil {
					return err
				}
				if err := f.WaitNodeReady(ctx, s.node(1), "Unknown"); err != nil {
					return err
				}
				if err := pause(ctx, 6*time.Second); err != nil {
					return err
				}
				if err := f.PlugIn(ctx, s.node(1)); err != nil {
					return err
				}
				return s.patchNode(ctx, f, 1, `{"spec":{"unschedulable":null}}`)
			},
		},
		{
			name: "maintenance", summary: "a node is cordoned, and its agent broken for a while by whoever works there", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				if err := s.patchNode(ctx, f, 1, `{"spec":{"unschedulable":true}}`); err != nil {
					return err
				}
				f.mark(s.name)
				if err := s.behave(ctx, f, 1, cluster.NeverReady); err != nil {
					return err
				}
				if err := pause(ctx, 60*time.Second); err != nil {
					return err
				}
				return s.behave(ctx, f, 1, cluster.Healthy)
			},
		},
		{
			name: "patient", summary: "the pods of a new DaemonSet must be Ready for an hour", nodes: 2,
			agent: agent{present: true, late: true, spec: "minReadySeconds: 3600"},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return f.Apply(ctx, s.manifest())
			},
		},
		{
			name: "update", summary: "six nodes are updated in order, two at a time", nodes: 6,
			agent: agent{present: true, strategy: "2", annotations: map[string]string{cluster.StartAfterAnnotation: "5"}},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return s.roll(ctx, f, map[string]string{cluster.StartAfterAnnotation: "5", "example.com/revision": "2"})
			},
		},
	}
}

// leave taints a node as the cluster autoscaler does before it removes it, and
// stops its kubelet.
func (s *scenario) leave(ctx context.Context, f *fixture, i int) error {
	if err := s.patchNode(ctx, f, i, `{"spec":{"taints":[{"key":"ToBeDeletedByClusterAutoscaler","effect":"NoSchedule"}]}}`); err != nil {
		return err
	}
	return f.PullPlug(ctx, s.node(i))
}

// remove deletes a node and its pod. The pod garbage collector would take 45 s,
// which stands for 20 minutes.
func (s *scenario) remove(ctx context.Context, f *fixture, i int) error {
	pod, err := s.pod(ctx, f, i)
	if err != nil {
		return err
	}
	if err := f.DeleteNode(ctx, s.node(i)); err != nil {
		return err
	}
	now := int64(0)
	return f.Client().CoreV1().Pods(s.agent.space()).Delete(ctx, pod, metav1.DeleteOptions{GracePeriodSeconds: &now})
}
