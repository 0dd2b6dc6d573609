package record

import corev1 "k8s.io/api/core/v1"

// State is what a container does now.
type State uint8

// The states of a container. Waiting is also that of one without a status.
const (
	Waiting State = iota
	Running
	Terminated
)

// Wait is what a waiting container waits for.
type Wait uint8

// What a container may wait for. WaitOther is a reason that this exporter does
// not know.
const (
	NotWaiting Wait = iota
	WaitStart
	WaitImage
	WaitConfig
	WaitBackOff
	WaitOther
)

// Ending is why a container ended.
type Ending uint8

// The endings of a container. EndedUnknown is one that nobody saw: the kubelet
// was away (ContainerStatusUnknown, or Unknown after a power cut); its exit
// code and its moment mean nothing.
const (
	NotEnded Ending = iota
	EndedCompleted
	EndedError
	EndedOOMKilled
	EndedUnknown
	EndedOther
)

// Exit is the end of one run of a container.
type Exit struct {
	Ending Ending
	Code   int32
	// Finished is when it ended, truncated to the second; zero if unknown.
	Finished Stamp
}

// Container is what the exporter keeps of a container's status.
type Container struct {
	Name     Text
	Restarts int32
	State    State
	Wait     Wait
	// Init tells that it is an init container: one that ends before the others
	// start. A sidecar is none, though it stands among them.
	Init bool
	// Ready is the container's own readiness.
	Ready bool
	// Started is when the present run began; zero unless Running.
	Started Stamp
	// Exit is how it ended; set only while Terminated.
	Exit Exit
	// Last is how the run before ended.
	Last Exit
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
		Name:     Intern(status.Name),
		Restarts: max(0, status.RestartCount),
		Init:     isInit,
		Ready:    status.Ready,
		Last:     exitOf(status.LastTerminationState.Terminated),
	}
	switch {
	case status.State.Running != nil:
		container.State = Running
		container.Started = StampOf(&status.State.Running.StartedAt)
	case status.State.Terminated != nil:
		container.State = Terminated
		container.Exit = exitOf(status.State.Terminated)
	case status.State.Waiting != nil:
		container.Wait = waitOf(status.State.Waiting.Reason)
	default:
		container.Wait = WaitStart
	}
	return container
}

// waitOf sorts the waiting reasons of pkg/kubelet (v1.37: images/types.go,
// kuberuntime/kuberuntime_container.go, container/sync_result.go).
func waitOf(reason string) Wait {
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

func exitOf(terminated *corev1.ContainerStateTerminated) Exit {
	if terminated == nil {
		return Exit{}
	}
	return Exit{
		Ending:   endingOf(terminated.Reason),
		Code:     terminated.ExitCode,
		Finished: StampOf(&terminated.FinishedAt),
	}
}

func endingOf(reason string) Ending {
	switch reason {
	case "Completed":
		return EndedCompleted
	case "Error":
		return EndedError
	case "OOMKilled":
		return EndedOOMKilled
	case "ContainerStatusUnknown", "Unknown":
		return EndedUnknown
	default:
		return EndedOther
	}
}
