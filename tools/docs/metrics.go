package main

import (
	"fmt"
	"strings"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
)

// metricsTable returns the table of metrics, without the labels that a flag
// adds, and below it the notes on each.
func metricsTable(string) (string, error) {
	var b, notes strings.Builder
	b.WriteString("| metric | type | labels | stability | meaning |\n|---|---|---|---|---|\n")
	for _, m := range collector.Metrics() {
		labels := make([]string, 0, len(m.Labels))
		for _, label := range m.Labels {
			labels = append(labels, "`"+label+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.Name, strings.ToLower(m.Type.String()), strings.Join(labels, ", "), m.Stability(), cell(m.Help))
		if m.Notes != "" {
			fmt.Fprintf(&notes, "- `%s`: %s\n", m.Name, m.Notes)
		}
	}
	b.WriteString("\n### Notes\n\n")
	b.WriteString(notes.String())
	return b.String(), nil
}

// cell returns text escaped for a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(text)
}
