package upstream

import (
	"os"
	"regexp"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

var kubernetesVersion = regexp.MustCompile(`(?m)^\s*k8s\.io/kubernetes (\S+)`)

func TestVersion(t *testing.T) {
	t.Parallel()
	t.Run("equals that of the control plane", func(t *testing.T) {
		t.Parallel()
		if got, want := versionIn(t, "go.mod"), versionIn(t, "../controlplane/go.mod"); got != want {
			t.Errorf("go.mod has k8s.io/kubernetes %s, the control plane %s: update one of them", got, want)
		}
	})
}

func versionIn(t *testing.T, path string) string {
	t.Helper()
	content := check.Must(os.ReadFile(path))(t)
	found := kubernetesVersion.FindSubmatch(content)
	check.Require(t, found != nil, "%s names no version of k8s.io/kubernetes", path)
	return string(found[1])
}
