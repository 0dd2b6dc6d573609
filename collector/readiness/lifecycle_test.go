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
		"an old node is active":                          {nil, readiness.Active},
		"a node that fails stays active":                 {[]option{ready("Unknown", -60)}, readiness.Active},
		"a node created a minute ago is joining":         {[]option{fresh}, readiness.Joining},
		"one created five minutes ago is active":         {[]option{created(-300)}, readiness.Active},
		"one created in the future is joining":           {[]option{created(60)}, readiness.Joining},
		"spec.unschedulable is cordoned":                 {[]option{cordoned}, readiness.Cordoned},
		"the taint alone is no cordon":                   {[]option{tainted("node.kubernetes.io/unschedulable")}, readiness.Active},
		"cordoned comes before joining":                  {[]option{fresh, cordoned}, readiness.Cordoned},
		"leaving comes before cordoned and joining":      {[]option{fresh, cordoned, deleted}, readiness.Leaving},
		"leaving comes before joining":                   {[]option{fresh, tainted("karpenter.sh/disrupted")}, readiness.Leaving},
		"a deletion timestamp is leaving":                {[]option{deleted}, readiness.Leaving},
		"the autoscaler's decision is leaving":           {[]option{tainted("ToBeDeletedByClusterAutoscaler")}, readiness.Leaving},
		"the autoscaler's consideration is not":          {[]option{tainted("DeletionCandidateOfClusterAutoscaler")}, readiness.Active},
		"Karpenter's taint is leaving":                   {[]option{tainted("karpenter.sh/disrupted")}, readiness.Leaving},
		"Karpenter's older taint is leaving":             {[]option{tainted("karpenter.sh/disruption")}, readiness.Leaving},
		"GKE's notice is leaving":                        {[]option{tainted("cloud.google.com/impending-node-termination")}, readiness.Leaving},
		"any taint of AWS's handler is leaving":          {[]option{tainted("aws-node-termination-handler/spot-itn")}, readiness.Leaving},
		"its name alone is not":                          {[]option{tainted("aws-node-termination-handler")}, readiness.Active},
		"out of service is leaving":                      {[]option{tainted("node.kubernetes.io/out-of-service")}, readiness.Leaving},
		"a cloud's shutdown is leaving":                  {[]option{tainted("node.cloudprovider.kubernetes.io/shutdown")}, readiness.Leaving},
		"a leaving taint counts behind others":           {[]option{tainted("gpu", "x", "karpenter.sh/disrupted")}, readiness.Leaving},
		"the user's own taint is leaving":                {[]option{tainted("example.com/retired")}, readiness.Leaving},
		"the user's own prefix is leaving":               {[]option{tainted("example.com/drain/now")}, readiness.Leaving},
		"a key that only begins like one is not":         {[]option{tainted("example.com/retired-maybe", "karpenter.sh/disrupted2")}, readiness.Active},
		"a failing node's own taints are not leaving":    {[]option{tainted("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")}, readiness.Active},
		"graceful shutdown in progress is leaving":       {[]option{announced("GracefulNodeShutdownInProgress", "True")}, readiness.Leaving},
		"draining is leaving":                            {[]option{announced("DrainInProgress", "True")}, readiness.Leaving},
		"drained is leaving":                             {[]option{announced("Drained", "True")}, readiness.Leaving},
		"maintenance is leaving":                         {[]option{announced("MaintenanceInProgress", "True")}, readiness.Leaving},
		"a maintenance that is only planned is not":      {[]option{announced("MaintenancePlanned", "True")}, readiness.Active},
		"a condition that is not True announces nothing": {[]option{announced("Drained", "False"), announced("DrainInProgress", "Unknown")}, readiness.Active},
		"any effect of a leaving taint counts": {[]option{func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "ToBeDeletedByClusterAutoscaler", Effect: corev1.TaintEffectPreferNoSchedule}}
		}}, readiness.Leaving},
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
	expect(299, readiness.Joining)
	expect(300, readiness.Active)
	n.Update(node(created(0), ready("True", 1000)), rules(), at(1000.5))
	if got, want := n.JoinedAt(rules()), at(1300.5); !got.Equal(want) {
		t.Errorf("it is joining until %v, want %v", got, want)
	}
	expect(1000.5, readiness.Joining)
	expect(1300.4, readiness.Joining)
	expect(1300.5, readiness.Active)
	// Later failures and returns are no new beginning.
	n.Update(node(created(0), ready("False", 1400)), rules(), at(1400))
	n.Update(node(created(0), ready("True", 1500)), rules(), at(1500))
	expect(1500, readiness.Active)
}

func TestNoJoinGraceMakesNoNodeJoin(t *testing.T) {
	t.Parallel()
	for _, grace := range []time.Duration{0, -time.Minute} {
		n := readiness.NewNode(node(created(0)), &readiness.Rules{JoinGrace: grace}, at(0))
		if got := n.Lifecycle(); got != readiness.Active {
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
