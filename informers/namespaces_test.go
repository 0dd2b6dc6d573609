package informers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	testclock "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
)

func TestNamespaces(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name              string
		included, left    []string
		pods              []string
		asked             []string
		askedWithSelector string
	}{
		{
			name: "without a choice all are watched, with one request",
			pods: []string{"pod a/p added", "pod b/p added", "pod c/p added"}, asked: []string{""},
		},
		{
			name: "included ones are asked for one by one, so that roles in them suffice", included: []string{"b", "a", "b"},
			pods: []string{"pod a/p added", "pod b/p added"}, asked: []string{"a", "b"},
		},
		{
			name: "excluded ones stay in the server", left: []string{"c", "b"},
			pods: []string{"pod a/p added"}, asked: []string{""}, askedWithSelector: "metadata.namespace!=b,metadata.namespace!=c",
		},
		{
			name: "excluded ones are taken from the included ones", included: []string{"a", "b"}, left: []string{"b", "c"},
			pods: []string{"pod a/p added"}, asked: []string{"a"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := apiserver.New(t)
			server.Put(node("n"))
			for _, namespace := range []string{"a", "b", "c"} {
				server.Put(pod(namespace, "p"), daemonSet(namespace, "d"))
			}
			r := run(t, server, func(o *informers.Options) { o.Namespaces, o.ExcludedNamespaces = tc.included, tc.left }).synced()
			if got := slices.Sorted(slices.Values(r.seen.about("pod"))); !slices.Equal(got, tc.pods) {
				t.Errorf("told %v, want %v", got, tc.pods)
			}
			if got := r.seen.about("daemonset"); len(got) != len(tc.pods) {
				t.Errorf("told %v", got)
			}
			for _, resource := range []string{informers.Pods, informers.DaemonSets} {
				var asked []string
				for _, request := range server.Requests(resource) {
					asked = append(asked, request.Namespace)
					if selector := request.Query.Get("fieldSelector"); selector != tc.askedWithSelector {
						t.Errorf("%s are asked for with the field selector %q", resource, selector)
					}
				}
				if slices.Sort(asked); !slices.Equal(asked, tc.asked) {
					t.Errorf("%s are asked for in %q, want %q", resource, asked, tc.asked)
				}
				if health := r.health(resource); health.Objects != len(tc.pods) || !health.Synced {
					t.Errorf("health of %s is %+v", resource, health)
				}
			}
			if requests := server.Requests(informers.Nodes); len(requests) != 1 || requests[0].Namespace != "" || requests[0].Query.Get("fieldSelector") != "" {
				t.Errorf("nodes are asked for with %v", requests)
			}
		})
	}
}

func TestSeveralInformersOfAResourceAreOneToHealth(t *testing.T) {
	t.Parallel()
	server := apiserver.New(t)
	release := server.HoldLists()
	defer release()
	r := run(t, server, func(o *informers.Options) { o.Namespaces = []string{"a", "b"} })
	server.Put(pod("a", "p"))
	eventually(t, "both are asked for", func() bool { return len(server.Requests(informers.Pods)) == 2 })
	release()
	r.synced()

	// Only the informer of a hears from its server now.
	later := start().Add(time.Hour)
	r.clock.SetTime(later)
	server.Put(pod("a", "q"))
	r.sees("pod a/q added")
	if health := r.health(informers.Pods); !health.LastEvent.Equal(start()) || health.Objects != 2 {
		t.Errorf("health is %+v, want the sign of life of the informer that heard least", health)
	}
	server.Bookmark()
	eventually(t, "both are alive", func() bool { return r.health(informers.Pods).LastEvent.Equal(later) })
}

func TestOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*informers.Options)
		says   string
	}{
		{
			"a namespace that is no name",
			func(o *informers.Options) { o.Namespaces = []string{"Kube_System"} },
			`"Kube_System" is not a valid namespace`,
		},
		{
			"an excluded namespace that is no name",
			func(o *informers.Options) { o.ExcludedNamespaces = []string{"a b"} },
			`"a b" is not a valid namespace`,
		},
		{
			"nothing is left",
			func(o *informers.Options) { o.Namespaces, o.ExcludedNamespaces = []string{"a"}, []string{"a"} },
			"no namespace left to watch",
		},
		{
			"a selector that is none",
			func(o *informers.Options) { o.PodsSelector = "a in" },
			`"a in" is not a valid label selector for pods`,
		},
		{
			"a certificate that cannot be read",
			func(o *informers.Options) {
				o.Config.Host = "https://127.0.0.1:1"
				o.Config.CAFile = "/does/not/exist"
			},
			"setting up the connection to the API server https://127.0.0.1:1: ",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			options := informers.Options{
				Config: apiserver.New(t).Config(), Clock: testclock.NewFakePassiveClock(start()), Logger: log.NewNopLogger(),
			}
			tc.change(&options)
			if _, err := informers.New(options); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestNamespacesAreSeparatedByCommas(t *testing.T) {
	t.Parallel()
	if got := informers.SplitNamespaces(" a, b,,c "); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("got %q", got)
	}
	if got := informers.SplitNamespaces(""); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}
