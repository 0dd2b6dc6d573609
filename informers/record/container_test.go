package record_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/daemonset-exporter/daemonset_exporter/informers/record"
)

func containerOf(t *testing.T, status corev1.ContainerStatus) record.Container {
	t.Helper()
	pod := record.FromPod(&corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{status}}})
	if len(pod.Containers) != 1 {
		t.Fatalf("%d containers, want 1", len(pod.Containers))
	}
	return pod.Containers[0]
}

func TestWhatAContainerWaitsFor(t *testing.T) {
	t.Parallel()
	for want, reasons := range map[record.Wait][]string{
		record.WaitStart: {"", "ContainerCreating", "PodInitializing"},
		record.WaitImage: {
			"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName",
			"ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed",
		},
		record.WaitConfig: {
			"CreateContainerConfigError", "CreateContainerError", "RunContainerError",
			"PreStartHookError", "PostStartHookError",
		},
		record.WaitBackOff: {"CrashLoopBackOff"},
		record.WaitOther:   {"SomethingNew", "crashloopbackoff", "ContainerStatusUnknown"},
	} {
		for _, reason := range reasons {
			container := containerOf(t, corev1.ContainerStatus{State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: reason},
			}})
			if container.State != record.Waiting || container.Wait != want {
				t.Errorf("waiting for %q: state %v, wait %v; want wait %v", reason, container.State, container.Wait, want)
			}
		}
	}
}

func TestStatesOfAContainer(t *testing.T) {
	t.Parallel()
	crash := &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error", FinishedAt: noon}
	exit3 := record.Exit{Ending: record.EndedError, Code: 3, Finished: noonStamp}
	for name, test := range map[string]struct {
		status corev1.ContainerStatus
		want   record.Container
	}{
		"one that runs has a start": {
			corev1.ContainerStatus{Name: "agent", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: noon}}},
			record.Container{State: record.Running, Ready: true, Started: noonStamp},
		},
		"one that ended has an exit": {
			corev1.ContainerStatus{Name: "agent", State: corev1.ContainerState{Terminated: crash}},
			record.Container{State: record.Terminated, Exit: exit3},
		},
		"one that runs again remembers its last exit": {
			corev1.ContainerStatus{
				Name: "agent", RestartCount: 2,
				State:                corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
				LastTerminationState: corev1.ContainerState{Terminated: crash},
			},
			record.Container{State: record.Running, Restarts: 2, Last: exit3},
		},
		"one without a state waits for its start": {
			corev1.ContainerStatus{Name: "agent"},
			record.Container{State: record.Waiting, Wait: record.WaitStart},
		},
		"one with two states runs": {
			corev1.ContainerStatus{Name: "agent", State: corev1.ContainerState{
				Running: &corev1.ContainerStateRunning{}, Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}, Terminated: crash,
			}},
			record.Container{State: record.Running},
		},
		"a negative count of restarts is none": {
			corev1.ContainerStatus{Name: "agent", RestartCount: -7},
			record.Container{State: record.Waiting, Wait: record.WaitStart},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.want.Name = record.Intern("agent")
			if diff := cmp.Diff(test.want, containerOf(t, test.status), ignoreMeta); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEndingsOfAContainer(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]record.Ending{
		"Completed": record.EndedCompleted, "Error": record.EndedError, "OOMKilled": record.EndedOOMKilled,
		"ContainerStatusUnknown": record.EndedUnknown, "Unknown": record.EndedUnknown,
		"StartError": record.EndedOther, "ContainerCannotRun": record.EndedOther, "": record.EndedOther,
	} {
		container := containerOf(t, corev1.ContainerStatus{State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: reason},
		}})
		// A container that never ran is reported without times.
		if diff := cmp.Diff(record.Exit{Ending: want, Code: 137}, container.Exit); diff != "" {
			t.Errorf("reason %q (-want +got):\n%s", reason, diff)
		}
	}
}

// A sidecar stands among the init containers but runs beside the others: where
// it stops, it has crashed. An init container that stops is done.
func TestInitContainersAndSidecars(t *testing.T) {
	t.Parallel()
	pod := record.FromPod(&corev1.Pod{
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
