package synthetic

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// podMaker makes the pods of DaemonSets: all of the first DaemonSet, then all of
// the second. Each is valid until the next one is made.
type podMaker struct {
	size Size
	set  int // whose pods are made now
	// stencils holds those of the DaemonSet, by the trouble of the pod.
	stencils [troubles]*stencil
}

// at returns the pod with an index, for which troubleOf is not missing.
func (m *podMaker) at(index int) (message, error) {
	set, node := index/m.size.Nodes, m.size.nodeAt(index%m.size.Nodes)
	return m.make(index, m.size.troubleOf(set, node), versionOf(seedPod, index))
}

// make returns the pod with an index in a state and a version.
func (m *podMaker) make(index int, wrong trouble, version string) (message, error) {
	set, node := index/m.size.Nodes, m.size.nodeAt(index%m.size.Nodes)
	if m.set != set {
		m.set, m.stencils = set, [troubles]*stencil{}
	}
	if m.stencils[wrong] == nil {
		pod := daemonSetPod(set)
		setFacts(pod, marks(), wrong)
		made, err := newStencil(pod)
		if err != nil {
			return nil, err
		}
		m.stencils[wrong] = made
	}
	facts := factsOf(index, node)
	facts.texts[factVersion] = version
	m.stencils[wrong].fill(facts)
	return m.stencils[wrong], nil
}

// daemonSetPod returns what all pods of a DaemonSet have in common.
func daemonSetPod(set int) *corev1.Pod {
	pod := podOf(set)
	pod.Namespace, pod.GenerateName = daemonSetNamespace(set), daemonSetName(set)+"-"
	pod.Labels[appsv1.ControllerRevisionHashLabelKey] = revisionOf(set)
	pod.Labels["pod-template-generation"] = "3"
	pod.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: "apps/v1", Kind: "DaemonSet", Name: daemonSetName(set), UID: uidOf(seedDaemonSet, set),
		Controller: new(true), BlockOwnerDeletion: new(true),
	}}
	pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{
				Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{""},
			}}}},
		},
	}}
	pod.Spec.Tolerations = append(pod.Spec.Tolerations, controllerTolerations()...)
	return pod
}

// controllerTolerations returns those that the DaemonSet controller adds
// (pkg/controller/daemon/util/daemonset_util.go, v1.37).
func controllerTolerations() (tolerations []corev1.Toleration) {
	for _, key := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		tolerations = append(tolerations, corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute})
	}
	for _, key := range []string{corev1.TaintNodeDiskPressure, corev1.TaintNodeMemoryPressure, corev1.TaintNodePIDPressure, corev1.TaintNodeUnschedulable} {
		tolerations = append(tolerations, corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule})
	}
	return tolerations
}

// podOf returns a pod with everything that all pods have.
func podOf(index int) *corev1.Pod {
	pod := &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Labels:        daemonSetLabels(index),
			Annotations:   templateAnnotations(),
			Generation:    1,
			ManagedFields: managedPod(),
		},
		Spec: podSpecOf(index),
	}
	pod.Spec.Volumes = append(pod.Spec.Volumes, tokenVolume())
	pod.Status.InitContainerStatuses = make([]corev1.ContainerStatus, len(pod.Spec.InitContainers))
	pod.Status.ContainerStatuses = make([]corev1.ContainerStatus, len(pod.Spec.Containers))
	pod.Status.ObservedGeneration = 1
	pod.Status.QOSClass = corev1.PodQOSBurstable
	return pod
}

// tokenVolume returns the volume that admission adds to every pod.
func tokenVolume() corev1.Volume {
	return corev1.Volume{Name: "kube-api-access-6pls5", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		DefaultMode: new(int32(420)),
		Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{ExpirationSeconds: new(int64(3607)), Path: "token"}},
			{ConfigMap: &corev1.ConfigMapProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"},
				Items:                []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}},
			}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{
				Path: "namespace", FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"},
			}}}},
		},
	}}}
}

