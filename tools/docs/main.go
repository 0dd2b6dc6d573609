// Command docs generates parts of the documentation from code: the table of metrics, the
// flags, the list of dependencies and what was measured. Each is between two comments of its page; the
// rest of a page is written by hand.
//
//	go run ./tools/docs    # in the root of the repository
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// part is one generated part of a page.
type part struct {
	page, name string
	generate   func(root string) (string, error)
}

func parts() []part {
	return []part{
		{"docs/metrics.md", "metrics", metricsTable},
		{"docs/configuration.md", "flags", flagsTable},
		{"docs/dependencies.md", "dependencies", dependenciesTable},
		{"docs/scaling.md", "costs", scalingTables},
	}
}

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// write updates all pages.
func write(root string) error {
	for _, p := range parts() {
		path := filepath.Join(root, p.page)
		before, after, err := p.render(root)
		if err != nil {
			return fmt.Errorf("%s: %w", p.page, err)
		}
		if bytes.Equal(before, after) {
			continue
		}
		if err := os.WriteFile(path, after, 0o644); err != nil {
			return err
		}
		_, _ = io.WriteString(os.Stdout, p.page+"\n")
	}
	return nil
}

// render returns a page as it is and as it should be.
func (p part) render(root string) (before, after []byte, err error) {
	before, err = os.ReadFile(filepath.Join(root, p.page))
	if err != nil {
		return nil, nil, err
	}
	begin := []byte("<!-- generated: " + p.name + ", by `make docs` -->\n")
	end := []byte("<!-- end: " + p.name + " -->\n")
	head, rest, found := bytes.Cut(before, begin)
	_, tail, ended := bytes.Cut(rest, end)
	if !found || !ended {
		return nil, nil, fmt.Errorf("the comments %q and %q are missing", begin, end)
	}
	text, err := p.generate(root)
	if err != nil {
		return nil, nil, err
	}
	return before, bytes.Join([][]byte{head, begin, []byte("\n" + text + "\n"), end, tail}, nil), nil
}
