package synthetic

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podsPerWorkload is the number of replicas of a Deployment or StatefulSet.
const podsPerWorkload = 20

// workloadMaker makes the other pods: of four workloads three are Deployments and one
// is a StatefulSet, whose pods have the label controller-revision-hash too. Each is
// valid until the next one is made.
type workloadMaker struct {
	size     Size
	workload int
	pod      *corev1.Pod
}

func (m *workloadMaker) at(index int) (message, error) {
	workload := index / podsPerWorkload
	if m.pod == nil || m.workload != workload {
		m.workload, m.pod = workload, workloadPod(workload)
	}
	of := factsOf(m.size.Cells()+index, index%max(1, m.size.Nodes))
	setFacts(m.pod, of, works)
	m.pod.Name, m.pod.Labels = workloadPodName(index), workloadPodLabels(index)
	return m.pod, nil
}

func isStateful(workload int) bool { return workload%4 == 3 }

func workloadName(workload int) string { return "service-" + strconv.Itoa(workload) }

func workloadNamespace(workload int) string { return "team-" + strconv.Itoa(workload%50) }

func workloadPodName(index int) string {
	workload := index / podsPerWorkload
	if isStateful(workload) {
		return workloadName(workload) + "-" + strconv.Itoa(index%podsPerWorkload)
	}
	return workloadName(workload) + "-" + digestOf(seedWorkload, workload)[:10] + "-" + suffixOf(index)
}

func workloadPodLabels(index int) map[string]string {
	workload := index / podsPerWorkload
	labels := daemonSetLabels(workload)
	if isStateful(workload) {
		labels[appsv1.ControllerRevisionHashLabelKey] = workloadName(workload) + "-" + digestOf(seedWorkload, workload)[:10]
		labels[appsv1.StatefulSetPodNameLabel] = workloadPodName(index)
		labels[appsv1.PodIndexLabel] = strconv.Itoa(index % podsPerWorkload)
	} else {
		labels[appsv1.DefaultDeploymentUniqueLabelKey] = digestOf(seedWorkload, workload)[:10]
	}
	return labels
}

// workloadPod returns what all pods of a workload have in common.
func workloadPod(workload int) *corev1.Pod {
	pod := podOf(workload)
	kind, owner := "ReplicaSet", workloadName(workload)+"-"+digestOf(seedWorkload, workload)[:10]
	if isStateful(workload) {
		kind, owner = "StatefulSet", workloadName(workload)
	}
	pod.Namespace, pod.GenerateName = workloadNamespace(workload), owner+"-"
	pod.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: "apps/v1", Kind: kind, Name: owner, UID: uidOf(seedWorkload, 10_000_000+workload),
		Controller: new(true), BlockOwnerDeletion: new(true),
	}}
	return pod
}
