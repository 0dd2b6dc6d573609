package deploy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

const version = "v0.1.0"

// released makes a release for this platform and returns its directory.
func released(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "release")
	command := exec.CommandContext(t.Context(), root+"/tools/release/release", version, "0123abc", "main")
	command.Env = append(os.Environ(), "OUTPUT="+dir, "PLATFORMS="+runtime.GOOS+"/"+runtime.GOARCH)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

func TestRelease(t *testing.T) {
	t.Parallel()
	t.Run("is complete and reproducible", func(t *testing.T) {
		t.Parallel()
		dir := released(t)
		sums := read(t, filepath.Join(dir, "sha256sums.txt"))
		if again := read(t, filepath.Join(released(t), "sha256sums.txt")); !bytes.Equal(sums, again) {
			t.Errorf("two releases differ:\n%s\n%s", sums, again)
		}
		files := map[string][]byte{}
		for line := range strings.Lines(string(sums)) {
			sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
			files[name] = read(t, filepath.Join(dir, name))
			check.Equal(t, fmt.Sprintf("%x", sha256.Sum256(files[name])), sum, name, "checksum")
		}

		name := fmt.Sprintf("daemonset_exporter-%s.%s-%s", version[1:], runtime.GOOS, runtime.GOARCH)
		archive := unpack(t, files[name+".tar.gz"])
		for _, want := range []string{"LICENSE", "CHANGELOG.md", "dependencies.md", "daemonset_exporter"} {
			check.That(t, len(archive[name+"/"+want]) != 0, "the archive lacks %s", want)
		}
		checkVersion(t, archive[name+"/daemonset_exporter"])
		checkSBOM(t, files[name+".cdx.json"], archive[name+"/daemonset_exporter"])

		checkImage(t, files["daemonset_exporter-"+version[1:]+".oci.tar"])

		packed := unpack(t, files["daemonset-exporter-"+version[1:]+".tgz"])
		var about struct{ Version, AppVersion string }
		check.NoError(t, yaml.Unmarshal(packed["daemonset-exporter/Chart.yaml"], &about))
		check.That(t, about.Version == version[1:] && about.AppVersion == version[1:], "the version of the chart is %v", about)
		for _, want := range []string{"files/daemonset_exporter.rules.yaml", "files/dashboards/fleet.json"} {
			check.That(t, len(packed["daemonset-exporter/"+want]) != 0, "the chart lacks %s", want)
		}
	})
	t.Run("has one version in the whole tree", func(t *testing.T) {
		t.Parallel()
		for _, file := range []string{"deploy/helm/daemonset-exporter/Chart.yaml", "deploy/kustomize/base/kustomization.yaml"} {
			check.That(t, bytes.Contains(read(t, root+"/"+file), []byte(version[1:]+"\n")), "%s lacks %s", file, version)
		}
		dockerfile := string(read(t, root+"/Dockerfile"))
		for _, want := range []string{"common/version.Version=$VERSION", `org.opencontainers.image.version="$VERSION"`} {
			check.That(t, strings.Contains(dockerfile, want), "the Dockerfile lacks %s", want)
		}
	})
}

func checkVersion(t *testing.T, content []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "daemonset_exporter")
	check.NoError(t, os.WriteFile(path, content, 0o700))
	out, err := exec.CommandContext(t.Context(), path, "--version").CombinedOutput()
	if want := "version " + version + " (branch: main, revision: 0123abc"; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("--version prints %q, %v", out, err)
	}
}

// checkSBOM compares an SBOM with the build information of a binary.
func checkSBOM(t *testing.T, sbom, content []byte) {
	t.Helper()
	info := check.Must(buildinfo.Read(bytes.NewReader(content)))(t)
	var bom struct {
		Components []struct{ Name, Version string }
	}
	check.NoError(t, json.Unmarshal(sbom, &bom))
	listed := map[string]string{}
	for _, component := range bom.Components {
		listed[component.Name] = component.Version
	}
	for _, module := range info.Deps {
		check.Equal(t, listed[module.Path], module.Version, "SBOM", module.Path)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	return check.Must(os.ReadFile(path))(t)
}

func unpack(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	plain := check.Must(gzip.NewReader(bytes.NewReader(archive)))(t)
	return untar(t, plain)
}

func untar(t *testing.T, archive io.Reader) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for reader := tar.NewReader(archive); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files
		} else if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}
