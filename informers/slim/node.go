package slim

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Node is what the exporter keeps of a node. Images, addresses, capacity,
// annotations and managed fields, which make up most of the object, are left
// out.
type Node struct {
	Meta
	// NameText is the name as pods refer to it.
	NameText Text
	// Labels are all labels: placement may ask for any of them.
	Labels map[string]string
	// Taints are all taints of the spec.
	Taints []corev1.Taint
	// Unschedulable is spec.unschedulable: the node is cordoned.
	Unschedulable bool
	// Deleted is the deletion timestamp.
	DeletionTimestamp Stamp
	// Ready is the Ready condition.
	Ready Condition
	// NeverUpdated tells that no kubelet has ever posted a status: the Ready
	// condition has the reason NodeStatusNeverUpdated.
	NeverUpdated bool
	// Announced tells that a condition announces the node's end
	// (Kubernetes 1.37, gate NodeLifecycleConditions).
	EndAnnounced bool
}

// reasonNeverUpdated is what the node lifecycle controller writes when a
// kubelet never posted (pkg/controller/nodelifecycle/node_lifecycle_controller.go, v1.37).
const reasonNeverUpdated = "NodeStatusNeverUpdated"

// FromNode makes the record of a node.
func FromNode(node *corev1.Node) *Node {
	record := &Node{
		Meta:              metaOf(node),
		NameText:          Intern(node.Name),
		Labels:            node.Labels,
		Taints:            slices.Clone(node.Spec.Taints),
		Unschedulable:     node.Spec.Unschedulable,
		DeletionTimestamp: StampOf(node.DeletionTimestamp),
	}
	for i := range node.Status.Conditions {
		condition := &node.Status.Conditions[i]
		switch condition.Type {
		case corev1.NodeReady:
			record.Ready = Condition{
				Status:             statusOf(condition.Status),
				LastTransitionTime: StampOf(&condition.LastTransitionTime),
			}
			record.NeverUpdated = condition.Reason == reasonNeverUpdated
		case corev1.NodeGracefulNodeShutdownInProgress, corev1.NodeDrainInProgress,
			corev1.NodeDrained, corev1.NodeMaintenanceInProgress:
			record.EndAnnounced = record.EndAnnounced || condition.Status == corev1.ConditionTrue
		}
	}
	return record
}

// SamePlacement tells whether two versions of a node give every DaemonSet the
// same placement.
func (n *Node) SamePlacement(other *Node) bool {
	return n.UID == other.UID && maps.Equal(n.Labels, other.Labels) &&
		slices.EqualFunc(n.Taints, other.Taints, sameTaint)
}

// Same tells whether two versions of a node differ in nothing that the
// exporter reads. Most updates of a node are heartbeats, and are the same.
func (n *Node) Same(other *Node) bool {
	return n.SamePlacement(other) && n.CreationTimestamp == other.CreationTimestamp &&
		n.Unschedulable == other.Unschedulable && n.DeletionTimestamp == other.DeletionTimestamp &&
		n.Ready == other.Ready && n.NeverUpdated == other.NeverUpdated &&
		n.EndAnnounced == other.EndAnnounced
}

// sameTaint leaves out when a taint was added: nothing depends on it.
func sameTaint(a, b corev1.Taint) bool {
	return a.Key == b.Key && a.Value == b.Value && a.Effect == b.Effect
}

var _ metav1.ObjectMetaAccessor = (*Node)(nil)
