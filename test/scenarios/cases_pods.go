package scenarios

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

// lookback is how long Prometheus must have scraped expected nodes before the fault:
// one hour, of which some has passed when faults are injected.
const lookback = time.Hour/pace - 15*time.Second

// noPods returns a quota under which a deleted pod is not replaced.
func noPods(namespace string) []byte {
	return []byte("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none, namespace: " + namespace + "}\nspec: {hard: {pods: \"0\"}}\n")
}

// podScenarios returns pods that are missing or broken on Ready nodes.
func podScenarios() []*scenario {
	return []*scenario{
		{
			name: "missing", summary: "a quota keeps a deleted pod from being made again", nodes: 2,
			agent: agent{present: true, namespace: "missing"},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				if err := f.Apply(ctx, noPods(s.agent.namespace)); err != nil {
					return err
				}
				f.mark(s.name)
				return s.deletePod(ctx, f, 1)
			},
			want: []want{{alert: "DaemonSetPodMissing", node: "missing-1"}, {alert: "DaemonSetReschedulingHangs", inhibited: true}},
		},
		{
			name: "hang", summary: "the same on a cordoned node: nobody is paged for its gap, yet it hangs", nodes: 2,
			agent: agent{present: true, namespace: "hang"},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				if err := f.Apply(ctx, noPods(s.agent.namespace)); err != nil {
					return err
				}
				if err := s.patchNode(ctx, f, 1, `{"spec":{"unschedulable":true}}`); err != nil {
					return err
				}
				f.mark(s.name)
				return s.deletePod(ctx, f, 1)
			},
			want: []want{{alert: "DaemonSetReschedulingHangs"}},
		},
		{
			name: "full", summary: "a node has no room for the pod", nodes: 2,
			spec: func(i int, node *cluster.NodeSpec) {
				if i == 2 {
					node.Capacity = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("16")}
				}
			},
			agent: agent{present: true, late: true, cpu: "8"},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return f.Apply(ctx, s.manifest())
			},
			want: []want{{alert: "DaemonSetPodUnschedulable", node: "full-1"}, {alert: "DaemonSetReschedulingHangs", inhibited: true, optional: true}},
		},
		{
			name: "pull", summary: "a node cannot pull the image", nodes: 2,
			agent: agent{present: true, annotations: map[string]string{cluster.StartAfterAnnotation: "5"}},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				if err := s.deletePod(ctx, f, 1); err != nil {
					return err
				}
				return s.behave(ctx, f, 1, cluster.ImagePull)
			},
			want: []want{{alert: "DaemonSetPodImagePullFailing", node: "pull-1"}, {alert: "DaemonSetReschedulingHangs", inhibited: true, optional: true}},
		},
		{
			name: "crash", summary: "a pod crashes again and again", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return s.behave(ctx, f, 1, cluster.CrashLoop)
			},
			want: []want{{alert: "DaemonSetPodCrashLooping", node: "crash-1"}},
		},
		{
			name: "unready", summary: "a pod runs and is not Ready", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return s.behave(ctx, f, 1, cluster.NeverReady)
			},
			want: []want{{alert: "DaemonSetPodNotReady", node: "unready-1"}},
		},
		{
			name: "low", summary: "two pods of four crash", nodes: 4, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				if err := s.behave(ctx, f, 1, cluster.CrashLoop); err != nil {
					return err
				}
				return s.behave(ctx, f, 2, cluster.CrashLoop)
			},
			want: []want{
				{alert: "DaemonSetCoverageLow"},
				{alert: "DaemonSetPodCrashLooping", node: "low-1", inhibited: true},
				{alert: "DaemonSetPodCrashLooping", node: "low-2", inhibited: true},
			},
		},
		{
			name: "nothing", summary: "a new DaemonSet's image does not exist", nodes: 2,
			agent: agent{present: true, late: true, annotations: map[string]string{cluster.BehaviourAnnotation: string(cluster.ImagePull)}},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return f.Apply(ctx, s.manifest())
			},
			want: []want{
				{alert: "DaemonSetCoversNothing"},
				{alert: "DaemonSetPodImagePullFailing", node: "nothing-1", inhibited: true},
				{alert: "DaemonSetPodImagePullFailing", node: "nothing-2", inhibited: true},
				{alert: "DaemonSetCoverageLow", inhibited: true},
				{alert: "DaemonSetReschedulingHangs", inhibited: true},
			},
		},
		{
			name: "drift", summary: "a node loses the label that the DaemonSet selects", nodes: 3, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				return s.patchNode(ctx, f, 1, `{"metadata":{"labels":{"pool":null}}}`)
			},
			want: []want{{alert: "DaemonSetExpectedNodesDropped"}},
		},
		{
			// Upstream's DaemonSet controller leaves the pod where it is; OpenShift's would
			// delete it. Both find nothing wrong.
			name: "openshift", summary: "on OpenShift, a namespace is given a node selector, and its DaemonSet loses a node", nodes: 3,
			spec: func(i int, node *cluster.NodeSpec) {
				if i > 1 {
					node.Labels["region"] = "east"
				}
			},
			agent: agent{present: true, namespace: "openshift"},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				patch := []byte(`{"metadata": {"annotations": {"openshift.io/node-selector": "region=east"}}}`)
				if _, err := f.Client().CoreV1().Namespaces().Patch(ctx, s.agent.namespace, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
					return err
				}
				// Namespaces are read again every few minutes, and for a new DaemonSet at once.
				second := *s
				second.name += "-second"
				return f.Apply(ctx, second.manifest())
			},
			want: []want{{alert: "DaemonSetExpectedNodesDropped", says: "namespace_selector 1"}},
		},
		{
			name: "taint", summary: "a node is given a taint that the DaemonSet does not tolerate", nodes: 3, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				if err := pause(ctx, lookback); err != nil {
					return err
				}
				f.mark(s.name)
				return s.patchNode(ctx, f, 1, `{"spec":{"taints":[{"key":"dedicated","effect":"NoSchedule"}]}}`)
			},
			want: []want{{alert: "DaemonSetRepelledByTaint"}},
		},
		{
			name: "slow", summary: "pods need five times as long as they should", nodes: 6,
			agent: agent{present: true, annotations: map[string]string{cluster.StartAfterAnnotation: "12"}},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				for i := 1; i <= s.nodes; i++ {
					if err := s.deletePod(ctx, f, i); err != nil {
						return err
					}
					if err := pause(ctx, 3*time.Second); err != nil {
						return err
					}
				}
				return nil
			},
			want: []want{{alert: "DaemonSetReschedulingSlow"}, {alert: "DaemonSetCoverageLow", optional: true}},
		},
		{
			name: "leak", summary: "a container runs out of memory every 7 minutes", nodes: 2, agent: agent{present: true},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				f.mark(s.name)
				for range 9 {
					if err := s.restart(ctx, f, 1); err != nil {
						return err
					}
					if err := pause(ctx, 14*time.Second); err != nil {
						return err
					}
				}
				return nil
			},
			want: []want{{alert: "DaemonSetPodRestarting", node: "leak-1", says: "OOMKilled"}},
		},
		{
			name: "churn", summary: "one pod after the other is replaced, and none is missing for long", nodes: 3,
			agent: agent{present: true, annotations: map[string]string{cluster.StartAfterAnnotation: "3"}},
			inject: func(ctx context.Context, f *fixture, s *scenario) error {
				if err := pause(ctx, lookback); err != nil {
					return err
				}
				f.mark(s.name)
				for round := range 24 {
					if err := s.deletePod(ctx, f, 1+round%s.nodes); err != nil {
						return err
					}
					if err := pause(ctx, 4*time.Second); err != nil {
						return err
					}
				}
				return nil
			},
			want: []want{
				{alert: "DaemonSetCoverageBudgetBurn"},
				{alert: "DaemonSetCoverageLow", optional: true},
				{alert: "DaemonSetReschedulingSlow", optional: true},
			},
		},
	}
}
