// Package costs holds what the exporter was measured to cost, beside the least that
// client-go can do and beside kube-state-metrics. `make bench-process` in the repository's
// root writes costs.json, from which the tables of the documentation are generated.
package costs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"
)

// World is a cluster of which programs are measured.
type World struct {
	Nodes int `json:"nodes"`
	// DaemonSets have a pod on each node.
	DaemonSets int `json:"daemonSets"`
	// OtherPods are pods without a DaemonSet.
	OtherPods int `json:"otherPods"`
	// BrokenPercent is the share of cells without a working pod.
	BrokenPercent float64 `json:"brokenPercent"`
	// NoStreams is set if the API server cannot stream lists.
	NoStreams bool `json:"noStreams,omitempty"`
}

// The programs that are measured.
const (
	Exporter         = "daemonset_exporter"
	Floor            = "floor"
	KubeStateMetrics = "kube-state-metrics"
)

// Cost is what a program costs: medians over all rounds. What was not measured is zero.
type Cost struct {
	// Version is the version of a program that is not ours.
	Version string `json:"version,omitempty"`
	// Peak is the maximum of resident memory from the start through all scrapes, in
	// bytes; Restarted the same through three restarts of the API server.
	Peak      int64 `json:"peakBytes"`
	Restarted int64 `json:"restartedPeakBytes,omitempty"`
	// Synced is the time from the start until it had read everything, SyncProcessor the
	// processor time until then.
	Synced        Duration `json:"synced"`
	SyncProcessor Duration `json:"syncProcessor"`
	// Plain and Zipped are scrapes over HTTP, ScrapeProcessor the processor time of one
	// of both kinds on average, Series the number of series.
	Plain           Scrape   `json:"plain,omitzero"`
	Zipped          Scrape   `json:"zipped,omitzero"`
	ScrapeProcessor Duration `json:"scrapeProcessor,omitzero"`
	Series          int      `json:"series,omitempty"`
	// Heartbeats is the processor time of 1,000 heartbeats of nodes, PodEvents that of
	// 1,000 changes of pods.
	Heartbeats Duration `json:"heartbeats,omitzero"`
	PodEvents  Duration `json:"podEvents,omitzero"`
}

// Scrape is one scrape.
type Scrape struct {
	Took Duration `json:"took"`
	Size int      `json:"bytes"`
}

// Duration is a time.Duration that is readable in JSON.
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).Round(time.Microsecond).String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Experiment is what several programs cost in one world.
type Experiment struct {
	World  World `json:"world"`
	Rounds int   `json:"rounds"`
	// Costs are those of each program, by its name.
	Costs map[string]Cost `json:"costs"`
}

// Experiments holds experiments by name.
type Experiments map[string]Experiment

// path is that of costs.json from the root of the repository.
const path = "internal/testing/costs/costs.json"

// Load returns what was measured last, from a repository.
func Load(repository string) (Experiments, error) {
	content, err := os.ReadFile(filepath.Join(repository, path))
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var all Experiments
	if err := decoder.Decode(&all); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return all, nil
}

// Save writes experiments into a repository, beside those that are there already.
func (e Experiments) Save(repository string) error {
	all, err := Load(repository)
	if err != nil {
		return err
	}
	maps.Copy(all, e)
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(repository, path), append(text, '\n'), 0o644)
}
