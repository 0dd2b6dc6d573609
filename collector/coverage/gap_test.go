package coverage_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

type options = []objects.Option

// pods are the options of each pod of a cell.
type pods []options

// one is the only pod of a cell.
func one(podOptions ...objects.Option) pods { return pods{podOptions} }

type reasonCase struct {
	node options
	pods pods
	want string
	// withheld says that the controller makes no pod because of a condition taint.
	withheld bool
}

// checkReasons checks cells of a DaemonSet that has no minReadySeconds.
func checkReasons(t *testing.T, cases map[string]reasonCase) {
	t.Helper()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			node := readiness.NewNode(slim.FromNode(objects.Node("a", test.node...)), &readiness.Rules{}, true, objects.Noon)
			var all []*slim.Pod
			for _, options := range test.pods {
				all = append(all, slim.FromPod(objects.PodOf("agent", "a", options...)))
			}
			// In either order of the pods.
			for _, backwards := range []bool{false, true} {
				if backwards {
					slices.Reverse(all)
				}
				got, _ := coverage.GapReason(node.Status(), test.withheld, all, 0, objects.Noon)
				check.That(t, got.String() == test.want, "the reason is %s, want %s (backwards: %v)", got, test.want, backwards)
			}
		})
	}
}

// Whatever a pod claims: on a node that is not Ready nobody looks
// (kubernetes#112733).
func TestReasonOfNode(t *testing.T) {
	t.Parallel()
	healthy, crashing := one(), one(objects.CrashLooping(-5))
	checkReasons(t, map[string]reasonCase{
		"a Ready pod on a Ready node covers":           {nil, healthy, "covered", false},
		"a Ready pod on an unreachable node is none":   {options{objects.Unreachable(-60)}, healthy, "node_unreachable", false},
		"a Ready pod on a not-ready node is none":      {options{objects.NotReady(-60)}, healthy, "node_not_ready", false},
		"a Ready pod on a node that was never is none": {options{objects.NotReady(-9000)}, healthy, "node_never_ready", false},
		"a node without a status was never ready":      {options{objects.WithoutConditions()}, healthy, "node_never_ready", false},
		"a taint of the node withholds the pod":        {nil, nil, "node_tainted", true},
		"a pod that is there for all that speaks":      {nil, one(objects.CrashLooping(-5)), "crash_loop", true},
		"the node's status comes before its taints":    {options{objects.Unreachable(-60)}, nil, "node_unreachable", true},
		"the node comes before a missing pod":          {options{objects.Unreachable(-60)}, nil, "node_unreachable", false},
		"the node comes before a crash loop":           {options{objects.Unreachable(-60)}, crashing, "node_unreachable", false},
		"a cordoned node is a Ready node":              {options{objects.Cordoned()}, healthy, "covered", false},
		"a cordoned node may miss its pod":             {options{objects.Cordoned()}, nil, "pod_missing", false},
		"a taint that says otherwise does not count":   {options{objects.Tainted("node.kubernetes.io/unreachable", "NoSchedule")}, healthy, "covered", false},
	})
}

