//go:build linux

package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	clusterbuild "github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
)

// programs holds the paths of the exporter and of the programs to measure it with.
type programs struct{ exporter, server, floor, kubeStateMetrics string }

// build compiles all programs into a directory; kube-state-metrics only if it is wanted.
func build(ctx context.Context, repository, into string, kubeStateMetrics bool) (programs, error) {
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
	if kubeStateMetrics {
		directory, err := clusterbuild.KubeStateMetrics(ctx, os.Stderr)
		if err != nil {
			return programs{}, err
		}
		built.kubeStateMetrics = filepath.Join(directory, "kube-state-metrics")
	}
	return built, nil
}

// versionOf returns the version of a program's main module.
func versionOf(program string) (string, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", err
	}
	for _, dependency := range info.Deps {
		if info.Path == dependency.Path {
			return dependency.Version, nil
		}
	}
	return info.Main.Version, nil
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
