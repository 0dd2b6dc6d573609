package scenarios

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/remediation"
)

// TestRemediation shows what docs/remediation.md says: who acts on an alert, when, and
// when not.
func TestRemediation(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), setUp+3*time.Minute)
	defer cancel()
	f := check.Must(newFixture(ctx, t.TempDir(), os.Stderr))(t)
	t.Cleanup(func() { check.NoError(t, f.stop()) })
	r := &remedy{f: f, decided: map[string][]remediation.Decision{}}
	receiver := &remediation.Receiver{
		Client: f.Client(),
		Off: func(_ context.Context, node *corev1.Node) (bool, error) {
			return remediation.ShutDown(node), nil
		},
		MaxFailedShare: 0.25,
		Report:         r.note,
	}
	server := httptest.NewServer(receiver)
	t.Cleanup(server.Close)
	f.remediation = server.URL
	running, end := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { receiver.Run(running, time.Second); close(done) }()
	t.Cleanup(func() { end(); <-done })

	agents := &scenario{name: "agents", nodes: 5, agent: agent{present: true}}
	check.NoError(t, agents.build(ctx, f))
	exporter := check.Must(f.startExporter(ctx, "", f.Kubeconfig()))(t)
	check.NoError(t, exporter.WaitReady(ctx))
	check.NoError(t, f.startMonitoring(ctx))

	t.Run("a machine that is off", func(t *testing.T) {
		check.NoError(t, f.PullPlug(ctx, "agents-1"))
		check.NoError(t, f.WaitNodeReady(ctx, "agents-1", corev1.ConditionUnknown))
		pod := check.Must(agents.pod(ctx, f, 1))(t)
		check.NoError(t, f.Client().CoreV1().Pods("default").Delete(ctx, pod, metav1.DeleteOptions{}))
		r.waitAlert(ctx, t, "DaemonSetNodeDown", true)
		r.waitAlert(ctx, t, "DaemonSetPodStuckOnLostNode", true)
		r.waitDecision(ctx, t, "agents-1", remediation.DecisionMayRun)
		check.That(t, !r.tainted(ctx, t, "agents-1"), "a machine that may run was declared out of service")

		check.NoError(t, r.setTaints(ctx, "agents-1", corev1.Taint{Key: "node.cloudprovider.kubernetes.io/shutdown", Effect: corev1.TaintEffectNoSchedule}))
		r.waitDecision(ctx, t, "agents-1", remediation.DecisionDeclare)
		check.NoError(t, f.WaitPods(ctx, "default", "app=agents", "the stuck pod to be freed", func(pods []corev1.Pod) (bool, string) {
			stuck := slices.ContainsFunc(pods, func(p corev1.Pod) bool { return p.Spec.NodeName == "agents-1" })
			return !stuck, pod
		}))
		r.waitAlert(ctx, t, "DaemonSetPodStuckOnLostNode", false)
		check.That(t, r.alerts(ctx, t)["DaemonSetNodeDown"], "the machine is off, and no alert says so")

		// Its cloud provider removes its own taint.
		check.NoError(t, f.PlugIn(ctx, "agents-1"))
		check.NoError(t, f.WaitNodeReady(ctx, "agents-1", corev1.ConditionTrue))
		r.waitDecision(ctx, t, "agents-1", remediation.DecisionRelease)
		check.NoError(t, r.setTaints(ctx, "agents-1"))
		check.NoError(t, f.WaitDaemonSet(ctx, "default", "agents", 5))
		r.waitAlert(ctx, t, "DaemonSetNodeDown", false)
	})
	t.Run("two of five nodes", func(t *testing.T) {
		off := corev1.Taint{Key: "node.cloudprovider.kubernetes.io/shutdown", Effect: corev1.TaintEffectNoSchedule}
		for i := 2; i <= 3; i++ {
			check.NoError(t, f.PullPlug(ctx, agents.node(i)))
		}
		for i := 2; i <= 3; i++ {
			check.NoError(t, f.WaitNodeReady(ctx, agents.node(i), corev1.ConditionUnknown))
			check.NoError(t, r.setTaints(ctx, agents.node(i), off))
			check.NoError(t, agents.deletePod(ctx, f, i))
		}
		for i := 2; i <= 3; i++ {
			r.waitDecision(ctx, t, agents.node(i), remediation.DecisionTooMany)
			check.That(t, !r.tainted(ctx, t, agents.node(i)), "%s was declared out of service while 40 %% of the nodes fail", agents.node(i))
		}
	})
}

// remedy is what the receiver decided.
type remedy struct {
	f       *fixture
	mu      sync.Mutex
	decided map[string][]remediation.Decision
	errs    []error
}

func (r *remedy) note(node string, decision remediation.Decision, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.errs = append(r.errs, fmt.Errorf("%s %s: %w", node, decision, err))
		return
	}
	r.decided[node] = append(r.decided[node], decision)
}

// waitDecision waits until the receiver has decided so, and nothing else since.
func (r *remedy) waitDecision(ctx context.Context, t *testing.T, node string, want remediation.Decision) {
	t.Helper()
	check.NoError(t, r.f.Wait(ctx, fmt.Sprintf("%q about %s", want, node), func(context.Context) (bool, string, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return slices.Contains(r.decided[node], want), fmt.Sprint(r.decided[node], r.errs), nil
	}))
}

// alerts returns the names of the alerts that fire.
func (r *remedy) alerts(ctx context.Context, t *testing.T) map[string]bool {
	t.Helper()
	var list []struct{ Labels map[string]string }
	check.NoError(t, json.Unmarshal(check.Must(get(ctx, r.f.alertmanager.url+"/api/v2/alerts"))(t), &list))
	names := map[string]bool{}
	for _, item := range list {
		names[item.Labels["alertname"]] = true
	}
	return names
}

func (r *remedy) waitAlert(ctx context.Context, t *testing.T, name string, fires bool) {
	t.Helper()
	check.NoError(t, r.f.Wait(ctx, fmt.Sprintf("%s to fire: %t", name, fires), func(ctx context.Context) (bool, string, error) {
		names := r.alerts(ctx, t)
		return names[name] == fires, fmt.Sprint(names), nil
	}))
}

// setTaints replaces the taints of a node that no controller keeps.
func (r *remedy) setTaints(ctx context.Context, name string, taints ...corev1.Taint) error {
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"taints": taints}})
	if err != nil {
		return err
	}
	_, err = r.f.Client().CoreV1().Nodes().Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

func (r *remedy) tainted(ctx context.Context, t *testing.T, name string) bool {
	t.Helper()
	node := check.Must(r.f.Client().CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{}))(t)
	return slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == corev1.TaintNodeOutOfService })
}
