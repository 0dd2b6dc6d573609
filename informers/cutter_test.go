package informers

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/randfill"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/recordings"
)

// wire encodes objects as an API server does, and decodes them as client-go does, cut
// or whole.
type wire struct{ whole, cut runtime.SerializerInfo }

func newWire(tb testing.TB) wire {
	tb.Helper()
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		tb.Fatal(err)
	}
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	codecs := serializer.NewCodecFactory(scheme)
	whole, _ := runtime.SerializerInfoForMediaType(codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	cut, _ := runtime.SerializerInfoForMediaType(cutCodecs{codecs}.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	return wire{whole, cut}
}

// encode encodes an object, and event a watch event with it.
func (w wire) encode(tb testing.TB, object runtime.Object) []byte {
	tb.Helper()
	var encoded bytes.Buffer
	if err := w.whole.Serializer.Encode(object, &encoded); err != nil {
		tb.Fatal(err)
	}
	return encoded.Bytes()
}

func (w wire) event(tb testing.TB, kind watch.EventType, object runtime.Object) []byte {
	tb.Helper()
	var encoded bytes.Buffer
	event := &metav1.WatchEvent{Type: string(kind), Object: runtime.RawExtension{Raw: w.encode(tb, object)}}
	if err := w.whole.StreamSerializer.Encode(event, &encoded); err != nil {
		tb.Fatal(err)
	}
	return encoded.Bytes()
}

// decodeEvent returns the object of an event, and the size of its encoding.
func decodeEvent(by runtime.SerializerInfo, event []byte) (runtime.Object, int, error) {
	var got metav1.WatchEvent
	if _, _, err := by.StreamSerializer.Decode(event, nil, &got); err != nil {
		return nil, 0, err
	}
	object, _, err := by.Serializer.Decode(got.Object.Raw, nil, nil)
	return object, len(got.Object.Raw), err
}

// trim returns the slim object, with its version; other objects as they are.
func trim(object runtime.Object) any {
	switch object := object.(type) {
	case *corev1.Pod:
		pod := slim.FromPod(object)
		return []any{*pod, pod.GetObjectMeta().GetResourceVersion()}
	case *corev1.Node:
		node := slim.FromNode(object)
		return []any{*node, node.GetObjectMeta().GetResourceVersion()}
	default:
		return object
	}
}

// expectSame compares what is read of objects that were cut with what is read of them
// as a whole, in watch events and in a list. It returns the sizes of both.
func (w wire) expectSame(t *testing.T, list runtime.Object, objects ...runtime.Object) (whole, cut int) {
	t.Helper()
	compare := func(whole, cut runtime.Object) {
		t.Helper()
		check.Equal(t, trim(cut), trim(whole), "what is read differs, is a field missing in readFields? -whole +cut:")
	}
	for _, object := range objects {
		event := w.event(t, watch.Modified, object)
		wholeObject, wholeSize, wholeErr := decodeEvent(w.whole, event)
		cutObject, cutSize, cutErr := decodeEvent(w.cut, event)
		if wholeErr != nil || cutErr != nil {
			t.Fatal(wholeErr, cutErr)
		}
		compare(wholeObject, cutObject)
		whole, cut = whole+wholeSize, cut+cutSize
	}
	if err := meta.SetList(list, objects); err != nil {
		t.Fatal(err)
	}
	encoded := w.encode(t, list)
	decoded, _, err := w.cut.Serializer.Decode(encoded, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	items, err := meta.ExtractList(decoded)
	if err != nil || len(items) != len(objects) {
		t.Fatalf("%d objects in the list, want %d: %v", len(items), len(objects), err)
	}
	for i, item := range items {
		compare(objects[i], item)
	}
	if about, err := meta.ListAccessor(decoded); err != nil || about.GetContinue() != "next" || about.GetResourceVersion() != "7" {
		t.Errorf("the list's metadata is %+v, %v", about, err)
	}
	return whole, cut
}

func emptyList(kind string) runtime.Object {
	about := metav1.TypeMeta{APIVersion: "v1", Kind: kind + "List"}
	page := metav1.ListMeta{Continue: "next", ResourceVersion: "7"}
	if kind == "Pod" {
		return &corev1.PodList{TypeMeta: about, ListMeta: page}
	}
	return &corev1.NodeList{TypeMeta: about, ListMeta: page}
}

func typed(kind string) metav1.TypeMeta { return metav1.TypeMeta{APIVersion: "v1", Kind: kind} }

// recorded returns the pods and nodes of all recordings.
func recorded(tb testing.TB) (pods, nodes []runtime.Object) {
	tb.Helper()
	for _, name := range recordings.Names() {
		events, err := recordings.Read(name)
		if err != nil {
			tb.Fatal(err)
		}
		for _, event := range events {
			if event.Pod != nil {
				event.Pod.TypeMeta = typed("Pod")
				pods = append(pods, event.Pod)
			}
			if event.Node != nil {
				event.Node.TypeMeta = typed("Node")
				nodes = append(nodes, event.Node)
			}
		}
	}
	return pods, nodes
}

func TestCutter(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	t.Run("objects of a real cluster", func(t *testing.T) {
		t.Parallel()
		pods, nodes := recorded(t)
		for kind, objects := range map[string][]runtime.Object{"Pod": pods, "Node": nodes} {
			w.expectSame(t, emptyList(kind), objects...)
		}
	})
	t.Run("a sidecar", func(t *testing.T) { // told by words that are filled in nowhere
		t.Parallel()
		w.expectSame(t, emptyList("Pod"), &corev1.Pod{
			TypeMeta: typed("Pod"),
			Spec:     corev1.PodSpec{InitContainers: []corev1.Container{{Name: "proxy", RestartPolicy: new(corev1.ContainerRestartPolicyAlways)}}},
			Status: corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{
				{Name: "proxy", RestartCount: 2, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}},
			}},
		})
	})
	t.Run("objects with something in every field", func(t *testing.T) {
		t.Parallel()
		for seed := range int64(60) {
			pod, node := &corev1.Pod{}, &corev1.Node{}
			filler := newFiller(seed)
			filler.Fill(pod)
			filler.Fill(node)
			pod.TypeMeta, node.TypeMeta = typed("Pod"), typed("Node")
			if whole, cut := w.expectSame(t, emptyList("Pod"), pod); cut*2 > whole {
				t.Errorf("a pod is cut from %d to %d bytes only", whole, cut)
			}
			w.expectSame(t, emptyList("Node"), node)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
	t.Run("fields of a later Kubernetes", func(t *testing.T) {
		t.Parallel()
		pod := &corev1.Pod{TypeMeta: typed("Pod"), ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: corev1.PodSpec{NodeName: "n"}}
		for name, unknown := range map[string][]byte{
			"a number":  {0xf8, 0x3f, 0x96, 0x01},
			"a text":    {0xfa, 0x3f, 0x02, 'h', 'i'},
			"fixed32":   {0xfd, 0x3f, 1, 2, 3, 4},
			"fixed64":   {0xf9, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8},
			"a group":   {0xfb, 0x3f, 0x08, 0x01, 0xfc, 0x3f}, // not cut, but decoded
			"no fields": {},
		} {
			encoded, err := pod.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			raw, err := (&runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "v1", Kind: "Pod"}, Raw: append(unknown, encoded...)}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			var event bytes.Buffer
			err = w.whole.StreamSerializer.Encode(&metav1.WatchEvent{
				Type: string(watch.Added), Object: runtime.RawExtension{Raw: append([]byte(objectPrefix), raw...)},
			}, &event)
			if err != nil {
				t.Fatal(err)
			}
			object, _, err := decodeEvent(w.cut, event.Bytes())
			if got, ok := object.(*corev1.Pod); !ok || got.Name != "a" || got.Spec.NodeName != "n" {
				t.Errorf("%s: %v, %v", name, object, err)
			}
		}
	})
	t.Run("what stays as it is", func(t *testing.T) {
		t.Parallel()
		bookmark := &corev1.Pod{
			TypeMeta:   typed("Pod"),
			ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{metav1.InitialEventsAnnotationKey: "true"}},
		}
		status := &metav1.Status{TypeMeta: typed("Status"), Message: "gone"}
		for name, event := range map[string][]byte{
			"a bookmark, whose annotation counts": w.event(t, watch.Bookmark, bookmark),
			"an error":                            w.event(t, watch.Error, status),
			"another kind":                        w.event(t, watch.Added, &corev1.Secret{TypeMeta: typed("Secret"), Data: map[string][]byte{"a": nil}}),
		} {
			whole, _, wholeErr := decodeEvent(w.whole, event)
			cut, _, cutErr := decodeEvent(w.cut, event)
			if wholeErr != nil || cutErr != nil {
				t.Errorf("%s: %v, %v", name, wholeErr, cutErr)
			}
			if diff := cmp.Diff(whole, cut); diff != "" {
				t.Errorf("%s (-whole +cut):\n%s", name, diff)
			}
		}
	})
	t.Run("broken events fail or decode, and never panic", func(t *testing.T) {
		t.Parallel()
		pods, _ := recorded(t)
		chance := rand.New(rand.NewPCG(1, 2))
		for _, pod := range pods {
			event := w.event(t, watch.Added, pod)
			for range 5 {
				broken := bytes.Clone(event)[:chance.IntN(len(event)+1)]
				if len(broken) > 0 && chance.IntN(2) == 0 {
					broken[chance.IntN(len(broken))] ^= byte(1 + chance.IntN(255))
				}
				_, _, _ = decodeEvent(w.cut, broken)
			}
		}
	})
}

// newFiller returns a filler of nearly all fields of an object.
func newFiller(seed int64) *randfill.Filler {
	return randfill.NewWithSeed(seed).NilChance(0.1).NumElements(1, 3).MaxDepth(12).Funcs(
		func(q *apiresource.Quantity, c randfill.Continue) {
			*q = *apiresource.NewQuantity(c.Int63n(1000), apiresource.DecimalSI)
		},
		func(i *intstr.IntOrString, c randfill.Continue) { *i = intstr.FromInt32(c.Int31n(100)) },
		func(f *metav1.FieldsV1, _ randfill.Continue) { *f = *metav1.NewFieldsV1("{}") },
		// Whole seconds, as on the wire.
		func(at *metav1.Time, c randfill.Continue) { *at = metav1.Unix(c.Int63n(1<<32), 0) },
	)
}

// FuzzCutter looks for watch events that make the cutter panic.
func FuzzCutter(f *testing.F) {
	w := newWire(f)
	pods, nodes := recorded(f)
	f.Add(w.event(f, watch.Added, pods[0]))
	f.Add(w.event(f, watch.Added, nodes[0]))
	f.Fuzz(func(_ *testing.T, event []byte) { _, _, _ = decodeEvent(w.cut, event) })
}

// BenchmarkDecode measures what decoding the event of a pod or node costs that has
// something in every field.
func BenchmarkDecode(b *testing.B) {
	w := newWire(b)
	pod, node := &corev1.Pod{}, &corev1.Node{}
	newFiller(1).Fill(pod)
	newFiller(1).Fill(node)
	pod.TypeMeta, node.TypeMeta = typed("Pod"), typed("Node")
	for name, object := range map[string]runtime.Object{"pod": pod, "node": node} {
		event := w.event(b, watch.Modified, object)
		for how, by := range map[string]runtime.SerializerInfo{"whole": w.whole, "cut": w.cut} {
			b.Run(name+"/"+how, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := decodeEvent(by, event); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
