package scenarios

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// The rules, by the Prometheus that will read them.
func TestPromtool(t *testing.T) {
	binaries, err := build.Prometheus(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	root, err := shipped.Root()
	if err != nil {
		t.Fatal(err)
	}
	tests, err := filepath.Glob(filepath.Join(root, shipped.RuleTests, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	promtool := filepath.Join(binaries, "promtool")
	run(t, promtool, "check", "rules", "--lint-fatal", filepath.Join(root, shipped.RuleFile), filepath.Join(root, "test/scenarios/mixin.rules.yaml"))
	run(t, promtool, append([]string{"test", "rules"}, tests...)...)
}

func TestAmtool(t *testing.T) {
	binaries, err := build.Alertmanager(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	root, err := shipped.Root()
	if err != nil {
		t.Fatal(err)
	}
	run(t, filepath.Join(binaries, "amtool"), "check-config", filepath.Join(root, shipped.AlertmanagerFile))
}

func run(t *testing.T, program string, arguments ...string) {
	t.Helper()
	if out, err := exec.Command(program, arguments...).CombinedOutput(); err != nil {
		t.Errorf("%s %v: %v\n%s", filepath.Base(program), arguments, err, out)
	}
}
