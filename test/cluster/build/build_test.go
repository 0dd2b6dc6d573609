package build

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

func TestEnsure(t *testing.T) {
	emptyCache(t)
	s := module(t, "package main\n\nfunc main() {}\n")

	// Left by a killed process.
	cache := check.Must(cacheDir())(t)
	write(t, filepath.Join(cache, ".building-1", "half"), "")
	// Left by an older version.
	write(t, filepath.Join(cache, "tiny-0", "tiny"), "")
	old := time.Now().Add(-2 * unused)
	check.NoError(t, os.Chtimes(filepath.Join(cache, "tiny-0"), old, old))

	var progress async.Buffer
	var wg sync.WaitGroup
	dirs := make([]string, 4)
	for i := range dirs {
		wg.Go(func() {
			dir, err := ensure(t.Context(), s, &progress)
			if err != nil {
				t.Error(err)
			}
			dirs[i] = dir
		})
	}
	wg.Wait()
	check.Equal(t, strings.Count(progress.String(), "built tiny in"), 1, "compilations in", progress.String())
	if _, err := os.Stat(filepath.Join(dirs[0], "tiny")); err != nil {
		t.Error(err)
	}
	if names := list(t, cache); len(names) != 2 { // the binaries and the lock
		t.Errorf("the cache holds %q", names)
	}

	progress = async.Buffer{}
	if dir, err := ensure(t.Context(), s, &progress); err != nil || dir != dirs[0] || progress.String() != "" {
		t.Errorf("a warm start: got %q, %v and prints %q", dir, err, progress.String())
	}

	before := check.Must(s.key(t.Context()))(t)
	for _, file := range []string{"go.mod", "go.sum", "cmd/tiny/main.go"} {
		path := filepath.Join(s.dir, file)
		old := check.Must(os.ReadFile(path))(t)
		write(t, path, string(old)+"\n// changed\n")
		if after, err := s.key(t.Context()); err != nil || after == before {
			t.Errorf("key after a change of %s: %q, %v; want another", file, after, err)
		}
		write(t, path, string(old))
	}
}

func TestEnsureFails(t *testing.T) {
	emptyCache(t)
	s := module(t, "package main\n\nfunc main() { nonsense() }\n")

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx  context.Context
		want string
	}{
		"a program that does not compile": {t.Context(), "undefined: nonsense"},
		"an interrupt":                    {canceled, context.Canceled.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ensure(tc.ctx, s, new(async.Buffer))
			check.That(t, err != nil && strings.Contains(err.Error(), tc.want), "got %v, want %q", err, tc.want)
			cache := check.Must(cacheDir())(t)
			for _, name := range list(t, cache) {
				check.Equal(t, name, "lock", "what is left behind")
			}
		})
	}
}

// These are the committed sets.
func TestSet(t *testing.T) {
	root := check.Must(sourceRoot())(t)
	flags := check.Must(controlPlane(root).version(t.Context(), controlPlane(root).dir))(t)
	for _, want := range []string{"component-base/version.gitVersion=v1.", "client-go/pkg/version.gitMinor="} {
		check.That(t, strings.Contains(flags, want), "linker flags %q, want %q in them", flags, want)
	}
	if _, err := kwok(root).key(t.Context()); err != nil {
		t.Error(err)
	}
}

// emptyCache replaces the cache of binaries, but not the go command's, which by
// default is beside it.
func emptyCache(t *testing.T) {
	t.Helper()
	goCache := check.Must(goCommand(t.Context(), ".", "env", "GOCACHE"))(t)
	t.Setenv("GOCACHE", goCache)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

// module returns a set with one small program.
func module(t *testing.T, main string) Set {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/tiny\n\ngo 1.26.0\n")
	write(t, filepath.Join(dir, "go.sum"), "")
	write(t, filepath.Join(dir, "cmd", "tiny", "main.go"), main)
	return Set{
		Name: "tiny", dir: dir, packages: []string{"./cmd/..."},
		version: func(context.Context, string) (string, error) { return "", nil },
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	check.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
