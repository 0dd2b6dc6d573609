package synthetic

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// daemonSetNames are the names of DaemonSets; further ones are numbered.
var daemonSetNames = [...]string{
	"node-exporter", "fluent-bit", "cilium-agent", "kube-proxy", "ebs-csi-node", "efs-csi-node",
	"node-local-dns", "falco", "gpu-device-plugin", "node-problem-detector",
}

func daemonSetName(index int) string {
	name := daemonSetNames[index%len(daemonSetNames)]
	if round := index / len(daemonSetNames); round > 0 {
		name += "-" + strconv.Itoa(round)
	}
	return name
}

// daemonSetNamespace returns one of the usual namespaces.
func daemonSetNamespace(index int) string {
	return [...]string{"kube-system", "monitoring", "logging", "security"}[index%4]
}

// revisionOf returns the value of the label controller-revision-hash.
func revisionOf(index int) string { return digestOf(seedDaemonSet, index)[:10] }

// daemonSetAt returns the DaemonSet with an index.
func (s Size) daemonSetAt(index int) *appsv1.DaemonSet {
	broken := s.brokenOf(index)
	selector := selectorOf(index)
	return &appsv1.DaemonSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "DaemonSet"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace:         daemonSetNamespace(index),
			Name:              daemonSetName(index),
			UID:               uidOf(seedDaemonSet, index),
			ResourceVersion:   versionOf(seedDaemonSet, index),
			Generation:        3,
			CreationTimestamp: createdAt(index),
			Labels:            daemonSetLabels(index),
			Annotations: map[string]string{
				appsv1.DeprecatedTemplateGeneration: "3",
				"meta.helm.sh/release-name":         daemonSetName(index),
				"meta.helm.sh/release-namespace":    daemonSetNamespace(index),
			},
			ManagedFields: managedPod(),
		},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: selector},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: daemonSetLabels(index), Annotations: templateAnnotations()},
				Spec:       podSpecOf(index),
			},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{
				Type: appsv1.RollingUpdateDaemonSetStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDaemonSet{
					MaxUnavailable: new(intstr.FromString("10%")), MaxSurge: new(intstr.FromInt32(0)),
				},
			},
			RevisionHistoryLimit: new(int32(10)),
		},
		Status: appsv1.DaemonSetStatus{
			ObservedGeneration:     3,
			DesiredNumberScheduled: int32(s.Nodes),
			CurrentNumberScheduled: int32(s.Nodes - broken.missing),
			UpdatedNumberScheduled: int32(s.Nodes - broken.missing),
			NumberReady:            int32(s.Nodes - broken.all()),
			NumberAvailable:        int32(s.Nodes - broken.all()),
			NumberUnavailable:      int32(broken.all()),
		},
	}
}

func selectorOf(index int) map[string]string {
	return map[string]string{
		"app.kubernetes.io/name":     daemonSetName(index),
		"app.kubernetes.io/instance": daemonSetName(index),
	}
}

func daemonSetLabels(index int) map[string]string {
	labels := selectorOf(index)
	labels["app.kubernetes.io/version"] = "1.14.2"
	labels["app.kubernetes.io/component"] = "agent"
	labels["app.kubernetes.io/managed-by"] = "Helm"
	labels["helm.sh/chart"] = daemonSetName(index) + "-4.51.0"
	return labels
}

func templateAnnotations() map[string]string {
	return map[string]string{
		"checksum/config": digestOf(seedDaemonSet, 1),
		"cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
		"prometheus.io/scrape":                           "true",
		"prometheus.io/port":                             "9100",
	}
}
