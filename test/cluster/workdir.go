package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// etcdData is the directory of etcd's data in the working directory.
const etcdData = "etcd"

// workdir holds everything that a cluster writes: etcd's data, keys,
// kubeconfigs and logs.
type workdir struct {
	path string
	keep bool     // the caller's
	lock *os.File // held while the cluster lives
}

// newWorkdir creates a directory, or uses the caller's, and removes those of
// clusters whose process was killed.
func newWorkdir(path string) (*workdir, error) {
	if path != "" {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("create working directory: %w", err)
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("working directory: %w", err)
		}
		// The data has other keys.
		if _, err := os.Stat(filepath.Join(abs, etcdData)); err == nil {
			return nil, fmt.Errorf("working directory %s holds an earlier cluster", abs)
		}
		return &workdir{path: abs, keep: true}, nil
	}
	base := filepath.Join(os.TempDir(), "daemonset_exporter-clusters-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, fmt.Errorf("create working directory: %w", err)
	}
	// One lock for all of them, so that no directory is swept before its own lock is
	// taken.
	all, err := flock(filepath.Join(base, "lock"), syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer all.Close()
	if err := sweep(base); err != nil {
		return nil, err
	}
	path, err = os.MkdirTemp(base, "cluster-")
	if err != nil {
		return nil, fmt.Errorf("create working directory: %w", err)
	}
	lock, err := flock(filepath.Join(path, "lock"), syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	return &workdir{path: path, lock: lock}, nil
}

// sweep removes the directories that no process has locked.
func sweep(base string) error {
	dirs, err := filepath.Glob(filepath.Join(base, "cluster-*"))
	if err != nil {
		return fmt.Errorf("look for abandoned clusters: %w", err)
	}
	for _, dir := range dirs {
		lock, err := flock(filepath.Join(dir, "lock"), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			continue
		}
		if err == nil {
			lock.Close()
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove abandoned cluster: %w", err)
		}
	}
	return nil
}

// file returns the path of a file in the directory.
func (w *workdir) file(name string) string { return filepath.Join(w.path, name) }

// remove removes the directory, unless it is the caller's.
func (w *workdir) remove() error {
	if w.keep {
		return nil
	}
	defer w.lock.Close()
	if err := os.RemoveAll(w.path); err != nil {
		return fmt.Errorf("remove working directory: %w", err)
	}
	return nil
}

// flock opens a file and locks it. The kernel drops the lock with the process.
func flock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}
