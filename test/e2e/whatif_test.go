package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

// A change is one that what-if is asked about, and that is made then.
type change struct {
	kind string
	// set is the DaemonSet agent as it becomes; nil if it stays as it is.
	set *daemonSet
	// flags tell what-if of the change of nodes, and node makes it.
	flags []string
	node  func(f *fixture)
	// pods are the nodes that have a pod of agent then, and kept how many of these are
	// not expected any more. code is the exit code.
	pods string
	kept int
	code int
}

// changes returns changes, each of what those before it have left: of five nodes, two in
// the pool general, c with a taint NoSchedule, d with a taint NoExecute and e cordoned.
func changes() []change {
	affinity := func(expression string) *daemonSet {
		return &daemonSet{name: "agent", affinity: "{requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [" + expression + "]}}"}
	}
	plain := &daemonSet{name: "agent"}
	selecting := func(key, value string) *daemonSet {
		return &daemonSet{name: "agent", nodeSelector: map[string]string{key: value}}
	}
	const gpu, onDelete = "[{key: gpu, operator: Exists, effect: NoSchedule}]", "{type: OnDelete}"
	label := func(name, patch string) func(*fixture) {
		return func(f *fixture) { f.patchNode(name, `{"metadata":{"labels":`+patch+`}}`) }
	}
	taint := func(name string, effect corev1.TaintEffect) func(*fixture) {
		return func(f *fixture) { f.taint(name, corev1.Taint{Key: "spot", Value: "yes", Effect: effect}) }
	}
	return []change{
		{kind: "a new DaemonSet", set: plain, pods: "a b e"},
		{kind: "a node selector", set: selecting("pool", "general"), pods: "a b", code: 1},
		{kind: "no node selector any more", set: plain, pods: "a b e"},
		{kind: "affinity to a zone", set: affinity("{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [z1]}]}"), pods: "a e", code: 1},
		{kind: "affinity away from a pool", set: affinity("{matchExpressions: [{key: pool, operator: NotIn, values: [spare]}]}"), pods: "a b", code: 1},
		{kind: "affinity to large numbers", set: affinity(`{matchExpressions: [{key: generation, operator: Gt, values: ["4"]}]}`), pods: "b", code: 1},
		{kind: "affinity to what lacks a label", set: affinity("{matchExpressions: [{key: generation, operator: DoesNotExist}]}"), pods: "e", code: 1},
		{kind: "affinity by two terms, one of them a name", set: affinity("{matchFields: [{key: metadata.name, operator: In, values: [a]}]}, {matchExpressions: [{key: pool, operator: In, values: [spare]}]}"), pods: "a e"},
		{kind: "a toleration", set: &daemonSet{name: "agent", tolerations: gpu}, pods: "a b c e"},
		{kind: "no toleration any more: the rolling update takes the pod", set: plain, pods: "a b e", code: 1},
		{kind: "a toleration, without rolling updates", set: &daemonSet{name: "agent", tolerations: gpu, strategy: onDelete}, pods: "a b c e"},
		{kind: "no toleration any more, without rolling updates", set: &daemonSet{name: "agent", strategy: onDelete}, pods: "a b c e", kept: 1, code: 1},
		{kind: "a toleration of everything", set: &daemonSet{name: "agent", tolerations: "[{operator: Exists}]"}, pods: "a b c d e"},
		{kind: "a toleration of one effect", set: &daemonSet{name: "agent", tolerations: "[{operator: Exists, effect: NoSchedule}]"}, pods: "a b c e", code: 1},
		{kind: "the name of a node", set: &daemonSet{name: "agent", nodeName: "b"}, pods: "b", code: 1},
		{kind: "a selector that no node has", set: selecting("tier", "1"), pods: "", code: 1},
		{kind: "a label that is set", flags: []string{"--label=pool in (spare,general),generation!=3=tier=1"}, node: func(f *fixture) {
			label("b", `{"tier":"1"}`)(f)
			label("e", `{"tier":"1"}`)(f)
		}, pods: "b e"},
		{kind: "a label that is removed", flags: []string{"--remove-label=pool=spare=tier"}, node: label("e", `{"tier":null}`), pods: "b", code: 1},
		{kind: "a manifest and a taint at once", set: plain, flags: []string{"--taint=pool=spare=spot=yes:NoExecute"}, node: taint("e", corev1.TaintEffectNoExecute), pods: "a b"},
		{kind: "a taint NoSchedule", flags: []string{"--taint=kubernetes.io/hostname=a=spot=yes:NoSchedule"}, node: taint("a", corev1.TaintEffectNoSchedule), pods: "a b", kept: 1, code: 1},
		{kind: "a taint NoExecute", flags: []string{"--taint=kubernetes.io/hostname=b=spot=yes:NoExecute"}, node: taint("b", corev1.TaintEffectNoExecute), pods: "a", kept: 1, code: 1},
	}
}

