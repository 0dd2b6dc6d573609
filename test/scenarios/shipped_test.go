package scenarios

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

func TestShippedFiles(t *testing.T) {
	t.Run("promtool accepts the rules and their tests", func(t *testing.T) {
		programs, err := build.Prometheus(t.Context(), os.Stderr)
		if err != nil {
			t.Fatal(err)
		}
		promtool := filepath.Join(programs, "promtool")
		run(t, promtool, "check", "rules", "--lint-fatal", path(t, shipped.RuleFile), path(t, "test/scenarios/mixin.rules.yaml"))
		run(t, promtool, append([]string{"test", "rules"}, files(t, shipped.RuleTests+"/*.yaml")...)...)
	})
	t.Run("amtool accepts the Alertmanager example", func(t *testing.T) {
		programs, err := build.Alertmanager(t.Context(), os.Stderr)
		if err != nil {
			t.Fatal(err)
		}
		run(t, filepath.Join(programs, "amtool"), "check-config", path(t, shipped.AlertmanagerFile))
	})
}

// path returns the path of a file of the repository.
func path(t *testing.T, name string) string {
	t.Helper()
	root, err := shipped.Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, name)
}

// files returns the files of the repository that match a pattern.
func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(path(t, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("%d files %s: %v", len(found), pattern, err)
	}
	return found
}

func run(t *testing.T, program string, arguments ...string) {
	t.Helper()
	if out, err := exec.Command(program, arguments...).CombinedOutput(); err != nil {
		t.Errorf("%s %v: %v\n%s", filepath.Base(program), arguments, err, out)
	}
}
