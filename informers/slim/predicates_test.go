package slim_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// predicates returns what holds for a pod at Noon, with 30 minReadySeconds.
func predicates(pod *slim.Pod) string {
	crashed, cannotStart := false, false
	for i := range pod.Containers {
		crashed = crashed || pod.Containers[i].CrashedAndStopped()
		cannotStart = cannotStart || pod.Containers[i].CannotStart()
	}
	var holds []string
	for _, predicate := range []struct {
		name  string
		holds bool
	}{
		{"terminal", pod.Terminal()},
		{"terminating", pod.Terminating()},
		{"active", pod.Active()},
		{"counted", pod.CountsAsAvailable(30, objects.Noon)},
		{"available", pod.Available(30, objects.Noon)},
		{"changed", pod.ReadyChangedAfterStart()},
		{"running", pod.AnyContainerRunning()},
		{"started", pod.ContainersStarted()},
		{"unscheduled", pod.AwaitingScheduler()},
		{"unstartable", cannotStart},
		{"cut", pod.EndedUnobserved()},
		{"crashed", crashed},
	} {
		if predicate.holds {
			holds = append(holds, predicate.name)
		}
	}
	return strings.Join(holds, " ")
}

func TestPodPredicates(t *testing.T) {
	t.Parallel()
	const available = "counted available changed running started"
	withoutStatuses := objects.Change(func(p *corev1.Pod) { p.Status.ContainerStatuses = nil })
	status := func(reason string, code, restarts int32) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: "setup", RestartCount: restarts, State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code},
		}}
	}
	initialized := func(status corev1.ContainerStatus) objects.Option {
		return objects.Change(func(p *corev1.Pod) { p.Status.InitContainerStatuses = []corev1.ContainerStatus{status} })
	}
	beside := func(status corev1.ContainerStatus) objects.Option {
		return objects.Change(func(p *corev1.Pod) { p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, status) })
	}
	waiting := corev1.ContainerStatus{Name: "setup", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}}
	for name, test := range map[string]struct {
		pod  []objects.Option
		want string
	}{
		"a pod that works": {nil, "active " + available},
		"Ready for 30 s":   {[]objects.Option{objects.Ready(-30)}, "active " + available},
		"Ready for 29 s":   {[]objects.Option{objects.Ready(-29)}, "active changed running started"},
		"Ready, and nobody knows since when": {
			[]objects.Option{objects.Change(func(p *corev1.Pod) { p.Status.Conditions[0].LastTransitionTime.Reset() })}, "active running started",
		},
		"Ready in the second after its start":     {[]objects.Option{objects.Ready(-6999)}, "active counted available running started"},
		"Ready two seconds after its start":       {[]objects.Option{objects.Ready(-6998)}, "active " + available},
		"Ready, without containers":               {[]objects.Option{withoutStatuses}, "active counted available changed started"},
		"not Ready":                               {[]objects.Option{objects.NotReady(-5)}, "active changed running started"},
		"Ready is Unknown":                        {[]objects.Option{objects.ReadyUnknown(-5)}, "active changed running started"},
		"no conditions":                           {[]objects.Option{objects.WithoutConditions()}, "active running started unscheduled"},
		"rejected by its kubelet":                 {[]objects.Option{withoutStatuses, objects.WithoutConditions(), objects.Phase(corev1.PodFailed)}, "terminal unscheduled"},
		"terminating":                             {[]objects.Option{objects.Terminating(-5, 30)}, "terminating " + available},
		"succeeded":                               {[]objects.Option{objects.Finished(0, -5)}, "terminal changed started"},
		"failed":                                  {[]objects.Option{objects.Finished(1, -5)}, "terminal changed started"},
		"failed, while it still claims Ready":     {[]objects.Option{objects.Phase(corev1.PodFailed)}, "terminal counted changed running started"},
		"ended after its deletion":                {[]objects.Option{objects.Terminating(-9, 30), objects.Finished(0, -5)}, "terminal terminating changed started"},
		"an unknown phase":                        {[]objects.Option{objects.Phase("Unknown")}, "active " + available},
		"unbound":                                 {[]objects.Option{objects.On("a"), objects.Unbound()}, "active unscheduled"},
		"gated":                                   {[]objects.Option{objects.On("a"), objects.SchedulingGated()}, "active unscheduled"},
		"its scheduler finds no node":             {[]objects.Option{objects.On("a"), objects.Unschedulable("0/1 nodes are available")}, "active"},
		"its container is being created":          {[]objects.Option{objects.Starting(-6999)}, "active"},
		"its container runs":                      {[]objects.Option{objects.Started(-6999)}, "active running started"},
		"its container waits to be started again": {[]objects.Option{objects.Restarted(1, 1, "Error", -9), objects.CrashLooping(-5)}, "active changed started"},
		"its container ended for the first time":  {[]objects.Option{objects.Exited(1, -5)}, "active changed started"},
		"its container ended again":               {[]objects.Option{objects.Restarted(1, 1, "Error", -9), objects.Exited(1, -5)}, "active changed started crashed"},
		"its container completes again and again": {[]objects.Option{objects.Restarted(1, 0, "Completed", -9), objects.Exited(0, -5)}, "active changed started crashed"},
		"its command is not there":                {[]objects.Option{objects.ExitedBecause("StartError", 128, -5)}, "active changed unstartable"},
		"again":                                   {[]objects.Option{objects.Restarted(1, 128, "StartError", -9), objects.ExitedBecause("StartError", 128, -5)}, "active changed unstartable crashed"},
		"which waits to be started again": {
			[]objects.Option{objects.Restarted(1, 128, "StartError", -9), objects.CrashLooping(-5)}, "active changed unstartable",
		},
		"which is tried again": {[]objects.Option{objects.Restarted(1, 128, "StartError", -9), objects.Waiting("ContainerCreating", -5)}, "active changed unstartable"},
		"which is in trouble of a new kind": {
			[]objects.Option{objects.Restarted(1, 128, "StartError", -9), objects.Waiting("SomethingNew", -5)}, "active changed unstartable",
		},
		"which waits for its image":                {[]objects.Option{objects.Restarted(1, 128, "StartError", -9), objects.Waiting("ErrImagePull", -5)}, "active changed started"},
		"which was there in the end":               {[]objects.Option{objects.Restarted(1, 128, "StartError", -9)}, "active " + available},
		"its configuration is not there":           {[]objects.Option{objects.RestartCount(3), objects.Waiting("CreateContainerConfigError", -5)}, "active changed unstartable"},
		"its container ended in a power cut":       {[]objects.Option{objects.ExitedBecause("Unknown", 255, -5)}, "active changed cut"},
		"its container ended in another power cut": {[]objects.Option{objects.Restarted(1, 255, "Unknown", -9), objects.ExitedBecause("Unknown", 255, -5)}, "active changed cut"},
		"its container ended in a power cut, and Ready stands": {
			[]objects.Option{objects.ExitedBecause("Unknown", 255, -5), objects.Change(func(p *corev1.Pod) { p.Status.Conditions[0].Status = "True" })}, "active changed started cut",
		},
		"of two containers one waits for its first start":      {[]objects.Option{objects.Started(-6999), beside(waiting)}, "active running"},
		"of two containers one has ended":                      {[]objects.Option{objects.Started(-6999), beside(status("Completed", 0, 0))}, "active running started"},
		"of two containers one ended in a power cut":           {[]objects.Option{objects.Started(-6999), beside(status("Unknown", 255, 0))}, "active running cut"},
		"an init container has completed":                      {[]objects.Option{objects.Starting(-6999), initialized(status("Completed", 0, 2))}, "active"},
		"an init container fails again and again":              {[]objects.Option{objects.Starting(-6999), initialized(status("Error", 1, 2))}, "active crashed"},
		"an init container has failed once":                    {[]objects.Option{objects.Starting(-6999), initialized(status("Error", 1, 0))}, "active"},
		"an init container that is behind does not matter":     {[]objects.Option{objects.Started(-6999), initialized(waiting)}, "active running started"},
		"an init container that ended in a power cut, neither": {[]objects.Option{objects.Started(-6999), initialized(status("Unknown", 255, 0))}, "active running started"},
	} {
		t.Run(name, func(t *testing.T) {
			check.Equal(t, predicates(slim.FromPod(objects.Pod("a", test.pod...))), test.want)
		})
	}
}

