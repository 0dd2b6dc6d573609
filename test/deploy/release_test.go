package deploy

import (
	"archive/tar"
	"archive/zip"
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
	"time"

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
		for file, want := range map[string]string{
			"daemonset_exporter.1":                ".TH DAEMONSET_EXPORTER 1 \"\" \"daemonset_exporter " + version[1:] + "\"\n.SH \"NAME\"\ndaemonset_exporter \\- tells",
			"completions/daemonset_exporter.bash": "complete -F _daemonset_exporter_bash_autocomplete -o default daemonset_exporter",
			"completions/_daemonset_exporter":     "#compdef daemonset_exporter",
		} {
			check.That(t, strings.Contains(string(archive[name+"/"+file]), want), "%s lacks %q", file, want)
		}
		for _, command := range []string{"explain", "wait", "report", "dump", "what-if", "record", "replay"} {
			check.That(t, strings.Contains(string(archive[name+"/daemonset_exporter.1"]), "\n\\fB"+command+" "), "the manual lacks %s", command)
		}
		checkKrew(t, files["daemonset-coverage.yaml"], name+".tar.gz", files[name+".tar.gz"])
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
	t.Run("has zip files for Windows", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		folder := filepath.Join(dir, "daemonset_exporter-1.windows-amd64")
		check.NoError(t, os.MkdirAll(filepath.Join(folder, "completions"), 0o755))
		check.NoError(t, os.WriteFile(filepath.Join(folder, "daemonset_exporter.exe"), []byte("program"), 0o755))
		check.NoError(t, os.WriteFile(filepath.Join(folder, "completions", "a"), []byte("completion"), 0o644))
		first, second := filepath.Join(dir, "first.zip"), filepath.Join(dir, "second.zip")
		for _, file := range []string{first, second} {
			command := exec.CommandContext(t.Context(), "go", "run", "-C", root+"/tools/release", ".", "zip", file, folder)
			command.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000")
			out, err := command.CombinedOutput()
			check.That(t, err == nil, "%v\n%s", err, out)
			check.NoError(t, os.Chtimes(filepath.Join(folder, "daemonset_exporter.exe"), time.Time{}, time.Unix(1, 0)))
		}
		check.That(t, bytes.Equal(read(t, first), read(t, second)), "two archives of the same files differ")
		archive := check.Must(zip.OpenReader(first))(t)
		defer archive.Close()
		var got []string
		for _, file := range archive.File {
			got = append(got, fmt.Sprintf("%s %s %s", file.Mode(), file.Modified.UTC().Format(time.RFC3339), file.Name))
		}
		check.Equal(t, got, []string{
			"-rw-r--r-- 2023-11-14T22:13:20Z daemonset_exporter-1.windows-amd64/completions/a",
			"-rwxr-xr-x 2023-11-14T22:13:20Z daemonset_exporter-1.windows-amd64/daemonset_exporter.exe",
		})
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

// checkKrew checks the manifest of the plugin, of one archive.
func checkKrew(t *testing.T, manifest []byte, name string, archive []byte) {
	t.Helper()
	var plugin struct {
		APIVersion, Kind string
		Metadata         struct{ Name string }
		Spec             struct {
			Version, Homepage, ShortDescription, Description string
			Platforms                                        []struct {
				Selector         struct{ MatchLabels map[string]string }
				URI, SHA256, Bin string
				Files            []struct{ From, To string }
			}
		}
	}
	check.NoError(t, yaml.Unmarshal(manifest, &plugin))
	check.Equal(t, plugin.APIVersion+" "+plugin.Kind, "krew.googlecontainertools.github.com/v1alpha2 Plugin")
	// By this name krew links the program, and by it the program knows what it is.
	check.Equal(t, plugin.Metadata.Name, "daemonset-coverage")
	check.Equal(t, plugin.Spec.Version, version)
	check.That(t, len(plugin.Spec.ShortDescription) <= 50 && plugin.Spec.Description != "" && plugin.Spec.Homepage != "", "it is described as %+v", plugin.Spec)
	check.Require(t, len(plugin.Spec.Platforms) == 1, "it has the platforms %v", plugin.Spec.Platforms)
	platform := plugin.Spec.Platforms[0]
	check.Equal(t, platform.Selector.MatchLabels, map[string]string{"os": runtime.GOOS, "arch": runtime.GOARCH})
	check.Equal(t, platform.URI, "https://github.com/daemonset-exporter/daemonset_exporter/releases/download/"+version+"/"+name)
	check.Equal(t, platform.SHA256, fmt.Sprintf("%x", sha256.Sum256(archive)))
	files := unpack(t, archive)
	for _, file := range platform.Files {
		folder, base := strings.TrimSuffix(name, ".tar.gz"), strings.TrimPrefix(file.From, "*/")
		check.That(t, len(files[folder+"/"+base]) > 0 && file.To == ".", "the archive has no %s", file.From)
	}
	check.Equal(t, platform.Bin, "daemonset_exporter")
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
