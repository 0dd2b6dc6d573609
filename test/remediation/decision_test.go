package remediation

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestDecision(t *testing.T) {
	now := time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)
	dead := func(taints ...string) *corev1.Node {
		node := &corev1.Node{Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
			{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionUnknown},
			{Type: corev1.NodeReady, Status: corev1.ConditionUnknown},
		}}}
		for _, key := range taints {
			node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: key})
		}
		return node
	}
	notReady := dead()
	notReady.Status.Conditions[1].Status = corev1.ConditionFalse
	pods := func(graceEnds ...time.Duration) (pods []corev1.Pod) {
		pods = append(pods, corev1.Pod{}) // runs
		for _, end := range graceEnds {
			pods = append(pods, corev1.Pod{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &metav1.Time{Time: now.Add(end)}}})
		}
		return pods
	}
	overdue := pods(-time.Second)
	for name, test := range map[string]struct {
		situation
		want Decision
	}{
		"one of four is off":                      {situation{dead(), 4, 1, overdue, true}, DecisionDeclare},
		"one of two is off":                       {situation{dead(), 2, 1, overdue, true}, DecisionDeclare},
		"as many as may be":                       {situation{dead(), 8, 2, overdue, true}, DecisionDeclare},
		"more than may be":                        {situation{dead(), 7, 2, overdue, true}, DecisionTooMany},
		"two of five, 40 %":                       {situation{dead(), 5, 2, overdue, true}, DecisionTooMany},
		"no second source":                        {situation{dead(), 4, 1, overdue, false}, DecisionMayRun},
		"no pod waits":                            {situation{dead(), 4, 1, pods(), true}, DecisionNotNeeded},
		"a pod within its grace period":           {situation{dead(), 4, 1, pods(time.Second), true}, DecisionNotNeeded},
		"a person was faster":                     {situation{dead(corev1.TaintNodeOutOfService), 4, 1, overdue, true}, DecisionDeclared},
		"other taints":                            {situation{dead(corev1.TaintNodeUnreachable), 4, 1, overdue, true}, DecisionDeclare},
		"the kubelet says NotReady":               {situation{notReady, 4, 1, overdue, true}, DecisionReports},
		"a node that never had a condition":       {situation{&corev1.Node{}, 4, 1, overdue, true}, DecisionReports},
		"a node that was deleted in the meantime": {situation{nil, 4, 0, nil, false}, DecisionGone},
	} {
		t.Run(name, func(t *testing.T) {
			check.Equal(t, test.decide(0.25, now), test.want, "decision")
		})
	}
}
