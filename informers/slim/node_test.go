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
)

// ignoreMeta leaves out the version, which no rule reads.
var ignoreMeta = cmp.Options{cmpopts.IgnoreUnexported(slim.Meta{}), cmp.Comparer(func(a, b slim.Text) bool { return a == b })}

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

func TestWhatIsKeptOfANode(t *testing.T) {
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
	if diff := cmp.Diff(want, slim.FromNode(apiNode()), ignoreMeta); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadyConditionOfANode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		conditions   []corev1.NodeCondition
		want         slim.ConditionStatus
		neverUpdated bool
	}{
		"a node without conditions carries none":      {nil, slim.ConditionAbsent, false},
		"True is true":                                {[]corev1.NodeCondition{{Type: "Ready", Status: "True"}}, slim.ConditionTrue, false},
		"False is false":                              {[]corev1.NodeCondition{{Type: "Ready", Status: "False"}}, slim.ConditionFalse, false},
		"Unknown is unknown":                          {[]corev1.NodeCondition{{Type: "Ready", Status: "Unknown", Reason: "NodeStatusUnknown"}}, slim.ConditionUnknown, false},
		"a kubelet that never posted is told apart":   {[]corev1.NodeCondition{{Type: "Ready", Status: "Unknown", Reason: "NodeStatusNeverUpdated"}}, slim.ConditionUnknown, true},
		"a status that does not exist is unknown":     {[]corev1.NodeCondition{{Type: "Ready", Status: "Maybe"}}, slim.ConditionUnknown, false},
		"an empty status is unknown":                  {[]corev1.NodeCondition{{Type: "Ready"}}, slim.ConditionUnknown, false},
		"other conditions say nothing about Ready":    {[]corev1.NodeCondition{{Type: "DiskPressure", Status: "Unknown", Reason: "NodeStatusNeverUpdated"}}, slim.ConditionAbsent, false},
		"a condition without a name is of no concern": {[]corev1.NodeCondition{{Status: "True"}}, slim.ConditionAbsent, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := slim.FromNode(&corev1.Node{Status: corev1.NodeStatus{Conditions: test.conditions}})
			if node.Ready.Status != test.want || node.NeverUpdated != test.neverUpdated {
				t.Errorf("Ready is %v, never updated %v; want %v, %v", node.Ready.Status, node.NeverUpdated, test.want, test.neverUpdated)
			}
		})
	}
}

func TestConditionsThatAnnounceTheEndOfANode(t *testing.T) {
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
				t.Errorf("%s=%s announces the end: %v, want %v", condition, status, node.EndAnnounced, want)
			}
		}
	}
}

// Most updates of a node are heartbeats. They must cost no judgement; whatever a
// rule reads must.
func TestSameNode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change                   func(*corev1.Node)
		same, sameForItsPlacment bool
	}{
		"a heartbeat changes nothing": {func(n *corev1.Node) {
			n.ResourceVersion = "99"
			n.Status.Conditions[1].LastHeartbeatTime = metav1.NewTime(noon.Add(time.Hour))
		}, true, true},
		"images and capacity are left out": {func(n *corev1.Node) {
			n.Status.Images = nil
			n.Status.Capacity = corev1.ResourceList{"cpu": resource.MustParse("4")}
		}, true, true},
		"annotations are left out":                                {func(n *corev1.Node) { n.Annotations = map[string]string{"ttl": "0"} }, true, true},
		"when a taint was added is left out":                      {func(n *corev1.Node) { n.Spec.Taints[0].TimeAdded = &noon }, true, true},
		"another condition is left out":                           {func(n *corev1.Node) { n.Status.Conditions[0].Status = "True" }, true, true},
		"a message is left out":                                   {func(n *corev1.Node) { n.Status.Conditions[1].Message = "fine" }, true, true},
		"a label's value counts for placement":                    {func(n *corev1.Node) { n.Labels["node-type"] = "gpu" }, false, false},
		"a new label counts for placement":                        {func(n *corev1.Node) { n.Labels["zone"] = "" }, false, false},
		"a taint's value counts for placement":                    {func(n *corev1.Node) { n.Spec.Taints[0].Value = "no" }, false, false},
		"a taint's effect counts for placement":                   {func(n *corev1.Node) { n.Spec.Taints[0].Effect = "NoExecute" }, false, false},
		"a taint less counts for placement":                       {func(n *corev1.Node) { n.Spec.Taints = nil }, false, false},
		"another node of the same name is no version of this one": {func(n *corev1.Node) { n.UID = "uid-b" }, false, false},
		"cordoning counts, though not for placement":              {func(n *corev1.Node) { n.Spec.Unschedulable = false }, false, true},
		"a deletion timestamp counts":                             {func(n *corev1.Node) { n.DeletionTimestamp = &noon }, false, true},
		"Ready counts":                                            {func(n *corev1.Node) { n.Status.Conditions[1].Status = "False" }, false, true},
		"since when it is Ready counts": {func(n *corev1.Node) {
			n.Status.Conditions[1].LastTransitionTime = metav1.NewTime(noon.Add(time.Second))
		}, false, true},
		"that a kubelet never posted counts": {func(n *corev1.Node) { n.Status.Conditions[1].Reason = "NodeStatusNeverUpdated" }, false, true},
		"that the end is announced counts": {func(n *corev1.Node) {
			n.Status.Conditions[0] = corev1.NodeCondition{Type: "Drained", Status: "True"}
		}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := apiNode()
			test.change(changed)
			before, after := slim.FromNode(apiNode()), slim.FromNode(changed)
			if before.Same(after) != test.same || after.Same(before) != test.same {
				t.Errorf("Same is %v and %v, want %v", before.Same(after), after.Same(before), test.same)
			}
			if before.SamePlacement(after) != test.sameForItsPlacment {
				t.Errorf("SamePlacement is %v, want %v", before.SamePlacement(after), test.sameForItsPlacment)
			}
		})
	}
}

// The informer cache owns what was decoded. A record must not change with it,
// and must not keep the whole object in memory by a slice of its taints.
func TestANodeRecordKeepsItsOwnTaints(t *testing.T) {
	t.Parallel()
	object := apiNode()
	node := slim.FromNode(object)
	object.Spec.Taints[0].Key = "changed"
	if got := node.Taints[0].Key; got != "gpu" {
		t.Errorf("the record's taint became %q", got)
	}
	if !maps.Equal(node.Labels, object.Labels) {
		t.Errorf("labels %v, want %v", node.Labels, object.Labels)
	}
}
