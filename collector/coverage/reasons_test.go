package coverage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
)

// pods is a cell's pods as options, one list for each pod.
type pods [][]func(*corev1.Pod)

func one(options ...func(*corev1.Pod)) pods { return pods{options} }

type reasonCase struct {
	node []func(*corev1.Node)
	pods pods
	want string
}

// checkReasons judges one cell whose DaemonSet has no minReadySeconds.
func checkReasons(t *testing.T, cases map[string]reasonCase) {
	t.Helper()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// In either order of the pods.
			for _, backwards := range []bool{false, true} {
				w := start(t, daemonSet("agent"), node("a", test.node...))
				for i := range test.pods {
					if backwards {
						i = len(test.pods) - 1 - i
					}
					w.see(pod("agent", "a", append([]func(*corev1.Pod){called(string(rune('p' + i)))}, test.pods[i]...)...))
				}
				if got := w.reason("agent", "a"); got != test.want {
					t.Errorf("the reason is %s, want %s (backwards: %v)", got, test.want, backwards)
				}
			}
		})
	}
}

// Whatever a pod claims: on a node that is not Ready nobody looks
// (kubernetes#112733).
func TestNodeComesFirst(t *testing.T) {
	t.Parallel()
	healthy, crashing := one(), one(podIs("False", -5), containerIs(waiting("CrashLoopBackOff"), 3))
	checkReasons(t, map[string]reasonCase{
		"a Ready pod on a Ready node covers":         {nil, healthy, "covered"},
		"a Ready pod on an unreachable node is none": {[]func(*corev1.Node){unreachable(-60)}, healthy, "node_unreachable"},
		"a Ready pod on a not-ready node is none":    {[]func(*corev1.Node){nodeIs("False", -60)}, healthy, "node_not_ready"},
		"a Ready pod on a node that was never is none": {
			[]func(*corev1.Node){nodeIs("False", -9000)}, healthy, "node_never_ready",
		},
		"a node without a status was never ready":    {[]func(*corev1.Node){withoutStatus}, healthy, "node_never_ready"},
		"the node comes before a missing pod":        {[]func(*corev1.Node){unreachable(-60)}, nil, "node_unreachable"},
		"the node comes before a crash loop":         {[]func(*corev1.Node){unreachable(-60)}, crashing, "node_unreachable"},
		"a cordoned node is a Ready node":            {[]func(*corev1.Node){cordoned}, healthy, "covered"},
		"a cordoned node may miss its pod":           {[]func(*corev1.Node){cordoned}, nil, "pod_missing"},
		"a taint that says otherwise does not count": {[]func(*corev1.Node){tainted("node.kubernetes.io/unreachable", "NoSchedule")}, healthy, "covered"},
	})
}

