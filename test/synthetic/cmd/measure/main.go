//go:build linux

// Command measure measures the exporter's process against a synthetic cluster: memory
// and time until it has synced, and the cost of a scrape, beside the floor, the least
// that client-go can do (see cmd/floor). Nothing is compared with a limit: times
// depend on the load of the machine, memory does not.
//
//	go run ./synthetic/cmd/measure -nodes 5000 -daemonsets 30 -other-pods 100000
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// options holds the values of the flags.
type options struct {
	nodes, daemonSets, otherPods, rounds int
	broken                               float64
	noStreamedLists, hold                bool
	// repository is the directory of the exporter's main package.
	repository string
	// arguments and environment are added to those of the exporter.
	arguments, environment words
}

// words is a repeatable flag.
type words []string

func (w *words) String() string { return strings.Join(*w, " ") }

func (w *words) Set(word string) error { *w = append(*w, word); return nil }

func main() {
	var o options
	flag.IntVar(&o.nodes, "nodes", 5000, "Number of nodes.")
	flag.IntVar(&o.daemonSets, "daemonsets", 30, "Number of DaemonSets, each with a pod on each node.")
	flag.IntVar(&o.otherPods, "other-pods", 100_000, "Number of pods without a DaemonSet.")
	flag.Float64Var(&o.broken, "broken", 1, "Percentage of cells without a working pod.")
	flag.IntVar(&o.rounds, "rounds", 3, "Number of measurements of each program; medians are printed.")
	flag.BoolVar(&o.noStreamedLists, "no-streamed-lists", false, "Reject streamed lists, as API servers before 1.32 do.")
	flag.BoolVar(&o.hold, "hold", false, "Keep the last exporter running until Ctrl-C, for profiles.")
	flag.StringVar(&o.repository, "repository", "..", "Directory of the exporter's main package.")
	flag.Var(&o.arguments, "argument", "Further argument of the exporter. Repeatable.")
	flag.Var(&o.environment, "environment", "Further NAME=value of the exporter's environment. Repeatable.")
	flag.Parse()

	// The kernel kills each child with the thread that started it. The main thread
	// lives as long as this process, so no child outlives it.
	runtime.LockOSThread()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options) error {
	work, err := os.MkdirTemp("", "daemonset-exporter-measure-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	built, err := build(ctx, o.repository, work)
	if err != nil {
		return err
	}
	server, err := startServer(ctx, built.server, o)
	if err != nil {
		return err
	}
	defer server.stop()
	kubeconfig, err := writeKubeconfig(work, server.url)
	if err != nil {
		return err
	}
	var floors, exporters []measured
	for round := range o.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, o.rounds)
		floor, err := measureFloor(ctx, built.floor, kubeconfig)
		if err != nil {
			return err
		}
		floors = append(floors, floor)
		exporter, err := measureExporter(ctx, built.exporter, kubeconfig, o, o.hold && round == o.rounds-1)
		if err != nil {
			return err
		}
		exporters = append(exporters, exporter)
	}
	serverPeak, err := peakOf(server.pid())
	if err != nil {
		return err
	}
	fmt.Print(report(o, medians(floors), medians(exporters), serverPeak))
	return nil
}
