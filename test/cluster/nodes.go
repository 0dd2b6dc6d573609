package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// NodeSpec describes a node to add. Only Name is required.
type NodeSpec struct {
	Name          string
	Zone          string // topology.kubernetes.io/zone
	Labels        map[string]string
	Annotations   map[string]string
	Taints        []corev1.Taint
	Unschedulable bool
	// Capacity overrides the default capacity of 4 CPUs, 8Gi and 110 pods.
	Capacity corev1.ResourceList
	// ReadyAfterSeconds is how long after its creation the node becomes Ready.
	ReadyAfterSeconds int
	// Unplugged nodes never report, like an instance whose kubelet never started.
	Unplugged bool
}

// AddNode creates a node and waits until it is Ready, unless the spec delays or
// prevents that.
func (c *Cluster) AddNode(ctx context.Context, spec NodeSpec) error {
	c.mu.Lock()
	c.nodes++
	number := c.nodes
	c.mu.Unlock()

	node := spec.object(number)
	if _, err := c.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("add node %s: %w", spec.Name, err)
	}
	if spec.Unplugged || spec.ReadyAfterSeconds > 0 {
		return nil
	}
	return c.WaitNodeReady(ctx, spec.Name, corev1.ConditionTrue)
}

func (s NodeSpec) object(number int) *corev1.Node {
	labels := map[string]string{
		corev1.LabelHostname:   s.Name,
		corev1.LabelOSStable:   "linux",
		corev1.LabelArchStable: "amd64",
	}
	if s.Zone != "" {
		labels[corev1.LabelTopologyZone] = s.Zone
	}
	if !s.Unplugged {
		labels[plugLabel] = plugIn
	}
	maps.Copy(labels, s.Labels)
	annotations := map[string]string{}
	maps.Copy(annotations, s.Annotations)
	if s.ReadyAfterSeconds > 0 {
		annotations[ReadyAfterAnnotation] = strconv.Itoa(s.ReadyAfterSeconds)
	}
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("4"),
		corev1.ResourceMemory: resource.MustParse("8Gi"),
		corev1.ResourcePods:   resource.MustParse("110"),
	}
	maps.Copy(capacity, s.Capacity)
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: s.Name, Labels: labels, Annotations: annotations},
		Spec:       corev1.NodeSpec{Taints: s.Taints, Unschedulable: s.Unschedulable},
		Status: corev1.NodeStatus{
			Capacity:    capacity,
			Allocatable: capacity,
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("10.200.%d.%d", number/250, 1+number%250)},
				{Type: corev1.NodeHostName, Address: s.Name},
			},
			NodeInfo: corev1.NodeSystemInfo{OperatingSystem: "linux", Architecture: "amd64", KubeletVersion: "simulated"},
		},
	}
}

// DeleteNode deletes a Node, as a cluster autoscaler does. The pod garbage collector
// deletes its pods about 45 s later.
func (c *Cluster) DeleteNode(ctx context.Context, name string) error {
	if err := c.client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("delete node %s: %w", name, err)
	}
	return nil
}

// PullPlug stops a node's kubelet: its lease is no longer renewed and its pods no
// longer change. The node becomes Unknown after the grace period.
func (c *Cluster) PullPlug(ctx context.Context, name string) error {
	return c.patchNode(ctx, name, "labels", plugLabel, nil)
}

// PlugIn starts the kubelet again. Its pods are as it left them.
func (c *Cluster) PlugIn(ctx context.Context, name string) error {
	return c.patchNode(ctx, name, "labels", plugLabel, plugIn)
}

// SetNodeBehaviour sets the behaviour of a node: NotReady or Healthy.
func (c *Cluster) SetNodeBehaviour(ctx context.Context, name string, behaviour Behaviour) error {
	return c.patchNode(ctx, name, "annotations", BehaviourAnnotation, behaviour.value())
}

// SetPodBehaviour overrides the behaviour of one pod.
func (c *Cluster) SetPodBehaviour(ctx context.Context, namespace, name string, behaviour Behaviour) error {
	patch, err := metadataPatch("annotations", BehaviourAnnotation, behaviour.value())
	if err != nil {
		return err
	}
	if _, err := c.client.CoreV1().Pods(namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("set behaviour of pod %s/%s: %w", namespace, name, err)
	}
	return nil
}

func (c *Cluster) patchNode(ctx context.Context, name, field, key string, value any) error {
	patch, err := metadataPatch(field, key, value)
	if err != nil {
		return err
	}
	if _, err := c.client.CoreV1().Nodes().Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("patch %s of node %s: %w", field, name, err)
	}
	return nil
}

// metadataPatch returns a patch that sets one label or annotation; nil removes it.
func metadataPatch(field, key string, value any) ([]byte, error) {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{field: map[string]any{key: value}}})
	if err != nil {
		return nil, fmt.Errorf("make patch: %w", err)
	}
	return patch, nil
}
