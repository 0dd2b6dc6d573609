package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// Tests of this package do not run in parallel: run sets the logger of klog,
// which is global.

func TestRun(t *testing.T) {
	server := apiserver.New(t)
	server.Put(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}})
	release := server.HoldLists()
	exporter := start(t.Context(), t, server, "--web.enable-pprof", "--log.format=json")

	t.Run("it is healthy before it has synced", func(t *testing.T) {
		exporter.answers("/-/healthy", http.StatusOK, "healthy\n")
	})
	t.Run("it is not ready before it has synced, and says what is missing", func(t *testing.T) {
		exporter.answers("/-/ready", http.StatusServiceUnavailable,
			"[-]nodes waiting\n[-]pods waiting\n[-]daemonsets waiting\nnot ready\n")
	})
	t.Run("it serves only metrics about itself before it has synced", func(t *testing.T) {
		text := exporter.get("/metrics")
		for line := range strings.Lines(text) {
			check.That(t, regexp.MustCompile(`^(# |daemonset_exporter_|go_|process_)`).MatchString(line), "served too early: %q", line)
		}
		check.That(t, strings.Contains(text, `daemonset_exporter_informer_synced{resource="nodes"} 0`), "metrics are %s", text)
	})
	release()
	t.Run("it is ready when it has synced", func(t *testing.T) {
		exporter.waitReady()
		exporter.answers("/-/ready", http.StatusOK, "ready\n")
		exporter.answers("/-/ready?verbose", http.StatusOK, "[+]nodes watching\n[+]pods watching\n[+]daemonsets watching\nready\n")
		if text := exporter.get("/metrics"); !strings.Contains(text, "\ndaemonset_cluster_nodes{") {
			t.Errorf("metrics are %s", text)
		}
	})
	t.Run("it serves a landing page, and profiles if enabled", func(t *testing.T) {
		if page := exporter.get("/"); !strings.Contains(page, `href="/metrics"`) || !strings.Contains(page, `href="/debug/pprof/heap"`) {
			t.Errorf("the page is %s", page)
		}
		if code, _ := exporter.ask("/debug/pprof/"); code != http.StatusOK {
			t.Errorf("profiles answer %d", code)
		}
	})
	t.Run("it introduces itself to the API server", func(t *testing.T) {
		if agent := server.Requests("nodes")[0].Header.Get("User-Agent"); !strings.HasPrefix(agent, "daemonset_exporter/") {
			t.Errorf("as %q", agent)
		}
	})
	t.Run("it ends with exit code 0 when its context is done", func(t *testing.T) {
		exporter.stop()
		check.Equal(t, exporter.exit(), 0, "exit code")
	})
	t.Run("it logs one JSON object per line, with level, time, caller and message", func(t *testing.T) {
		for _, line := range exporter.logs.With("") {
			var fields map[string]any
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			for _, key := range []string{"level", "time", "caller", "msg"} {
				check.That(t, fields[key] != nil, "no %s in %q", key, line)
			}
		}
	})
}

func TestRunErrors(t *testing.T) {
	taken := check.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer func() { _ = taken.Close() }()
	badWeb := file(t, "web.yml", "tls_server_config: {cert_file: /does/not/exist}")

	for _, tc := range []struct{ name, arg, err string }{
		{"the port is in use", "--web.listen-address=" + taken.Addr().String(), "choose another address with --web.listen-address: listen tcp " + taken.Addr().String() + ": bind: address already in use"},
		{"the web configuration is invalid", "--web.config.file=" + badWeb, "loading web configuration file " + badWeb + ": "},
		{"the web configuration is missing", "--web.config.file=/does/not/exist", "loading web configuration file /does/not/exist: "},
		{"the telemetry path is relative", "--web.telemetry-path=metrics", `telemetry path \"metrics\" is not valid: it must begin with /`},
		{"the telemetry path is reserved", "--web.telemetry-path=/-/ready", `telemetry path \"/-/ready\" is reserved`},
		{"a namespace is invalid", "--namespaces=a,B", `\"B\"`},
		{"the pod selector is invalid", "--pods.selector=a in", "selector"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			exporter := start(t.Context(), t, apiserver.New(t), tc.arg)
			check.Equal(t, exporter.exit(), 1, "exit code")
			if lines := exporter.logs.With("level=error"); len(lines) != 1 || !strings.Contains(lines[0], tc.err) {
				t.Errorf("logged %q", exporter.logs.With(""))
			}
		})
	}
}

func TestRunWithoutAnAPIServer(t *testing.T) {
	server := apiserver.New(t)
	server.Forbid("list", "pods")
	server.Forbid("watch", "pods")
	exporter := start(t.Context(), t, server)
	readySays := func(line string) func() bool {
		return func() bool {
			_, text := exporter.ask("/-/ready")
			return strings.Contains(text, line)
		}
	}
	t.Run("readiness tells in a word what is wrong, and the log in full, once", func(t *testing.T) {
		async.Eventually(t, "forbidden", readySays("[-]pods forbidden\n"))
		lines := exporter.logs.With("forbidden")
		if len(lines) != 1 || !strings.Contains(lines[0], "grant get, list, watch on pods to "+apiserver.User) {
			t.Errorf("logged %q", lines)
		}
	})
	t.Run("readiness says that the server is unreachable, and not where it is", func(t *testing.T) {
		server.Stop()
		async.Eventually(t, "unreachable", readySays("[-]pods unreachable\n"))
		if _, text := exporter.ask("/-/ready?verbose"); strings.Contains(text, "127.0.0.1") {
			t.Errorf("it says %q", text)
		}
	})
	t.Run("it becomes ready when the server is back and permits everything", func(t *testing.T) {
		server.Allow("list", "pods")
		server.Allow("watch", "pods")
		server.Start()
		exporter.waitReady()
	})
}

