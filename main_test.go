package main

import (
	"bytes"
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
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// No test here runs beside another one: klog, which run turns to the
// exporter's logger, is one for the whole process.

func TestTheCommandLine(t *testing.T) {
	for _, tc := range []struct {
		name           string
		args           []string
		env            map[string]string
		code           int
		stdout, stderr string
	}{
		{name: "help explains the flags and their variables", args: []string{"--help"}, stdout: "($DAEMONSET_EXPORTER_NODE_JOIN_GRACE)"},
		{name: "version", args: []string{"--version"}, stdout: "daemonset_exporter, version "},
		{name: "a variable called version is none of ours", args: []string{"--version"}, env: map[string]string{"DAEMONSET_EXPORTER_VERSION": "1.2"}, stdout: "daemonset_exporter, version "},
		{name: "an unknown flag", args: []string{"--foo"}, code: 1, stderr: "daemonset_exporter: error: unknown long flag '--foo', try --help\n"},
		{name: "an argument", args: []string{"foo"}, code: 1, stderr: "daemonset_exporter: error: unexpected foo, try --help\n"},
		{
			name: "a duration without a unit", args: []string{"--node.join-grace=5"}, code: 1,
			stderr: "daemonset_exporter: error: --node.join-grace=5 is no duration such as 90s or 5m, try --help\n",
		},
		{
			name: "the same in a variable", env: map[string]string{"DAEMONSET_EXPORTER_NODE_JOIN_GRACE": "5"}, code: 1,
			stderr: "daemonset_exporter: error: --node.join-grace=5 is no duration such as 90s or 5m, try --help\n",
		},
		{
			name: "a negative number of series", args: []string{"--coverage.max-gap-series=-1"}, code: 1,
			stderr: "daemonset_exporter: error: --coverage.max-gap-series=-1 is no number of series, try --help\n",
		},
		{
			name: "a node label without a metric label", args: []string{"--node.label=pool"}, code: 1,
			stderr: "daemonset_exporter: error: --node.label=pool is not of the form nodelabel=metric_label, try --help\n",
		},
		{name: "a node label that is none", args: []string{"--node.label=a b=c"}, code: 1, stderr: "a b is no label of nodes"},
		{name: "a metric label that is none", args: []string{"--node.label=a=b-c"}, code: 1, stderr: `"b-c" is no metric label`},
		{name: "a metric label that is taken", args: []string{"--node.label=a=reason"}, code: 1, stderr: `metric label "reason" is taken`},
		{
			name: "a metric label that is given twice, one per line", env: map[string]string{"DAEMONSET_EXPORTER_NODE_LABEL": "a=x\nb=x"}, code: 1,
			stderr: `metric label "x" is given twice`,
		},
		{name: "a taint key that is none", args: []string{"--node.leaving-taint=a/*/b"}, code: 1, stderr: "--node.leaving-taint=a/*/b is no key of taints"},
		{name: "a log level that is none", args: []string{"--log.level=loud"}, code: 1, stderr: "debug,info,warn,error"},
		{
			name: "no API server to be found", code: 1,
			stderr: "set a kubeconfig (flag or KUBECONFIG)",
		},
		{
			name: "a kubeconfig that is missing", args: []string{"--kubeconfig=/does/not/exist"}, code: 1,
			stderr: "the kubeconfig /does/not/exist cannot be used: stat /does/not/exist: no such file or directory",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			nowhere(t)
			for key, text := range tc.env {
				t.Setenv(key, text)
			}
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), tc.args, &stdout, &stderr); code != tc.code {
				t.Errorf("the exit code is %d", code)
			}
			if !strings.Contains(stdout.String(), tc.stdout) || !strings.Contains(stderr.String(), tc.stderr) {
				t.Errorf("it says %q and %q", stdout.String(), stderr.String())
			}
			if lines := strings.Count(stderr.String(), "\n"); lines > 1 {
				t.Errorf("it takes %d lines to say it: %q", lines, stderr.String())
			}
		})
	}
}

