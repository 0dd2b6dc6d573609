//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/costs"
)

// medians returns what was found, by experiment.
func (b *bench) medians(chosen []experiment) costs.Experiments {
	all := costs.Experiments{}
	for _, e := range chosen {
		one := costs.Experiment{World: e.world, Rounds: b.rounds, Costs: map[string]costs.Cost{}}
		for program, rounds := range b.results[e.name] {
			one.Costs[program] = medianCost(rounds)
		}
		all[e.name] = one
	}
	return all
}

// medianCost returns the median of each value.
func medianCost(rounds []costs.Cost) costs.Cost {
	return costs.Cost{
		Version:         rounds[0].Version,
		Peak:            median(rounds, func(c costs.Cost) int64 { return c.Peak }),
		Restarted:       median(rounds, func(c costs.Cost) int64 { return c.Restarted }),
		Synced:          median(rounds, func(c costs.Cost) costs.Duration { return c.Synced }),
		SyncProcessor:   median(rounds, func(c costs.Cost) costs.Duration { return c.SyncProcessor }),
		Plain:           medianOfScrapes(rounds, func(c costs.Cost) costs.Scrape { return c.Plain }),
		Zipped:          medianOfScrapes(rounds, func(c costs.Cost) costs.Scrape { return c.Zipped }),
		ScrapeProcessor: median(rounds, func(c costs.Cost) costs.Duration { return c.ScrapeProcessor }),
		Series:          median(rounds, func(c costs.Cost) int { return c.Series }),
		Heartbeats:      median(rounds, func(c costs.Cost) costs.Duration { return c.Heartbeats }),
		PodEvents:       median(rounds, func(c costs.Cost) costs.Duration { return c.PodEvents }),
	}
}

func median[T cmp.Ordered](all []costs.Cost, of func(costs.Cost) T) T {
	values := make([]T, len(all))
	for i := range all {
		values[i] = of(all[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func medianOfScrapes(all []costs.Cost, of func(costs.Cost) costs.Scrape) costs.Scrape {
	return costs.Scrape{
		Took: median(all, func(c costs.Cost) costs.Duration { return of(c).Took }),
		Size: median(all, func(c costs.Cost) int { return of(c).Size }),
	}
}

// report returns the results as tables in Markdown.
func report(chosen []experiment, found costs.Experiments, o *options) string {
	var out strings.Builder
	fmt.Fprintf(&out, "Medians of %d rounds, in which the programs took turns.\n\n", o.rounds)
	out.WriteString("| | | peak memory | over restarts | until synced | processor time until then | scrape, plain | scrape, gzip | processor time of a scrape | series | 1,000 heartbeats | 1,000 pod events |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, e := range chosen {
		for _, program := range []string{costs.Floor, costs.Exporter, costs.KubeStateMetrics} {
			cost, measured := found[e.name].Costs[program]
			if !measured {
				continue
			}
			fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %d | %s | %s |\n", e.name, program,
				mebibytes(cost.Peak), mebibytes(cost.Restarted), seconds(cost.Synced), seconds(cost.SyncProcessor),
				costOf(cost.Plain), costOf(cost.Zipped), milliseconds(cost.ScrapeProcessor), cost.Series,
				milliseconds(cost.Heartbeats), milliseconds(cost.PodEvents))
		}
	}
	out.WriteString("\n")
	for _, e := range chosen {
		w := e.world
		fmt.Fprintf(&out, "%s: %d nodes × %d DaemonSets and %d other pods, %g %% of the cells are gaps\n", e.name, w.Nodes, w.DaemonSets, w.OtherPods, w.BrokenPercent)
	}
	if o.scale != 1 {
		return out.String() + "\nNo comparison with the targets: they are for -scale 1.\n"
	}
	out.WriteString("\n| what | measured | target | |\n|---|---|---|---|\n")
	for _, t := range targets() {
		measured, known := t.measured(found)
		if !known {
			continue
		}
		verdict := "met"
		if measured > t.limit {
			verdict = fmt.Sprintf("not met, %.2f times that", measured/t.limit)
		}
		fmt.Fprintf(&out, "| %s | %.2f | ≤ %g %s | %s |\n", t.what, measured, t.limit, t.unit, verdict)
	}
	return out.String()
}

func mebibytes(bytes int64) string {
	if bytes == 0 {
		return ""
	}
	return fmt.Sprintf("%d MiB", (bytes+1<<19)>>20)
}

func seconds(d costs.Duration) string { return fmt.Sprintf("%.1f s", time.Duration(d).Seconds()) }

func milliseconds(d costs.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f ms", inMilliseconds(d))
}

func inMilliseconds(d costs.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func costOf(s costs.Scrape) string {
	if s.Size == 0 {
		return ""
	}
	return fmt.Sprintf("%s (%d KiB)", milliseconds(s.Took), (s.Size+512)>>10)
}
