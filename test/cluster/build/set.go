package build

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Set is one Go module whose programs are compiled together.
type Set struct {
	Name     string
	dir      string   // the module
	packages []string // arguments of `go build`
	expect   string   // how long a cold build takes
	// version returns the linker flags that set the version of the programs.
	version func(ctx context.Context, dir string) (string, error)
}

func controlPlane(root string) Set {
	return Set{
		Name:     "controlplane",
		dir:      filepath.Join(root, "controlplane"),
		packages: []string{"./cmd/..."},
		expect:   "about 10 minutes on 2 cores with an empty build cache",
		version:  kubernetesVersion,
	}
}

// kwok returns the set of kwok, whose source has its version.
func kwok(root string) Set {
	return Set{
		Name:     "kwok",
		dir:      filepath.Join(root, "kwok"),
		packages: []string{"tool"},
		expect:   "about 2 minutes on 2 cores with an empty build cache",
		version:  func(context.Context, string) (string, error) { return "", nil },
	}
}

// key returns the name of the directory of the compiled set: a digest of all input.
func (s Set) key(ctx context.Context) (string, error) {
	goVersion, err := goCommand(ctx, s.dir, "env", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return "", err
	}
	files := []string{filepath.Join(s.dir, "go.mod"), filepath.Join(s.dir, "go.sum")}
	err = filepath.WalkDir(filepath.Join(s.dir, "cmd"), func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) { // its programs are tools of its go.mod
			return nil
		}
		if err == nil && strings.HasSuffix(path, ".go") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("find sources: %w", err)
	}
	slices.Sort(files)

	h := sha256.New()
	fmt.Fprintln(h, goVersion, s.packages)
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read source: %w", err)
		}
		// Names are relative to the module, so that checkouts share binaries.
		fmt.Fprintf(h, "%s %d\n%s", strings.TrimPrefix(path, s.dir), len(content), content)
	}
	return fmt.Sprintf("%s-%x", s.Name, h.Sum(nil)[:8]), nil
}

// kubernetesVersion returns the linker flags for the version in go.mod. Without them
// the servers report v0.0.0-master+$Format:%H$, which clients reject.
// The packages are those of kube::version::ldflags in kubernetes'
// hack/lib/version.sh, v1.37.
func kubernetesVersion(ctx context.Context, dir string) (string, error) {
	version, err := moduleVersion(ctx, dir, kubernetes)
	if err != nil {
		return "", err
	}
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	var flags []string
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X", pkg+".gitVersion="+version,
			"-X", pkg+".gitMajor="+major,
			"-X", pkg+".gitMinor="+minor)
	}
	return strings.Join(flags, " "), nil
}

// moduleVersion returns the version of a module that another one requires.
func moduleVersion(ctx context.Context, dir, module string) (string, error) {
	return goCommand(ctx, dir, "list", "-m", "-f", "{{.Version}}", module)
}

// goCommand runs the go command in a module and returns its output.
func goCommand(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = goEnv()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// goEnv returns the environment without a workspace or the caller's target platform.
// GOFLAGS stays: a machine may need it to build at all.
func goEnv() []string {
	return append(os.Environ(), "GOWORK=off", "GOOS=", "GOARCH=")
}
