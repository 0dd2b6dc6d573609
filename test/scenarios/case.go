package scenarios

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

// scenario is a failure, or what only looks like one.
type scenario struct {
	name    string // of its nodes, zone and DaemonSet
	summary string
	nodes   int
	spec    func(i int, node *cluster.NodeSpec) // of node i, from 1
	agent   agent
	// inject injects the fault. It calls fixture.mark when the fault begins.
	inject func(ctx context.Context, f *fixture, s *scenario) error
	// want is empty for what only looks like a failure.
	want []want
}

// want is an expected alert.
type want struct {
	alert string
	node  string // if the alert has the label
	says  string // must be in the description
	// inhibited alerts must arrive and be inhibited.
	inhibited bool
	// optional alerts may arrive.
	optional bool
}

// agent describes the scenario's DaemonSet. The zero value has none.
type agent struct {
	present     bool
	namespace   string // of its own; "default" if empty
	annotations map[string]string
	more        string // of the pod template's spec, one line
	metadata    string // of the pod template, one line
	cpu         string
	strategy    string // maxUnavailable
	surge       string // maxSurge; maxUnavailable is 0 then
	spec        string // of the DaemonSet, one line
	late        bool   // applied by inject
}

func (a agent) space() string {
	if a.namespace == "" {
		return metav1.NamespaceDefault
	}
	return a.namespace
}

func (s *scenario) manifest() []byte {
	a := s.agent
	var b strings.Builder
	if a.namespace != "" {
		fmt.Fprintf(&b, "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n---\n", a.namespace)
	}
	strategy := "maxUnavailable: 1"
	switch {
	case a.surge != "":
		strategy = "maxUnavailable: 0, maxSurge: " + a.surge
	case a.strategy != "":
		strategy = "maxUnavailable: " + a.strategy
	}
	fmt.Fprintf(&b, `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  updateStrategy: {rollingUpdate: {%[3]s}}
  %[5]s
  template:
    metadata:
      labels: {app: %[1]s}
      %[4]s
      annotations:
        example.com/purpose: test
`, s.name, a.space(), strategy, a.metadata, a.spec)
	for key, value := range a.annotations {
		fmt.Fprintf(&b, "        %s: %q\n", key, value)
	}
	fmt.Fprintf(&b, `    spec:
      nodeSelector: {pool: %s}
      terminationGracePeriodSeconds: 2
      %s
      containers:
      - name: agent
        image: example.com/agent:1
`, s.name, a.more)
	if a.cpu != "" {
		fmt.Fprintf(&b, "        resources: {requests: {cpu: %q}}\n", a.cpu)
	}
	return []byte(b.String())
}

func (s *scenario) node(i int) string { return fmt.Sprintf("%s-%d", s.name, i) }

// build creates nodes and DaemonSet, and waits until all pods are available.
func (s *scenario) build(ctx context.Context, f *fixture) error {
	for i := 1; i <= s.nodes; i++ {
		if err := s.addNode(ctx, f, i); err != nil {
			return err
		}
	}
	if !s.agent.present || s.agent.late {
		return nil
	}
	if err := f.Apply(ctx, s.manifest()); err != nil {
		return err
	}
	return f.WaitDaemonSet(ctx, s.agent.space(), s.name, int32(s.nodes))
}

// addNode adds node i. On an overloaded machine kwok v0.8.0 was once seen to ignore
// one of seventy nodes forever, but not a new node with the same name.
func (s *scenario) addNode(ctx context.Context, f *fixture, i int) error {
	const patience = 45 * time.Second
	attempt, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := f.AddNode(attempt, s.nodeSpec(i))
	if err == nil || attempt.Err() == nil || ctx.Err() != nil {
		return err
	}
	if err := f.DeleteNode(ctx, s.node(i)); err != nil {
		return err
	}
	return f.AddNode(ctx, s.nodeSpec(i))
}

func (s *scenario) nodeSpec(i int) cluster.NodeSpec {
	node := cluster.NodeSpec{Name: s.node(i), Zone: s.name, Labels: map[string]string{"pool": s.name}}
	if s.spec != nil {
		s.spec(i, &node)
	}
	return node
}

// starting returns node i with the startup taint of a network agent.
func (s *scenario) starting(i int) cluster.NodeSpec {
	node := s.nodeSpec(i)
	node.Taints = []corev1.Taint{{Key: "node.cilium.io/agent-not-ready", Value: "true", Effect: corev1.TaintEffectNoSchedule}}
	return node
}

// pod returns the name of the DaemonSet's pod on node i that is not terminating.
func (s *scenario) pod(ctx context.Context, f *fixture, i int) (name string, err error) {
	err = f.WaitPods(ctx, s.agent.space(), "app="+s.name, "a pod on "+s.node(i), func(pods []corev1.Pod) (bool, string) {
		for _, pod := range pods {
			if pod.Spec.NodeName == s.node(i) && pod.DeletionTimestamp == nil {
				name = pod.Name
				return true, ""
			}
		}
		return false, "none"
	})
	return name, err
}

func (s *scenario) deletePod(ctx context.Context, f *fixture, i int) error {
	name, err := s.pod(ctx, f, i)
	if err != nil {
		return err
	}
	return f.Client().CoreV1().Pods(s.agent.space()).Delete(ctx, name, metav1.DeleteOptions{})
}

// behave changes the behaviour of the pod on node i.
func (s *scenario) behave(ctx context.Context, f *fixture, i int, behaviour cluster.Behaviour) error {
	name, err := s.pod(ctx, f, i)
	if err != nil {
		return err
	}
	return f.SetPodBehaviour(ctx, s.agent.space(), name, behaviour)
}

// roll starts a rolling update to a template with these annotations.
func (s *scenario) roll(ctx context.Context, f *fixture, annotations map[string]string) error {
	next := *s
	next.agent.annotations = annotations
	return f.Apply(ctx, next.manifest())
}

func (s *scenario) patchNode(ctx context.Context, f *fixture, i int, patch string) error {
	_, err := f.Client().CoreV1().Nodes().Patch(ctx, s.node(i), types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	return err
}

// restart records on the pod on node i that its container ran out of memory and was
// restarted at once. The kubelet of the tests would back off for too long.
func (s *scenario) restart(ctx context.Context, f *fixture, i int) error {
	name, err := s.pod(ctx, f, i)
	if err != nil {
		return err
	}
	pods := f.Client().CoreV1().Pods(s.agent.space())
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		pod, err := pods.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		now := metav1.Now()
		container := &pod.Status.ContainerStatuses[0]
		ended := corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137, FinishedAt: now}
		if container.State.Running != nil {
			ended.StartedAt = container.State.Running.StartedAt
		}
		container.RestartCount++
		container.LastTerminationState = corev1.ContainerState{Terminated: &ended}
		container.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}
		_, err = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
		return err
	})
}

// since returns the time that long ago in the format of a taint's timeAdded.
func since(ago time.Duration) string {
	return time.Now().Add(-ago).UTC().Format(time.RFC3339)
}

// pause waits as long as something takes in the scenario.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
