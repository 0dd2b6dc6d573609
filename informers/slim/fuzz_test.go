package slim_test

import (
	"encoding/json"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// absurd holds objects as from webhooks, other versions of Kubernetes and broken
// kubelets.
var absurd = []string{
	`{}`,
	`{"metadata":null,"spec":null,"status":null}`,
	`{"metadata":{"uid":"\u0000","resourceVersion":"-1","creationTimestamp":"9999-12-31T23:59:59Z","deletionTimestamp":"0001-01-01T00:00:01Z","deletionGracePeriodSeconds":9223372036854775807,"generation":-9223372036854775808}}`,
	`{"metadata":{"ownerReferences":[{},{"controller":true},{"controller":true,"kind":"DaemonSet"}],"labels":{"":""},"annotations":null}}`,
	`{"spec":{"nodeName":"","affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{}}}}}`,
	`{"spec":{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":null}]}]}}}}}`,
	`{"spec":{"taints":[{},{"key":"","effect":"Nonsense"}],"unschedulable":true},"status":{"conditions":[{},{"type":"Ready"},{"type":"Ready","status":"perhaps"}]}}`,
	`{"status":{"phase":"?","startTime":"1901-01-01T00:00:00Z","conditions":[{"type":"Ready","status":"True","lastTransitionTime":null}],"containerStatuses":[{},{"restartCount":-2147483648,"state":{"waiting":{},"running":{},"terminated":{}}}],"initContainerStatuses":[{"lastState":{"terminated":{"exitCode":-1,"finishedAt":null}}}]}}`,
	`{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":"-5%","maxSurge":"lots"}},"minReadySeconds":-1,"template":{"spec":{"tolerations":[{}],"nodeSelector":{"":""}}}},"status":{"desiredNumberScheduled":-1}}`,
}

// FuzzRecords trims whatever decodes as an object. There must always be a result,
// and client-go's stores must accept it.
func FuzzRecords(f *testing.F) {
	for _, text := range absurd {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var pod corev1.Pod
		if json.Unmarshal(text, &pod) == nil {
			got := slim.FromPod(&pod)
			checkKey(t, got, &pod)
			if again := slim.FromPod(&pod); again.Owner != got.Owner || again.NodeName != got.NodeName || !again.SameVersion(&got.Meta) {
				t.Error("the same pod is trimmed to different slim pods")
			}
			if len(got.Containers) != len(pod.Status.ContainerStatuses)+len(pod.Status.InitContainerStatuses) {
				t.Errorf("%d containers", len(got.Containers))
			}
		}
		var node corev1.Node
		if json.Unmarshal(text, &node) == nil {
			got := slim.FromNode(&node)
			checkKey(t, got, &node)
			if !got.Same(slim.FromNode(&node)) {
				t.Error("a node is not the same as itself")
			}
		}
		var ds appsv1.DaemonSet
		if json.Unmarshal(text, &ds) == nil {
			checkKey(t, slim.FromDaemonSet(&ds), &ds)
		}
	})
}

func checkKey(t *testing.T, got metav1.ObjectMetaAccessor, object metav1.Object) {
	t.Helper()
	want := check.Must(cache.MetaNamespaceKeyFunc(object))(t)
	if key, err := cache.MetaNamespaceKeyFunc(got); err != nil || key != want {
		t.Errorf("key %q, %v; want %q", key, err, want)
	}
}