func TestRunNamespaceSelectors(t *testing.T) {
	for _, tc := range []struct {
		flag             string
		served           bool
		excluded         int
		asksForNamespace bool
	}{
		{flag: "auto", served: true, excluded: 1, asksForNamespace: true},
		{flag: "auto"},
		{flag: "on", excluded: 1, asksForNamespace: true},
		{flag: "off", served: true},
	} {
		t.Run(fmt.Sprintf("%s, served: %v", tc.flag, tc.served), func(t *testing.T) {
			server := apiserver.New(t)
			if tc.served {
				server.Serve("/apis/project.openshift.io", metav1.APIGroup{Name: "project.openshift.io"})
			}
			server.Put(
				&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "n", CreationTimestamp: metav1.Unix(1e9, 0)}},
				&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "infra", Annotations: map[string]string{"openshift.io/node-selector": "pool=a"}}},
				&appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "infra", Name: "agent", UID: "agent"}},
			)
			exporter := start(t.Context(), t, server, "--namespaces.node-selector="+tc.flag)
			exporter.waitReady()
			want := fmt.Sprintf("daemonset_excluded_nodes{daemonset=\"agent\",lifecycle=\"active\",namespace=\"infra\",reason=\"namespace_selector\"} %d\n", tc.excluded)
			if text := exporter.get("/metrics"); !strings.Contains(text, want) {
				t.Errorf("metrics are %s", text)
			}
			check.Equal(t, len(server.Requests("namespaces")) > 0, tc.asksForNamespace, "asked for the namespace")
		})
	}
}

func TestSignalContext(t *testing.T) {
	t.Run("SIGTERM ends the exporter with exit code 0", func(t *testing.T) {
		ctx, restore := signalContext()
		defer restore()
		exporter := start(ctx, t, apiserver.New(t))
		exporter.waitReady()
		check.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
		check.Equal(t, exporter.exit(), 0, "exit code")
	})
}

// exporter is a running exporter.
type exporter struct {
	t     *testing.T
	logs  *async.Buffer
	stop  context.CancelFunc
	ended chan int
	// result is the exit code once it is known.
	result *int
}

// start runs an exporter against the API server until ctx or the test is done.
func start(ctx context.Context, t *testing.T, server *apiserver.Server, args ...string) *exporter {
	t.Helper()
	withoutCluster(t)
	kubeconfig := file(t, "kubeconfig", fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: test
clusters: [{name: test, cluster: {server: %q}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
users: [{name: test, user: {}}]
`, server.URL()))
	args = append([]string{"--kubeconfig=" + kubeconfig}, args...)
	if !strings.Contains(strings.Join(args, " "), "--web.listen-address") {
		args = append(args, "--web.listen-address=127.0.0.1:0")
	}
	ctx, stop := context.WithCancel(ctx)
	e := &exporter{t: t, logs: &async.Buffer{}, stop: stop, ended: make(chan int, 1)}
	go func() { e.ended <- run(ctx, name, args, environment(io.Discard, e.logs)) }()
	t.Cleanup(func() { stop(); e.exit() })
	return e
}

// exit waits for the end and returns the exit code.
func (e *exporter) exit() int {
	e.t.Helper()
	if e.result == nil {
		select {
		case code := <-e.ended:
			e.result = &code
		case <-time.After(async.Patience):
			e.t.Fatal("the exporter does not end")
		}
	}
	return *e.result
}

// url returns the address that the exporter has logged.
func (e *exporter) url() string {
	e.t.Helper()
	address := regexp.MustCompile(`address"?[=:]"?(127\.0\.0\.1:\d+)`)
	var found []string
	async.Eventually(e.t, "the exporter to listen", func() bool {
		for _, line := range e.logs.With("Listening on") {
			found = address.FindStringSubmatch(line)
		}
		return found != nil
	})
	return "http://" + found[1]
}

func (e *exporter) ask(path string) (code int, text string) {
	e.t.Helper()
	request := check.Must(http.NewRequestWithContext(e.t.Context(), http.MethodGet, e.url()+path, nil))(e.t)
	response, err := http.DefaultClient.Do(request)
	check.NoError(e.t, err)
	defer func() { _ = response.Body.Close() }()
	body := check.Must(io.ReadAll(response.Body))(e.t)
	return response.StatusCode, string(body)
}

func (e *exporter) get(path string) string {
	e.t.Helper()
	_, text := e.ask(path)
	return text
}

// waitReady waits until the exporter has synced.
func (e *exporter) waitReady() {
	e.t.Helper()
	async.Eventually(e.t, "the exporter to be ready", func() bool {
		code, _ := e.ask("/-/ready")
		return code == http.StatusOK
	})
}

func (e *exporter) answers(path string, code int, text string) {
	e.t.Helper()
	if gotCode, gotText := e.ask(path); gotCode != code || gotText != text {
		e.t.Errorf("%s answers %d %q", path, gotCode, gotText)
	}
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	check.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