// setFacts sets what differs between pods, and the status as a kubelet does.
func setFacts(pod *corev1.Pod, of facts, wrong trouble) {
	pod.Name = pod.GenerateName + of.texts[factSuffix]
	pod.UID, pod.ResourceVersion = types.UID(of.texts[factUID]), of.texts[factVersion]
	pod.CreationTimestamp = of.began
	pod.Spec.NodeName = of.texts[factNode]
	if affinity := pod.Spec.Affinity; affinity != nil {
		term := &affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0]
		term.MatchFields[0].Values = []string{of.texts[factNode]}
	}
	status := &pod.Status
	status.Phase, status.StartTime = corev1.PodRunning, new(of.began)
	status.HostIP, status.PodIP = of.texts[factHostIP], of.texts[factPodIP]
	status.HostIPs, status.PodIPs = []corev1.HostIP{{IP: status.HostIP}}, []corev1.PodIP{{IP: status.PodIP}}
	setConditions(pod, of, wrong)
	for i := range status.InitContainerStatuses {
		setContainerStatus(&status.InitContainerStatuses[i], &pod.Spec.InitContainers[i], of, 2)
		status.InitContainerStatuses[i].State = corev1.ContainerState{Terminated: endedAt(of, 0, "Completed")}
	}
	for i := range status.ContainerStatuses {
		setContainerStatus(&status.ContainerStatuses[i], &pod.Spec.Containers[i], of, i)
	}
	breakContainer(&status.ContainerStatuses[0], of, wrong)
}

func setConditions(pod *corev1.Pod, of facts, wrong trouble) {
	status := &pod.Status
	ready := corev1.ConditionTrue
	if wrong != works {
		ready = corev1.ConditionFalse
	}
	if wrong == imagePull {
		status.Phase = corev1.PodPending
	}
	status.Conditions = status.Conditions[:0]
	for _, condition := range []corev1.PodCondition{
		{Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionTrue},
		{Type: corev1.PodInitialized, Status: corev1.ConditionTrue},
		{Type: corev1.PodReady, Status: ready},
		{Type: corev1.ContainersReady, Status: ready},
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
	} {
		condition.ObservedGeneration, condition.LastTransitionTime = 1, of.began
		if condition.Status == corev1.ConditionFalse {
			condition.Reason = "ContainersNotReady"
			condition.Message = fmt.Sprintf("containers with unready status: [%s]", pod.Spec.Containers[0].Name)
		}
		status.Conditions = append(status.Conditions, condition)
	}
}

func setContainerStatus(status *corev1.ContainerStatus, container *corev1.Container, of facts, number int) {
	mounts := status.VolumeMounts[:0]
	for _, mount := range container.VolumeMounts {
		mounts = append(mounts, corev1.VolumeMountStatus{
			Name: mount.Name, MountPath: mount.MountPath, ReadOnly: mount.ReadOnly, RecursiveReadOnly: new(corev1.RecursiveReadOnlyDisabled),
		})
	}
	*status = corev1.ContainerStatus{
		Name: container.Name, Image: container.Image, Ready: true, Started: new(true),
		ImageID:            imageOf(number) + "@sha256:" + digestOf(seedContainer, number),
		ContainerID:        "containerd://" + of.texts[factContainer+number],
		State:              corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: of.began}},
		AllocatedResources: container.Resources.Requests,
		Resources:          &container.Resources,
		VolumeMounts:       mounts,
	}
}

func breakContainer(status *corev1.ContainerStatus, of facts, wrong trouble) {
	status.Ready = wrong == works
	switch wrong {
	case works, missing, notReady:
	case crashLoop:
		status.RestartCount, status.Started = 42, new(false)
		status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "CrashLoopBackOff", Message: "back-off 5m0s restarting failed container",
		}}
		status.LastTerminationState = corev1.ContainerState{Terminated: endedAt(of, 1, "Error")}
	case imagePull:
		status.Started, status.ContainerID, status.ImageID = new(false), "", ""
		status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "ImagePullBackOff", Message: "Back-off pulling image " + status.Image,
		}}
	}
}

func endedAt(of facts, code int32, reason string) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, StartedAt: of.began, FinishedAt: of.began, ContainerID: "containerd://" + of.texts[factContainer]}
}
