//go:build linux

package main

import "github.com/daemonset-exporter/daemonset_exporter/internal/testing/costs"

// experiment is what is measured in one world.
type experiment struct {
	name, about string
	world       costs.World
	// always is set for what is measured if no experiment is named.
	always bool
	// floor measures the floor too; kubeStateMetrics that, and not the exporter.
	floor, kubeStateMetrics bool
	// restarts restarts the API server, three times. steady measures heartbeats and pod
	// events.
	restarts, steady bool
}

// experiments returns all experiments. The sizes are those of design and documentation.
func experiments() []experiment {
	small := costs.World{Nodes: 100, DaemonSets: 20, OtherPods: 2_000, BrokenPercent: 1}
	medium := costs.World{Nodes: 1000, DaemonSets: 20, OtherPods: 20_000, BrokenPercent: 1}
	large := costs.World{Nodes: 5000, DaemonSets: 30, OtherPods: 100_000, BrokenPercent: 1}
	million := costs.World{Nodes: 100_000, DaemonSets: 10, BrokenPercent: 1}
	lists, gaps := large, large
	lists.NoStreams, gaps.BrokenPercent = true, 100
	return []experiment{
		{name: "large", about: "5,000 nodes", world: large, always: true, floor: true, restarts: true, steady: true},
		{name: "lists", about: "5,000 nodes, and an API server that cannot stream lists", world: lists, always: true},
		{name: "gaps", about: "5,000 nodes on which nothing works", world: gaps, always: true},
		{name: "small", about: "100 nodes", world: small, restarts: true, steady: true},
		{name: "medium", about: "1,000 nodes", world: medium, restarts: true, steady: true},
		{name: "million", about: "100,000 nodes, a million pods of DaemonSets; minutes, and gigabytes of memory", world: million, floor: true, steady: true},
		{name: "kube-state-metrics-small", about: "kube-state-metrics with 100 nodes", world: small, kubeStateMetrics: true},
		{name: "kube-state-metrics", about: "kube-state-metrics with 1,000 nodes", world: medium, kubeStateMetrics: true},
		{name: "kube-state-metrics-large", about: "kube-state-metrics with 5,000 nodes; minutes, and ten gigabytes of memory", world: large, kubeStateMetrics: true},
	}
}

// scaled returns a world that is smaller by a factor, for a try.
func scaled(world costs.World, scale float64) costs.World {
	world.Nodes = max(10, int(float64(world.Nodes)*scale))
	world.OtherPods = int(float64(world.OtherPods) * scale)
	return world
}
