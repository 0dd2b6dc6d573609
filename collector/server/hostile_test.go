package server_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// markup has no slash, so that it can be a name.
const markup = `<img src=x onerror="alert('x')">`

// hostileCluster has markup wherever an object has text. An API server lets little of it
// through; what is in front of one may let more.
func hostileCluster() []any {
	of := func(what string) string { return markup + what }
	ds := objects.DaemonSet(of("set"), objects.Created(-8000), objects.NodeSelector(of("key"), of("value")), objects.Change(func(ds *appsv1.DaemonSet) {
		ds.Namespace = of("namespace")
	}))
	crashing := objects.Pod(of("pod"), objects.On(of("node")), objects.OwnedBy(ds), objects.Created(-7000), objects.CrashLooping(0), objects.Change(func(p *corev1.Pod) {
		p.Namespace = of("namespace")
		status := &p.Status.ContainerStatuses[0]
		status.Name = of("container")
		status.State.Waiting.Reason, status.State.Waiting.Message = of("waiting"), of("message")
		p.Status.Reason, p.Status.Message = of("status"), of("words")
	}))
	labels := []objects.Option{
		objects.Label(of("key"), of("value")), objects.Label("topology.kubernetes.io/zone", of("zone")), objects.Label("karpenter.sh/nodepool", of("pool")),
	}
	well := slices.Concat(labels, []objects.Option{objects.Created(-9000), objects.Ready(-8990)})
	return []any{
		ds, crashing,
		objects.Node(of("node"), well...),
		objects.Node(of("tainted"), append(well, objects.Taint(of("taint"), of("effect"), "NoSchedule"))...),
		objects.Node(of("unlabelled"), objects.Created(-9000), objects.Ready(-8990)),
	}
}

// Whatever objects are called, pages show it as text.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	address := serve(t, withPages(t, true, hostileCluster()...))
	daemonSet := url.QueryEscape(markup + "namespace/" + markup + "set")
	shown := map[string]bool{}
	for _, path := range []string{
		"/", "/coverage", "/coverage?all=1",
		"/coverage?namespace=" + url.QueryEscape(markup+"namespace"), "/coverage?zone=" + url.QueryEscape(markup+"zone"), "/coverage?pool=" + url.QueryEscape(markup+"pool"),
		"/coverage?node=" + url.QueryEscape(markup+"node"), "/coverage?daemonset=" + url.QueryEscape(markup+"set"), "/coverage?reason=" + url.QueryEscape(markup),
		"/explain?daemonset=" + daemonSet + "&node=" + url.QueryEscape(markup+"node"),
		"/explain?daemonset=" + daemonSet + "&node=" + url.QueryEscape(markup+"tainted"),
		"/explain?daemonset=" + daemonSet + "&node=" + url.QueryEscape(markup+"unlabelled"),
		"/api/v1/coverage?all=1", "/api/v1/explain?daemonset=" + daemonSet + "&node=" + url.QueryEscape(markup+"node"),
	} {
		got := ask(t, http.MethodGet, address+path)
		check.Equal(t, got.code, http.StatusOK, path)
		check.That(t, !strings.Contains(got.text, "<img") && !strings.Contains(got.text, `onerror="`), "%s has markup that is not its own:\n%s", path, got.text)
		for _, what := range []string{"namespace", "set", "node", "tainted", "unlabelled", "zone", "pool", "pod", "container", "key", "value", "taint", "effect"} {
			if strings.Contains(got.text, "&#34;&gt;"+what) {
				shown[what] = true
			}
		}
	}
	check.Len(t, slices.Collect(maps.Keys(shown)), 13, "shown as text")
	for _, path := range []string{"/explain?daemonset=" + daemonSet + "&node=" + url.QueryEscape(markup), "/explain?daemonset=" + url.QueryEscape(markup+"/"+markup) + "&node=x"} {
		got := ask(t, http.MethodGet, address+path)
		check.That(t, got.code == http.StatusNotFound && strings.HasPrefix(got.header.Get("Content-Type"), "text/plain") && got.header.Get("X-Content-Type-Options") == "nosniff", "%s: an error is %d, %v", path, got.code, got.header)
	}
}
