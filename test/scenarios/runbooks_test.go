package scenarios

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

var (
	shellBlock = regexp.MustCompile("(?s)## Diagnosis\n.*?```sh\n(.*?)```")
	// What kubectl prints where there is nothing to see: kwok's nodes have no logs,
	// there is no exporter, and a single controller manager holds no election.
	harmless = regexp.MustCompile(`No resources found|dial tcp|deployments.apps "daemonset-exporter" not found|"kube-controller-manager" not found|timed out waiting`)
)

// The shell commands of the diagnosis on each page work as they are.
func TestRunbookCommands(t *testing.T) {
	ctx := t.Context()
	c, err := cluster.Start(ctx, cluster.Config{Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	w := &world{Cluster: c}
	// The names in the pages' first lines.
	agent := &scenario{name: "agent", agent: agent{present: true, namespace: "kube-system"}}
	if err := w.AddNode(ctx, cluster.NodeSpec{Name: "worker-1", Zone: "z1", Labels: map[string]string{"pool": "agent"}}); err != nil {
		t.Fatal(err)
	}
	manifest := append(agent.manifest(), "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: daemonset-exporter}\n"...)
	if err := w.Apply(ctx, manifest); err != nil {
		t.Fatal(err)
	}
	if err := w.WaitDaemonSet(ctx, "kube-system", "agent", 1); err != nil {
		t.Fatal(err)
	}
	root, err := shipped.Root()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(root, shipped.Runbooks, "DaemonSet*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		block := shellBlock.FindSubmatch(content)
		if block == nil {
			t.Errorf("%s has no shell commands in its diagnosis", filepath.Base(page))
			continue
		}
		command := exec.CommandContext(ctx, "bash", "-u", "-c", string(block[1]))
		command.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig(), "PATH="+filepath.Dir(c.Program("kubectl"))+":"+os.Getenv("PATH"))
		var complaints strings.Builder
		command.Stderr = &complaints
		_ = command.Run() // grep finds nothing where nothing is wrong
		for line := range strings.Lines(complaints.String()) {
			if strings.TrimSpace(line) != "" && !harmless.MatchString(line) {
				t.Errorf("%s: %s", filepath.Base(page), line)
			}
		}
	}
}
