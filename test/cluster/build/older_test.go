package build

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestReleases(t *testing.T) {
	for _, release := range releases() {
		required := check.Must(release.goMod(t.Context()))(t)
		number := strings.TrimPrefix(release.version, "v1")
		for _, want := range []string{
			"\tk8s.io/kubernetes " + release.version + "\n",
			"\tk8s.io/apimachinery v0" + number + "\n",
			"\tk8s.io/apimachinery => k8s.io/apimachinery v0" + number + "\n",
			"\tgo.etcd.io/etcd/client/v3 v3.",
		} {
			check.That(t, strings.Contains(required, want), "the go.mod of %s lacks %q", release.version, want)
		}
		for path, version := range release.patches {
			check.That(t, strings.Contains(required, "\t"+path+" => "+path+" "+version+"\n"), "the go.mod of %s has no %s of %s", release.version, path, version)
		}
		check.That(t, !strings.Contains(required, "v0.0.0\n"), "the go.mod of %s has modules without a version:\n%s", release.version, required)
	}
}

// A new control plane leaves no gap behind it.
func TestVersions(t *testing.T) {
	versions := check.Must(Versions(t.Context()))(t)
	minor := 30
	for _, version := range versions {
		check.That(t, strings.HasPrefix(version, fmt.Sprintf("v1.%d.", minor)), "%s, want a version of 1.%d", version, minor)
		minor++
	}
}

func TestPath(t *testing.T) {
	binaries := Binaries{ControlPlane: "new", Older: "old", Kwok: "kwok"}
	for program, want := range map[string]string{
		"kube-apiserver": "old", "kube-controller-manager": "old", "kube-scheduler": "old",
		"etcd": "new", "kubectl": "new", "kwok": "kwok",
	} {
		check.Equal(t, binaries.Path(program), filepath.Join(want, program))
		newest := Binaries{ControlPlane: "new", Kwok: "kwok"}
		check.That(t, !strings.HasPrefix(newest.Path(program), "old"), "%s is that of an older version", program)
	}
}
