package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/internal/cli"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// answer is what a command has printed, and its exit code.
type answer struct {
	code           int
	stdout, stderr string
}

// stepClock is a clock that shows a minute after Noon, and what was added. Its timers are
// real.
type stepClock struct {
	clock.RealClock
	added atomic.Int64
}

func (c *stepClock) add(d time.Duration) { c.added.Add(int64(d)) }

func (c *stepClock) Now() time.Time { return objects.At(60).Add(time.Duration(c.added.Load())) }

func (c *stepClock) Since(at time.Time) time.Duration { return c.Now().Sub(at) }

// ask runs a command against the server.
func ask(t *testing.T, server *apiserver.Server, args ...string) answer {
	t.Helper()
	return askWith(t, "", append(args, "--kubeconfig="+kubeconfig(t, server))...)
}

// askWith runs a command with this standard input.
func askWith(t *testing.T, stdin string, args ...string) answer {
	t.Helper()
	return askAt(t, &stepClock{}, &async.Buffer{}, stdin, args...)
}

// askAt runs a command with this clock and standard error.
func askAt(t *testing.T, now clock.Clock, stderr *async.Buffer, stdin string, args ...string) answer {
	t.Helper()
	var stdout bytes.Buffer
	app := kingpin.New("daemonset_exporter", "")
	app.UsageWriter(&stdout).ErrorWriter(stderr).Terminate(func(int) {})
	commands := cli.Register(app, &cli.Environment{In: strings.NewReader(stdin), Out: &stdout, Err: stderr, Clock: now, UserAgent: "test/1"})
	name, err := app.Parse(args)
	if err != nil {
		t.Error(err)
		return answer{}
	}
	code := commands.Run(t.Context(), name)
	return answer{code, stdout.String(), stderr.String()}
}

func kubeconfig(t *testing.T, server *apiserver.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: test
clusters: [{name: test, cluster: {server: %q}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
users: [{name: test, user: {}}]
`, server.URL())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
