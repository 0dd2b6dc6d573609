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
		check.Equal(t, versionIn(t, "go.mod"), versionIn(t, "../controlplane/go.mod"), "k8s.io/kubernetes in go.mod, as in that of the control plane")
	})
}

func versionIn(t *testing.T, path string) string {
	t.Helper()
	content := check.Must(os.ReadFile(path))(t)
	found := kubernetesVersion.FindSubmatch(content)
	check.Require(t, found != nil, "%s names no version of k8s.io/kubernetes", path)
	return string(found[1])
}
