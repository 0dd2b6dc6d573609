//go:build linux

// Command measure measures the exporter's process against a synthetic cluster: memory
// and time until it has synced, over restarts of the API server, the cost of a scrape
// and of changes, beside the floor, the least that client-go can do (see cmd/floor), and
// if asked beside kube-state-metrics. The programs take turns; medians are printed, and
// how far they are from what the design asks for. Nothing fails because of that: times
// depend on the load of the machine, memory does not.
//
//	go run ./synthetic/cmd/measure                      5,000 nodes
//	go run ./synthetic/cmd/measure -run million         another experiment
//	go run ./synthetic/cmd/measure -rounds 1 -scale 0.1 a try
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/costs"
)

// options holds the values of the flags.
type options struct {
	rounds       int
	scale        float64
	hold, update bool
	// repository is the directory of the exporter's main package.
	repository string
	// run selects experiments.
	run string
	// arguments and environment are added to those of the exporter.
	arguments, environment words
}

// words is a repeatable flag.
type words []string

func (w *words) String() string { return strings.Join(*w, " ") }

func (w *words) Set(word string) error { *w = append(*w, word); return nil }

func main() {
	var o options
	flag.StringVar(&o.run, "run", "", "Comma-separated experiments, or all; empty for those that take no hour.\n"+listing())
	flag.IntVar(&o.rounds, "rounds", 3, "Number of measurements of each program; medians are printed.")
	flag.Float64Var(&o.scale, "scale", 1, "Factor of the sizes, for a try.")
	flag.BoolVar(&o.update, "update", false, "Write the results into the repository, for the documentation: make docs.")
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

// listing returns the names of all experiments.
func listing() string {
	var text strings.Builder
	for _, e := range experiments() {
		mark := ""
		if e.always {
			mark = " (by default)"
		}
		fmt.Fprintf(&text, "%s: %s%s\n", e.name, e.about, mark)
	}
	return text.String()
}

// selected returns the experiments that the flags ask for.
func (o *options) selected() ([]experiment, error) {
	var chosen []experiment
	wanted := strings.Split(o.run, ",")
	for _, e := range experiments() {
		if o.run == "all" || o.run == "" && e.always || slices.Contains(wanted, e.name) {
			e.world = scaled(e.world, o.scale)
			chosen = append(chosen, e)
		}
	}
	if o.run != "" && o.run != "all" && len(chosen) != len(wanted) {
		return nil, fmt.Errorf("-run=%s: the experiments are\n%s", o.run, listing())
	}
	return chosen, nil
}

func run(ctx context.Context, o *options) error {
	if o.update && o.scale != 1 {
		return errors.New("-update and -scale exclude each other")
	}
	chosen, err := o.selected()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "daemonset-exporter-measure-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	built, err := build(ctx, o.repository, work, slices.ContainsFunc(chosen, func(e experiment) bool { return e.kubeStateMetrics }))
	if err != nil {
		return err
	}
	b := bench{options: o, programs: built, work: work, results: map[string]map[string][]costs.Cost{}}
	for round := range o.rounds {
		for _, e := range chosen {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, o.rounds, e.name)
			if err := b.measure(ctx, &e, o.hold && round == o.rounds-1); err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
		}
	}
	found := b.medians(chosen)
	fmt.Print(report(chosen, found, o))
	if !o.update {
		return nil
	}
	return found.Save(o.repository)
}
