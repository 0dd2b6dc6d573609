package scenarios

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped/shippedtest"
)

var (
	shellBlock = regexp.MustCompile("(?s)## Diagnosis\n.*?```sh\n(.*?)```")
	// Errors of kubectl because of the test cluster: kwok's nodes have no logs, there
	// is no exporter and no Prometheus Operator, and a single controller manager has no
	// leader election.
	harmless = regexp.MustCompile(`No resources found|dial tcp|deployments.apps "daemonset-exporter" not found|"kube-controller-manager" not found|timed out waiting|resource type "(service|pod)monitors"`)
)

func TestRunbookCommands(t *testing.T) {
	ctx := t.Context()
	f := &fixture{Cluster: clustertest.Start(t, cluster.Config{})}
	// These are the names at the top of each page.
	agent := &scenario{name: "agent", agent: agent{present: true, namespace: "kube-system"}}
	check.NoError(t, f.AddNode(ctx, cluster.NodeSpec{Name: "worker-1", Zone: "z1", Labels: map[string]string{"pool": "agent"}}))
	manifest := append(agent.manifest(), "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: daemonset-exporter}\n"...)
	check.NoError(t, f.Apply(ctx, manifest))
	check.NoError(t, f.WaitDaemonSet(ctx, "kube-system", "agent", 1))
	for _, page := range shippedtest.Glob(t, shipped.Runbooks+"/DaemonSet*.md") {
		content := check.Must(os.ReadFile(page))(t)
		block := shellBlock.FindSubmatch(content)
		if block == nil {
			t.Errorf("%s has no shell commands in its diagnosis", filepath.Base(page))
			continue
		}
		command := exec.CommandContext(ctx, "bash", "-u", "-c", string(block[1]))
		command.Env = append(os.Environ(), "KUBECONFIG="+f.Kubeconfig(), "PATH="+filepath.Dir(f.Program("kubectl"))+":"+os.Getenv("PATH"))
		var stderr strings.Builder
		command.Stderr = &stderr
		_ = command.Run() // grep finds nothing where nothing is wrong
		for line := range strings.Lines(stderr.String()) {
			check.That(t, strings.TrimSpace(line) == "" || harmless.MatchString(line), "%s: %s", filepath.Base(page), line)
		}
	}
}
