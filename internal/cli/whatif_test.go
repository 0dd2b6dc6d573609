package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/cli"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// nodesOf are the nodes of a prediction, by hand.
type nodesOf struct {
	Won, Lost []struct{ Node, Rule, Pod string }
	Pods      []string
}

func (n nodesOf) text() string {
	var words []string
	for _, node := range n.Won {
		words = append(words, "+"+node.Node+" ("+node.Rule+")")
	}
	for _, node := range n.Lost {
		words = append(words, "-"+node.Node+" ("+node.Rule+", "+node.Pod+")")
	}
	return strings.Join(words, ", ") + "; pods on " + strings.Join(n.Pods, ", ")
}

const manifestHead = `
apiVersion: v1
kind: ConfigMap
metadata: {name: agent}
---
# Source: chart/templates/daemonset.yaml
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  template:
    spec:
`

func TestWhatIf(t *testing.T) {
	t.Parallel()
	server := serveExample(t)
	for _, tc := range []struct {
		name, manifest string
		args           []string
		code           int
		want           string
	}{
		{
			name: "a toleration wins a tainted node", code: cli.ExitNothing,
			manifest: "      nodeSelector: {kubernetes.io/os: linux}\n      tolerations: [{key: gpu, operator: Exists}]\n",
			want:     "+tainted (taint gpu=true:NoSchedule); pods on covered, crashing, dead, tainted",
		},
		{
			name: "without its selector it runs where the label is missing", code: cli.ExitNothing, manifest: "      hostNetwork: true\n",
			want: "+unlabelled (node_selector kubernetes.io/os=linux); pods on covered, crashing, dead, unlabelled",
		},
		{
			name: "a selector that matches nothing loses all nodes", code: cli.ExitFinding, manifest: "      nodeSelector: {disk: ssd}\n",
			want: "-covered (node_selector disk=ssd, stopped), -crashing (node_selector disk=ssd, stopped), -dead (node_selector disk=ssd, stopped); pods on ",
		},
		{
			name: "NoSchedule keeps pods that are there", code: cli.ExitFinding, args: []string{"--taint=kubernetes.io/os=linux=spot=yes:NoSchedule"},
			want: "-covered (taint spot=yes:NoSchedule, kept), -crashing (taint spot=yes:NoSchedule, kept), -dead (taint spot=yes:NoSchedule, kept); pods on covered, crashing, dead",
		},
		{
			name: "a rolling update takes those that the taint would keep", code: cli.ExitFinding, args: []string{"--taint=kubernetes.io/os=linux=spot=yes:NoSchedule"},
			manifest: "      nodeSelector: {kubernetes.io/os: linux}\n      hostNetwork: true\n",
			want:     "-covered (taint spot=yes:NoSchedule, stopped), -crashing (taint spot=yes:NoSchedule, stopped), -dead (taint spot=yes:NoSchedule, stopped); pods on ",
		},
		{
			name: "a manifest that leaves the template alone replaces nothing", code: cli.ExitFinding, args: []string{"--taint=kubernetes.io/os=linux=spot=yes:NoSchedule"},
			manifest: "      nodeSelector: {kubernetes.io/os: linux}\n      tolerations: []\n",
			want:     "-covered (taint spot=yes:NoSchedule, kept), -crashing (taint spot=yes:NoSchedule, kept), -dead (taint spot=yes:NoSchedule, kept); pods on covered, crashing, dead",
		},
		{
			name: "NoExecute stops them", code: cli.ExitFinding, args: []string{"--taint=kubernetes.io/os=linux=spot=yes:NoExecute"},
			want: "-covered (taint spot=yes:NoExecute, stopped), -crashing (taint spot=yes:NoExecute, stopped), -dead (taint spot=yes:NoExecute, stopped); pods on ",
		},
		{
			name: "so many losses may be allowed", code: cli.ExitNothing, args: []string{"--max-lost=3", "--taint=kubernetes.io/os=linux=spot=yes:NoExecute"},
			want: "-covered (taint spot=yes:NoExecute, stopped), -crashing (taint spot=yes:NoExecute, stopped), -dead (taint spot=yes:NoExecute, stopped); pods on ",
		},
		{
			name: "a label wins a node", code: cli.ExitNothing, args: []string{"--label=!kubernetes.io/os=kubernetes.io/os=linux"},
			want: "+unlabelled (node_selector kubernetes.io/os=linux); pods on covered, crashing, dead, unlabelled",
		},
		{
			name: "a label that goes loses them", code: cli.ExitFinding, args: []string{"--remove-label=kubernetes.io/os=linux=kubernetes.io/os"},
			want: "-covered (node_selector kubernetes.io/os=linux, stopped), -crashing (node_selector kubernetes.io/os=linux, stopped), -dead (node_selector kubernetes.io/os=linux, stopped); pods on ",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"what-if", "-o", "json", "--kubeconfig=" + kubeconfig(t, server)}, tc.args...)
			if tc.manifest != "" {
				args = append(args, "-f", "-")
			}
			got := askWith(t, manifestHead+tc.manifest, args...)
			var prediction struct{ DaemonSets []nodesOf }
			check.NoError(t, json.Unmarshal([]byte(got.stdout), &prediction))
			check.Require(t, len(prediction.DaemonSets) == 1, "printed %s", got.stdout)
			check.Equal(t, prediction.DaemonSets[0].text(), tc.want)
			check.Equal(t, got.code, tc.code, got.stderr)
		})
	}
	t.Run("a change that concerns nobody", func(t *testing.T) {
		t.Parallel()
		got := ask(t, server, "what-if", "--label=kubernetes.io/os=tier=1", "--no-headers")
		check.That(t, got.code == cli.ExitNothing && got.stdout == "", "exit code %d, %s", got.code, got.stdout)
	})
	t.Run("a table shows the rule and the pods", func(t *testing.T) {
		t.Parallel()
		got := ask(t, server, "what-if", "--taint=kubernetes.io/os=linux=spot=yes:NoSchedule")
		check.Equal(t, got.stdout, `NAMESPACE   DAEMONSET   BEFORE   AFTER   WON   LOST   STOPPED   KEPT
default     agent       3        0       0     3      0         3

default/agent loses:
COUNT   ZONE   POOL   RULE                        POD    NODES
3       -      -      taint spot=yes:NoSchedule   kept   covered,crashing,dead
`)
	})
	t.Run("a selector that matches no node is a finding", func(t *testing.T) {
		t.Parallel()
		got := ask(t, server, "what-if", "--taint=pool=gpu=spot=yes:NoSchedule")
		check.That(t, got.code == cli.ExitFinding && strings.Contains(got.stdout, `The selector "pool=gpu" matches no node.`), "exit code %d, %s", got.code, got.stdout)
	})
	for _, arg := range []string{"--taint=a=b:NoSchedule", "--taint=a=b=c:Never", "--label=a", "--label=a=b c=d", "--remove-label=a", "--taint=a in=b=c:NoSchedule", "--max-lost=1"} {
		t.Run("the usage error of "+arg, func(t *testing.T) {
			t.Parallel()
			got := ask(t, server, "what-if", arg)
			check.That(t, got.code == cli.ExitUsage && got.stdout == "", "exit code %d, %s %s", got.code, got.stdout, got.stderr)
		})
	}
}