func TestReasonOfOnePod(t *testing.T) {
	t.Parallel()
	notReady := podIs("False", -5)
	initContainer := func(name string, state corev1.ContainerState, restarts int32) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses,
				corev1.ContainerStatus{Name: name, State: state, RestartCount: restarts})
		}
	}
	sidecar := func(p *corev1.Pod) {
		always := corev1.ContainerRestartPolicyAlways
		p.Spec.InitContainers = append(p.Spec.InitContainers, corev1.Container{Name: "proxy", RestartPolicy: &always})
	}
	beside := func(state corev1.ContainerState, restarts int32) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses,
				corev1.ContainerStatus{Name: "other", State: state, RestartCount: restarts})
		}
	}
	gate := func(p *corev1.Pod) {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: "Ready", Status: "False", Reason: "ReadinessGatesNotReady"})
	}
	noStatuses := func(p *corev1.Pod) { p.Status.ContainerStatuses = nil }
	evicted := func(p *corev1.Pod) { p.Status.Phase, p.Status.Reason = "Failed", "Evicted" }
	rejected := func(p *corev1.Pod) { p.Status.Phase, p.Status.Reason = "Failed", "OutOfcpu" }
	initializing := containerIs(waiting("PodInitializing"), 0)

	checkReasons(t, map[string]reasonCase{
		"no pod is pod_missing":                                     {nil, nil, "pod_missing"},
		"a pod that lacks a resource is insufficient_resources":     {nil, one(unschedulable("0/3 nodes are available: 1 Insufficient memory, 2 ...")), "insufficient_resources"},
		"a pod that finds no port is pod_unschedulable":             {nil, one(unschedulable("0/3 nodes are available: 1 node(s) didn't have free ports")), "pod_unschedulable"},
		"a pod that nobody has scheduled yet is pod_unschedulable":  {nil, one(unbound), "pod_unschedulable"},
		"a pod that is asked to end and ready still covers":         {nil, one(deleted(25, 30)), "covered"},
		"one whose containers have ended is pod_terminating":        {nil, one(deleted(25, 30), notReady, phase("Succeeded"), containerIs(terminated(0), 0)), "pod_terminating"},
		"one that is asked to end in a crash loop is, too":          {nil, one(deleted(25, 30), notReady, containerIs(waiting("CrashLoopBackOff"), 3)), "pod_terminating"},
		"one that is asked to end before it was scheduled is, too":  {nil, one(unbound, deleted(25, 30)), "pod_terminating"},
		"a Failed pod is pod_failed":                                {nil, one(phase("Failed"), notReady), "pod_failed"},
		"a Failed pod that claims Ready is pod_failed":              {nil, one(phase("Failed")), "pod_failed"},
		"a Succeeded pod is pod_failed: an agent must not end":      {nil, one(phase("Succeeded"), notReady), "pod_failed"},
		"a pod that the kubelet rejected is pod_failed":             {nil, one(rejected, notReady, noStatuses), "pod_failed"},
		"an evicted pod is pod_evicted":                             {nil, one(evicted, notReady), "pod_evicted"},
		"ErrImagePull is image_pull":                                {nil, one(notReady, containerIs(waiting("ErrImagePull"), 0)), "image_pull"},
		"ImagePullBackOff is image_pull":                            {nil, one(notReady, containerIs(waiting("ImagePullBackOff"), 0)), "image_pull"},
		"an init container's image is image_pull":                   {nil, one(notReady, initializing, initContainer("setup", waiting("ErrImagePull"), 0)), "image_pull"},
		"a missing ConfigMap is container_config":                   {nil, one(notReady, containerIs(waiting("CreateContainerConfigError"), 0)), "container_config"},
		"an init container's is container_config":                   {nil, one(notReady, initializing, initContainer("setup", waiting("CreateContainerConfigError"), 0)), "container_config"},
		"CrashLoopBackOff is crash_loop":                            {nil, one(notReady, containerIs(waiting("CrashLoopBackOff"), 3)), "crash_loop"},
		"a container that restarted and stands still is, too":       {nil, one(notReady, containerIs(terminated(3), 1)), "crash_loop"},
		"so is one that ends well again and again":                  {nil, one(notReady, containerIs(terminated(0), 1)), "crash_loop"},
		"a first crash is none yet":                                 {nil, one(notReady, containerIs(terminated(3), 0)), "pod_not_ready"},
		"an init container that fails again is crash_loop":          {nil, one(notReady, initializing, initContainer("setup", terminated(1), 2)), "crash_loop"},
		"an init container in back-off is crash_loop":               {nil, one(notReady, initializing, initContainer("setup", waiting("CrashLoopBackOff"), 2)), "crash_loop"},
		"an init container that failed and is done is not":          {nil, one(notReady, initializing, initContainer("setup", terminated(0), 2)), "pod_starting"},
		"a sidecar that crashes is crash_loop":                      {nil, one(notReady, sidecar, initContainer("proxy", terminated(1), 2)), "crash_loop"},
		"a sidecar that ends well again and again is, too":          {nil, one(notReady, sidecar, initContainer("proxy", terminated(0), 2)), "crash_loop"},
		"a second container's crash loop counts":                    {nil, one(notReady, beside(waiting("CrashLoopBackOff"), 2)), "crash_loop"},
		"an image comes before a crash loop":                        {nil, one(notReady, containerIs(waiting("CrashLoopBackOff"), 2), beside(waiting("ErrImagePull"), 0)), "image_pull"},
		"an image comes before a configuration":                     {nil, one(notReady, containerIs(waiting("CreateContainerError"), 0), beside(waiting("ErrImagePull"), 0)), "image_pull"},
		"a configuration comes before a crash loop":                 {nil, one(notReady, containerIs(waiting("CrashLoopBackOff"), 2), beside(waiting("CreateContainerError"), 0)), "container_config"},
		"a waiting reason of the next release is other":             {nil, one(notReady, containerIs(waiting("WaitingForGodot"), 0)), "other"},
		"a bound pod that the kubelet has not seen is pod_starting": {nil, one(func(p *corev1.Pod) { p.Status = corev1.PodStatus{Phase: "Pending"} }), "pod_starting"},
		"ContainerCreating is pod_starting":                         {nil, one(notReady, containerIs(waiting("ContainerCreating"), 0)), "pod_starting"},
		"a running init container is pod_starting":                  {nil, one(notReady, initializing, initContainer("setup", running(), 0)), "pod_starting"},
		"one of two containers not started is pod_starting":         {nil, one(notReady, beside(waiting("ContainerCreating"), 0)), "pod_starting"},
		"a readiness gate is readiness_gate":                        {nil, one(gate), "readiness_gate"},
		"running and not Ready is pod_not_ready":                    {nil, one(notReady), "pod_not_ready"},
		"running and Ready=Unknown is pod_not_ready":                {nil, one(podIs("Unknown", -5)), "pod_not_ready"},
		"running without a Ready condition is pod_not_ready":        {nil, one(func(p *corev1.Pod) { p.Status.Conditions = nil }), "pod_not_ready"},
		"a phase of the next release is other":                      {nil, one(notReady, phase("Hibernating")), "other"},
	})
}

