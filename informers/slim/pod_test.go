package slim_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

var noon = metav1.NewTime(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))

// noonStamp is noon in Unix time.
const noonStamp slim.Stamp = 1795435200

func in(values ...string) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: values}
}

func fields(requirements ...corev1.NodeSelectorRequirement) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchFields: requirements}
}

func pinned(terms ...corev1.NodeSelectorTerm) corev1.PodSpec {
	return corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: terms},
	}}}
}

func TestPodNodeName(t *testing.T) {
	t.Parallel()
	bound := pinned(fields(in("b")))
	bound.NodeName = "a"
	for name, test := range map[string]struct {
		spec corev1.PodSpec
		want string
	}{
		"a bound pod has the node that it runs on":                      {bound, "a"},
		"an unbound pod has that of its node affinity":                  {pinned(fields(in("b"))), "b"},
		"it can be in a later term":                                     {pinned(corev1.NodeSelectorTerm{}, fields(in("b"))), "b"},
		"it can follow another field":                                   {pinned(fields(corev1.NodeSelectorRequirement{Key: "metadata.uid", Operator: "In", Values: []string{"x"}}, in("b"))), "b"},
		"the first of two names counts":                                 {pinned(fields(in("b"), in("c"))), "b"},
		"two names in one requirement do not count":                     {pinned(fields(in("b", "c"))), ""},
		"a requirement without a name does not count, nor what follows": {pinned(fields(in()), fields(in("b"))), ""},
		"an excluded name does not count":                               {pinned(fields(corev1.NodeSelectorRequirement{Key: "metadata.name", Operator: "NotIn", Values: []string{"b"}})), ""},
		"a label of that name does not count":                           {pinned(corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{in("b")}}), ""},
		"affinity without terms has none":                               {pinned(), ""},
		"affinity without node affinity has none":                       {corev1.PodSpec{Affinity: &corev1.Affinity{}}, ""},
		"node affinity that requires nothing has none":                  {corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}}}, ""},
		"a pod without a node and affinity has none":                    {corev1.PodSpec{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			pod := slim.FromPod(&corev1.Pod{Spec: test.spec})
			check.Equal(t, pod.NodeName.Value(), test.want, "the node")
			check.That(t, pod.Bound == (test.spec.NodeName != ""), "bound: %v, with node name %q", pod.Bound, test.spec.NodeName)
		})
	}
}

func TestPodOwner(t *testing.T) {
	t.Parallel()
	ref := func(kind string, controller *bool) metav1.OwnerReference {
		return metav1.OwnerReference{APIVersion: "apps/v1", Kind: kind, Name: "fluentd", UID: types.UID("uid-" + kind), Controller: controller}
	}
	daemonSet := slim.ParseUID("uid-DaemonSet")
	for name, test := range map[string]struct {
		owners []metav1.OwnerReference
		want   slim.UID
	}{
		"is the DaemonSet that controls it":           {[]metav1.OwnerReference{ref("DaemonSet", ptr.To(true))}, daemonSet},
		"is found anywhere among the owners":          {[]metav1.OwnerReference{ref("ConfigMap", nil), ref("DaemonSet", ptr.To(true))}, daemonSet},
		"is not a DaemonSet that does not control it": {[]metav1.OwnerReference{ref("DaemonSet", ptr.To(false))}, slim.UID{}},
		"is not a DaemonSet without the field":        {[]metav1.OwnerReference{ref("DaemonSet", nil)}, slim.UID{}},
		"is not a controller of another kind":         {[]metav1.OwnerReference{ref("StatefulSet", ptr.To(true))}, slim.UID{}},
		"is zero for a pod without a controller":      {nil, slim.UID{}},
	} {
		t.Run(name, func(t *testing.T) {
			pod := slim.FromPod(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{
				OwnerReferences: test.owners,
				Labels:          map[string]string{"controller-revision-hash": "abc"},
			}})
			check.Equal(t, pod.Owner, test.want, "owner")
		})
	}
}

// A deletion timestamp is the end of the grace period, not the request.
func TestPodDeletion(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		deleted        *metav1.Time
		grace          *int64
		end, requested slim.Stamp
	}{
		"was requested a grace period before its timestamp":          {&noon, ptr.To(int64(30)), noonStamp, noonStamp - 30},
		"was requested at its timestamp if the grace period is 0":    {&noon, ptr.To(int64(0)), noonStamp, noonStamp},
		"was requested at its timestamp if there is no grace period": {&noon, nil, noonStamp, noonStamp},
		"with a negative grace period counts as one of 0":            {&noon, ptr.To(int64(-5)), noonStamp, noonStamp},
		"was not requested without a timestamp":                      {nil, ptr.To(int64(30)), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			pod := slim.FromPod(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{
				DeletionTimestamp: test.deleted, DeletionGracePeriodSeconds: test.grace,
			}})
			check.That(t, pod.DeletionTimestamp == test.end && pod.DeletionRequestedAt() == test.requested, "timestamp %d, requested %d; want %d, %d", pod.DeletionTimestamp, pod.DeletionRequestedAt(), test.end, test.requested)
		})
	}
}

