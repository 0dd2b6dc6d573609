package slim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// container returns the trimmed status of the only container of a pod.
func container(t *testing.T, status corev1.ContainerStatus) slim.Container {
	t.Helper()
	pod := slim.FromPod(&corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{status}}})
	check.Require(t, len(pod.Containers) == 1, "%d containers, want 1", len(pod.Containers))
	return pod.Containers[0]
}

func TestContainer(t *testing.T) {
	t.Parallel()
	crash := &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error", FinishedAt: noon}
	exit3 := slim.Termination{Reason: slim.TerminationError, ExitCode: 3, FinishedAt: noonStamp}
	for name, test := range map[string]struct {
		status corev1.ContainerStatus
		want   slim.Container
	}{
		"a running one has a start": {
			corev1.ContainerStatus{Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: noon}}},
			slim.Container{State: slim.ContainerRunning, Ready: true, StartedAt: noonStamp},
		},
		"a terminated one has a termination": {
			corev1.ContainerStatus{State: corev1.ContainerState{Terminated: crash}},
			slim.Container{State: slim.ContainerTerminated, Termination: exit3},
		},
		"a restarted one remembers its last termination": {
			corev1.ContainerStatus{
				RestartCount: 2, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
				LastTerminationState: corev1.ContainerState{Terminated: crash},
			},
			slim.Container{State: slim.ContainerRunning, RestartCount: 2, LastTermination: exit3},
		},
		"one without a state waits for its start": {
			corev1.ContainerStatus{},
			slim.Container{State: slim.ContainerWaiting, WaitReason: slim.WaitStart},
		},
		"one with two states is running": {
			corev1.ContainerStatus{State: corev1.ContainerState{
				Running: &corev1.ContainerStateRunning{}, Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}, Terminated: crash,
			}},
			slim.Container{State: slim.ContainerRunning},
		},
		"a negative restart count is zero": {
			corev1.ContainerStatus{RestartCount: -7},
			slim.Container{State: slim.ContainerWaiting, WaitReason: slim.WaitStart},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.status.Name, test.want.Name = "agent", slim.Intern("agent")
			if diff := cmp.Diff(test.want, container(t, test.status), ignoreVersion); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestContainerWaitReason(t *testing.T) {
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
			got := container(t, corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}})
			check.That(t, got.State == slim.ContainerWaiting && got.WaitReason == want, "%q: state %v, reason %v; want reason %v", reason, got.State, got.WaitReason, want)
		}
	}
}

func TestContainerTerminationReason(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]slim.TerminationReason{
		"Completed": slim.TerminationCompleted, "Error": slim.TerminationError, "OOMKilled": slim.TerminationOOMKilled,
		"ContainerStatusUnknown": slim.TerminationUnknown, "Unknown": slim.TerminationUnknown,
		"StartError": slim.TerminationStartError, "ContainerCannotRun": slim.TerminationStartError, "RunContainerError": slim.TerminationStartError,
		"DeadlineExceeded": slim.TerminationOther, "": slim.TerminationOther,
	} {
		got := container(t, corev1.ContainerStatus{State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: reason},
		}})
		// A container that never ran is reported without times.
		check.Equal(t, got.Termination, slim.Termination{Reason: want, ExitCode: 137}, reason)
	}
}

// The API lists a sidecar among the init containers, but it runs beside the
// others: if it stops, it has crashed. An init container that stops is done.
func TestContainerInit(t *testing.T) {
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
			InitContainerStatuses: []corev1.ContainerStatus{{Name: "setup"}, {Name: "proxy"}, {Name: "retried"}, {Name: "not in the spec"}},
			ContainerStatuses:     []corev1.ContainerStatus{{Name: "agent"}},
		},
	})
	var names, sidecars []string
	got := map[string]bool{}
	for _, container := range pod.Containers {
		names = append(names, container.Name.Value())
		got[container.Name.Value()] = container.Init
		if container.Sidecar {
			sidecars = append(sidecars, container.Name.Value())
		}
	}
	check.Equal(t, sidecars, []string{"proxy"}, "sidecars")
	check.Equal(t, names, []string{"setup", "proxy", "retried", "not in the spec", "agent"}, "order")
	want := map[string]bool{"setup": true, "proxy": false, "retried": true, "not in the spec": true, "agent": false}
	check.Equal(t, got, want, "init containers")
}
