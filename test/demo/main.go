// Command demo shows what the exporter is for: on a real control plane with six nodes
// it stops the kubelet of one, starts it again, and prints at each step the output of
// kubectl next to that of the exporter.
//
//	make demo              runs until Ctrl-C
//	make demo ARGS=--exit  ends by itself
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the demo and returns the exit code. No process outlives it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	binary := flags.String("exporter", "", "Path of the exporter's binary, as built by make build.")
	exit := flags.Bool("exit", false, "End after the last step instead of waiting for Ctrl-C.")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if *binary == "" {
		fmt.Fprintln(stderr, "demo: required flag --exporter not provided; or run make demo")
		return 2
	}
	d := &demo{out: stdout}
	err := d.run(ctx, *binary, stderr, func() {
		if !*exit {
			d.stay(ctx)
		}
	})
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "demo: interrupted, all processes have been stopped")
		return 130
	case err != nil:
		fmt.Fprintln(stderr, "demo:", err)
		return 1
	}
	return 0
}
