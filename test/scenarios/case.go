package scenarios

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

// A scenario is a failure, or what only looks like one.
type scenario struct {
	name  string // of its nodes, zone and DaemonSet
	story string
	nodes int
	spec  func(i int, node *cluster.NodeSpec) // of node i, from 1
	agent agent
	// cause causes it. It calls w.mark when the fault begins.
	cause func(ctx context.Context, w *world, s *scenario) error
	// want is empty for what only looks like a failure.
	want []want
}

// want is an alert that must arrive, or may.
type want struct {
	alert string
	node  string // where the alert names one
	// inhibited alerts must arrive and be inhibited.
	inhibited bool
	// maybe: right if it fires, and right if it does not.
	maybe bool
}

// agent is the scenario's DaemonSet. The zero value has no DaemonSet.
type agent struct {
	present     bool
	namespace   string // of its own; "default" if empty
	annotations map[string]string
	more        string // of the pod template's spec, one line
	metadata    string // of the pod template, one line
	cpu         string
	strategy    string // maxUnavailable
	late        bool   // applied by cause
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
	strategy := a.strategy
	if strategy == "" {
		strategy = "1"
	}
	fmt.Fprintf(&b, `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  updateStrategy: {rollingUpdate: {maxUnavailable: %[3]s}}
  template:
    metadata:
      labels: {app: %[1]s}
      %[4]s
      annotations:
        example.com/purpose: test
`, s.name, a.space(), strategy, a.metadata)
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

// build makes nodes and DaemonSet, and waits until all is well.
func (s *scenario) build(ctx context.Context, w *world) error {
	for i := 1; i <= s.nodes; i++ {
		if err := s.addNode(ctx, w, i); err != nil {
			return err
		}
	}
	if !s.agent.present || s.agent.late {
		return nil
	}
	if err := w.Apply(ctx, s.manifest()); err != nil {
		return err
	}
	return w.WaitDaemonSet(ctx, s.agent.space(), s.name, int32(s.nodes))
}

// addNode adds node i. On a machine with ten times the load it can take, kwok
// v0.8.0 was once seen to leave one of seventy nodes alone for ever; a node of
// the same name that is new it takes in hand.
func (s *scenario) addNode(ctx context.Context, w *world, i int) error {
	const patience = 45 * time.Second
	attempt, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := w.AddNode(attempt, s.nodeSpec(i))
	if err == nil || attempt.Err() == nil || ctx.Err() != nil {
		return err
	}
	if err := w.DeleteNode(ctx, s.node(i)); err != nil {
		return err
	}
	return w.AddNode(ctx, s.nodeSpec(i))
}

func (s *scenario) nodeSpec(i int) cluster.NodeSpec {
	node := cluster.NodeSpec{Name: s.node(i), Zone: s.name, Labels: map[string]string{"pool": s.name}}
	if s.spec != nil {
		s.spec(i, &node)
	}
	return node
}

// pod is the name of the DaemonSet's pod on node i that is not being deleted.
func (s *scenario) pod(ctx context.Context, w *world, i int) (name string, err error) {
	err = w.WaitPods(ctx, s.agent.space(), "app="+s.name, "a pod on "+s.node(i), func(pods []corev1.Pod) (bool, string) {
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

func (s *scenario) deletePod(ctx context.Context, w *world, i int) error {
	name, err := s.pod(ctx, w, i)
	if err != nil {
		return err
	}
	return w.Client().CoreV1().Pods(s.agent.space()).Delete(ctx, name, metav1.DeleteOptions{})
}

// behave changes how the pod on node i fares.
func (s *scenario) behave(ctx context.Context, w *world, i int, behaviour cluster.Behaviour) error {
	name, err := s.pod(ctx, w, i)
	if err != nil {
		return err
	}
	return w.SetPodBehaviour(ctx, s.agent.space(), name, behaviour)
}

// roll starts a rolling update to a template with these annotations.
func (s *scenario) roll(ctx context.Context, w *world, annotations map[string]string) error {
	next := *s
	next.agent.annotations = annotations
	return w.Apply(ctx, next.manifest())
}

func (s *scenario) patchNode(ctx context.Context, w *world, i int, patch string) error {
	_, err := w.Client().CoreV1().Nodes().Patch(ctx, s.node(i), types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	return err
}

// pause waits as long as something takes in the story.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