func TestReasonOfPod(t *testing.T) {
	t.Parallel()
	notReady := objects.NotReady(-5)
	initContainer := func(name string, state corev1.ContainerState, restarts int32) objects.Option {
		return objects.Change(func(p *corev1.Pod) {
			p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses,
				corev1.ContainerStatus{Name: name, State: state, RestartCount: restarts})
		})
	}
	sidecar := objects.Change(func(p *corev1.Pod) {
		always := corev1.ContainerRestartPolicyAlways
		p.Spec.InitContainers = append(p.Spec.InitContainers, corev1.Container{Name: "proxy", RestartPolicy: &always})
	})
	beside := func(state corev1.ContainerState, restarts int32) objects.Option {
		return objects.Change(func(p *corev1.Pod) {
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses,
				corev1.ContainerStatus{Name: "other", State: state, RestartCount: restarts})
		})
	}
	rejected := objects.Change(func(p *corev1.Pod) { p.Status = corev1.PodStatus{Phase: "Failed", Reason: "OutOfcpu"} })
	unseen := objects.Change(func(p *corev1.Pod) { p.Status = corev1.PodStatus{Phase: "Pending"} })
	initializing := objects.Waiting("PodInitializing", -5)
	waiting := func(reason string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
	}
	terminated := func(code int32) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Error"}}
	}
	notFound := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 128, Reason: "StartError"}}
	lost := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 255, Reason: "Unknown"}}
	notRun := objects.Restarted(3, 128, "StartError", -9)
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}

	checkReasons(t, map[string]reasonCase{
		"no pod is pod_missing":                                     {nil, nil, "pod_missing", false},
		"a pod that lacks a resource is insufficient_resources":     {nil, one(objects.Unschedulable("0/3 nodes are available: 1 Insufficient memory, 2 ...")), "insufficient_resources", false},
		"a pod that finds no port is pod_unschedulable":             {nil, one(objects.Unschedulable("0/3 nodes are available: 1 objects.Node(s) didn't have free ports")), "pod_unschedulable", false},
		"a pod that no scheduler has seen is awaiting_scheduler":    {nil, one(objects.Unbound()), "awaiting_scheduler", false},
		"a gated pod is, too":                                       {nil, one(objects.SchedulingGated()), "awaiting_scheduler", false},
		"a pod that was bound past the scheduler is not":            {nil, one(objects.WithoutConditions(), objects.Waiting("ContainerCreating", -5)), "pod_starting", false},
		"a pod that is asked to end and ready still covers":         {nil, one(objects.Terminating(-5, 30)), "covered", false},
		"one whose containers have ended is pod_terminating":        {nil, one(objects.Terminating(-5, 30), notReady, objects.Phase("Succeeded"), objects.Exited(0, -5)), "pod_terminating", false},
		"one that is asked to end in a crash loop is, too":          {nil, one(objects.Terminating(-5, 30), objects.CrashLooping(-5)), "pod_terminating", false},
		"one that is asked to end before it was scheduled is, too":  {nil, one(objects.Unbound(), objects.Terminating(-5, 30)), "pod_terminating", false},
		"a Failed pod is pod_failed":                                {nil, one(objects.Phase("Failed"), notReady), "pod_failed", false},
		"a Failed pod that claims Ready is pod_failed":              {nil, one(objects.Phase("Failed")), "pod_failed", false},
		"a Succeeded pod is pod_failed: an agent must not end":      {nil, one(objects.Phase("Succeeded"), notReady), "pod_failed", false},
		"a pod that the kubelet rejected is pod_failed":             {nil, one(rejected, notReady), "pod_failed", false},
		"an evicted pod is pod_evicted":                             {nil, one(notReady, objects.Evicted()), "pod_evicted", false},
		"ErrImagePull is image_pull":                                {nil, one(objects.Waiting("ErrImagePull", -5)), "image_pull", false},
		"ImagePullBackOff is image_pull":                            {nil, one(objects.Waiting("ImagePullBackOff", -5)), "image_pull", false},
		"an init container's image is image_pull":                   {nil, one(initializing, initContainer("setup", waiting("ErrImagePull"), 0)), "image_pull", false},
		"a missing ConfigMap is container_config":                   {nil, one(objects.Waiting("CreateContainerConfigError", -5)), "container_config", false},
		"an init container's is container_config":                   {nil, one(initializing, initContainer("setup", waiting("CreateContainerConfigError"), 0)), "container_config", false},
		"a command that is not there is container_config":           {nil, one(objects.ExitedBecause("StartError", 128, -5)), "container_config", false},
		"it is with another runtime":                                {nil, one(objects.ExitedBecause("ContainerCannotRun", 127, -5)), "container_config", false},
		"it is as RunContainerError":                                {nil, one(notRun, objects.Waiting("RunContainerError", -5)), "container_config", false},
		"it is as CrashLoopBackOff":                                 {nil, one(notRun, objects.CrashLooping(-5)), "container_config", false},
		"it is as terminated, again and again":                      {nil, one(notRun, objects.ExitedBecause("StartError", 128, -5)), "container_config", false},
		"it is while it is created again":                           {nil, one(notRun, objects.Waiting("ContainerCreating", -5)), "container_config", false},
		"it is in an init container":                                {nil, one(initializing, initContainer("setup", notFound, 2)), "container_config", false},
		"it is in a sidecar":                                        {nil, one(notReady, sidecar, initContainer("proxy", notFound, 0)), "container_config", false},
		"an image that is not there comes before it":                {nil, one(notRun, objects.Waiting("ErrImagePull", -5)), "image_pull", false},
		"once it runs that is over":                                 {nil, one(notRun, notReady), "pod_not_ready", false},
		"a crash after it is a crash_loop":                          {nil, one(notRun, objects.Exited(1, -5)), "crash_loop", false},
		"a container that ended in a power cut is pod_starting":     {nil, one(objects.ExitedBecause("Unknown", 255, -5)), "pod_starting", false},
		"it is after another power cut":                             {nil, one(objects.Restarted(1, 255, "Unknown", -500), objects.ExitedBecause("Unknown", 255, -5)), "pod_starting", false},
		"an init container that ended in a power cut, too":          {nil, one(initializing, initContainer("setup", lost, 3)), "pod_starting", false},
		"CrashLoopBackOff is crash_loop":                            {nil, one(objects.CrashLooping(-5)), "crash_loop", false},
		"a container that restarted and stands still is, too":       {nil, one(objects.Exited(3, -5), objects.RestartCount(1)), "crash_loop", false},
		"so is one that ends well again and again":                  {nil, one(objects.Exited(0, -5), objects.RestartCount(1)), "crash_loop", false},
		"a first crash is none yet":                                 {nil, one(objects.Exited(3, -5)), "pod_not_ready", false},
		"an init container that fails again is crash_loop":          {nil, one(initializing, initContainer("setup", terminated(1), 2)), "crash_loop", false},
		"an init container in back-off is crash_loop":               {nil, one(initializing, initContainer("setup", waiting("CrashLoopBackOff"), 2)), "crash_loop", false},
		"an init container that failed and is done is not":          {nil, one(initializing, initContainer("setup", terminated(0), 2)), "pod_starting", false},
		"a sidecar that crashes is crash_loop":                      {nil, one(notReady, sidecar, initContainer("proxy", terminated(1), 2)), "crash_loop", false},
		"a sidecar that ends well again and again is, too":          {nil, one(notReady, sidecar, initContainer("proxy", terminated(0), 2)), "crash_loop", false},
		"a second container's crash loop counts":                    {nil, one(notReady, beside(waiting("CrashLoopBackOff"), 2)), "crash_loop", false},
		"an image comes before a crash loop":                        {nil, one(objects.CrashLooping(-5), beside(waiting("ErrImagePull"), 0)), "image_pull", false},
		"an image comes before a configuration":                     {nil, one(objects.Waiting("CreateContainerError", -5), beside(waiting("ErrImagePull"), 0)), "image_pull", false},
		"a configuration comes before a crash loop":                 {nil, one(objects.CrashLooping(-5), beside(waiting("CreateContainerError"), 0)), "container_config", false},
		"a waiting reason of the next release is other":             {nil, one(objects.Waiting("WaitingForGodot", -5)), "other", false},
		"a bound pod that the kubelet has not seen is pod_starting": {nil, one(unseen), "pod_starting", false},
		"ContainerCreating is pod_starting":                         {nil, one(objects.Waiting("ContainerCreating", -5)), "pod_starting", false},
		"a running init container is pod_starting":                  {nil, one(initializing, initContainer("setup", running, 0)), "pod_starting", false},
		"one of two containers not started is pod_starting":         {nil, one(notReady, beside(waiting("ContainerCreating"), 0)), "pod_starting", false},
		"a readiness gate is readiness_gate":                        {nil, one(objects.ReadinessGatesNotReady(-5)), "readiness_gate", false},
		"running and not Ready is pod_not_ready":                    {nil, one(notReady), "pod_not_ready", false},
		"running and Ready=Unknown is pod_not_ready":                {nil, one(objects.ReadyUnknown(-5)), "pod_not_ready", false},
		"running without a Ready condition is pod_not_ready":        {nil, one(objects.WithoutConditions()), "pod_not_ready", false},
		"a phase of the next release is other":                      {nil, one(notReady, objects.Phase("Hibernating")), "other", false},
	})
}

