package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/internal/cli"
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
		{name: "an unknown command is not taken for a finding", args: []string{"foo"}, code: cli.ExitUsage, stderr: "unexpected foo"},
		{name: "help lists the commands", args: []string{"--help"}, stdout: "  explain\n"},
		{name: "the exporter's command can be given", args: []string{"exporter", "--foo"}, code: 1, stderr: "unknown long flag '--foo'"},
		{name: "a command's flags are its own", args: []string{"explain", "--web.telemetry-path=/"}, code: cli.ExitUsage, stderr: "unknown long flag '--web.telemetry-path'"},
		{name: "a command is not set by the exporter's variables", args: []string{"explain"}, env: map[string]string{"DAEMONSET_EXPORTER_NODE": "n"}, code: cli.ExitUsage, stderr: "explain what?"},
		{name: "a command without a cluster cannot tell", args: []string{"explain", "a"}, code: cli.ExitUnknown, stderr: "no Kubernetes API server configured"},
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
			if code := run(t.Context(), name, tc.args, environment(&stdout, &stderr)); code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			check.That(t, strings.Contains(stdout.String(), tc.stdout) && strings.Contains(stderr.String(), tc.stderr), "printed %q and %q", stdout.String(), stderr.String())
			if lines := strings.Count(stderr.String(), "\n"); lines > 1 {
				t.Errorf("printed %d lines: %q", lines, stderr.String())
			}
		})
	}
}

func TestPlugin(t *testing.T) {
	withoutCluster(t)
	for _, tc := range []struct {
		name, arg      string
		code           int
		stdout, stderr string
	}{
		{name: "help is about the commands", arg: "--help", stdout: "usage: kubectl daemonset-coverage "},
		{name: "it does not serve metrics", arg: "exporter", code: cli.ExitUsage, stderr: "expected command but got \"exporter\""},
		{name: "a wrong flag is not taken for a finding", arg: "--foo", code: cli.ExitUsage, stderr: "unknown long flag '--foo'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), "/usr/bin/kubectl-daemonset_coverage", []string{tc.arg}, environment(&stdout, &stderr))
			if code != tc.code || !strings.Contains(stdout.String(), tc.stdout) || !strings.Contains(stderr.String(), tc.stderr) {
				t.Errorf("exit code %d, printed %q and %q", code, stdout.String(), stderr.String())
			}
			if tc.arg == "--help" && strings.Contains(stdout.String(), "--web.") {
				t.Error("help is about the exporter")
			}
		})
	}
}

func TestTaintFlags(t *testing.T) {
	parsed, _, _, done := parse(name, []string{
		"--node.startup-grace=1h", "--node.join-grace=90s",
		"--node.leaving-taint=example.com/leaving", "--node.startup-taint=example.com/starting", "--node.startup-taint=cni.example.com/*",
		"--node.condition-taint=example.com/broken", "--node.condition-taint=health.example.com/*",
	}, environment(io.Discard, io.Discard))
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
		standard, _, _, done := parse(name, nil, environment(io.Discard, io.Discard))
		check.That(t, !done && standard.joinGrace == 5*time.Minute && standard.startupGrace == 15*time.Minute, "join grace %s, startup grace %s", standard.joinGrace, standard.startupGrace)
	})
}

// environment returns what a process that nobody looks at gives its commands.
func environment(stdout, stderr io.Writer) *cli.Environment {
	return &cli.Environment{In: strings.NewReader(""), Out: stdout, Err: stderr, Clock: clock.RealClock{}, UserAgent: userAgent()}
}

// withoutCluster hides clusters and kubeconfigs of the environment.
func withoutCluster(t *testing.T) {
	t.Helper()
	for _, key := range []string{"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "KUBECONFIG"} {
		t.Setenv(key, "")
	}
	t.Setenv("HOME", t.TempDir())
}
