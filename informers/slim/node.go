package slim

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Node is a trimmed node. Images, addresses, capacity, annotations and managed
// fields, which make up most of the object, are left out.
type Node struct {
	Meta
	// NameText is the name in the type of Pod.NodeName.
	NameText Text
	// Labels holds all labels: placement can depend on any of them.
	Labels map[string]string
	Taints []corev1.Taint
	// Unschedulable reports whether the node is cordoned.
	Unschedulable     bool
	DeletionTimestamp Stamp
	Ready             Condition
	// NeverUpdated reports whether no kubelet has ever posted a status: the Ready
	// condition has the reason NodeStatusNeverUpdated.
	NeverUpdated bool
	// EndAnnounced reports whether a condition announces the end of the node
	// (Kubernetes 1.37, gate NodeLifecycleConditions).
	EndAnnounced bool
	// EndAnnouncedAt is since when, by the earliest of these conditions.
	EndAnnouncedAt Stamp
}

// reasonNeverUpdated is written by the node lifecycle controller when no kubelet
// ever posted a status (pkg/controller/nodelifecycle/node_lifecycle_controller.go, v1.37).
const reasonNeverUpdated = "NodeStatusNeverUpdated"

// FromNode returns the trimmed node.
func FromNode(node *corev1.Node) *Node {
	meta := metaOf(node)
	trimmed := &Node{
		Meta:              meta,
		NameText:          Intern(meta.Name),
		Labels:            node.Labels,
		Taints:            slices.Clone(node.Spec.Taints),
		Unschedulable:     node.Spec.Unschedulable,
		DeletionTimestamp: StampOf(node.DeletionTimestamp),
	}
	for i := range node.Status.Conditions {
		condition := &node.Status.Conditions[i]
		switch condition.Type {
		case corev1.NodeReady:
			trimmed.Ready = Condition{
				Status:             statusOf(condition.Status),
				LastTransitionTime: StampOf(&condition.LastTransitionTime),
			}
			trimmed.NeverUpdated = condition.Reason == reasonNeverUpdated
		case corev1.NodeGracefulNodeShutdownInProgress, corev1.NodeDrainInProgress,
			corev1.NodeDrained, corev1.NodeMaintenanceInProgress:
			if since := StampOf(&condition.LastTransitionTime); condition.Status == corev1.ConditionTrue {
				if !trimmed.EndAnnounced || since < trimmed.EndAnnouncedAt {
					trimmed.EndAnnouncedAt = since
				}
				trimmed.EndAnnounced = true
			}
		}
	}
	return trimmed
}

// SamePlacement reports whether two versions of a node are the same to the
// placement of every DaemonSet.
func (n *Node) SamePlacement(other *Node) bool {
	return n.UID == other.UID && maps.Equal(n.Labels, other.Labels) &&
		slices.EqualFunc(n.Taints, other.Taints, sameTaint)
}

// Same reports whether two versions of a node are the same in all that the
// exporter reads. Most updates of a node are heartbeats, and are the same.
func (n *Node) Same(other *Node) bool {
	return n.SamePlacement(other) && n.CreationTimestamp == other.CreationTimestamp &&
		n.Unschedulable == other.Unschedulable && n.DeletionTimestamp == other.DeletionTimestamp &&
		n.Ready == other.Ready && n.NeverUpdated == other.NeverUpdated &&
		n.EndAnnounced == other.EndAnnounced && n.EndAnnouncedAt == other.EndAnnouncedAt
}

// sameTaint ignores when a taint was added: nothing depends on it.
func sameTaint(a, b corev1.Taint) bool {
	return a.Key == b.Key && a.Value == b.Value && a.Effect == b.Effect
}

var _ metav1.ObjectMetaAccessor = (*Node)(nil)
