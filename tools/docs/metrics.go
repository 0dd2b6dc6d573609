package main

import (
	"fmt"
	"strings"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
)

// metricsTable is the table of metrics, without labels that a flag adds.
func metricsTable(string) (string, error) {
	var b strings.Builder
	b.WriteString("| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, m := range collector.Metrics() {
		labels := make([]string, 0, len(m.Labels))
		for _, label := range m.Labels {
			labels = append(labels, "`"+label+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, strings.ToLower(m.Type.String()), strings.Join(labels, ", "), cell(m.Help))
	}
	return b.String(), nil
}

// cell makes text fit for a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(text)
}