func TestPodCountsAsAvailable(t *testing.T) {
	t.Parallel()
	// Without minReadySeconds the condition is enough, whatever its stamp.
	pod := slim.FromPod(objects.Pod("a", objects.Ready(3600)))
	for _, seconds := range []int32{0, -1} {
		check.That(t, pod.CountsAsAvailable(seconds, objects.Noon), "a Ready pod does not count with %d minReadySeconds", seconds)
	}
	check.Equal(t, pod.AvailableAt(30), objects.At(3630))
}

func TestPodContainers(t *testing.T) {
	t.Parallel()
	running := func(name string, at float64) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: objects.Stamp(at)}}}
	}
	pod := slim.FromPod(&corev1.Pod{Status: corev1.PodStatus{
		InitContainerStatuses: []corev1.ContainerStatus{running("twin", 0)},
		ContainerStatuses:     []corev1.ContainerStatus{running("twin", 20), running("other", 10), {Name: "waiting"}},
	}})
	if got, want := pod.LastContainerStartedAt(), noonStamp+20; got != want {
		t.Errorf("the last container was started at %d, want %d", got, want)
	}
	check.Equal(t, (&slim.Pod{}).LastContainerStartedAt(), 0)
	for name, test := range map[string]struct {
		container slim.Container
		place     int
		want      *slim.Container
	}{
		"in its place":                       {slim.Container{Name: slim.Intern("other")}, 2, &pod.Containers[2]},
		"in another place":                   {slim.Container{Name: slim.Intern("other")}, 0, &pod.Containers[2]},
		"beyond the last":                    {slim.Container{Name: slim.Intern("other")}, 9, &pod.Containers[2]},
		"an init container of the same name": {slim.Container{Name: slim.Intern("twin"), Init: true}, 1, &pod.Containers[0]},
		"is no container of the same name":   {slim.Container{Name: slim.Intern("twin")}, 0, &pod.Containers[1]},
		"none":                               {slim.Container{Name: slim.Intern("new")}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			check.Equal(t, pod.ContainerLike(&test.container, test.place), test.want)
		})
	}
}
