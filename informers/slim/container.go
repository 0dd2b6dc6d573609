package slim

import corev1 "k8s.io/api/core/v1"

// ContainerState is the present state of a container.
type ContainerState uint8

// The states of a container. A container without a status is waiting.
const (
	ContainerWaiting ContainerState = iota
	ContainerRunning
	ContainerTerminated
)

// WaitReason classifies the reason of a waiting container.
type WaitReason uint8

// The reasons of waiting containers. WaitOther is a reason that this exporter
// does not know.
const (
	WaitNone WaitReason = iota
	WaitStart
	WaitImage
	WaitConfig
	WaitBackOff
	WaitOther
)

// TerminationReason is why a container terminated.
type TerminationReason uint8

// The reasons of terminated containers. TerminationUnknown is a termination that
// no kubelet saw (ContainerStatusUnknown, or Unknown after a power cut); its exit
// code and time mean nothing. TerminationStartError is a run that never began: the
// command is not there, or may not be executed.
const (
	TerminationNone TerminationReason = iota
	TerminationCompleted
	TerminationError
	TerminationOOMKilled
	TerminationStartError
	TerminationUnknown
	TerminationOther
)

// Termination is the end of one run of a container.
type Termination struct {
	Reason   TerminationReason
	ExitCode int32
	// FinishedAt is truncated to the second; zero if unknown.
	FinishedAt Stamp
}

// Container is the trimmed status of a container.
type Container struct {
	Name         Text
	RestartCount int32
	State        ContainerState
	WaitReason   WaitReason
	// Init reports whether it is an init container: one that terminates before
	// the others start. A sidecar is not, although the API lists it among them.
	Init bool
	// Sidecar reports whether it is a sidecar, a restartable init container.
	Sidecar bool
	Ready   bool
	// StartedAt is when the present run began; zero unless running.
	StartedAt Stamp
	// Termination is set only while the container is terminated.
	Termination Termination
	// LastTermination is the end of the previous run.
	LastTermination Termination
}

// containersOf returns the init containers, then the containers. A pod whose
// kubelet has not reported yet has none.
func containersOf(pod *corev1.Pod) []Container {
	count := len(pod.Status.InitContainerStatuses) + len(pod.Status.ContainerStatuses)
	if count == 0 {
		return nil
	}
	containers := make([]Container, 0, count)
	for i := range pod.Status.InitContainerStatuses {
		status := &pod.Status.InitContainerStatuses[i]
		container := containerOf(status)
		container.Sidecar = isSidecar(pod, status.Name)
		container.Init = !container.Sidecar
		containers = append(containers, container)
	}
	for i := range pod.Status.ContainerStatuses {
		containers = append(containers, containerOf(&pod.Status.ContainerStatuses[i]))
	}
	return containers
}

// isSidecar reports whether an init container is restarted whenever it
// terminates, and so runs beside the containers (IsRestartableInitContainer of pkg/api/v1/pod, v1.37).
func isSidecar(pod *corev1.Pod, name string) bool {
	for i := range pod.Spec.InitContainers {
		container := &pod.Spec.InitContainers[i]
		if container.Name == name {
			return container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways
		}
	}
	return false
}

func containerOf(status *corev1.ContainerStatus) Container {
	container := Container{
		Name:            Intern(status.Name),
		RestartCount:    max(0, status.RestartCount),
		Ready:           status.Ready,
		LastTermination: terminationOf(status.LastTerminationState.Terminated),
	}
	switch {
	case status.State.Running != nil:
		container.State = ContainerRunning
		container.StartedAt = StampOf(&status.State.Running.StartedAt)
	case status.State.Terminated != nil:
		container.State = ContainerTerminated
		container.Termination = terminationOf(status.State.Terminated)
	case status.State.Waiting != nil:
		container.WaitReason = waitReasonOf(status.State.Waiting.Reason)
	default:
		container.WaitReason = WaitStart
	}
	return container
}

// waitReasonOf classifies the waiting reasons of pkg/kubelet (v1.37: images/types.go,
// kuberuntime/kuberuntime_container.go, container/sync_result.go).
func waitReasonOf(reason string) WaitReason {
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

func terminationOf(terminated *corev1.ContainerStateTerminated) Termination {
	if terminated == nil {
		return Termination{}
	}
	return Termination{
		Reason:     terminationReasonOf(terminated.Reason),
		ExitCode:   terminated.ExitCode,
		FinishedAt: StampOf(&terminated.FinishedAt),
	}
}

// terminationReasonOf classifies the reasons of terminated containers, which the
// runtime gives (StartError is containerd's, ContainerCannotRun was Docker's) or
// pkg/kubelet/kuberuntime and pkg/kubelet/status (v1.37).
func terminationReasonOf(reason string) TerminationReason {
	switch reason {
	case "Completed":
		return TerminationCompleted
	case "Error":
		return TerminationError
	case "OOMKilled":
		return TerminationOOMKilled
	case "StartError", "ContainerCannotRun", "RunContainerError":
		return TerminationStartError
	case "ContainerStatusUnknown", "Unknown":
		return TerminationUnknown
	default:
		return TerminationOther
	}
}
