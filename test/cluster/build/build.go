package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Binaries holds the directories of the compiled programs.
type Binaries struct {
	ControlPlane string // directory of the control plane's programs
	Older        string // directory of the servers of an older Kubernetes, if any
	Kwok         string // directory of kwok
}

// Path returns the path of one program: etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler, kubectl or kwok.
func (b Binaries) Path(program string) string {
	switch {
	case program == "kwok":
		return filepath.Join(b.Kwok, program)
	case b.Older != "" && slices.Contains(servers(), program):
		return filepath.Join(b.Older, program)
	default:
		return filepath.Join(b.ControlPlane, program)
	}
}

// All returns every set's binaries and compiles what is not cached. It reports
// to progress only when there is something to wait for. The servers are those of a
// version of Kubernetes among [Versions], by default of the newest.
func All(ctx context.Context, version string, progress io.Writer) (Binaries, error) {
	root, err := sourceRoot()
	if err != nil {
		return Binaries{}, err
	}
	var b Binaries
	if b.ControlPlane, err = ensure(ctx, controlPlane(root), progress); err != nil {
		return Binaries{}, err
	}
	if b.Kwok, err = ensure(ctx, kwok(root), progress); err != nil {
		return Binaries{}, err
	}
	if version == "" {
		return b, nil
	}
	versions, err := Versions(ctx)
	if err != nil {
		return Binaries{}, err
	}
	if version != versions[len(versions)-1] {
		if b.Older, err = older(ctx, root, version, progress); err != nil {
			return Binaries{}, err
		}
	}
	return b, nil
}

// ensure returns the directory of the set's binaries and compiles them if it is
// not there.
func ensure(ctx context.Context, s Set, progress io.Writer) (string, error) {
	key, err := s.key(ctx)
	if err != nil {
		return "", fmt.Errorf("key of %s: %w", s.Name, err)
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, key)
	if found, err := exists(dir); found || err != nil {
		return dir, errors.Join(err, markUsed(dir))
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("create cache: %w", err)
	}

	unlock, err := lock(ctx, filepath.Join(cache, "lock"), progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	// Another process may have compiled the set in the meantime.
	if found, err := exists(dir); found || err != nil {
		return dir, err
	}
	if err := compileInto(ctx, s, dir, progress); err != nil {
		return "", err
	}
	return dir, prune(cache, s.Name)
}

// compileInto compiles the set beside dir and renames it when it is complete. The
// caller holds the lock, so temporary directories are those of killed processes.
func compileInto(ctx context.Context, s Set, dir string, progress io.Writer) error {
	stale, err := filepath.Glob(filepath.Join(filepath.Dir(dir), ".building-*"))
	if err != nil {
		return fmt.Errorf("look for interrupted builds: %w", err)
	}
	for _, d := range stale {
		if err := os.RemoveAll(d); err != nil {
			return fmt.Errorf("remove interrupted build: %w", err)
		}
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".building-")
	if err != nil {
		return fmt.Errorf("create build directory: %w", err)
	}
	defer os.RemoveAll(tmp)

	start := time.Now()
	if err := s.compile(ctx, tmp, progress); err != nil {
		return fmt.Errorf("build %s: %w", s.Name, err)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return fmt.Errorf("open build directory: %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return fmt.Errorf("publish %s: %w", s.Name, err)
	}
	fmt.Fprintf(progress, "built %s in %s\n", s.Name, time.Since(start).Round(time.Second))
	return nil
}

// unused is how long unused binaries are kept: each version has hundreds of
// megabytes.
const unused = 14 * 24 * time.Hour

// markUsed sets the modification time of the directory to the time of its last use.
func markUsed(dir string) error {
	now := time.Now()
	if err := os.Chtimes(dir, now, now); err != nil {
		return fmt.Errorf("mark binaries as used: %w", err)
	}
	return nil
}

// prune removes builds of a set that have been unused for long.
func prune(cache, name string) error {
	dirs, err := filepath.Glob(filepath.Join(cache, name+"-*"))
	if err != nil {
		return fmt.Errorf("look for old binaries: %w", err)
	}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err == nil && time.Since(info.ModTime()) > unused {
			err = os.RemoveAll(dir)
		}
		if err != nil {
			return fmt.Errorf("remove old binaries: %w", err)
		}
	}
	return nil
}

// cacheDir returns the directory of all binaries. It can be deleted at any time.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("user's cache directory: %w", err)
	}
	return filepath.Join(base, "daemonset_exporter", "bin"), nil
}

// sourceRoot returns the directory that holds the sets' modules, from any directory
// of the repository. The path of this file at compile time is wrong with -trimpath.
func sourceRoot() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		for _, sub := range []string{"test/cluster", "cluster"} {
			root := filepath.Join(dir, sub)
			if found, err := exists(filepath.Join(root, "controlplane", "go.mod")); found || err != nil {
				return root, err
			}
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside a checkout: found no test/cluster/controlplane/go.mod above it", wd)
		}
	}
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
