package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestFlags(t *testing.T) {
	for _, tc := range []struct {
		name           string
		args           []string
		env            map[string]string
		code           int
		stdout, stderr string
	}{
		{name: "help explains the flags and their variables", args: []string{"--help"}, stdout: "($DAEMONSET_EXPORTER_NODE_JOIN_GRACE)"},
		{name: "version is printed", args: []string{"--version"}, stdout: "daemonset_exporter, version "},
		{name: "a variable called version is ignored", args: []string{"--version"}, env: map[string]string{"DAEMONSET_EXPORTER_VERSION": "1.2"}, stdout: "daemonset_exporter, version "},
		{name: "an unknown flag is an error", args: []string{"--foo"}, code: 1, stderr: "unknown long flag '--foo'"},
		{name: "an argument is an error", args: []string{"foo"}, code: 1, stderr: "unexpected foo"},
		{
			name: "a duration needs a unit", args: []string{"--node.join-grace=5"}, code: 1,
			stderr: `--node.join-grace: "5" is not a valid duration (examples: 90s, 5m)`,
		},
		{
			name: "an error in a variable names the flag", env: map[string]string{"DAEMONSET_EXPORTER_NODE_JOIN_GRACE": "5"}, code: 1,
			stderr: `--node.join-grace: "5" is not a valid duration (examples: 90s, 5m)`,
		},
		{
			name: "every grace is a duration", args: []string{"--node.startup-grace=soon"}, code: 1,
			stderr: `--node.startup-grace: "soon" is not a valid duration (examples: 90s, 5m)`,
		},
		{name: "a duration is not negative", args: []string{"--node.join-grace=-1s"}, code: 1, stderr: `--node.join-grace: "-1s" is not a valid duration`},
		{
			name: "a number of series is not negative", args: []string{"--coverage.max-gap-series=-1"}, code: 1,
			stderr: `--coverage.max-gap-series: "-1" is not a valid number of series (examples: 0, 10000)`,
		},
		{
			name: "a node label needs a metric label", args: []string{"--node.label=pool"}, code: 1,
			stderr: `--node.label: "pool" is not a valid pair of labels (example: node.kubernetes.io/pool=pool)`,
		},
		{name: "a node label is a label key", args: []string{"--node.label=a b=c"}, code: 1, stderr: `--node.label: "a b" is not a valid label key: `},
		{name: "a metric label is a label name", args: []string{"--node.label=a=b-c"}, code: 1, stderr: `--node.label: "b-c" is not a valid metric label: `},
		{name: "a metric label is not one of ours", args: []string{"--node.label=a=reason"}, code: 1, stderr: `--node.label: metric label "reason" is reserved`},
		{
			name: "a metric label is used once, one per line", env: map[string]string{"DAEMONSET_EXPORTER_NODE_LABEL": "a=x\nb=x"}, code: 1,
			stderr: `--node.label: metric label "x" is used more than once`,
		},
		{name: "a taint key is a label key", args: []string{"--node.leaving-taint=a/*/b"}, code: 1, stderr: `--node.leaving-taint: "a/*/b" is not a valid taint key: `},
		{
			name: "namespaces select nodes or not", args: []string{"--namespaces.node-selector=yes"}, code: 1,
			stderr: `--namespaces.node-selector: "yes" is not one of [auto, on, off]`,
		},
		{
			name: "no namespaces are not all namespaces", args: []string{"--namespaces="}, code: 1,
			stderr: `--namespaces: "" names no namespace: leave it out for all`,
		},
		{
			name: "no namespaces from a variable are not all either", env: map[string]string{"DAEMONSET_EXPORTER_NAMESPACES": " , "}, code: 1,
			stderr: `--namespaces: " , " names no namespace`,
		},
		{name: "a startup taint is a key", args: []string{"--node.startup-taint=a=b"}, code: 1, stderr: `--node.startup-taint: "a=b" is not a valid taint key: `},
		{
			name: "condition taints are one per line", env: map[string]string{"DAEMONSET_EXPORTER_NODE_CONDITION_TAINT": "example.com/broken\na b"}, code: 1,
			stderr: `--node.condition-taint: "a b" is not a valid taint key: `,
		},
		{name: "a log level is one of four", args: []string{"--log.level=loud"}, code: 1, stderr: `--log.level: "loud" is not one of [debug, info, warn, error]`},
		{name: "an API server must be found", code: 1, stderr: "kubeconfig"},
		{name: "a kubeconfig must exist", args: []string{"--kubeconfig=/does/not/exist"}, code: 1, stderr: "/does/not/exist: no such file or directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withoutCluster(t)
			t.Setenv("DAEMONSET_EXPORTER_LOG_LEVEL", "error")
			for key, text := range tc.env {
				t.Setenv(key, text)
			}
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), tc.args, &stdout, &stderr); code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			check.That(t, strings.Contains(stdout.String(), tc.stdout) && strings.Contains(stderr.String(), tc.stderr), "printed %q and %q", stdout.String(), stderr.String())
			if lines := strings.Count(stderr.String(), "\n"); lines > 1 {
				t.Errorf("printed %d lines: %q", lines, stderr.String())
			}
		})
	}
}

func TestTaintFlags(t *testing.T) {
	parsed, _, done := parse([]string{
		"--node.startup-grace=1h", "--node.join-grace=90s",
		"--node.leaving-taint=example.com/leaving", "--node.startup-taint=example.com/starting", "--node.startup-taint=cni.example.com/*",
		"--node.condition-taint=example.com/broken", "--node.condition-taint=health.example.com/*",
	}, io.Discard, io.Discard)
	check.Require(t, !done, "the flags are not accepted")
	t.Run("each kind is a list of its own", func(t *testing.T) {
		got := [][]string{parsed.leavingTaints, parsed.startupTaints, parsed.conditionTaints}
		want := [][]string{{"example.com/leaving"}, {"example.com/starting", "cni.example.com/*"}, {"example.com/broken", "health.example.com/*"}}
		check.Equal(t, got, want)
	})
	t.Run("each grace is a duration of its own", func(t *testing.T) {
		check.That(t, parsed.joinGrace == 90*time.Second && parsed.startupGrace == time.Hour, "join grace %s, startup grace %s", parsed.joinGrace, parsed.startupGrace)
	})
	t.Run("they have defaults", func(t *testing.T) {
		standard, _, done := parse(nil, io.Discard, io.Discard)
		check.That(t, !done && standard.joinGrace == 5*time.Minute && standard.startupGrace == 15*time.Minute, "join grace %s, startup grace %s", standard.joinGrace, standard.startupGrace)
	})
}

// withoutCluster hides clusters and kubeconfigs of the environment.
func withoutCluster(t *testing.T) {
	t.Helper()
	for _, key := range []string{"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "KUBECONFIG"} {
		t.Setenv(key, "")
	}
	t.Setenv("HOME", t.TempDir())
}
