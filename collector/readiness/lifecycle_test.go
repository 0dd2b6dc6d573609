package readiness_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func TestLifecycle(t *testing.T) {
	t.Parallel()
	fresh := objects.Created(-60)
	unschedulable := objects.Change(func(n *corev1.Node) { n.Spec.Unschedulable = true })
	for name, test := range map[string]struct {
		node options
		want readiness.Lifecycle
	}{
		"an old node is active":                          {nil, readiness.LifecycleActive},
		"a node that fails stays active":                 {options{objects.ReadyUnknown(-60)}, readiness.LifecycleActive},
		"a node created a minute ago is joining":         {options{fresh}, readiness.LifecycleJoining},
		"one created five minutes ago is active":         {options{objects.Created(-300)}, readiness.LifecycleActive},
		"one created in the future is joining":           {options{objects.Created(60)}, readiness.LifecycleJoining},
		"spec.unschedulable is cordoned":                 {options{unschedulable}, readiness.LifecycleCordoned},
		"the taint alone is no cordon":                   {options{tainted("node.kubernetes.io/unschedulable")}, readiness.LifecycleActive},
		"cordoned comes before joining":                  {options{fresh, objects.Cordoned()}, readiness.LifecycleCordoned},
		"leaving comes before cordoned and joining":      {options{fresh, objects.Cordoned(), objects.Deleted(0)}, readiness.LifecycleLeaving},
		"leaving comes before joining":                   {options{fresh, tainted("karpenter.sh/disrupted")}, readiness.LifecycleLeaving},
		"a deletion timestamp is leaving":                {options{objects.Deleted(0)}, readiness.LifecycleLeaving},
		"the autoscaler's decision is leaving":           {options{tainted("ToBeDeletedByClusterAutoscaler")}, readiness.LifecycleLeaving},
		"the autoscaler's consideration is not":          {options{tainted("DeletionCandidateOfClusterAutoscaler")}, readiness.LifecycleActive},
		"Karpenter's taint is leaving":                   {options{tainted("karpenter.sh/disrupted")}, readiness.LifecycleLeaving},
		"Karpenter's older taint is leaving":             {options{tainted("karpenter.sh/disruption")}, readiness.LifecycleLeaving},
		"GKE's notice is leaving":                        {options{tainted("cloud.google.com/impending-node-termination")}, readiness.LifecycleLeaving},
		"any taint of AWS's handler is leaving":          {options{tainted("aws-node-termination-handler/spot-itn")}, readiness.LifecycleLeaving},
		"its name alone is not":                          {options{tainted("aws-node-termination-handler")}, readiness.LifecycleActive},
		"a dead node that is out of service stays":       {options{tainted("node.kubernetes.io/out-of-service")}, readiness.LifecycleActive},
		"a machine that was switched off stays":          {options{tainted("node.cloudprovider.kubernetes.io/shutdown")}, readiness.LifecycleActive},
		"a startup taint keeps a new node joining":       {options{objects.Created(-899), tainted("readiness.k8s.io/gpu")}, readiness.LifecycleJoining},
		"it does so only for the startup grace":          {options{objects.Created(-900), tainted("readiness.k8s.io/gpu")}, readiness.LifecycleActive},
		"the user's own startup taint does so, too":      {options{objects.Created(-899), tainted("example.com/warming")}, readiness.LifecycleJoining},
		"a leaving taint counts behind others":           {options{tainted("gpu", "x", "karpenter.sh/disrupted")}, readiness.LifecycleLeaving},
		"the user's own taint is leaving":                {options{tainted("example.com/retired")}, readiness.LifecycleLeaving},
		"the user's own prefix is leaving":               {options{tainted("example.com/drain/now")}, readiness.LifecycleLeaving},
		"a key that only begins like one is not":         {options{tainted("example.com/retired-maybe", "karpenter.sh/disrupted2")}, readiness.LifecycleActive},
		"a failing node's own taints are not leaving":    {options{tainted("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")}, readiness.LifecycleActive},
		"graceful shutdown in progress is leaving":       {options{objects.NodeCondition("GracefulNodeShutdownInProgress", "True")}, readiness.LifecycleLeaving},
		"draining is leaving":                            {options{objects.NodeCondition("DrainInProgress", "True")}, readiness.LifecycleLeaving},
		"drained is leaving":                             {options{objects.NodeCondition("Drained", "True")}, readiness.LifecycleLeaving},
		"maintenance is leaving":                         {options{objects.NodeCondition("MaintenanceInProgress", "True")}, readiness.LifecycleLeaving},
		"a maintenance that is only planned is not":      {options{objects.NodeCondition("MaintenancePlanned", "True")}, readiness.LifecycleActive},
		"a condition that is not True announces nothing": {options{objects.NodeCondition("Drained", "False"), objects.NodeCondition("DrainInProgress", "Unknown")}, readiness.LifecycleActive},
		"any effect of a leaving taint counts":           {options{objects.Tainted("ToBeDeletedByClusterAutoscaler", "PreferNoSchedule")}, readiness.LifecycleLeaving},
	} {
		t.Run(name, func(t *testing.T) {
			n := readiness.NewNode(node(test.node...), rules(), true, objects.At(0))
			check.Equal(t, n.Lifecycle(), test.want)
		})
	}
}

// The join grace runs from the creation, and anew from the time at which a
// node is Ready for the first time.
func TestJoinGrace(t *testing.T) {
	t.Parallel()
	n := readiness.NewNode(node(objects.Created(0), objects.WithoutConditions()), rules(), true, objects.At(1))
	expect := func(when float64, want readiness.Lifecycle) {
		t.Helper()
		n.Tick(rules(), objects.At(when))
		check.Equal(t, n.Lifecycle(), want, when, "s after noon")
	}
	expect(299, readiness.LifecycleJoining)
	expect(300, readiness.LifecycleActive)
	n.Update(node(objects.Created(0), objects.Ready(1000)), rules(), objects.At(1000.5))
	if got, want := n.JoinedAt(rules()), objects.At(1300.5); !got.Equal(want) {
		t.Errorf("it is joining until %v, want %v", got, want)
	}
	expect(1000.5, readiness.LifecycleJoining)
	expect(1300.4, readiness.LifecycleJoining)
	expect(1300.5, readiness.LifecycleActive)
	// Later failures and returns are no new beginning.
	n.Update(node(objects.Created(0), objects.NotReady(1400)), rules(), objects.At(1400))
	n.Update(node(objects.Created(0), objects.Ready(1500)), rules(), objects.At(1500))
	expect(1500, readiness.LifecycleActive)
}

func TestJoinGraceOfNone(t *testing.T) {
	t.Parallel()
	for _, grace := range []time.Duration{0, -time.Minute} {
		n := readiness.NewNode(node(objects.Created(0)), &readiness.Rules{JoinGrace: grace}, true, objects.At(0))
		check.Equal(t, n.Lifecycle(), readiness.LifecycleActive, "with a grace of", grace, "a new node")
	}
}

func TestLifecycleNames(t *testing.T) {
	t.Parallel()
	var got []string
	for lifecycle := range readiness.Lifecycles {
		got = append(got, lifecycle.String())
	}
	check.Equal(t, got, []string{"active", "joining", "cordoned", "leaving"})
}
