//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// programs holds the paths of the exporter and of the programs to measure it with.
type programs struct{ exporter, server, floor string }

// build compiles all programs into a directory.
func build(ctx context.Context, repository, into string) (programs, error) {
	built := programs{
		exporter: filepath.Join(into, "daemonset_exporter"),
		server:   filepath.Join(into, "apiserver"),
		floor:    filepath.Join(into, "floor"),
	}
	const commands = "github.com/daemonset-exporter/daemonset_exporter/test/synthetic/cmd/"
	for _, target := range []struct{ directory, program, of string }{
		{repository, built.exporter, "."},
		{".", built.server, commands + "apiserver"},
		{".", built.floor, commands + "floor"},
	} {
		fmt.Fprintln(os.Stderr, "building", filepath.Base(target.program))
		command := exec.CommandContext(ctx, "go", "build", "-o", target.program, target.of)
		command.Dir, command.Stderr = target.directory, os.Stderr
		if err := command.Run(); err != nil {
			return programs{}, fmt.Errorf("building %s: %w", filepath.Base(target.program), err)
		}
	}
	return built, nil
}

// writeKubeconfig writes a kubeconfig for an API server and returns its path.
func writeKubeconfig(directory, url string) (string, error) {
	path := filepath.Join(directory, "kubeconfig")
	content := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: synthetic, cluster: {server: %q}}]
users: [{name: nobody, user: {}}]
contexts: [{name: synthetic, context: {cluster: synthetic, user: nobody}}]
current-context: synthetic
`, url)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return "", fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return path, nil
}