// Several pods share a cell while an update surges, and while a pod ends whose
// successor is there. The one that is closest to working speaks for the cell.
func TestReasonOfPods(t *testing.T) {
	t.Parallel()
	notReady := objects.NotReady(-5)
	ended := options{objects.Terminating(-5, 30), notReady, objects.Phase("Succeeded")}
	checkReasons(t, map[string]reasonCase{
		"while an update surges the old pod covers":           {nil, pods{nil, {objects.Starting(-5)}}, "covered", false},
		"the new pod covers while the old one ends":           {nil, pods{ended, nil}, "covered", false},
		"a pod that ends covers while its successor starts":   {nil, pods{{objects.Terminating(-5, 30)}, {objects.Starting(-5)}}, "covered", false},
		"once it has ended, its successor's reason holds":     {nil, pods{ended, {objects.Starting(-5)}}, "pod_starting", false},
		"an unscheduled successor's reason holds":             {nil, pods{ended, {objects.Unbound()}}, "awaiting_scheduler", false},
		"only pods that are asked to end are pod_terminating": {nil, pods{ended, {objects.Terminating(-5, 30), notReady}}, "pod_terminating", false},
		"a failed pod comes before one that ends":             {nil, pods{ended, {objects.Phase("Failed"), notReady}}, "pod_failed", false},
		"a live pod comes before a failed one":                {nil, pods{{objects.Phase("Failed"), notReady}, {objects.Waiting("ErrImagePull", -5)}}, "image_pull", false},
		"of two live pods the one that is further on speaks":  {nil, pods{{objects.Waiting("ErrImagePull", -5)}, {notReady}}, "pod_not_ready", false},
		"on a dead node none of them does":                    {options{objects.Unreachable(-60)}, pods{nil, ended, nil}, "node_unreachable", false},
	})
}

