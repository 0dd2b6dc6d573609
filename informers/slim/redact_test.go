package slim_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recordings"
)

// Redacted objects have the fields that are read, and no others: what is read is found
// out by taking one field after the other out of objects in which all are set.
func TestRedact(t *testing.T) {
	t.Parallel()
	testRedact(t, "nodes", slim.FromNode, slim.RedactNode, fullNodes)
	testRedact(t, "pods", slim.FromPod, slim.RedactPod, fullPods)
	testRedact(t, "daemonsets", slim.FromDaemonSet, slim.RedactDaemonSet, fullDaemonSets)
	testRedact(t, "controllerrevisions",
		func(r *appsv1.ControllerRevision) *slim.ControllerRevision {
			trimmed := slim.FromControllerRevision(r)
			return &trimmed
		},
		slim.RedactControllerRevision,
		func() []*appsv1.ControllerRevision {
			return []*appsv1.ControllerRevision{full(func(r *appsv1.ControllerRevision) { setMeta(r) })}
		})
}

// What a real kubelet and strange servers send is trimmed to the same.
func TestRedactRecorded(t *testing.T) {
	t.Parallel()
	for _, name := range recordings.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events, err := recordings.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			for i := range events {
				sameRedacted(t, events[i].Node, events[i].Pod, events[i].DaemonSet)
			}
		})
	}
	for _, text := range absurd {
		var node corev1.Node
		var pod corev1.Pod
		var ds appsv1.DaemonSet
		decode(t, []byte(text), &node)
		decode(t, []byte(text), &pod)
		decode(t, []byte(text), &ds)
		sameRedacted(t, &node, &pod, &ds)
	}
}

func sameRedacted(t *testing.T, node *corev1.Node, pod *corev1.Pod, ds *appsv1.DaemonSet) {
	t.Helper()
	if node != nil && !reflect.DeepEqual(slim.FromNode(slim.RedactNode(node)), slim.FromNode(node)) {
		t.Errorf("another node: %+v", node)
	}
	if pod != nil && !reflect.DeepEqual(slim.FromPod(slim.RedactPod(pod)), slim.FromPod(pod)) {
		t.Errorf("another pod: %+v", pod)
	}
	if ds != nil && !reflect.DeepEqual(slim.FromDaemonSet(slim.RedactDaemonSet(ds)), slim.FromDaemonSet(ds)) {
		t.Errorf("another DaemonSet: %+v", ds)
	}
}

func testRedact[O any, S any](t *testing.T, name string, trim func(*O) *S, redact func(*O) *O, build func() []*O) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		read, kept := map[string]bool{}, map[string]bool{}
		objects := build()
		for i, pristine := range build() { // slim objects share memory with what they are made from
			object, want := objects[i], trim(pristine)
			if got := trim(redact(object)); !reflect.DeepEqual(got, want) {
				t.Errorf("object %d is another one when it is redacted: %+v, want %+v", i, got, want)
			}
			eachField(reflect.ValueOf(object).Elem(), "", func(path string) {
				if !reflect.DeepEqual(trim(object), want) {
					read[path] = true
				}
			})
			eachField(reflect.ValueOf(redact(object)).Elem(), "", func(path string) { kept[path] = true })
		}
		for _, path := range []string{".apiVersion", ".kind", ".metadata.namespace", ".metadata.name"} { // they say which it is
			delete(kept, path)
			delete(read, path)
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(read)), slices.Sorted(maps.Keys(kept))); diff != "" {
			t.Errorf("the fields that are read, and those that are kept (-read +kept):\n%s", diff)
		}
	})
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// eachField calls visit for each field of a value that is set, while it is not.
func eachField(value reflect.Value, path string, visit func(path string)) {
	without := func() {
		before := reflect.New(value.Type()).Elem()
		before.Set(value)
		value.SetZero()
		visit(path)
		value.Set(before)
	}
	_, known := filled[value.Type()]
	switch {
	case value.IsZero():
	case known:
		without()
	case value.Kind() == reflect.Pointer && value.Elem().Kind() == reflect.Struct:
		if _, known := filled[value.Elem().Type()]; known {
			without()
			return
		}
		eachField(value.Elem(), path, visit)
	case value.Kind() == reflect.Struct:
		for i := range value.NumField() {
			name, options, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
			if options != "inline" && name != "" {
				name = "." + name
			}
			eachField(value.Field(i), path+name, visit)
		}
	case value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct:
		for i := range value.Len() {
			eachField(value.Index(i), path+"[]", visit)
		}
	case value.Kind() == reflect.Map:
		for _, key := range value.MapKeys() {
			before := value.MapIndex(key)
			value.SetMapIndex(key, reflect.Value{})
			visit(path + "." + key.String())
			value.SetMapIndex(key, before)
		}
	default:
		without()
	}
}

// full returns an object in which every field is set, and then changed.
func full[O any](change func(*O)) *O {
	var object O
	fill(reflect.ValueOf(&object).Elem(), 0)
	if change != nil {
		change(&object)
	}
	return &object
}

var filled = map[reflect.Type]any{
	reflect.TypeFor[metav1.Time]():        metav1.NewTime(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)),
	reflect.TypeFor[metav1.MicroTime]():   metav1.NewMicroTime(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)),
	reflect.TypeFor[resource.Quantity]():  resource.MustParse("1"),
	reflect.TypeFor[intstr.IntOrString](): intstr.FromInt32(1),
	reflect.TypeFor[metav1.FieldsV1]():    *metav1.NewFieldsV1("{}"),
}

