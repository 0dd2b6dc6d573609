// Package shippedtest finds the repository's files for tests.
package shippedtest

import (
	"path/filepath"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// Path returns the path of a file of the repository.
func Path(t *testing.T, name string) string {
	t.Helper()
	root, err := shipped.Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, name)
}

// Glob returns the files of the repository that match a pattern, at least one.
func Glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(Path(t, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files %s: %v", len(files), pattern, err)
	}
	return files
}
