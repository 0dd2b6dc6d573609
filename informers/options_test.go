package informers

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-kit/log"
	appsv1 "k8s.io/api/apps/v1"
	testclock "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestOptionsNamespaces(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name               string
		included, excluded []string
		pods               []string
		requested          []string
		fieldSelector      string
	}{
		{
			name: "all are watched by default, with one request",
			pods: []string{"pod a/p added", "pod b/p added", "pod c/p added"}, requested: []string{""},
		},
		{
			name: "included ones are requested one by one, so that a Role in each is enough", included: []string{"b", "a", "b"},
			pods: []string{"pod a/p added", "pod b/p added"}, requested: []string{"a", "b"},
		},
		{
			name: "excluded ones stay in the server", excluded: []string{"c", "b"},
			pods: []string{"pod a/p added"}, requested: []string{""}, fieldSelector: "metadata.namespace!=b,metadata.namespace!=c",
		},
		{
			name: "excluded ones are removed from the included ones", included: []string{"a", "b"}, excluded: []string{"b", "c"},
			pods: []string{"pod a/p added"}, requested: []string{"a"},
		},
	} {
		withServer(t, tc.name, func(t *testing.T, server *apiserver.Server) {
			server.Put(node("n"))
			for _, namespace := range []string{"a", "b", "c"} {
				server.Put(pod(namespace, "p"), daemonSet(namespace, "d"))
			}
			set := runSet(t, server, func(o *Options) { o.Namespaces, o.ExcludedNamespaces = tc.included, tc.excluded }).awaitSynced()
			check.Equal(t, slices.Sorted(slices.Values(set.handler.callsFor("pod"))), tc.pods, "calls")
			check.Len(t, set.handler.callsFor("daemonset"), len(tc.pods), "calls")
			for _, resource := range []string{Pods, DaemonSets} {
				var requested []string
				for _, request := range server.Requests(resource) {
					requested = append(requested, request.Namespace)
					check.Equal(t, request.Query.Get("fieldSelector"), tc.fieldSelector, resource, "the field selector")
				}
				if slices.Sort(requested); !slices.Equal(requested, tc.requested) {
					t.Errorf("%s are requested in %q, want %q", resource, requested, tc.requested)
				}
				if health := set.healthOf(resource); health.Objects != len(tc.pods) || !health.Synced {
					t.Errorf("%s: health is %+v", resource, health)
				}
			}
			if requests := server.Requests(Nodes); len(requests) != 1 || requests[0].Namespace != "" || requests[0].Query.Get("fieldSelector") != "" {
				t.Errorf("nodes are requested with %v", requests)
			}
		})
	}
}

func TestOptionsPodsSelector(t *testing.T) {
	t.Parallel()
	withServer(t, "the default selects only pods of DaemonSets", func(t *testing.T, server *apiserver.Server) {
		ofStatefulSet, unlabeled := pod("a", "web-0"), pod("a", "bare")
		ofStatefulSet.Labels["statefulset.kubernetes.io/pod-name"] = "web-0"
		unlabeled.Labels = nil
		server.Put(pod("a", "agent"), ofStatefulSet, unlabeled)
		set := runSet(t, server).awaitSynced()
		check.Equal(t, set.handler.callsFor("pod"), []string{"pod a/agent added"}, "calls")
		t.Run("a pod that loses its label is deleted", func(t *testing.T) {
			stripped := pod("a", "agent")
			delete(stripped.Labels, appsv1.ControllerRevisionHashLabelKey)
			server.Put(stripped)
			set.awaitCall("pod a/agent deleted", 1)
		})
	})
	withServer(t, "an empty one selects all pods", func(t *testing.T, server *apiserver.Server) {
		unlabeled := pod("a", "bare")
		unlabeled.Labels = nil
		server.Put(unlabeled)
		runSet(t, server, func(o *Options) { o.PodsSelector = "" }).awaitSynced().awaitCall("pod a/bare added", 1)
	})
}

func TestOptionsInvalid(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"a namespace", func(o *Options) { o.Namespaces = []string{"Kube_System"} }, `"Kube_System" is not a valid namespace`},
		{"an excluded namespace", func(o *Options) { o.ExcludedNamespaces = []string{"a b"} }, `"a b" is not a valid namespace`},
		{
			"no namespace left", func(o *Options) { o.Namespaces, o.ExcludedNamespaces = []string{"a"}, []string{"a"} },
			"no namespace left to watch",
		},
		{"a selector", func(o *Options) { o.PodsSelector = "a in" }, `"a in" is not a valid label selector for pods`},
		{
			"a certificate that cannot be read",
			func(o *Options) { o.Config.Host, o.Config.CAFile = "https://127.0.0.1:1", "/does/not/exist" },
			"setting up the connection to the API server https://127.0.0.1:1: ",
		},
	} {
		withServer(t, tc.name, func(t *testing.T, server *apiserver.Server) {
			options := Options{Config: server.Config(), Clock: testclock.NewFakePassiveClock(noon()), Logger: log.NewNopLogger()}
			tc.change(&options)
			if _, err := New(options); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("New: %v, want %q", err, tc.want)
			}
		})
	}
}

func TestSplitNamespaces(t *testing.T) {
	t.Parallel()
	if got, err := SplitNamespaces(" a, b,,c "); err != nil || !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("got %q, %v", got, err)
	}
	for _, text := range []string{"", " ", ",", " , ,"} {
		if got, err := SplitNamespaces(text); err == nil || !strings.Contains(err.Error(), "names no namespace") {
			t.Errorf("%q selects %q, %v", text, got, err)
		}
	}
}
