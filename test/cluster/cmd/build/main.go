// Command build compiles the control plane and kwok for the tests, unless that
// was done before, and prints where they are:
//
//	go run ./cluster/cmd/build
//
// The tests do the same by themselves. It exists so that the long first build
// can be made at a moment of one's choice, and cached by CI as a step.
package main

import (
	"context"
	"fmt"
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
	binaries, err := build.All(ctx, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		return 1
	}
	fmt.Fprintln(os.Stdout, binaries.ControlPlane)
	fmt.Fprintln(os.Stdout, binaries.Kwok)
	return 0
}
