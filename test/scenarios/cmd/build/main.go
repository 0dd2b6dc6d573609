// Command build compiles Prometheus, Alertmanager and kube-state-metrics for the
// scenarios, unless that was done before, and prints where they are:
//
//	go run ./scenarios/cmd/build
//
// The scenarios do the same by themselves. It exists so that the long first
// build can be made at a moment of one's choice, and cached by CI as a step.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
)

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, compile := range []func(context.Context, io.Writer) (string, error){
		build.Prometheus, build.Alertmanager, build.KubeStateMetrics,
	} {
		dir, err := compile(ctx, os.Stderr)
		if err != nil {
			fmt.Fprintln(os.Stderr, "build:", err)
			return 1
		}
		fmt.Println(dir)
	}
	return 0
}