// nowhere makes the environment one without a cluster and without kubeconfigs.
func nowhere(t *testing.T) {
	t.Helper()
	for _, key := range []string{"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "KUBECONFIG"} {
		t.Setenv(key, "")
	}
	t.Setenv("HOME", t.TempDir())
}

func TestWhatCannotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	badWeb := file(t, "web.yml", "tls_server_config: {cert_file: /does/not/exist}")

	for _, tc := range []struct{ name, arg, says string }{
		{"the port is taken", "--web.listen-address=" + taken.Addr().String(), "another process has the port, choose another with --web.listen-address: listen tcp " + taken.Addr().String() + ": bind: address already in use"},
		{"the web configuration is bad", "--web.config.file=" + badWeb, "the web configuration " + badWeb + " cannot be used: "},
		{"the web configuration is missing", "--web.config.file=/does/not/exist", "the web configuration /does/not/exist cannot be used: "},
		{"the telemetry path is relative", "--web.telemetry-path=metrics", `the telemetry path \"metrics\" does not begin with a slash`},
		{"the telemetry path is taken", "--web.telemetry-path=/-/ready", `the telemetry path \"/-/ready\" is taken`},
		{"a namespace is no name", "--namespaces=a,B", `\"B\" is not a valid namespace`},
		{"the selector is none", "--pods.selector=a in", "is not a valid label selector for pods"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			exporter := start(t, apiserver.New(t), tc.arg)
			if code := exporter.exit(); code != 1 {
				t.Errorf("the exit code is %d", code)
			}
			if lines := exporter.logs.with(tc.says); len(lines) != 1 || !strings.Contains(lines[0], "cannot start") {
				t.Errorf("logged %q", exporter.logs.with(""))
			}
		})
	}
}

func TestFromStartToEnd(t *testing.T) {
	server := apiserver.New(t)
	server.Put(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}})
	release := server.HoldLists()
	exporter := start(t, server, "--web.enable-pprof", "--log.format=json")

	t.Run("it is healthy before it knows anything", func(t *testing.T) {
		exporter.answers("/-/healthy", http.StatusOK, "healthy\n")
	})
	t.Run("it is not ready, and says what it waits for", func(t *testing.T) {
		exporter.answers("/-/ready", http.StatusServiceUnavailable,
			"not ready\nnodes: waiting for the initial list\npods: waiting for the initial list\ndaemonsets: waiting for the initial list\n")
	})
	t.Run("it serves only metrics about itself", func(t *testing.T) {
		text := exporter.get("/metrics")
		for line := range strings.Lines(text) {
			if !regexp.MustCompile(`^(# |daemonset_exporter_|go_|process_)`).MatchString(line) {
				t.Errorf("served too early: %q", line)
			}
		}
		if !strings.Contains(text, `daemonset_exporter_informer_synced{resource="nodes"} 0`) {
			t.Errorf("metrics are %s", text)
		}
	})
	release()
	t.Run("it is ready when all lists have ended", func(t *testing.T) {
		eventually(t, "it is ready", func() bool { return exporter.code("/-/ready") == http.StatusOK })
		exporter.answers("/-/ready", http.StatusOK, "ready\n")
		if text := exporter.get("/metrics"); !strings.Contains(text, "\ndaemonset_cluster_nodes{") {
			t.Errorf("metrics are %s", text)
		}
	})
	t.Run("it serves a landing page, and profiles where they are asked for", func(t *testing.T) {
		if page := exporter.get("/"); !strings.Contains(page, `href="/metrics"`) || !strings.Contains(page, `href="/debug/pprof/heap"`) {
			t.Errorf("the page is %s", page)
		}
		if code := exporter.code("/debug/pprof/"); code != http.StatusOK {
			t.Errorf("profiles answer %d", code)
		}
	})
	t.Run("it introduces itself to the API server", func(t *testing.T) {
		if agent := server.Requests("nodes")[0].Header.Get("User-Agent"); !strings.HasPrefix(agent, "daemonset_exporter/") {
			t.Errorf("as %q", agent)
		}
	})
	t.Run("it ends cleanly when it is told to", func(t *testing.T) {
		exporter.stop()
		if code := exporter.exit(); code != 0 {
			t.Errorf("the exit code is %d", code)
		}
	})
	t.Run("it logs one JSON object a line, with a level, a time, a caller and a message", func(t *testing.T) {
		for _, line := range exporter.logs.with("") {
			var fields map[string]any
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			for _, key := range []string{"level", "time", "caller", "msg"} {
				if fields[key] == nil {
					t.Errorf("no %s in %q", key, line)
				}
			}
		}
	})
}

