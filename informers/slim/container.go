package slim

import corev1 "k8s.io/api/core/v1"

// State is what a container does now.
type ContainerState uint8

// The states of a container. Waiting is also that of one without a status.
const (
	ContainerWaiting ContainerState = iota
	ContainerRunning
	ContainerTerminated
)

// Wait is what a waiting container waits for.
type WaitReason uint8

// What a container may wait for. WaitOther is a reason that this exporter does
// not know.
const (
	WaitNone WaitReason = iota
	WaitStart
	WaitImage
	WaitConfig
	WaitBackOff
	WaitOther
)

// Ending is why a container ended.
type TerminationReason uint8

// The endings of a container. EndedUnknown is one that nobody saw: the kubelet
// was away (ContainerStatusUnknown, or Unknown after a power cut); its exit
// code and its moment mean nothing.
const (
	TerminationNone TerminationReason = iota
	TerminationCompleted
	TerminationError
	TerminationOOMKilled
	TerminationUnknown
	TerminationOther
)

// Exit is the end of one run of a container.
type Termination struct {
	Reason   TerminationReason
	ExitCode int32
	// Finished is when it ended, truncated to the second; zero if unknown.
	FinishedAt Stamp
}

// Container is what the exporter keeps of a container's status.
type Container struct {
	Name         Text
	RestartCount int32
	State        ContainerState
	WaitReason   WaitReason
	// Init tells that it is an init container: one that ends before the others
	// start. A sidecar is none, though it stands among them.
	Init bool
	// Ready is the container's own readiness.
	Ready bool
	// Started is when the present run began; zero unless Running.
	StartedAt Stamp
	// Exit is how it ended; set only while Terminated.
	Termination Termination
	// Last is how the run before ended.
	LastTermination Termination
}

// containersOf reads the statuses of the init containers, then of the
// containers. A pod whose kubelet has not reported yet has none.
func containersOf(pod *corev1.Pod) []Container {
	count := len(pod.Status.InitContainerStatuses) + len(pod.Status.ContainerStatuses)
	if count == 0 {
		return nil
	}
	containers := make([]Container, 0, count)
	for i := range pod.Status.InitContainerStatuses {
		status := &pod.Status.InitContainerStatuses[i]
		containers = append(containers, containerOf(status, !isSidecar(pod, status.Name)))
	}
	for i := range pod.Status.ContainerStatuses {
		containers = append(containers, containerOf(&pod.Status.ContainerStatuses[i], false))
	}
	return containers
}

// isSidecar tells that an init container is restarted whenever it ends, and so
// runs beside the others (IsRestartableInitContainer of pkg/api/v1/pod, v1.37).
func isSidecar(pod *corev1.Pod, name string) bool {
	for i := range pod.Spec.InitContainers {
		container := &pod.Spec.InitContainers[i]
		if container.Name == name {
			return container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways
		}
	}
	return false
}

func containerOf(status *corev1.ContainerStatus, isInit bool) Container {
	container := Container{
		Name:            Intern(status.Name),
		RestartCount:    max(0, status.RestartCount),
		Init:            isInit,
		Ready:           status.Ready,
		LastTermination: exitOf(status.LastTerminationState.Terminated),
	}
	switch {
	case status.State.Running != nil:
		container.State = ContainerRunning
		container.StartedAt = StampOf(&status.State.Running.StartedAt)
	case status.State.Terminated != nil:
		container.State = ContainerTerminated
		container.Termination = exitOf(status.State.Terminated)
	case status.State.Waiting != nil:
		container.WaitReason = waitOf(status.State.Waiting.Reason)
	default:
		container.WaitReason = WaitStart
	}
	return container
}

// waitOf sorts the waiting reasons of pkg/kubelet (v1.37: images/types.go,
// kuberuntime/kuberuntime_container.go, container/sync_result.go).
func waitOf(reason string) WaitReason {
	switch reason {
	case "", "ContainerCreating", "PodInitializing":
		return WaitStart
	case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName",
		"ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed":
		return WaitImage
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
		"PreCreateHookError", "PreStartHookError", "PostStartHookError", "StartError":
		return WaitConfig
	case "CrashLoopBackOff":
		return WaitBackOff
	default:
		return WaitOther
	}
}

func exitOf(terminated *corev1.ContainerStateTerminated) Termination {
	if terminated == nil {
		return Termination{}
	}
	return Termination{
		Reason:     endingOf(terminated.Reason),
		ExitCode:   terminated.ExitCode,
		FinishedAt: StampOf(&terminated.FinishedAt),
	}
}

func endingOf(reason string) TerminationReason {
	switch reason {
	case "Completed":
		return TerminationCompleted
	case "Error":
		return TerminationError
	case "OOMKilled":
		return TerminationOOMKilled
	case "ContainerStatusUnknown", "Unknown":
		return TerminationUnknown
	default:
		return TerminationOther
	}
}