func TestPodConditions(t *testing.T) {
	t.Parallel()
	pod := slim.FromPod(&corev1.Pod{
		Status: corev1.PodStatus{
			Phase:  corev1.PodPending,
			Reason: "Evicted",
			Conditions: []corev1.PodCondition{
				{Type: "somebody.io/gate", Status: "False"},
				{Type: corev1.PodReady, Status: "False", Reason: "ReadinessGatesNotReady", LastTransitionTime: noon},
				{
					Type: corev1.PodScheduled, Status: "False", LastTransitionTime: noon,
					Message: "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity].",
				},
				{Type: corev1.DisruptionTarget, Status: "True", Reason: "EvictionByEvictionAPI"},
			},
		},
	})
	want := &slim.Pod{
		NodeName: slim.Intern(""), ControllerRevisionHash: slim.Intern(""),
		Phase: slim.PodPending, Evicted: true, InsufficientResources: true, ReadinessGatesNotReady: true,
		DisruptionTarget: slim.DisruptionEvictionAPI,
		Ready:            slim.Condition{Status: slim.ConditionFalse, LastTransitionTime: noonStamp},
		PodScheduled:     slim.Condition{Status: slim.ConditionFalse, LastTransitionTime: noonStamp},
	}
	want.Namespace = slim.Intern("")
	if diff := cmp.Diff(want, pod, ignoreVersion); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPodInsufficientResources(t *testing.T) {
	t.Parallel()
	scheduled := func(status corev1.ConditionStatus, message string) *slim.Pod {
		return slim.FromPod(&corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: status, Reason: "Unschedulable", Message: message},
		}}})
	}
	for message, want := range map[string]bool{
		"0/6 nodes are available: 1 Insufficient cpu, 5 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to deallocate, preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling.": true,
		"0/6 nodes are available: 1 Insufficient memory.":                                        true,
		"0/6 nodes are available: 1 Insufficient nvidia.com/gpu.":                                true,
		"0/6 nodes are available: 1 Too many pods.":                                              true,
		"0/6 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.": false,
		"0/6 nodes are available: 1 node(s) had untolerated taint(s).":                           false,
		"": false,
	} {
		check.Equal(t, scheduled(corev1.ConditionFalse, message).InsufficientResources, want, message)
		check.That(t, !scheduled(corev1.ConditionTrue, message).InsufficientResources, "%q: true for a scheduled pod", message)
	}
}

func TestPodPhase(t *testing.T) {
	t.Parallel()
	for phase, want := range map[corev1.PodPhase]slim.PodPhase{
		"": slim.PodPending, "Pending": slim.PodPending, "Running": slim.PodRunning,
		"Succeeded": slim.PodSucceeded, "Failed": slim.PodFailed,
		"Unknown": slim.PodOther, "Hibernating": slim.PodOther,
	} {
		pod := slim.FromPod(&corev1.Pod{Status: corev1.PodStatus{Phase: phase}})
		check.That(t, pod.Phase == want && pod.Terminal() == (phase == "Succeeded" || phase == "Failed"), "phase %q is %v, terminal %v; want %v", phase, pod.Phase, pod.Terminal(), want)
	}
}

func TestPodDisruptionTarget(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]slim.Disruption{
		"EvictionByEvictionAPI": slim.DisruptionEvictionAPI, "DeletionByPodGC": slim.DisruptionPodGC,
		"PreemptionByScheduler": slim.DisruptionOther, "TerminationByKubelet": slim.DisruptionOther,
		"": slim.DisruptionOther, "NewInTheNextRelease": slim.DisruptionOther,
	} {
		for status, want := range map[corev1.ConditionStatus]slim.Disruption{"True": want, "False": slim.DisruptionNone} {
			condition := corev1.PodCondition{Type: corev1.DisruptionTarget, Status: status, Reason: reason}
			pod := slim.FromPod(&corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{condition}}})
			check.Equal(t, pod.DisruptionTarget, want, status, "with the reason", reason)
		}
	}
}
