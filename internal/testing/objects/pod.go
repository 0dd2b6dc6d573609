package objects

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Pod returns a Pod of the first revision that was created before Noon, runs and
// is Ready. Nobody owns it, and it is on no Node.
func Pod(name string, options ...Option) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: metav1.NamespaceDefault, Name: name, UID: types.UID(name), CreationTimestamp: Stamp(-7000),
		},
	}
	with(pod, []Option{Revision("first", 1), Ready(-6990), Scheduled(-7000), StartTime(-7000)})
	return with(pod, options)
}

// PodOf returns the Pod that a DaemonSet of this name runs on a Node.
func PodOf(daemonSet, node string, options ...Option) *corev1.Pod {
	pod := Pod(daemonSet+"-"+node, On(node), OwnedBy(DaemonSet(daemonSet)))
	return with(pod, options)
}

// On binds the Pod to a Node.
func On(node string) Option {
	return Change(func(p *corev1.Pod) { p.Spec.NodeName, p.Spec.Affinity = node, nil })
}

// JustCreated is a Pod that was created, bound and taken by its kubelet within
// this second, and whose container is being created.
func JustCreated(at float64) Option {
	return Change(func(p *corev1.Pod) {
		with(p, []Option{Created(at), Scheduled(at), StartTime(at), Starting(at)})
	})
}

// Unbound makes a Pod on a Node one that was made for it and waits for the
// scheduler.
func Unbound() Option {
	return Change(func(p *corev1.Pod) {
		p.Spec.Affinity = requiredAffinity(MatchName(corev1.NodeSelectorOpIn, p.Spec.NodeName))
		p.Spec.NodeName, p.Status = "", corev1.PodStatus{Phase: corev1.PodPending}
	})
}

// Unschedulable is an Unbound Pod that the scheduler has given up on for now.
func Unschedulable(message string) Option {
	return Change(func(p *corev1.Pod) {
		Unbound()(p)
		setPodCondition(p, corev1.PodCondition{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: message,
		})
	})
}

// SchedulingGated is an Unbound Pod that must not be scheduled yet.
func SchedulingGated() Option {
	return Change(func(p *corev1.Pod) {
		Unbound()(p)
		setPodCondition(p, corev1.PodCondition{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonSchedulingGated,
		})
	})
}

// OwnedBy makes a DaemonSet the Pod's controller.
func OwnedBy(ds *appsv1.DaemonSet) Option {
	owner := *metav1.NewControllerRef(ds, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))
	return Change(func(p *corev1.Pod) { p.OwnerReferences = []metav1.OwnerReference{owner} })
}

// Orphaned takes the Pod's owners away.
func Orphaned() Option { return Change(func(p *corev1.Pod) { p.OwnerReferences = nil }) }

// Revision sets the labels that name the revision of the Pod's template.
func Revision(hash string, generation int) Option {
	return Change(func(p *corev1.Pod) {
		Label(appsv1.ControllerRevisionHashLabelKey, hash)(p)
		Label("pod-template-generation", strconv.Itoa(generation))(p)
	})
}

// StartTime sets when the kubelet took the Pod.
func StartTime(at float64) Option {
	start := Stamp(at)
	return Change(func(p *corev1.Pod) { p.Status.StartTime = &start })
}

// Phase sets the phase alone.
func Phase(phase corev1.PodPhase) Option {
	return Change(func(p *corev1.Pod) { p.Status.Phase = phase })
}

func setPodCondition(pod *corev1.Pod, condition corev1.PodCondition) {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == condition.Type {
			pod.Status.Conditions[i] = condition
			return
		}
	}
	pod.Status.Conditions = append(pod.Status.Conditions, condition)
}

// Scheduled sets the condition PodScheduled=True.
func Scheduled(at float64) Option {
	return Change(func(p *corev1.Pod) {
		setPodCondition(p, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: Stamp(at)})
	})
}