// What is predicted of each change is what the DaemonSet controller makes of it.
func TestWhatIf(t *testing.T) {
	t.Parallel()
	f := newUnwatched(t, []cluster.NodeSpec{
		{Name: "a", Zone: "z1", Labels: map[string]string{"pool": "general", "generation": "3"}},
		{Name: "b", Zone: "z2", Labels: map[string]string{"pool": "general", "generation": "5"}},
		{Name: "c", Zone: "z1", Labels: map[string]string{"pool": "gpu"}, Taints: []corev1.Taint{{Key: "gpu", Value: "true", Effect: corev1.TaintEffectNoSchedule}}},
		{Name: "d", Zone: "z2", Labels: map[string]string{"pool": "gpu"}, Taints: []corev1.Taint{{Key: "dedicated", Value: "db", Effect: corev1.TaintEffectNoExecute}}},
		{Name: "e", Zone: "z1", Labels: map[string]string{"pool": "spare"}, Unschedulable: true},
	})
	// One that no change concerns.
	f.apply(daemonSet{name: "everywhere", tolerations: "[{operator: Exists}]"})
	f.must(f.WaitDaemonSet(t.Context(), "default", "everywhere", 5))
	for _, c := range changes() {
		f.run(c.kind, func() {
			expected := f.predict(c)
			if c.set != nil {
				f.apply(*c.set)
			}
			if c.node != nil {
				c.node(f)
				// Of a node that only keeps its pod the controller takes no notice until it
				// looks at the DaemonSet (syncNodeUpdate in v1.37.2).
				f.annotate("agent", c.kind)
			}
			f.must(f.WaitDaemonSetStatus(f.t.Context(), "default", "agent", "the controller to see the change", func(s appsv1.DaemonSetStatus) bool {
				return int(s.DesiredNumberScheduled) == expected && int(s.NumberMisscheduled) == c.kept && s.NumberAvailable == s.DesiredNumberScheduled
			}))
			f.podsOn("agent", c.pods)
			f.podsOn("everywhere", "a b c d e")
		})
	}
}

// predict compares what what-if predicts of a change with what is written beside it, and
// returns on how many nodes agent is expected then.
func (f *fixture) predict(c change) int {
	f.t.Helper()
	args, manifest := append([]string{"what-if", "-o", "json"}, c.flags...), ""
	if c.set != nil {
		args, manifest = append(args, "-f", "-"), string(c.set.manifest())
	}
	got := f.ask(manifest, args...)
	check.Equal(f.t, got.Code, c.code, got.Stderr)
	var predicted struct {
		DaemonSets []struct {
			DaemonSet string
			After     int
			Pods      []string
			Lost      []struct{ Pod string }
		}
	}
	check.NoError(f.t, json.Unmarshal([]byte(got.Stdout), &predicted))
	check.Require(f.t, len(predicted.DaemonSets) == 1 && predicted.DaemonSets[0].DaemonSet == "agent", "predicted %s", got.Stdout)
	check.Equal(f.t, strings.Join(predicted.DaemonSets[0].Pods, " "), c.pods, "predicted")
	return predicted.DaemonSets[0].After
}

// annotate writes an annotation of a DaemonSet, so that the controller looks at it.
func (f *fixture) annotate(name, value string) {
	f.t.Helper()
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"test":%q}}}`, value)
	check.Must(f.Client().AppsV1().DaemonSets("default").Patch(f.t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}))(f.t)
}

// podsOn waits until a DaemonSet has pods on exactly these nodes.
func (f *fixture) podsOn(name, nodes string) {
	f.t.Helper()
	f.must(f.WaitPods(f.t.Context(), "default", "app="+name, fmt.Sprintf("pods of %s on %q", name, nodes), func(pods []corev1.Pod) (bool, string) {
		var on []string
		for i := range pods {
			on = append(on, pods[i].Spec.NodeName)
		}
		slices.Sort(on)
		return strings.Join(on, " ") == nodes, strings.Join(on, " ")
	}))
}
