package scenarios

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped/shippedtest"
)

func TestShippedFiles(t *testing.T) {
	t.Run("promtool accepts the rules and their tests", func(t *testing.T) {
		programs := check.Must(build.Prometheus(t.Context(), os.Stderr))(t)
		promtool := filepath.Join(programs, "promtool")
		run(t, promtool, "check", "rules", "--lint-fatal", shippedtest.Path(t, shipped.RuleFile), shippedtest.Path(t, "test/scenarios/mixin.rules.yaml"))
		run(t, promtool, append([]string{"test", "rules"}, shippedtest.Glob(t, shipped.RuleTests+"/*.yaml")...)...)
	})
	t.Run("amtool accepts the Alertmanager example", func(t *testing.T) {
		programs := check.Must(build.Alertmanager(t.Context(), os.Stderr))(t)
		run(t, filepath.Join(programs, "amtool"), "check-config", shippedtest.Path(t, shipped.AlertmanagerFile))
	})
}

func run(t *testing.T, program string, arguments ...string) {
	t.Helper()
	if out, err := exec.Command(program, arguments...).CombinedOutput(); err != nil {
		t.Errorf("%s %v: %v\n%s", filepath.Base(program), arguments, err, out)
	}
}