func TestAnAPIServerThatForbidsOrIsAwayIsWaitedFor(t *testing.T) {
	server := apiserver.New(t)
	server.Forbid("list", "pods")
	server.Forbid("watch", "pods")
	exporter := start(t, server)
	eventually(t, "readiness names what is forbidden", func() bool {
		_, text := exporter.ask("/-/ready")
		return strings.Contains(text, "\npods: forbidden: cannot ") && strings.Contains(text, "grant get, list, watch on pods to "+apiserver.User)
	})
	if lines := exporter.logs.with("forbidden: cannot "); len(lines) != 1 {
		t.Errorf("logged %q", lines)
	}
	server.Stop()
	eventually(t, "readiness says that the server is away", func() bool {
		_, text := exporter.ask("/-/ready")
		return strings.Contains(text, "\npods: unreachable: the API server does not answer")
	})
	server.Allow("list", "pods")
	server.Allow("watch", "pods")
	server.Start()
	eventually(t, "it is ready", func() bool { return exporter.code("/-/ready") == http.StatusOK })
}

func TestASignalEndsIt(t *testing.T) {
	ctx, restore := untilSignal()
	defer restore()
	exporter := startWith(ctx, t, apiserver.New(t))
	eventually(t, "it is ready", func() bool { return exporter.code("/-/ready") == http.StatusOK })
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := exporter.exit(); code != 0 {
		t.Errorf("the exit code is %d", code)
	}
}

// exporter is a running exporter.
type exporter struct {
	t     *testing.T
	logs  *logs
	stop  context.CancelFunc
	ended chan int
	// result is the exit code once it is known.
	result *int
}

func start(t *testing.T, server *apiserver.Server, args ...string) *exporter {
	t.Helper()
	return startWith(t.Context(), t, server, args...)
}

func startWith(ctx context.Context, t *testing.T, server *apiserver.Server, args ...string) *exporter {
	t.Helper()
	nowhere(t)
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
	e := &exporter{t: t, logs: &logs{}, stop: stop, ended: make(chan int, 1)}
	go func() { e.ended <- run(ctx, args, io.Discard, e.logs) }()
	t.Cleanup(func() { stop(); e.exit() })
	return e
}

// exit waits for the end and gives the exit code.
func (e *exporter) exit() int {
	e.t.Helper()
	if e.result == nil {
		select {
		case code := <-e.ended:
			e.result = &code
		case <-time.After(patience):
			e.t.Fatal("it does not end")
		}
	}
	return *e.result
}

// url is where it listens, as its log tells.
func (e *exporter) url() string {
	e.t.Helper()
	address := regexp.MustCompile(`address"?[=:]"?(127\.0\.0\.1:\d+)`)
	var found []string
	eventually(e.t, "it listens", func() bool {
		for _, line := range e.logs.with("Listening on") {
			found = address.FindStringSubmatch(line)
		}
		return found != nil
	})
	return "http://" + found[1]
}

func (e *exporter) ask(path string) (code int, text string) {
	e.t.Helper()
	request, err := http.NewRequestWithContext(e.t.Context(), http.MethodGet, e.url()+path, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func (e *exporter) get(path string) string {
	e.t.Helper()
	_, text := e.ask(path)
	return text
}

func (e *exporter) code(path string) int {
	e.t.Helper()
	code, _ := e.ask(path)
	return code
}

func (e *exporter) answers(path string, code int, text string) {
	e.t.Helper()
	if gotCode, gotText := e.ask(path); gotCode != code || gotText != text {
		e.t.Errorf("%s answers %d %q", path, gotCode, gotText)
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(patience), time.NewTicker(5*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// logs collects log lines.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// with are the lines that contain a text.
func (l *logs) with(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}
