package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// The functions of this file return the directories of programs that run beside
// a cluster, each compiled from a module of its own under tools/.

// Tools holds the directories of the programs that the scenarios need.
type Tools struct{ Prometheus, Alertmanager, KubeStateMetrics string }

// AllTools returns the directories of all programs and compiles what is not
// cached.
func AllTools(ctx context.Context, progress io.Writer) (t Tools, err error) {
	if t.Prometheus, err = Prometheus(ctx, progress); err != nil {
		return t, err
	}
	if t.Alertmanager, err = Alertmanager(ctx, progress); err != nil {
		return t, err
	}
	t.KubeStateMetrics, err = KubeStateMetrics(ctx, progress)
	return t, err
}

// Prometheus returns the directory of prometheus and promtool. Service
// discovery, which is most of their code, is left out: all targets of the tests
// are static.
func Prometheus(ctx context.Context, progress io.Writer) (string, error) {
	return tool(ctx, progress, "prometheus", "about 6 minutes", "-tags=remove_all_sd")
}

// Manifests returns the directory of helm, kustomize, kubeconform and actionlint.
func Manifests(ctx context.Context, progress io.Writer) (string, error) {
	return tool(ctx, progress, "manifests", "about 3 minutes")
}

// KubeStateMetrics returns the directory of kube-state-metrics.
func KubeStateMetrics(ctx context.Context, progress io.Writer) (string, error) {
	return tool(ctx, progress, "kube-state-metrics", "about 4 minutes")
}

// Alertmanager returns the directory of alertmanager and amtool. Their module
// embeds a user interface that it does not contain, so a copy with a placeholder
// is compiled.
func Alertmanager(ctx context.Context, progress io.Writer) (string, error) {
	const module = "github.com/prometheus/alertmanager"
	dir, err := toolDir("alertmanager")
	if err != nil {
		return "", err
	}
	version, err := moduleVersion(ctx, dir, module)
	if err != nil {
		return "", err
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	source := filepath.Join(filepath.Dir(cache), "src", "alertmanager-"+version)
	if found, err := exists(source); err != nil {
		return "", err
	} else if !found {
		if err := copyModule(ctx, dir, module, source); err != nil {
			return "", fmt.Errorf("copy %s: %w", module, err)
		}
	}
	modfile := filepath.Join(source, "tool.mod")
	if err := writeModfile(dir, modfile, fmt.Sprintf("\nreplace %s => %s\n", module, source)); err != nil {
		return "", err
	}
	return tool(ctx, progress, "alertmanager", "about 1 minute", "-modfile="+modfile)
}

// tool compiles the tools listed in the module tools/<name>.
func tool(ctx context.Context, progress io.Writer, name, expect string, flags ...string) (string, error) {
	dir, err := toolDir(name)
	if err != nil {
		return "", err
	}
	return ensure(ctx, Set{
		Name:     name,
		dir:      dir,
		packages: append(flags, "tool"),
		expect:   expect + " on 2 cores with an empty build cache",
		version:  func(context.Context, string) (string, error) { return "", nil },
	}, progress)
}

func toolDir(name string) (string, error) {
	root, err := sourceRoot()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, "..", "..", "tools", name), nil
}

// copyModule copies a module that dir requires, with a page in place of the user
// interface. The destination appears when it is complete.
func copyModule(ctx context.Context, dir, module, to string) error {
	if _, err := goCommand(ctx, dir, "mod", "download", module); err != nil {
		return err
	}
	from, err := goCommand(ctx, dir, "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(to), ".copying-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.CopyFS(tmp, os.DirFS(from)); err != nil {
		return err
	}
	page := filepath.Join(tmp, "ui", "app", "dist", "index.html")
	// Directories of the module cache are read-only, and so are their copies.
	for _, parent := range []string{tmp, filepath.Join(tmp, "ui"), filepath.Join(tmp, "ui", "app")} {
		if err := os.Chmod(parent, 0o755); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(page), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(page, []byte("The user interface is not part of this build.\n"), 0o644); err != nil {
		return err
	}
	if err := os.Rename(tmp, to); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// writeModfile writes a copy of a module's go.mod with more appended, and
// go.sum beside it, where the go command looks for it.
func writeModfile(dir, path, more string) error {
	for name, to := range map[string]string{"go.mod": path, "go.sum": strings.TrimSuffix(path, ".mod") + ".sum"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if name == "go.mod" {
			content = append(content, more...)
		}
		if err := os.WriteFile(to, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