func fill(value reflect.Value, depth int) {
	if known, ok := filled[value.Type()]; ok {
		value.Set(reflect.ValueOf(known))
		return
	}
	switch value.Kind() {
	case reflect.Pointer:
		if depth < 14 {
			value.Set(reflect.New(value.Type().Elem()))
			fill(value.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range value.NumField() {
			if value.Type().Field(i).IsExported() {
				fill(value.Field(i), depth+1)
			}
		}
	case reflect.Slice:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			value.SetBytes([]byte("{}"))
			return
		}
		value.Set(reflect.MakeSlice(value.Type(), 1, 1))
		fill(value.Index(0), depth+1)
	case reflect.Map:
		value.Set(reflect.MakeMap(value.Type()))
		key, element := reflect.New(value.Type().Key()).Elem(), reflect.New(value.Type().Elem()).Elem()
		fill(key, depth+1)
		fill(element, depth+1)
		value.SetMapIndex(key, element)
	case reflect.String:
		value.SetString("planted")
	case reflect.Bool:
		value.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		value.SetInt(7)
	case reflect.Uint32, reflect.Uint64:
		value.SetUint(7)
	case reflect.Float64:
		value.SetFloat(7)
	case reflect.Interface:
	default:
		panic(fmt.Sprintf("a field of kind %s", value.Kind()))
	}
}

// setMeta gives an object a readable identity, labels and an owner, beside others.
func setMeta(object metav1.Object) {
	object.SetResourceVersion("12")
	object.SetSelfLink("late")
	object.SetLabels(map[string]string{"controller-revision-hash": "first", "pod-template-generation": "3", "planted": "planted"})
	object.SetAnnotations(map[string]string{"deprecated.daemonset.template.generation": "3", "planted": "planted"})
	controls := true
	object.SetOwnerReferences([]metav1.OwnerReference{
		{APIVersion: "v1", Kind: "Node", Name: "planted", UID: "planted"},
		{APIVersion: "apps/v1", Kind: "DaemonSet", Name: "planted", UID: "owner", Controller: &controls},
	})
}

var conditionTime = metav1.NewTime(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))

func fullNodes() (nodes []*corev1.Node) {
	for _, kind := range []corev1.NodeConditionType{
		corev1.NodeReady, corev1.NodeGracefulNodeShutdownInProgress, corev1.NodeDrainInProgress, corev1.NodeDrained, corev1.NodeMaintenanceInProgress,
	} {
		nodes = append(nodes, full(func(node *corev1.Node) {
			setMeta(node)
			node.Labels = map[string]string{"zone": "a"}
			other := node.Status.Conditions[0]
			node.Status.Conditions = append(node.Status.Conditions, corev1.NodeCondition{
				Type: kind, Status: corev1.ConditionTrue, Reason: "NodeStatusNeverUpdated", Message: "planted", LastTransitionTime: conditionTime, LastHeartbeatTime: conditionTime,
			}, other)
		}))
	}
	return nodes
}

func fullDaemonSets() []*appsv1.DaemonSet {
	onDelete := full(func(ds *appsv1.DaemonSet) {
		setMeta(ds)
		ds.Spec.UpdateStrategy.Type = appsv1.OnDeleteDaemonSetStrategyType
	})
	return []*appsv1.DaemonSet{onDelete}
}

// fullPods returns pods that differ in what decides which fields are read.
func fullPods() (pods []*corev1.Pod) {
	always := corev1.ContainerRestartPolicyAlways
	add := func(change func(pod *corev1.Pod)) {
		pods = append(pods, full(func(pod *corev1.Pod) {
			setMeta(pod)
			pod.Spec.InitContainers[0].RestartPolicy = &always
			pod.Status.InitContainerStatuses[0].Name = pod.Spec.InitContainers[0].Name
			pod.Status.Phase = corev1.PodRunning
			change(pod)
		}))
	}
	condition := func(kind corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
				Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: conditionTime, LastProbeTime: conditionTime,
			})
		}
	}
	add(condition(corev1.PodReady, corev1.ConditionFalse, "ReadinessGatesNotReady", "planted"))
	add(condition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulingGated", "1 Insufficient cpu"))
	add(condition(corev1.DisruptionTarget, corev1.ConditionTrue, "DeletionByPodGC", "planted"))
	add(func(pod *corev1.Pod) { pod.Status.Reason = "Evicted" })
	add(func(pod *corev1.Pod) { pod.Spec.NodeName, pod.Spec.Affinity = "", targeting("In", "n") })
	for _, state := range []corev1.ContainerState{
		{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "planted"}},
		{Terminated: &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 3, Message: "planted", Signal: 9, FinishedAt: conditionTime, StartedAt: conditionTime}},
		{Running: &corev1.ContainerStateRunning{StartedAt: conditionTime}},
	} {
		add(func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses[0].State, pod.Status.InitContainerStatuses[0].State = state, state
			last := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137, FinishedAt: conditionTime, Message: "planted"}}
			pod.Status.ContainerStatuses[0].LastTerminationState, pod.Status.InitContainerStatuses[0].LastTerminationState = last, last
		})
	}
	return pods
}

func targeting(operator corev1.NodeSelectorOperator, names ...string) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: operator, Values: names}}}},
	}}}
}
