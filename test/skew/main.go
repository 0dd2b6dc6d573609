// Command skew runs the core stories on the control planes of several versions of
// Kubernetes, by default of all that can be compiled:
//
//	go run ./skew -update v1.32.13 v1.37.2
//
// A version takes about 10 minutes to compile the first time. With -update the results
// go into the table of docs/installing.md; rows of other versions stay.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
)

func main() {
	update := flag.Bool("update", false, "Write the results into "+page+".")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *update, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "skew:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, update bool, versions []string) error {
	known, err := build.Versions(ctx)
	if err != nil {
		return err
	}
	if len(versions) == 0 {
		versions = known
	}
	results, err := readTable(known)
	if err != nil {
		return err
	}
	var failed []error
	for _, version := range versions {
		row, err := try(ctx, version)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("on Kubernetes %s: %w", version, err))
		}
		fmt.Println(row.line(version))
		results[version] = row
		if update { // what follows may take hours, and fail
			if err := writeTable(known, results); err != nil {
				return err
			}
		}
	}
	return errors.Join(failed...)
}

// story is a column of the table: tests of a package that pass or fail.
type story struct {
	name, dir string
	tests     []string
}

func stories() []story {
	return []story{
		{"node failure", "e2e", []string{"TestNode"}},
		{"placement", "e2e", []string{"TestPlacement", "TestGapReason"}},
		{"rollout", "e2e", []string{"TestRollout"}},
		{"reads in", "e2e", []string{"TestLists"}},
		{"chart", "deploy", []string{"TestInstallation"}},
	}
}

// packages returns the pattern that selects the tests of each package.
func packages() map[string]string {
	tests := map[string][]string{}
	for _, story := range stories() {
		tests[story.dir] = append(tests[story.dir], story.tests...)
	}
	patterns := map[string]string{}
	for dir, names := range tests {
		patterns[dir] = "^(" + strings.Join(names, "|") + ")$"
	}
	patterns["deploy"] += "/^the_API_server_accepts_every_manifest$"
	return patterns
}

// try runs all stories on a version. The error says what went wrong.
func try(ctx context.Context, version string) (row, error) {
	if _, err := build.All(ctx, version, os.Stderr); err != nil {
		return row{noBuild}, err
	}
	told := outcome{passed: map[string]bool{}, said: map[string]string{}}
	var failed []error
	patterns := packages()
	for _, dir := range slices.Sorted(maps.Keys(patterns)) {
		start := time.Now()
		failed = append(failed, told.run(ctx, version, dir, patterns[dir]))
		fmt.Fprintf(os.Stderr, "%s: %s after %s\n", version, dir, time.Since(start).Round(time.Second))
	}
	var result row
	for _, story := range stories() {
		result = append(result, told.verdict(story))
	}
	return result, errors.Join(failed...)
}

// outcome holds the tests that have passed, and what tests say of themselves.
type outcome struct {
	passed map[string]bool
	said   map[string]string
}

// run runs tests of a package on a version.
func (o *outcome) run(ctx context.Context, version, dir, pattern string) error {
	command := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-timeout=30m", "-run="+pattern, "./"+dir)
	command.Env = append(os.Environ(), clustertest.Kubernetes+"="+version)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if text := o.read(out); err != nil {
		return fmt.Errorf("%s: %w\n%s", dir, err, text)
	}
	return nil
}

// read reads the events of go test -json, and returns the text that the tests print.
func (o *outcome) read(events []byte) string {
	var text strings.Builder
	for line := range bytes.Lines(events) {
		var event struct{ Action, Test, Key, Value, Output string }
		if err := json.Unmarshal(line, &event); err != nil {
			text.Write(line) // of the go command
			continue
		}
		text.WriteString(event.Output)
		switch event.Action {
		case "pass":
			o.passed[event.Test] = true
		case "attr":
			o.said[event.Test] = event.Value
		}
	}
	return text.String()
}

// verdict returns what the first test of a story says of itself as by default, or
// whether all have passed.
func (o *outcome) verdict(story story) string {
	for _, test := range story.tests {
		if !o.passed[test] {
			return fails
		}
	}
	return cmp.Or(o.said[story.tests[0]+"/as_by_default"], passes)
}
