package slim_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// ignoreVersion ignores the resource version, which no rule reads.
var ignoreVersion = cmp.Options{cmpopts.IgnoreUnexported(slim.Meta{}), cmp.Comparer(func(a, b slim.Text) bool { return a == b })}

func apiNode() *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: "a", UID: "uid-a", CreationTimestamp: noon,
			Labels: map[string]string{"node-type": "worker"},
		},
		Spec: corev1.NodeSpec{
			Unschedulable: true,
			Taints:        []corev1.Taint{{Key: "gpu", Value: "yes", Effect: "NoSchedule"}},
		},
		Status: corev1.NodeStatus{
			Images: make([]corev1.ContainerImage, 50),
			Conditions: []corev1.NodeCondition{
				{Type: "MemoryPressure", Status: "False"},
				{Type: "Ready", Status: "True", LastTransitionTime: noon, LastHeartbeatTime: noon},
			},
		},
	}
}

func TestNode(t *testing.T) {
	t.Parallel()
	want := &slim.Node{
		Meta: slim.Meta{
			Namespace: slim.Intern(""), Name: "a", UID: slim.ParseUID("uid-a"), CreationTimestamp: noonStamp,
		},
		NameText:      slim.Intern("a"),
		Labels:        map[string]string{"node-type": "worker"},
		Taints:        []corev1.Taint{{Key: "gpu", Value: "yes", Effect: "NoSchedule"}},
		Unschedulable: true,
		Ready:         slim.Condition{Status: slim.ConditionTrue, LastTransitionTime: noonStamp},
	}
	if diff := cmp.Diff(want, slim.FromNode(apiNode()), ignoreVersion); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNodeReady(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		conditions   []corev1.NodeCondition
		want         slim.ConditionStatus
		neverUpdated bool
	}{
		"a node without conditions has none":             {nil, slim.ConditionAbsent, false},
		"True is true":                                   {[]corev1.NodeCondition{{Type: "Ready", Status: "True"}}, slim.ConditionTrue, false},
		"False is false":                                 {[]corev1.NodeCondition{{Type: "Ready", Status: "False"}}, slim.ConditionFalse, false},
		"Unknown is unknown":                             {[]corev1.NodeCondition{{Type: "Ready", Status: "Unknown", Reason: "NodeStatusUnknown"}}, slim.ConditionUnknown, false},
		"a kubelet that never posted a status is marked": {[]corev1.NodeCondition{{Type: "Ready", Status: "Unknown", Reason: "NodeStatusNeverUpdated"}}, slim.ConditionUnknown, true},
		"a status that does not exist is unknown":        {[]corev1.NodeCondition{{Type: "Ready", Status: "Maybe"}}, slim.ConditionUnknown, false},
		"an empty status is unknown":                     {[]corev1.NodeCondition{{Type: "Ready"}}, slim.ConditionUnknown, false},
		"other conditions do not matter":                 {[]corev1.NodeCondition{{Type: "DiskPressure", Status: "Unknown", Reason: "NodeStatusNeverUpdated"}}, slim.ConditionAbsent, false},
		"a condition without a type is ignored":          {[]corev1.NodeCondition{{Status: "True"}}, slim.ConditionAbsent, false},
	} {
		t.Run(name, func(t *testing.T) {
			node := slim.FromNode(&corev1.Node{Status: corev1.NodeStatus{Conditions: test.conditions}})
			check.That(t, node.Ready.Status == test.want && node.NeverUpdated == test.neverUpdated, "Ready is %v, never updated %v; want %v, %v", node.Ready.Status, node.NeverUpdated, test.want, test.neverUpdated)
		})
	}
}

func TestNodeEndAnnounced(t *testing.T) {
	t.Parallel()
	for condition, announces := range map[corev1.NodeConditionType]bool{
		"GracefulNodeShutdownInProgress": true,
		"DrainInProgress":                true,
		"Drained":                        true,
		"MaintenanceInProgress":          true,
		"MaintenancePlanned":             false,
		"DiskPressure":                   false,
	} {
		for _, status := range []corev1.ConditionStatus{"True", "False", "Unknown", ""} {
			node := slim.FromNode(&corev1.Node{Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
				{Type: condition, Status: status}, {Type: "Drained", Status: "False"},
			}}})
			if want := announces && status == "True"; node.EndAnnounced != want {
				t.Errorf("%s=%s: end announced %v, want %v", condition, status, node.EndAnnounced, want)
			}
		}
	}
}

