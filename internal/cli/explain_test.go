package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/cli"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

// serveExample serves a DaemonSet on five nodes: covered, crashing, dead, tainted, and
// without the label that it selects.
func serveExample(t *testing.T) *apiserver.Server {
	t.Helper()
	server := apiserver.New(t)
	linux := objects.Label(corev1.LabelOSStable, "linux")
	server.Put(
		objects.DaemonSet("agent", objects.NodeSelector(corev1.LabelOSStable, "linux")),
		objects.Node("covered", linux), objects.Node("crashing", linux), objects.Node("dead", linux, objects.Unreachable(0)),
		objects.Node("tainted", linux, objects.Taint("gpu", "true", "NoSchedule")), objects.Node("unlabelled"),
		objects.PodOf("agent", "covered"), objects.PodOf("agent", "dead"),
		objects.PodOf("agent", "crashing", objects.CrashLooping(0), objects.RestartCount(4)),
	)
	return server
}

func TestExplain(t *testing.T) {
	t.Parallel()
	server := serveExample(t)
	for _, tc := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a DaemonSet on all nodes", []string{"agent"}, cli.ExitFinding, `
VERDICT    REASON             COUNT   NODES
gap        crash_loop         1       crashing
gap        node_unreachable   1       dead
excluded   node_selector      1       unlabelled
excluded   taint              1       tainted
covered    -                  1       covered
`},
		{"the DaemonSets of a node", []string{"--node", "tainted", "--no-headers", "-o", "wide"}, cli.ExitNothing, `
default   agent   excluded   taint   keep
`},
		{"an excluded node", []string{"default/agent", "--node=tainted"}, cli.ExitNothing, `
default/agent on node tainted: excluded, taint

Rules, in order:
  -    node_name          not set
  -    namespace_selector not set
  ok   node_selector      kubernetes.io/os=linux: the node has "linux"
  -    node_affinity      not set
  NO   taint              gpu=true:NoSchedule: not tolerated
Controller: makes no pod here, keeps one that is there
Node: ready since 2026-11-23T09:30:10Z (150m), active
Pod: none

What would change it:
  - add the toleration {key: gpu, operator: Equal, value: "true", effect: NoSchedule}
  - remove the taint gpu=true:NoSchedule from the node
`},
		{"a crashing pod", []string{"agent", "--node=crashing"}, cli.ExitFinding, `
default/agent on node crashing: gap, crash_loop since 2026-11-23T12:00:00Z (60s)

Rules, in order:
  -    node_name          not set
  -    namespace_selector not set
  ok   node_selector      kubernetes.io/os=linux: the node has "linux"
  -    node_affinity      not set
  -    taint              the node has none
Controller: runs a pod here
Node: ready since 2026-11-23T09:30:10Z (150m), active
Pod: agent-crashing, crash_loop since 2026-11-23T12:00:00Z (60s)
  container agent: waiting, CrashLoopBackOff, 4 restarts

What would change it:
  - look at the logs of the last run (kubectl logs --previous)
`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, server, append([]string{"explain"}, tc.args...)...)
			if diff := cmp.Diff(strings.TrimPrefix(tc.want, "\n"), got.stdout); diff != "" || got.code != tc.code {
				t.Errorf("exit code %d, want %d, standard error %q (-want +got):\n%s", got.code, tc.code, got.stderr, diff)
			}
		})
	}
	t.Run("JSON says the same, with a version", func(t *testing.T) {
		t.Parallel()
		var list struct {
			APIVersion, Kind string
			Items            []struct{ Namespace, DaemonSet, Node, Verdict, Reason string }
		}
		got := ask(t, server, "explain", "agent", "-o", "json")
		if err := json.Unmarshal([]byte(got.stdout), &list); err != nil {
			t.Fatal(err)
		}
		if list.APIVersion != "daemonset-exporter/v1" || list.Kind != "ExplanationList" || len(list.Items) != 5 || list.Items[2].Reason != "node_unreachable" {
			t.Errorf("printed %s", got.stdout)
		}
	})
	for _, tc := range []struct {
		name, stderr string
		args         []string
	}{
		{"a DaemonSet that does not exist is the caller's mistake", "there is no DaemonSet other in namespace default", []string{"other"}},
		{"a node that does not exist is the caller's mistake", "there is no node other", []string{"agent", "--node=other"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := ask(t, server, append([]string{"explain"}, tc.args...)...); got.code != cli.ExitUsage || !strings.Contains(got.stderr, tc.stderr) {
				t.Errorf("exit code %d, %q", got.code, got.stderr)
			}
		})
	}
}

// A missing permission, or a server that does not answer, is never a gap.
func TestExplainCannotTell(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{"nodes", "pods", "daemonsets"} {
		t.Run("without the permission on "+resource, func(t *testing.T) {
			t.Parallel()
			server := serveExample(t)
			server.Forbid("list", resource)
			server.Forbid("watch", resource)
			got := ask(t, server, "explain", "agent")
			if got.code != cli.ExitUnknown || got.stdout != "" || !strings.Contains(got.stderr, "forbidden: cannot list "+resource) && !strings.Contains(got.stderr, "forbidden: cannot watch "+resource) {
				t.Errorf("exit code %d, printed %q and %q", got.code, got.stdout, got.stderr)
			}
		})
	}
	t.Run("without a server", func(t *testing.T) {
		t.Parallel()
		server := serveExample(t)
		server.Stop()
		if got := ask(t, server, "explain", "agent"); got.code != cli.ExitUnknown || !strings.Contains(got.stderr, "unreachable: ") {
			t.Errorf("exit code %d, %q", got.code, got.stderr)
		}
	})
}