// The enum is closed, and every reason has one cause.
func TestReasonCauses(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"node_unreachable": "node", "node_never_ready": "node", "node_not_ready": "node", "node_tainted": "node",
		"pod_missing": "scheduling", "awaiting_scheduler": "scheduling", "insufficient_resources": "scheduling", "pod_unschedulable": "scheduling",
		"pod_terminating": "pod", "pod_evicted": "pod", "pod_failed": "pod",
		"image_pull": "pod", "container_config": "pod", "crash_loop": "pod", "pod_starting": "pod",
		"readiness_gate": "pod", "pod_not_ready": "pod", "min_ready_seconds": "pod",
		"other": "other",
	}
	got := map[string]string{}
	for reason := coverage.ReasonNone + 1; reason < coverage.Reasons; reason++ {
		got[reason.String()] = reason.Cause().String()
	}
	check.Equal(t, got, want)
}

func TestAvailable(t *testing.T) {
	t.Parallel()
	stampless := objects.Change(func(p *corev1.Pod) { p.Status.Conditions[0].LastTransitionTime.Reset() })
	for name, test := range map[string]struct {
		pod      options
		minReady int32
		at       float64
		want     bool
	}{
		"a Ready pod is, where nothing else is asked":      {options{objects.Ready(0)}, 0, 0, true},
		"not before it has been Ready for minReadySeconds": {options{objects.Ready(0)}, 10, 9.9, false},
		"it is once it has been":                           {options{objects.Ready(0)}, 10, 10, true},
		"one that is Ready since nobody knows when is not": {options{stampless}, 10, 100, false},
		"it is, where nothing else is asked":               {options{stampless}, 0, 100, true},
		"one that has ended is not":                        {options{objects.Phase("Failed")}, 0, 100, false},
		"one that will be Ready in the future is not":      {options{objects.Ready(60)}, 1, 0, false},
		"a negative minReadySeconds asks for nothing":      {options{objects.Ready(0)}, -5, 0, true},
		"one that is not Ready is not":                     {options{objects.NotReady(0)}, 0, 100, false},
	} {
		t.Run(name, func(t *testing.T) {
			object := slim.FromPod(objects.PodOf("agent", "a", test.pod...))
			check.Equal(t, object.Available(test.minReady, objects.At(test.at)), test.want, "available")
		})
	}
}
