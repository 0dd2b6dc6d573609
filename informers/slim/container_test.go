package slim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

func containerOf(t *testing.T, status corev1.ContainerStatus) slim.Container {
	t.Helper()
	pod := slim.FromPod(&corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{status}}})
	if len(pod.Containers) != 1 {
		t.Fatalf("%d containers, want 1", len(pod.Containers))
	}
	return pod.Containers[0]
}

func TestWhatAContainerWaitsFor(t *testing.T) {
	t.Parallel()
	for want, reasons := range map[slim.WaitReason][]string{
		slim.WaitStart: {"", "ContainerCreating", "PodInitializing"},
		slim.WaitImage: {
			"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName",
			"ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed",
		},
		slim.WaitConfig: {
			"CreateContainerConfigError", "CreateContainerError", "RunContainerError",
			"PreStartHookError", "PostStartHookError",
		},
		slim.WaitBackOff: {"CrashLoopBackOff"},
		slim.WaitOther:   {"SomethingNew", "crashloopbackoff", "ContainerStatusUnknown"},
	} {
		for _, reason := range reasons {
			container := containerOf(t, corev1.ContainerStatus{State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: reason},
			}})
			if container.State != slim.ContainerWaiting || container.WaitReason != want {
				t.Errorf("waiting for %q: state %v, wait %v; want wait %v", reason, container.State, container.WaitReason, want)
			}
		}
	}
}

func TestStatesOfAContainer(t *testing.T) {
	t.Parallel()
	crash := &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error", FinishedAt: noon}
	exit3 := slim.Termination{Reason: slim.TerminationError, ExitCode: 3, FinishedAt: noonStamp}
	for name, test := range map[string]struct {
		status corev1.ContainerStatus
		want   slim.Container
	}{
		"one that runs has a start": {
			corev1.ContainerStatus{Name: "agent", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: noon}}},
			slim.Container{State: slim.ContainerRunning, Ready: true, StartedAt: noonStamp},
		},
		"one that ended has an exit": {
			corev1.ContainerStatus{Name: "agent", State: corev1.ContainerState{Terminated: crash}},
			slim.Container{State: slim.ContainerTerminated, Termination: exit3},
		},
		"one that runs again remembers its last exit": {
			corev1.ContainerStatus{
				Name: "agent", RestartCount: 2,
				State:                corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
				LastTerminationState: corev1.ContainerState{Terminated: crash},
			},
			slim.Container{State: slim.ContainerRunning, RestartCount: 2, LastTermination: exit3},
		},
		"one without a state waits for its start": {
			corev1.ContainerStatus{Name: "agent"},
			slim.Container{State: slim.ContainerWaiting, WaitReason: slim.WaitStart},
		},
		"one with two states runs": {
			corev1.ContainerStatus{Name: "agent", State: corev1.ContainerState{
				Running: &corev1.ContainerStateRunning{}, Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}, Terminated: crash,
			}},
			slim.Container{State: slim.ContainerRunning},
		},
		"a negative count of restarts is none": {
			corev1.ContainerStatus{Name: "agent", RestartCount: -7},
			slim.Container{State: slim.ContainerWaiting, WaitReason: slim.WaitStart},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.want.Name = slim.Intern("agent")
			if diff := cmp.Diff(test.want, containerOf(t, test.status), ignoreMeta); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEndingsOfAContainer(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]slim.TerminationReason{
		"Completed": slim.TerminationCompleted, "Error": slim.TerminationError, "OOMKilled": slim.TerminationOOMKilled,
		"ContainerStatusUnknown": slim.TerminationUnknown, "Unknown": slim.TerminationUnknown,
		"StartError": slim.TerminationOther, "ContainerCannotRun": slim.TerminationOther, "": slim.TerminationOther,
	} {
		container := containerOf(t, corev1.ContainerStatus{State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: reason},
		}})
		// A container that never ran is reported without times.
		if diff := cmp.Diff(slim.Termination{Reason: want, ExitCode: 137}, container.Termination); diff != "" {
			t.Errorf("reason %q (-want +got):\n%s", reason, diff)
		}
	}
}

// A sidecar stands among the init containers but runs beside the others: where
// it stops, it has crashed. An init container that stops is done.
func TestInitContainersAndSidecars(t *testing.T) {
	t.Parallel()
	pod := slim.FromPod(&corev1.Pod{
		Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{
				{Name: "setup"},
				{Name: "proxy", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways)},
				{Name: "retried", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyOnFailure)},
			},
			Containers: []corev1.Container{{Name: "agent"}},
		},
		Status: corev1.PodStatus{
			InitContainerStatuses: []corev1.ContainerStatus{{Name: "setup"}, {Name: "proxy"}, {Name: "retried"}, {Name: "stranger"}},
			ContainerStatuses:     []corev1.ContainerStatus{{Name: "agent"}},
		},
	})
	type kind struct {
		Name string
		Init bool
	}
	var got []kind
	for _, container := range pod.Containers {
		got = append(got, kind{container.Name.Value(), container.Init})
	}
	want := []kind{{"setup", true}, {"proxy", false}, {"retried", true}, {"stranger", true}, {"agent", false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
