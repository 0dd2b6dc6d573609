package files

import (
	"encoding/hex"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// What an exporter reads on demand is recorded as objects that hold what it read.

// namespaceWith returns a Namespace that selects these nodes.
func namespaceWith(name string, selector labels.Selector) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, Annotations: map[string]string{"openshift.io/node-selector": selector.String()},
	}}
}

// leaseRenewed returns a node's Lease.
func leaseRenewed(node string, at time.Time) *coordinationv1.Lease {
	renewed := metav1.NewMicroTime(at)
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: corev1.NamespaceNodeLease, Name: node},
		Spec:       coordinationv1.LeaseSpec{RenewTime: &renewed},
	}
}

// controllerRevision returns a DaemonSet's ControllerRevision.
func controllerRevision(namespace string, revision slim.ControllerRevision) *appsv1.ControllerRevision {
	controller := true
	return &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: revision.Hash.Value(),
			Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: revision.Hash.Value()},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: appsv1.SchemeGroupVersion.String(), Kind: "DaemonSet", UID: uidText(revision.Owner), Controller: &controller,
			}},
		},
		Revision: revision.Revision,
	}
}

// uidText returns a text that is parsed to the UID.
func uidText(uid slim.UID) types.UID {
	digits := hex.EncodeToString(uid[:])
	return types.UID(strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-"))
}