// Several pods share a cell while an update surges, and while a pod ends whose
// successor is there. The one that is closest to working speaks for the cell.
func TestReasonOfSeveralPods(t *testing.T) {
	t.Parallel()
	notReady := podIs("False", -5)
	ended := []func(*corev1.Pod){deleted(25, 30), notReady, phase("Succeeded")}
	checkReasons(t, map[string]reasonCase{
		"while an update surges the old pod covers":           {nil, pods{nil, {starting(-5)}}, "covered"},
		"the new pod covers while the old one ends":           {nil, pods{ended, nil}, "covered"},
		"a pod that ends covers while its successor starts":   {nil, pods{{deleted(25, 30)}, {starting(-5)}}, "covered"},
		"once it has ended, its successor's reason holds":     {nil, pods{ended, {starting(-5)}}, "pod_starting"},
		"an unscheduled successor's reason holds":             {nil, pods{ended, {unbound}}, "pod_unschedulable"},
		"only pods that are asked to end are pod_terminating": {nil, pods{ended, {deleted(25, 30), notReady}}, "pod_terminating"},
		"a failed pod comes before one that ends":             {nil, pods{ended, {phase("Failed"), notReady}}, "pod_failed"},
		"a live pod comes before a failed one":                {nil, pods{{phase("Failed"), notReady}, {notReady, containerIs(waiting("ErrImagePull"), 0)}}, "image_pull"},
		"of two live pods the one that is further on speaks":  {nil, pods{{notReady, containerIs(waiting("ErrImagePull"), 0)}, {notReady}}, "pod_not_ready"},
		"on a dead node none of them does":                    {[]func(*corev1.Node){unreachable(-60)}, pods{nil, ended, nil}, "node_unreachable"},
	})
}

// The enum is closed, and every reason has one cause.
func TestReasonsAndCauses(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"node_unreachable": "node", "node_never_ready": "node", "node_not_ready": "node",
		"pod_missing": "scheduling", "insufficient_resources": "scheduling", "pod_unschedulable": "scheduling",
		"pod_terminating": "pod", "pod_evicted": "pod", "pod_failed": "pod",
		"image_pull": "pod", "container_config": "pod", "crash_loop": "pod", "pod_starting": "pod",
		"readiness_gate": "pod", "pod_not_ready": "pod", "min_ready_seconds": "pod",
		"other": "other",
	}
	got := map[string]string{}
	for reason := coverage.ReasonNone + 1; reason < coverage.Reasons; reason++ {
		got[reason.String()] = reason.Cause().String()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAvailable(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pod      []func(*corev1.Pod)
		minReady int32
		at       float64
		want     bool
	}{
		"a Ready pod is, where nothing else is asked":      {[]func(*corev1.Pod){podIs("True", 0)}, 0, 0, true},
		"not before it has been Ready for minReadySeconds": {[]func(*corev1.Pod){podIs("True", 0)}, 10, 9.9, false},
		"it is once it has been":                           {[]func(*corev1.Pod){podIs("True", 0)}, 10, 10, true},
		"one that is Ready since nobody knows when is not": {[]func(*corev1.Pod){func(p *corev1.Pod) { p.Status.Conditions[0].LastTransitionTime.Reset() }}, 10, 100, false},
		"it is, where nothing else is asked":               {[]func(*corev1.Pod){func(p *corev1.Pod) { p.Status.Conditions[0].LastTransitionTime.Reset() }}, 0, 100, true},
		"one that has ended is not":                        {[]func(*corev1.Pod){phase("Failed")}, 0, 100, false},
		"one that will be Ready in the future is not":      {[]func(*corev1.Pod){podIs("True", 60)}, 1, 0, false},
		"a negative minReadySeconds asks for nothing":      {[]func(*corev1.Pod){podIs("True", 0)}, -5, 0, true},
		"one that is not Ready is not":                     {[]func(*corev1.Pod){podIs("False", 0)}, 0, 100, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := pod("agent", "a", test.pod...)
			if got := coverage.Available(object, test.minReady, at(test.at)); got != test.want {
				t.Errorf("available: %v, want %v", got, test.want)
			}
		})
	}
}