// Most updates of a node are heartbeats. They must not lead to a re-evaluation;
// a change of anything that a rule reads must.
func TestNodeSame(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change              func(*corev1.Node)
		same, samePlacement bool
	}{
		"a heartbeat changes nothing": {func(n *corev1.Node) {
			n.ResourceVersion = "99"
			n.Status.Conditions[1].LastHeartbeatTime = metav1.NewTime(noon.Add(time.Hour))
		}, true, true},
		"images and capacity do not matter": {func(n *corev1.Node) {
			n.Status.Images = nil
			n.Status.Capacity = corev1.ResourceList{"cpu": resource.MustParse("4")}
		}, true, true},
		"annotations do not matter":                     {func(n *corev1.Node) { n.Annotations = map[string]string{"ttl": "0"} }, true, true},
		"the time a taint was added does not matter":    {func(n *corev1.Node) { n.Spec.Taints[0].TimeAdded = &noon }, true, true},
		"another condition does not matter":             {func(n *corev1.Node) { n.Status.Conditions[0].Status = "True" }, true, true},
		"a message does not matter":                     {func(n *corev1.Node) { n.Status.Conditions[1].Message = "fine" }, true, true},
		"a label's value counts for placement":          {func(n *corev1.Node) { n.Labels["node-type"] = "gpu" }, false, false},
		"a new label counts for placement":              {func(n *corev1.Node) { n.Labels["zone"] = "" }, false, false},
		"a taint's value counts for placement":          {func(n *corev1.Node) { n.Spec.Taints[0].Value = "no" }, false, false},
		"a taint's effect counts for placement":         {func(n *corev1.Node) { n.Spec.Taints[0].Effect = "NoExecute" }, false, false},
		"a removed taint counts for placement":          {func(n *corev1.Node) { n.Spec.Taints = nil }, false, false},
		"another node of the same name is not the same": {func(n *corev1.Node) { n.UID = "uid-b" }, false, false},
		"cordoning counts, though not for placement":    {func(n *corev1.Node) { n.Spec.Unschedulable = false }, false, true},
		"a deletion timestamp counts":                   {func(n *corev1.Node) { n.DeletionTimestamp = &noon }, false, true},
		"Ready counts":                                  {func(n *corev1.Node) { n.Status.Conditions[1].Status = "False" }, false, true},
		"the transition time of Ready counts": {func(n *corev1.Node) {
			n.Status.Conditions[1].LastTransitionTime = metav1.NewTime(noon.Add(time.Second))
		}, false, true},
		"a kubelet that never posted a status counts": {func(n *corev1.Node) { n.Status.Conditions[1].Reason = "NodeStatusNeverUpdated" }, false, true},
		"an announced end counts": {func(n *corev1.Node) {
			n.Status.Conditions[0] = corev1.NodeCondition{Type: "Drained", Status: "True"}
		}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			changed := apiNode()
			test.change(changed)
			before, after := slim.FromNode(apiNode()), slim.FromNode(changed)
			check.That(t, before.Same(after) == test.same && after.Same(before) == test.same, "Same is %v and %v, want %v", before.Same(after), after.Same(before), test.same)
			check.Equal(t, before.SamePlacement(after), test.samePlacement, "SamePlacement")
		})
	}
}

// The decoded object belongs to the informer. A slim node must not change with
// it, and must not keep all of it in memory through the slice of taints.
func TestNodeTaintsAreCopied(t *testing.T) {
	t.Parallel()
	object := apiNode()
	node := slim.FromNode(object)
	object.Spec.Taints[0].Key = "changed"
	check.Equal(t, node.Taints[0].Key, "gpu", "the taint of the slim node")
	check.That(t, maps.Equal(node.Labels, object.Labels), "labels %v, want %v", node.Labels, object.Labels)
}
