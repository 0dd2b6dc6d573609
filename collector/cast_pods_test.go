package collector

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// change is what happens to a pod at a time.
type change func(p *corev1.Pod, now metav1.Time)

func setReady(p *corev1.Pod, status corev1.ConditionStatus, now metav1.Time) {
	if condition := &p.Status.Conditions[1]; condition.Status != status {
		condition.Status, condition.LastTransitionTime = status, now
	}
	p.Status.ContainerStatuses[0].Ready = status == corev1.ConditionTrue
}

// started: the container runs and is not Ready yet.
func started(p *corev1.Pod, now metav1.Time) {
	p.Status.Phase = corev1.PodRunning
	container := &p.Status.ContainerStatuses[0]
	if container.State.Running == nil {
		container.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}
	}
	setReady(p, corev1.ConditionFalse, now)
}

// ready: the container runs and is Ready.
func ready(p *corev1.Pod, now metav1.Time) {
	started(p, now)
	setReady(p, corev1.ConditionTrue, now)
}

// unbound: not bound to its node yet.
func unbound(p *corev1.Pod, _ metav1.Time) {
	node := p.Spec.NodeName
	p.Spec.NodeName = ""
	p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{node}}},
		}}},
	}}
	p.Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: p.Status.Conditions[:0:0], ContainerStatuses: p.Status.ContainerStatuses}
}

// exits: the container has ended, with an exit code and the reason that goes
// with it.
func exits(code int32, reason string) change {
	return func(p *corev1.Pod, now metav1.Time) {
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: reason, FinishedAt: now,
		}}
		setReady(p, corev1.ConditionFalse, now)
	}
}

// restarts: the container was started again, so many times since before; what
// it ended with stands in its last state.
func restarts(times int32, code int32, reason string) change {
	return func(p *corev1.Pod, now metav1.Time) {
		container := &p.Status.ContainerStatuses[0]
		container.RestartCount += times
		container.LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: reason, FinishedAt: now,
		}}
		container.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}
	}
}

// backsOff: the container waits to be started again.
func backsOff(p *corev1.Pod, now metav1.Time) {
	container := &p.Status.ContainerStatuses[0]
	container.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	setReady(p, corev1.ConditionFalse, now)
}

// asked: the API server took the request to end it with so much grace.
func asked(grace int64) change {
	return func(p *corev1.Pod, now metav1.Time) {
		end := metav1.NewTime(now.Add(secondsOf(grace)))
		p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &end, &grace
	}
}

// ends: all containers have ended with this code, and the phase says so.
func ends(code int32) change {
	return func(p *corev1.Pod, now metav1.Time) {
		reason := "Error"
		p.Status.Phase = corev1.PodFailed
		if code == 0 {
			reason, p.Status.Phase = "Completed", corev1.PodSucceeded
		}
		exits(code, reason)(p, now)
	}
}

// isOf makes a pod of another revision of the template.
func isOf(revision, generation string) change {
	return func(p *corev1.Pod, _ metav1.Time) {
		p.Labels = map[string]string{appsv1.ControllerRevisionHashLabelKey: revision, "pod-template-generation": generation}
	}
}

// disrupted: somebody says why the pod has to go.
func disrupted(reason string) change {
	return func(p *corev1.Pod, now metav1.Time) {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: reason, LastTransitionTime: now,
		})
	}
}
