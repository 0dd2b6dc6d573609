//go:build linux

package main

import "github.com/daemonset-exporter/daemonset_exporter/internal/testing/costs"

// target is what the design asks for.
type target struct {
	what  string
	limit float64
	unit  string
	// of returns what was measured, from the costs in the experiments; none of them has
	// been measured if it is not asked.
	of    func(cost func(experiment, program string) costs.Cost) float64
	needs []measurement
}

// measurement names the costs of a program in an experiment.
type measurement struct{ experiment, program string }

// measured returns the value to compare; known is false if something has not been
// measured.
func (t *target) measured(found costs.Experiments) (value float64, known bool) {
	for _, need := range t.needs {
		if _, known := found[need.experiment].Costs[need.program]; !known {
			return 0, false
		}
	}
	return t.of(func(experiment, program string) costs.Cost { return found[experiment].Costs[program] }), true
}

// targets returns what the design asks for.
func targets() []target {
	const gibibyte = 1 << 30
	type lookup = func(experiment, program string) costs.Cost
	large, floor := measurement{"large", costs.Exporter}, measurement{"large", costs.Floor}
	lists, gaps, million := measurement{"lists", costs.Exporter}, measurement{"gaps", costs.Exporter}, measurement{"million", costs.Exporter}
	ours := func(experiment string, value func(costs.Cost) float64) func(lookup) float64 {
		return func(cost lookup) float64 { return value(cost(experiment, costs.Exporter)) }
	}
	plain := func(c costs.Cost) float64 { return inMilliseconds(c.Plain.Took) }
	zipped := func(c costs.Cost) float64 { return inMilliseconds(c.Zipped.Took) }
	return []target{
		{"peak memory", 1, "× the floor", func(cost lookup) float64 {
			return float64(cost("large", costs.Exporter).Peak) / float64(cost("large", costs.Floor).Peak)
		}, []measurement{large, floor}},
		{"peak memory over three restarts of the API server", 1.2, "× the floor without", func(cost lookup) float64 {
			return float64(cost("large", costs.Exporter).Restarted) / float64(cost("large", costs.Floor).Peak)
		}, []measurement{large, floor}},
		{"processor time until synced", 0.75, "× the floor", func(cost lookup) float64 {
			return float64(cost("large", costs.Exporter).SyncProcessor) / float64(cost("large", costs.Floor).SyncProcessor)
		}, []measurement{large, floor}},
		{"peak memory from a server that cannot stream", 1.3, "× from one that can", func(cost lookup) float64 {
			return float64(cost("lists", costs.Exporter).Peak) / float64(cost("large", costs.Exporter).Peak)
		}, []measurement{large, lists}},
		{"scrape, plain", 5, "ms", ours("large", plain), []measurement{large}},
		{"scrape, gzip", 8, "ms", ours("large", zipped), []measurement{large}},
		{"scrape, plain, every cell a gap", 25, "ms", ours("gaps", plain), []measurement{gaps}},
		{"scrape, gzip, every cell a gap", 25, "ms", ours("gaps", zipped), []measurement{gaps}},
		{"peak memory with a million pods of DaemonSets", 1, "GiB", ours("million", func(c costs.Cost) float64 {
			return float64(c.Peak) / gibibyte
		}), []measurement{million}},
		{"scrape, plain, 10,000 gaps of a million", 40, "ms", ours("million", plain), []measurement{million}},
		{"scrape, gzip, 10,000 gaps of a million", 40, "ms", ours("million", zipped), []measurement{million}},
	}
}
