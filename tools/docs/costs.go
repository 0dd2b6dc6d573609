package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/costs"
)

// sizes are the experiments from which the page about scaling is made, by the number of
// nodes that a row is for, and the memory that is recommended there.
func sizes() []size {
	return []size{
		{"small", 100, 64, 256},
		{"medium", defaultNodes, 128, 512},
		{"large", 5000, 256, 512},
		{"million", 100_000, 1024, 2048},
	}
}

// defaultNodes is the size that the requests of chart and kustomize are for.
const defaultNodes = 1000

// size is a size of clusters. Memory is in MiB.
type size struct {
	experiment             string
	nodes                  int
	memoryRequest, maximum int64
}

// cost returns what was measured of the exporter; false if that was not.
func (s size) cost(all costs.Experiments) (costs.Cost, costs.World, bool) {
	cost, measured := all[s.experiment].Costs[costs.Exporter]
	return cost, all[s.experiment].World, measured
}

// scalingTables returns what the exporter costs, and what to request.
func scalingTables(root string) (string, error) {
	all, err := costs.Load(root)
	if err != nil {
		return "", err
	}
	var measured, steady, recommended strings.Builder
	for _, s := range sizes() {
		cost, world, measuredIt := s.cost(all)
		if !measuredIt {
			continue
		}
		restarted := "not measured"
		if cost.Restarted != 0 {
			restarted = mebibytes(cost.Restarted)
		}
		name := fmt.Sprintf("%s × %d", thousands(world.Nodes), world.DaemonSets)
		fmt.Fprintf(&measured, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", name, thousands(world.OtherPods),
			mebibytes(cost.Peak), restarted, seconds(cost.Synced), seconds(cost.SyncProcessor), kibibytes(cost.Plain.Size), thousands(cost.Series))
		fmt.Fprintf(&steady, "| %s | %s | %s | %s | %s |\n", name,
			milliseconds(cost.Heartbeats), milliseconds(cost.PodEvents), milliseconds(cost.ScrapeProcessor), milliseconds(busyHour(cost, world)))
		nodes := thousands(s.nodes)
		if s.nodes == defaultNodes {
			nodes += " (the default)"
		}
		fmt.Fprintf(&recommended, "| %s | %dm, %dMi | %dMi |\n", nodes, processorRequest(cost, world), s.memoryRequest, s.maximum)
	}
	return "What was measured:\n\n" +
		"| nodes × DaemonSets | other pods | peak memory | over three restarts of the API server | time until ready | CPU time until ready | one scrape | series |\n|---|---|---|---|---|---|---|---|\n" +
		measured.String() +
		"\nCPU time while it runs:\n\n" +
		"| nodes × DaemonSets | 1,000 heartbeats of nodes | 1,000 changes of pods | one scrape | per second of a busy hour |\n|---|---|---|---|---|\n" +
		steady.String() +
		"\nRecommended:\n\n" +
		"| nodes | request | limit |\n|---|---|---|\n" +
		recommended.String(), nil
}

// A busy hour, of which the request for the processor is made: kubelets report every five
// minutes, every pod is replaced once, and Prometheus scrapes every 15 seconds.
const (
	heartbeatsPerHour = 12
	changesPerPod     = 8 // created, bound, starting, started, ready; deletion requested, ended, gone
	scrapesPerHour    = 240
)

// busyHour returns the processor time per second of a busy hour.
func busyHour(cost costs.Cost, world costs.World) costs.Duration {
	perHour := cost.Heartbeats*costs.Duration(world.Nodes*heartbeatsPerHour)/1000 +
		cost.PodEvents*costs.Duration(world.Nodes*world.DaemonSets*changesPerPod)/1000 +
		cost.ScrapeProcessor*scrapesPerHour
	return perHour / 3600
}

// processorRequest returns a request for the processor in thousandths, in steps of ten.
func processorRequest(cost costs.Cost, world costs.World) int64 {
	const step = 10
	return (int64(busyHour(cost, world)/costs.Duration(time.Millisecond))/step + 1) * step
}

func mebibytes(bytes int64) string { return thousands(int((bytes+1<<19)>>20)) + " MiB" }

func kibibytes(bytes int) string { return thousands((bytes+1<<9)>>10) + " KiB" }

func seconds(d costs.Duration) string { return fmt.Sprintf("%.1f s", time.Duration(d).Seconds()) }

func milliseconds(d costs.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// thousands returns a number with commas.
func thousands(number int) string {
	text := fmt.Sprint(number)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
