package readiness_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
)

func TestLifecycle(t *testing.T) {
	t.Parallel()
	fresh := created(-60)
	for name, test := range map[string]struct {
		node []option
		want readiness.Lifecycle
	}{
		"an old node is active":                          {nil, readiness.LifecycleActive},
		"a node that fails stays active":                 {[]option{ready("Unknown", -60)}, readiness.LifecycleActive},
		"a node created a minute ago is joining":         {[]option{fresh}, readiness.LifecycleJoining},
		"one created five minutes ago is active":         {[]option{created(-300)}, readiness.LifecycleActive},
		"one created in the future is joining":           {[]option{created(60)}, readiness.LifecycleJoining},
		"spec.unschedulable is cordoned":                 {[]option{cordoned}, readiness.LifecycleCordoned},
		"the taint alone is no cordon":                   {[]option{tainted("node.kubernetes.io/unschedulable")}, readiness.LifecycleActive},
		"cordoned comes before joining":                  {[]option{fresh, cordoned}, readiness.LifecycleCordoned},
		"leaving comes before cordoned and joining":      {[]option{fresh, cordoned, deleted}, readiness.LifecycleLeaving},
		"leaving comes before joining":                   {[]option{fresh, tainted("karpenter.sh/disrupted")}, readiness.LifecycleLeaving},
		"a deletion timestamp is leaving":                {[]option{deleted}, readiness.LifecycleLeaving},
		"the autoscaler's decision is leaving":           {[]option{tainted("ToBeDeletedByClusterAutoscaler")}, readiness.LifecycleLeaving},
		"the autoscaler's consideration is not":          {[]option{tainted("DeletionCandidateOfClusterAutoscaler")}, readiness.LifecycleActive},
		"Karpenter's taint is leaving":                   {[]option{tainted("karpenter.sh/disrupted")}, readiness.LifecycleLeaving},
		"Karpenter's older taint is leaving":             {[]option{tainted("karpenter.sh/disruption")}, readiness.LifecycleLeaving},
		"GKE's notice is leaving":                        {[]option{tainted("cloud.google.com/impending-node-termination")}, readiness.LifecycleLeaving},
		"any taint of AWS's handler is leaving":          {[]option{tainted("aws-node-termination-handler/spot-itn")}, readiness.LifecycleLeaving},
		"its name alone is not":                          {[]option{tainted("aws-node-termination-handler")}, readiness.LifecycleActive},
		"out of service is leaving":                      {[]option{tainted("node.kubernetes.io/out-of-service")}, readiness.LifecycleLeaving},
		"a cloud's shutdown is leaving":                  {[]option{tainted("node.cloudprovider.kubernetes.io/shutdown")}, readiness.LifecycleLeaving},
		"a leaving taint counts behind others":           {[]option{tainted("gpu", "x", "karpenter.sh/disrupted")}, readiness.LifecycleLeaving},
		"the user's own taint is leaving":                {[]option{tainted("example.com/retired")}, readiness.LifecycleLeaving},
		"the user's own prefix is leaving":               {[]option{tainted("example.com/drain/now")}, readiness.LifecycleLeaving},
		"a key that only begins like one is not":         {[]option{tainted("example.com/retired-maybe", "karpenter.sh/disrupted2")}, readiness.LifecycleActive},
		"a failing node's own taints are not leaving":    {[]option{tainted("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")}, readiness.LifecycleActive},
		"graceful shutdown in progress is leaving":       {[]option{announced("GracefulNodeShutdownInProgress", "True")}, readiness.LifecycleLeaving},
		"draining is leaving":                            {[]option{announced("DrainInProgress", "True")}, readiness.LifecycleLeaving},
		"drained is leaving":                             {[]option{announced("Drained", "True")}, readiness.LifecycleLeaving},
		"maintenance is leaving":                         {[]option{announced("MaintenanceInProgress", "True")}, readiness.LifecycleLeaving},
		"a maintenance that is only planned is not":      {[]option{announced("MaintenancePlanned", "True")}, readiness.LifecycleActive},
		"a condition that is not True announces nothing": {[]option{announced("Drained", "False"), announced("DrainInProgress", "Unknown")}, readiness.LifecycleActive},
		"any effect of a leaving taint counts": {[]option{func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "ToBeDeletedByClusterAutoscaler", Effect: corev1.TaintEffectPreferNoSchedule}}
		}}, readiness.LifecycleLeaving},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := readiness.NewNode(node(test.node...), rules(), at(0))
			if got := n.Lifecycle(); got != test.want {
				t.Errorf("it is %v, want %v", got, test.want)
			}
		})
	}
}

// The join grace runs from the creation, and anew from the moment at which a
// node is Ready for the first time.
func TestJoinGraceRunsOut(t *testing.T) {
	t.Parallel()
	n := readiness.NewNode(node(created(0), withoutConditions), rules(), at(1))
	expect := func(when float64, want readiness.Lifecycle) {
		t.Helper()
		n.Tick(rules(), at(when))
		if got := n.Lifecycle(); got != want {
			t.Errorf("%v s after noon it is %v, want %v", when, got, want)
		}
	}
	expect(299, readiness.LifecycleJoining)
	expect(300, readiness.LifecycleActive)
	n.Update(node(created(0), ready("True", 1000)), rules(), at(1000.5))
	if got, want := n.JoinedAt(rules()), at(1300.5); !got.Equal(want) {
		t.Errorf("it is joining until %v, want %v", got, want)
	}
	expect(1000.5, readiness.LifecycleJoining)
	expect(1300.4, readiness.LifecycleJoining)
	expect(1300.5, readiness.LifecycleActive)
	// Later failures and returns are no new beginning.
	n.Update(node(created(0), ready("False", 1400)), rules(), at(1400))
	n.Update(node(created(0), ready("True", 1500)), rules(), at(1500))
	expect(1500, readiness.LifecycleActive)
}

func TestNoJoinGraceMakesNoNodeJoin(t *testing.T) {
	t.Parallel()
	for _, grace := range []time.Duration{0, -time.Minute} {
		n := readiness.NewNode(node(created(0)), &readiness.Rules{JoinGrace: grace}, at(0))
		if got := n.Lifecycle(); got != readiness.LifecycleActive {
			t.Errorf("with a grace of %v a new node is %v", grace, got)
		}
	}
}

func TestLifecycleNames(t *testing.T) {
	t.Parallel()
	var got []string
	for lifecycle := range readiness.Lifecycles {
		got = append(got, lifecycle.String())
	}
	if diff := cmp.Diff([]string{"active", "joining", "cordoned", "leaving"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