// ReadinessGatesNotReady makes the Pod wait for a readiness gate alone.
func ReadinessGatesNotReady(at float64) Option {
	return Change(func(p *corev1.Pod) {
		setPodCondition(p, corev1.PodCondition{
			Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "ReadinessGatesNotReady", LastTransitionTime: Stamp(at),
		})
	})
}

// Terminating requests the deletion of a Pod with so many seconds of grace.
func Terminating(at float64, grace int64) Option {
	return Change(func(p *corev1.Pod) {
		Deleted(at + float64(grace))(p)
		p.DeletionGracePeriodSeconds = &grace
	})
}

// Disrupted sets the condition DisruptionTarget, which says who ends the Pod.
func Disrupted(reason string, at float64) Option {
	return Change(func(p *corev1.Pod) {
		setPodCondition(p, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: reason, LastTransitionTime: Stamp(at),
		})
	})
}

// Evicted is a Pod that the kubelet ended because of node pressure.
func Evicted() Option {
	return Change(func(p *corev1.Pod) { p.Status.Phase, p.Status.Reason = corev1.PodFailed, "Evicted" })
}

// Finished ends all containers with this exit code, and the Pod with them:
// Succeeded for 0, else Failed.
func Finished(code int32, at float64) Option {
	return Change(func(p *corev1.Pod) {
		if p.Status.Phase = corev1.PodFailed; code == 0 {
			p.Status.Phase = corev1.PodSucceeded
		}
		Exited(code, at)(p)
	})
}

// The options below are about the Pod's container.

func containerOf(pod *corev1.Pod) *corev1.ContainerStatus {
	if len(pod.Status.ContainerStatuses) == 0 {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "agent"}}
	}
	return &pod.Status.ContainerStatuses[0]
}

// run lets the container run, since now unless it runs already.
func run(pod *corev1.Pod, at float64) {
	pod.Status.Phase = corev1.PodRunning
	if container := containerOf(pod); container.State.Running == nil {
		container.State = running(at)
	}
}

func running(at float64) corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: Stamp(at)}}
}

// Started lets the container run, and not be ready yet.
func Started(at float64) Option {
	return Change(func(p *corev1.Pod) {
		NotReady(at)(p)
		run(p, at)
	})
}

// Waiting lets the container wait, and the Pod not be Ready.
func Waiting(reason string, at float64) Option {
	return Change(func(p *corev1.Pod) {
		NotReady(at)(p)
		containerOf(p).State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
	})
}

// Starting is a bound Pod whose container is being created.
func Starting(at float64) Option {
	return Change(func(p *corev1.Pod) {
		Waiting("ContainerCreating", at)(p)
		p.Status.Phase = corev1.PodPending
	})
}

// CrashLooping lets the container wait to be started again.
func CrashLooping(at float64) Option { return Waiting("CrashLoopBackOff", at) }

// Exited ends the container with this exit code; its Pod is not Ready.
func Exited(code int32, at float64) Option {
	if code == 0 {
		return ExitedBecause("Completed", code, at)
	}
	return ExitedBecause("Error", code, at)
}

// OOMKilled ends the container for lack of memory.
func OOMKilled(at float64) Option { return ExitedBecause("OOMKilled", 137, at) }

// ExitedBecause ends the container for a reason that its exit code does not
// tell.
func ExitedBecause(reason string, code int32, at float64) Option {
	return Change(func(p *corev1.Pod) {
		NotReady(at)(p)
		containerOf(p).State = terminated(reason, code, at)
	})
}

func terminated(reason string, code int32, at float64) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		Reason: reason, ExitCode: code, FinishedAt: Stamp(at),
	}}
}

// RestartCount sets how often the container was started again.
func RestartCount(count int32) Option {
	return Change(func(p *corev1.Pod) { containerOf(p).RestartCount = count })
}

// Restarted starts the container so many times again, the last time after it had
// ended with this code and reason.
func Restarted(times, code int32, reason string, at float64) Option {
	return Change(func(p *corev1.Pod) {
		container := containerOf(p)
		container.RestartCount += times
		container.LastTerminationState = terminated(reason, code, at)
		container.State = running(at)
	})
}
