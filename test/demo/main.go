// Command demo shows what the exporter is for: on a real control plane with six
// nodes it pulls one node's plug, puts it back, and tells at each step what
// kubectl would say next to what the exporter says.
//
//	make demo              stays up until Ctrl-C
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

// run plays the demo and gives the exit code. Whatever happens, it leaves no
// process behind.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	binary := flags.String("exporter", "", "path of the exporter's binary, as make build makes it")
	exit := flags.Bool("exit", false, "end after the story instead of staying up")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if *binary == "" {
		fmt.Fprintln(stderr, "demo: give --exporter=PATH, or run make demo")
		return 2
	}
	s := &show{out: stdout}
	err := s.play(ctx, *binary, stderr, func() {
		if !*exit {
			s.stay(ctx)
		}
	})
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "demo: interrupted, everything has been stopped")
		return 130
	case err != nil:
		fmt.Fprintln(stderr, "demo:", err)
		return 1
	}
	return 0
}
