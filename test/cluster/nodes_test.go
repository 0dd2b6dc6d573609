package cluster_test

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
)

func TestNodes(t *testing.T) {
	ctx := t.Context()
	c := clustertest.Start(t, cluster.Config{NodeStartupGracePeriod: 5 * time.Second})
	check.NoError(t, c.AddNode(ctx, cluster.NodeSpec{Name: "a"}))

	t.Run("a node is not ready and recovers as its kubelet reports", func(t *testing.T) {
		t.Parallel()
		check.NoError(t, c.AddNode(ctx, cluster.NodeSpec{Name: "runtime-down"}))
		check.NoError(t, c.SetNodeBehaviour(ctx, "runtime-down", cluster.NotReady))
		check.NoError(t, c.WaitNodeReady(ctx, "runtime-down", corev1.ConditionFalse))
		check.NoError(t, waitTaint(ctx, c, "runtime-down", corev1.TaintNodeNotReady, true))
		check.NoError(t, c.SetNodeBehaviour(ctx, "runtime-down", cluster.Healthy))
		check.NoError(t, c.WaitNodeReady(ctx, "runtime-down", corev1.ConditionTrue))
		check.NoError(t, waitTaint(ctx, c, "runtime-down", corev1.TaintNodeNotReady, false))
	})

	t.Run("a node whose kubelet never came up is Unknown after the startup grace period", func(t *testing.T) {
		t.Parallel()
		check.NoError(t, c.AddNode(ctx, cluster.NodeSpec{Name: "stillborn", Unplugged: true}))
		check.NoError(t, c.WaitNode(ctx, "stillborn", "reason NodeStatusNeverUpdated", func(node *corev1.Node) (bool, string) {
			ready := nodeReady(node)
			return ready.Status == corev1.ConditionUnknown && ready.Reason == "NodeStatusNeverUpdated", string(ready.Status) + " " + ready.Reason
		}))
		check.NoError(t, waitTaint(ctx, c, "stillborn", corev1.TaintNodeUnreachable, true))
	})

	t.Run("a node becomes ready as late as its spec says", func(t *testing.T) {
		t.Parallel()
		check.NoError(t, c.AddNode(ctx, cluster.NodeSpec{Name: "slow", ReadyAfterSeconds: 4}))
		check.NoError(t, c.WaitNodeReady(ctx, "slow", corev1.ConditionFalse))
		check.NoError(t, c.WaitNode(ctx, "slow", "Ready, four seconds after its creation", func(node *corev1.Node) (bool, string) {
			ready := nodeReady(node)
			took := ready.LastTransitionTime.Sub(node.CreationTimestamp.Time)
			return ready.Status == corev1.ConditionTrue && took >= 4*time.Second, string(ready.Status) + " after " + took.String()
		}))
	})

	t.Run("a service account has the permissions of its roles", func(t *testing.T) {
		t.Parallel()
		check.NoError(t, c.Apply(ctx, []byte(`
apiVersion: v1
kind: Namespace
metadata: {name: monitoring}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: exporter, namespace: monitoring}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: exporter}
rules: [{apiGroups: [""], resources: [nodes], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: exporter}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: exporter}
subjects: [{kind: ServiceAccount, name: exporter, namespace: monitoring}]
`)))
		path, err := c.ServiceAccountKubeconfig(ctx, "monitoring", "exporter")
		check.NoError(t, err)
		config, err := clientcmd.BuildConfigFromFlags("", path)
		check.NoError(t, err)
		client, err := kubernetes.NewForConfig(config)
		check.NoError(t, err)
		// The authorizer watches bindings.
		check.NoError(t, c.Wait(ctx, "the service account to list nodes", func(ctx context.Context) (bool, string, error) {
			_, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
			return err == nil, "", err
		}))
		if _, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{}); !apierrors.IsForbidden(err) {
			t.Errorf("listing pods: got %v, want it forbidden", err)
		}
	})

	t.Run("pod security admission rejects what a namespace's level forbids", func(t *testing.T) {
		t.Parallel()
		check.NoError(t, c.Apply(ctx, []byte(`
apiVersion: v1
kind: Namespace
metadata: {name: strict, labels: {pod-security.kubernetes.io/enforce: restricted}}
`)))
		err := c.Apply(ctx, []byte(`
apiVersion: v1
kind: Pod
metadata: {name: privileged, namespace: strict}
spec: {containers: [{name: a, image: "example.com/a:1", securityContext: {privileged: true}}]}
`))
		check.That(t, err != nil && strings.Contains(err.Error(), "violates PodSecurity"), "got %v, want a violation of pod security", err)
	})
}

func nodeReady(node *corev1.Node) corev1.NodeCondition {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition
		}
	}
	return corev1.NodeCondition{}
}

func waitTaint(ctx context.Context, c *cluster.Cluster, node, key string, want bool) error {
	return c.WaitNode(ctx, node, "taint "+key, func(node *corev1.Node) (bool, string) {
		has := false
		for _, taint := range node.Spec.Taints {
			has = has || taint.Key == key
		}
		return has == want, "not yet"
	})
}
