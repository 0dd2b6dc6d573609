package informers

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/go-kit/log"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// namespace returns a Namespace with annotations, given as keys and values.
func namespace(name string, annotations ...string) *corev1.Namespace {
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{}}}
	for i := 0; i < len(annotations); i += 2 {
		object.Annotations[annotations[i]] = annotations[i+1]
	}
	return object
}

// serveProjects makes the server one of OpenShift.
func serveProjects(server *apiserver.Server) {
	server.Serve(projectsPath, metav1.APIGroup{Name: "project.openshift.io"})
}

func serveDefault(server *apiserver.Server, selector string) {
	server.Serve(schedulerPath, map[string]any{"spec": map[string]any{"defaultNodeSelector": selector}})
}

// reader is a Namespaces under test with its log.
type reader struct {
	*Namespaces
	t    *testing.T
	logs *async.Buffer
}

func newReader(t *testing.T, server *apiserver.Server, always bool) *reader {
	t.Helper()
	logs := &async.Buffer{}
	namespaces := check.Must(NewNamespaces(protobuf(server.Config()), always, log.NewLogfmtLogger(logs)))(t)
	return &reader{namespaces, t, logs}
}

// expect reads the selectors of namespaces. kind is that of the error, or "".
func (r *reader) expect(kind ErrorKind, want map[string]string, names ...string) {
	r.t.Helper()
	selectors, err := r.NodeSelectors(r.t.Context(), names)
	var failure *RequestError
	if errors.As(err, &failure) != (kind != "") || failure != nil && failure.Kind != kind {
		r.t.Errorf("the error is %v, want %q", err, kind)
	}
	got := map[string]string{}
	for name, selector := range selectors {
		got[name] = selector.String()
	}
	check.Equal(r.t, got, want, "selectors of", names)
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	none := map[string]string{}
	withServer(t, "returns what OpenShift's controller obeys", func(t *testing.T, server *apiserver.Server) {
		serveProjects(server)
		serveDefault(server, "pool=default")
		want := map[string]string{}
		for name, tc := range map[string]struct {
			want        string
			annotations []string
		}{
			"plain":    {"pool=default", []string{"other", "x"}},
			"own":      {"disk=ssd,pool=a", []string{NodeSelectorAnnotation, "pool=a, disk=ssd"}},
			"empty":    {"", []string{NodeSelectorAnnotation, ""}},
			"set":      {"!gpu,pool in (a,b)", []string{NodeSelectorAnnotation, "pool in (a,b),!gpu"}},
			"broken":   {"", []string{NodeSelectorAnnotation, "pool in a"}},
			"upstream": {"zone=1", []string{podNodeSelector, "zone=1"}},
			"both":     {"zone=1", []string{NodeSelectorAnnotation, "pool=a", podNodeSelector, "zone=1"}},
			"emptied":  {"", []string{NodeSelectorAnnotation, "pool=a", podNodeSelector, ""}},
		} {
			server.Put(namespace(name, tc.annotations...))
			want[name] = tc.want
		}
		r := newReader(t, server, false)
		var names []string
		for name := range maps.Keys(want) {
			names = append(names, name)
		}
		r.expect("", want, names...)
		check.Len(t, server.Requests("schedulers"), 1, "readings of the default")
		for _, request := range server.Requests("namespaces") {
			check.That(t, request.Verb == "get" && request.Header.Get("Accept") == acceptMetadata, "%s as %s", request.Verb, request.Header.Get("Accept"))
		}
		server.Put(namespace("own"))
		r.expect("", map[string]string{"own": "pool=default"}, "own")
	})
	withServer(t, "reads no namespace where projects are not served", func(t *testing.T, server *apiserver.Server) {
		server.Put(namespace("a", NodeSelectorAnnotation, "pool=a"))
		r := newReader(t, server, false)
		for range 3 {
			r.expect("", none, "a")
		}
		check.Equal(t, len(server.Requests("namespaces"))+len(server.Requests("schedulers")), 0, "requests")
		check.Len(t, server.Requests(projectsPath), 1, "questions whether projects are served")
	})
	withServer(t, "always reads if told so", func(t *testing.T, server *apiserver.Server) {
		server.Put(namespace("a", NodeSelectorAnnotation, "pool=a"), namespace("b"))
		newReader(t, server, true).expect("", map[string]string{"a": "pool=a", "b": ""}, "a", "b")
		check.Len(t, server.Requests(projectsPath), 0, "questions whether projects are served")
	})
	withServer(t, "asks again if the server was away", func(t *testing.T, server *apiserver.Server) {
		serveProjects(server)
		server.Put(namespace("a", NodeSelectorAnnotation, "pool=a"))
		r := newReader(t, server, false)
		server.Stop()
		r.expect(ErrorUnreachable, none, "a")
		server.Start()
		r.expect("", map[string]string{"a": "pool=a"}, "a")
		server.Stop()
		r.expect(ErrorUnreachable, none, "a", "b")
		check.Len(t, r.logs.With("level=warn"), 0, "logged")
	})
	withServer(t, "leaves out a namespace that is gone", func(t *testing.T, server *apiserver.Server) {
		server.Put(namespace("a"))
		newReader(t, server, true).expect("", map[string]string{"a": ""}, "gone", "a")
	})
	withServer(t, "logs once what to grant", func(t *testing.T, server *apiserver.Server) {
		server.Put(namespace("a"), namespace("b", NodeSelectorAnnotation, "pool=a"))
		server.Forbid("get", "schedulers")
		r := newReader(t, server, true)
		r.expect("", map[string]string{"a": "", "b": "pool=a"}, "a", "b")
		server.Forbid("get", "namespaces")
		for range 2 {
			r.expect("", none, "a", "b")
		}
		for resource, scope := range map[string]string{"namespaces": `namespace \"a\"`, "schedulers": "all namespaces"} {
			lines := r.logs.With("grant get on " + resource + " to " + apiserver.User)
			check.That(t, len(lines) == 1 && strings.Contains(lines[0], scope), "%s: logged %q", resource, lines)
		}
		server.Allow("get", "namespaces")
		r.expect("", map[string]string{"b": "pool=a"}, "b")
	})
	withServer(t, "returns other errors", func(t *testing.T, server *apiserver.Server) {
		server.Put(namespace("a", NodeSelectorAnnotation, "pool=a"))
		server.Serve(projectsPath, "nonsense")
		newReader(t, server, false).expect(ErrorOther, none, "a")
		server.RejectCredentials()
		newReader(t, server, true).expect(ErrorUnauthorized, none, "a")
	})
	withServer(t, "ends with its context, and says nothing", func(t *testing.T, server *apiserver.Server) {
		r := newReader(t, server, true)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.NodeSelectors(ctx, []string{"a"}); err == nil {
			t.Error("no error")
		}
		check.Len(t, r.logs.With(""), 0, "logged")
	})
}
