// Command build compiles the programs that the tests run, unless they are in the
// cache, and prints their directories:
//
//	go run ./cluster/cmd/build                       the control plane and kwok
//	go run ./cluster/cmd/build -kubernetes=v1.32.13  the same with older servers
//	go run ./cluster/cmd/build -scenarios            Prometheus, Alertmanager and kube-state-metrics
//
// The tests compile what is missing themselves. The command makes the long first
// build a step of its own, which CI can cache.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
)

func main() {
	scenarios := flag.Bool("scenarios", false, "Compile what the scenarios run beside the control plane.")
	version := flag.String("kubernetes", "", "The version of the servers, by default the newest.")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *scenarios, *version); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, scenarios bool, version string) error {
	if scenarios {
		tools, err := build.AllTools(ctx, os.Stderr)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n%s\n%s\n", tools.Prometheus, tools.Alertmanager, tools.KubeStateMetrics)
		return nil
	}
	binaries, err := build.All(ctx, version, os.Stderr)
	if err != nil {
		return err
	}
	for _, dir := range []string{binaries.ControlPlane, binaries.Older, binaries.Kwok} {
		if dir != "" {
			fmt.Println(dir)
		}
	}
	return nil
}
