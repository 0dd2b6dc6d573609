package readiness_test

import (
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// Every well-known taint, with who sets it. A taint that is not asked about here is
// one that can hide an outage.
func TestTaintClass(t *testing.T) {
	t.Parallel()
	const (
		placement = readiness.TaintPlacement
		condition = readiness.TaintCondition
		startup   = readiness.TaintStartup
		leaving   = readiness.TaintLeaving
	)
	for _, test := range []struct {
		key    string
		want   readiness.TaintClass
		source string
	}{
		{"node.kubernetes.io/not-ready", condition, "the node lifecycle controller: Ready=False"},
		{"node.kubernetes.io/unreachable", condition, "the node lifecycle controller: Ready=Unknown"},
		{"node.kubernetes.io/disk-pressure", condition, "the node lifecycle controller"},
		{"node.kubernetes.io/memory-pressure", condition, "the node lifecycle controller"},
		{"node.kubernetes.io/pid-pressure", condition, "the node lifecycle controller"},
		{"node.kubernetes.io/network-unavailable", condition, "the node lifecycle controller"},
		{"node.kubernetes.io/unschedulable", condition, "the node lifecycle controller: spec.unschedulable"},
		{"node.cloudprovider.kubernetes.io/shutdown", condition, "the cloud provider: not Ready, and its machine is off"},
		{"node.kubernetes.io/out-of-service", condition, "a person or a remediator, on a dead node"},

		{"node.cloudprovider.kubernetes.io/uninitialized", startup, "the kubelet, until the cloud provider has seen the node"},
		{"karpenter.sh/unregistered", startup, "Karpenter, until it has registered the node"},
		{"readiness.k8s.io/network", startup, "the node readiness controller, by its rules"},
		{"startup-taint.cluster-autoscaler.kubernetes.io/gpu", startup, "users of the autoscaler"},
		{"node.cilium.io/agent-not-ready", startup, "users of Cilium, until its agent runs"},
		{"ebs.csi.aws.com/agent-not-ready", startup, "users of the EBS driver"},
		{"efs.csi.aws.com/agent-not-ready", startup, "users of the EFS driver"},

		{"ToBeDeletedByClusterAutoscaler", leaving, "the autoscaler, when it has decided"},
		{"karpenter.sh/disrupted", leaving, "Karpenter since v1"},
		{"karpenter.sh/disruption", leaving, "Karpenter before v1"},
		{"cloud.google.com/impending-node-termination", leaving, "GKE, before maintenance or preemption"},
		{"aws-node-termination-handler/spot-itn", leaving, "the AWS handler: a spot interruption"},
		{"aws-node-termination-handler/scheduled-maintenance", leaving, "the AWS handler: maintenance"},

		{"DeletionCandidateOfClusterAutoscaler", placement, "the autoscaler, on nodes that may stay"},
		{"node-role.kubernetes.io/control-plane", placement, "kubeadm"},
		{"node-role.kubernetes.io/master", placement, "kubeadm before v1.25"},
		{"nvidia.com/gpu", placement, "GKE and others, on nodes with GPUs"},
		{"cloud.google.com/gke-spot", placement, "users of GKE"},
		{"kubernetes.azure.com/scalesetpriority", placement, "AKS, on spot nodes"},
		{"eks.amazonaws.com/compute-type", placement, "EKS, on Fargate nodes"},
		{"virtual-kubelet.io/provider", placement, "virtual kubelets"},
		{"CriticalAddonsOnly", placement, "AKS and others, on system pools"},
		{"dedicated", placement, "users"},

		{"readiness.k8s.io", placement, "nobody: not the prefix"},
		{"aws-node-termination-handler", placement, "nobody: not the prefix"},
		{"node.kubernetes.io/not-ready-yet", placement, "nobody: more than the key"},
		{"NODE.kubernetes.io/not-ready", placement, "nobody: keys tell capitals apart"},
		{"", placement, "nobody"},
	} {
		check.Equal(t, new(readiness.TaintRules).Class(test.key), test.want, test.key, "of", test.source)
		conditional := test.want == condition || test.want == startup
		check.Equal(t, test.want.Conditional(), conditional, test.key, "is conditional")
	}
}

func TestTaintClassOfUsers(t *testing.T) {
	t.Parallel()
	rules := readiness.TaintRules{
		Condition: []string{"example.com/broken", "karpenter.sh/disrupted"},
		Startup:   []string{"example.com/start/*"},
		Leaving:   []string{"example.com/retired", "node.kubernetes.io/out-of-service"},
	}
	for key, want := range map[string]readiness.TaintClass{
		"example.com/broken":                readiness.TaintCondition,
		"example.com/broken2":               readiness.TaintPlacement,
		"example.com/start/x":               readiness.TaintStartup,
		"example.com/start":                 readiness.TaintPlacement,
		"example.com/retired":               readiness.TaintLeaving,
		"karpenter.sh/disrupted":            readiness.TaintCondition, // users go first
		"node.kubernetes.io/out-of-service": readiness.TaintLeaving,
		"node.kubernetes.io/not-ready":      readiness.TaintCondition, // the others stay
	} {
		check.Equal(t, rules.Class(key), want, key, "is of class")
	}
}
