package slim_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// noon is 1795435200 in Unix time.
var noon = metav1.NewTime(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))

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

func TestNodeOfAPod(t *testing.T) {
	t.Parallel()
	bound := pinned(fields(in("b")))
	bound.NodeName = "a"
	for name, test := range map[string]struct {
		spec corev1.PodSpec
		want string
	}{
		"a bound pod's is the node that it runs on":                {bound, "a"},
		"an unbound pod's stands in its node affinity":             {pinned(fields(in("b"))), "b"},
		"it may stand in a later term":                             {pinned(corev1.NodeSelectorTerm{}, fields(in("b"))), "b"},
		"it may stand behind another field":                        {pinned(fields(corev1.NodeSelectorRequirement{Key: "metadata.uid", Operator: "In", Values: []string{"x"}}, in("b"))), "b"},
		"the first of two names counts":                            {pinned(fields(in("b"), in("c"))), "b"},
		"two names in one requirement are none":                    {pinned(fields(in("b", "c"))), ""},
		"no name in a requirement is none, whatever follows":       {pinned(fields(in()), fields(in("b"))), ""},
		"a name that it must not have is none":                     {pinned(fields(corev1.NodeSelectorRequirement{Key: "metadata.name", Operator: "NotIn", Values: []string{"b"}})), ""},
		"a label of that name is none":                             {pinned(corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{in("b")}}), ""},
		"affinity without terms is none":                           {pinned(), ""},
		"affinity without node affinity is none":                   {corev1.PodSpec{Affinity: &corev1.Affinity{}}, ""},
		"node affinity that requires nothing is none":              {corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}}}, ""},
		"a pod that names no node and no affinity belongs to none": {corev1.PodSpec{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := slim.FromPod(&corev1.Pod{Spec: test.spec})
			if got := pod.NodeName.Value(); got != test.want {
				t.Errorf("the node is %q, want %q", got, test.want)
			}
			if pod.Bound != (test.spec.NodeName != "") {
				t.Errorf("bound: %v, with node name %q", pod.Bound, test.spec.NodeName)
			}
		})
	}
}

func TestOwnerOfAPod(t *testing.T) {
	t.Parallel()
	ref := func(kind, uid string, controller *bool) metav1.OwnerReference {
		return metav1.OwnerReference{APIVersion: "apps/v1", Kind: kind, Name: "fluentd", UID: "uid-" + "x", Controller: controller}
	}
	daemonSet := slim.ParseUID("uid-x")
	for name, test := range map[string]struct {
		owners []metav1.OwnerReference
		want   slim.UID
	}{
		"is the DaemonSet that controls it":      {[]metav1.OwnerReference{ref("DaemonSet", "x", ptr.To(true))}, daemonSet},
		"stands anywhere among the owners":       {[]metav1.OwnerReference{ref("ConfigMap", "y", nil), ref("DaemonSet", "x", ptr.To(true))}, daemonSet},
		"is not one that does not control it":    {[]metav1.OwnerReference{ref("DaemonSet", "x", ptr.To(false))}, slim.UID{}},
		"is not one that says nothing of it":     {[]metav1.OwnerReference{ref("DaemonSet", "x", nil)}, slim.UID{}},
		"is not a controller of another kind":    {[]metav1.OwnerReference{ref("StatefulSet", "x", ptr.To(true))}, slim.UID{}},
		"is none for a pod that nobody controls": {nil, slim.UID{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := slim.FromPod(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{
				OwnerReferences: test.owners,
				Labels:          map[string]string{"controller-revision-hash": "abc"},
			}})
			if pod.Owner != test.want {
				t.Errorf("owner %x, want %x", pod.Owner, test.want)
			}
		})
	}
}

// A deletion timestamp is the end of the grace period, not the request.
func TestDeletionOfAPod(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		deleted        *metav1.Time
		grace          *int64
		end, requested slim.Stamp
	}{
		"was asked for a grace period before it is due":      {&noon, ptr.To(int64(30)), noonStamp, noonStamp - 30},
		"was asked for as it is due where no grace is left":  {&noon, ptr.To(int64(0)), noonStamp, noonStamp},
		"without a grace period is due when it is asked for": {&noon, nil, noonStamp, noonStamp},
		"with a negative grace period is taken for one of 0": {&noon, ptr.To(int64(-5)), noonStamp, noonStamp},
		"has not been asked for, whatever the grace period":  {nil, ptr.To(int64(30)), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := slim.FromPod(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{
				DeletionTimestamp: test.deleted, DeletionGracePeriodSeconds: test.grace,
			}})
			if pod.DeletionTimestamp != test.end || pod.DeletionRequestedAt() != test.requested {
				t.Errorf("due %d, asked for %d; want %d and %d", pod.DeletionTimestamp, pod.DeletionRequestedAt(), test.end, test.requested)
			}
		})
	}
}

func TestConditionsOfAPod(t *testing.T) {
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
	if diff := cmp.Diff(want, pod, ignoreMeta); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhetherAPodLacksAResource(t *testing.T) {
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
		if got := scheduled(corev1.ConditionFalse, message).InsufficientResources; got != want {
			t.Errorf("%q names a resource: %v, want %v", message, got, want)
		}
		if scheduled(corev1.ConditionTrue, message).InsufficientResources {
			t.Errorf("%q: a pod that is scheduled lacks nothing", message)
		}
	}
}

func TestPhasesAndDisruptions(t *testing.T) {
	t.Parallel()
	for phase, want := range map[corev1.PodPhase]slim.PodPhase{
		"": slim.PodPending, "Pending": slim.PodPending, "Running": slim.PodRunning,
		"Succeeded": slim.PodSucceeded, "Failed": slim.PodFailed,
		"Unknown": slim.PodOther, "Hibernating": slim.PodOther,
	} {
		pod := slim.FromPod(&corev1.Pod{Status: corev1.PodStatus{Phase: phase}})
		if pod.Phase != want || pod.Terminal() != (phase == "Succeeded" || phase == "Failed") {
			t.Errorf("phase %q is %v, terminal %v; want %v", phase, pod.Phase, pod.Terminal(), want)
		}
	}
	for reason, want := range map[string]slim.Disruption{
		"EvictionByEvictionAPI": slim.DisruptionEvictionAPI, "DeletionByPodGC": slim.DisruptionPodGC,
		"PreemptionByScheduler": slim.DisruptionOther, "TerminationByKubelet": slim.DisruptionOther,
		"": slim.DisruptionOther, "NewInTheNextRelease": slim.DisruptionOther,
	} {
		target := corev1.PodCondition{Type: corev1.DisruptionTarget, Status: "True", Reason: reason}
		pod := slim.FromPod(&corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{target}}})
		if pod.DisruptionTarget != want {
			t.Errorf("reason %q is %v, want %v", reason, pod.DisruptionTarget, want)
		}
		target.Status = "False"
		pod = slim.FromPod(&corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{target}}})
		if pod.DisruptionTarget != slim.DisruptionNone {
			t.Errorf("reason %q of a condition that is False is %v", reason, pod.DisruptionTarget)
		}
	}
}
