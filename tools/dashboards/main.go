// Command dashboards writes the Grafana dashboards.
//
//	go run . -out ../../dashboards
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", "../../dashboards", "Directory to write to.")
	label := flag.String("namespace-label", defaultNamespaceLabel, "Name of the label with the namespace of a DaemonSet, where Prometheus renames it.")
	flag.Parse()
	if err := write(*out, *label); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

// boards returns all boards, by the names of their files.
func boards() map[string]*board {
	return map[string]*board{
		fleetBoard + ".json":     fleet(),
		daemonSetBoard + ".json": oneDaemonSet(),
		nodeBoard + ".json":      oneNode(),
		exporterBoard + ".json":  theExporter(),
	}
}

// write writes all boards.
func write(directory, namespaceLabel string) error {
	for name, b := range boards() {
		content, err := b.encode(namespaceLabel)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(directory, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
