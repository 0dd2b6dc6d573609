package build

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// release is a version of Kubernetes before that of the module controlplane.
type release struct {
	version string
	// patches holds the modules of the release that the module proxy lacks, and the
	// version of each that takes its place.
	patches map[string]string
}

// releases returns the newest patch, of those that the module proxy has, of each minor
// version from the oldest.
func releases() []release {
	return []release{
		{"v1.30.14", nil},
		{"v1.31.14", map[string]string{
			"k8s.io/endpointslice": "v0.31.13", "k8s.io/kube-controller-manager": "v0.31.13", "k8s.io/kube-scheduler": "v0.31.13",
		}},
		{"v1.32.13", map[string]string{"k8s.io/endpointslice": "v0.32.12"}},
		{"v1.33.13", nil},
		{"v1.34.4", nil},
		{"v1.35.4", nil},
		{"v1.36.3", nil},
	}
}

// Versions returns the versions of Kubernetes that can be compiled, from the oldest. The
// last one is that of the module controlplane.
func Versions(ctx context.Context) ([]string, error) {
	root, err := sourceRoot()
	if err != nil {
		return nil, err
	}
	newest, err := moduleVersion(ctx, controlPlane(root).dir, kubernetes)
	if err != nil {
		return nil, err
	}
	var versions []string
	for _, release := range releases() {
		versions = append(versions, release.version)
	}
	return append(versions, newest), nil
}

const kubernetes = "k8s.io/kubernetes"

// servers are the programs of an older version. The rest of its control plane is that
// of the module controlplane.
func servers() []string {
	return []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"}
}

// older returns the directory of the servers of a version.
func older(ctx context.Context, root, version string, progress io.Writer) (string, error) {
	at := slices.IndexFunc(releases(), func(r release) bool { return r.version == version })
	if at < 0 {
		return "", fmt.Errorf("no Kubernetes %s among the versions that can be compiled", version)
	}
	dir, err := releases()[at].module(ctx, controlPlane(root).dir)
	if err != nil {
		return "", fmt.Errorf("module of Kubernetes %s: %w", version, err)
	}
	set := controlPlane(root)
	set.Name, set.dir = set.Name+"-"+version, dir
	return ensure(ctx, set, progress)
}

// module returns the directory of a module with the servers. It is written beside the
// binaries and not kept in the tree: all that it says follows from the requirements of
// Kubernetes itself, and the go command checks the sums as it does for any new module.
func (r release) module(ctx context.Context, newest string) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	files := map[string][]byte{}
	for _, server := range servers() {
		main := filepath.Join("cmd", server, "main.go")
		if files[main], err = os.ReadFile(filepath.Join(newest, main)); err != nil {
			return "", err
		}
	}
	required, err := r.goMod(ctx)
	if err != nil {
		return "", err
	}
	files["go.mod"] = []byte(required)

	digest := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(digest, "%s %d\n%s", name, len(files[name]), files[name])
	}
	dir := filepath.Join(filepath.Dir(cache), "src", fmt.Sprintf("kubernetes-%s-%x", r.version, digest.Sum(nil)[:8]))
	if found, err := exists(dir); found || err != nil {
		return dir, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".writing-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	for name, content := range files {
		path := filepath.Join(tmp, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return "", err
		}
	}
	// It completes go.mod and writes go.sum.
	if _, err := goCommand(ctx, tmp, "list", "-mod=mod", "-deps", "./cmd/..."); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, dir); err != nil {
		if found, _ := exists(dir); found { // another process was quicker
			return dir, nil
		}
		return "", err
	}
	return dir, nil
}

// goMod returns a go.mod with the requirements of Kubernetes and, since a dependent does
// not inherit the relative paths that replace its staging modules, their versions.
func (r release) goMod(ctx context.Context) (string, error) {
	// Outside of any module, whose requirements would take part.
	out, err := goCommand(ctx, os.TempDir(), "list", "-m", "-json", kubernetes+"@"+r.version)
	if err != nil {
		return "", err
	}
	var module struct{ GoMod string }
	if err := json.Unmarshal([]byte(out), &module); err != nil {
		return "", err
	}
	out, err = goCommand(ctx, os.TempDir(), "mod", "edit", "-json", module.GoMod)
	if err != nil {
		return "", err
	}
	var its struct {
		Go      string
		Godebug []struct{ Key, Value string }
		Require []struct{ Path, Version string }
		Replace []struct{ Old, New struct{ Path string } }
	}
	if err := json.Unmarshal([]byte(out), &its); err != nil {
		return "", err
	}
	staging := map[string]bool{}
	for _, replace := range its.Replace {
		staging[replace.Old.Path] = strings.HasPrefix(replace.New.Path, "./staging/")
	}

	var b strings.Builder
	fmt.Fprintf(&b, "module controlplane\n\ngo %s\n\n", its.Go)
	for _, setting := range its.Godebug {
		fmt.Fprintf(&b, "godebug %s=%s\n", setting.Key, setting.Value)
	}
	// The modules of Kubernetes v1.x.y are v0.x.y.
	version := "v0" + strings.TrimPrefix(r.version, "v1")
	fmt.Fprintf(&b, "require (\n\t%s %s\n", kubernetes, r.version)
	for _, require := range its.Require {
		if require.Version == "v0.0.0" {
			require.Version, staging[require.Path] = version, true
		}
		fmt.Fprintf(&b, "\t%s %s\n", require.Path, require.Version)
	}
	b.WriteString(")\n\nreplace (\n")
	for _, path := range slices.Sorted(maps.Keys(staging)) {
		if staging[path] {
			fmt.Fprintf(&b, "\t%s => %s %s\n", path, path, cmp.Or(r.patches[path], version))
		}
	}
	b.WriteString(")\n")
	return b.String(), nil
}
