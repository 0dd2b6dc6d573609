package scenarios

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	comparisonFile  = "docs/comparison.md"
	comparisonBegin = "<!-- what follows is written by make test-scenarios ARGS=-update -->\n"
	comparisonEnd   = "<!-- end of what is written -->\n"
)

// writeComparison writes the table of a page from the results.
func writeComparison(path string, results []result) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(page), comparisonBegin)
	_, after, ends := strings.Cut(rest, comparisonEnd)
	if !begins || !ends {
		return fmt.Errorf("%s lacks the lines between which the table stands", path)
	}
	return os.WriteFile(path, []byte(before+comparisonBegin+comparisonTable(results)+comparisonEnd+after), 0o644)
}

// comparisonTable returns the results as a table: failures, and then what only looks like
// one. Exporters that fail are left out: the others would have to fail as well.
func comparisonTable(results []result) string {
	var failures, everyday []string
	for _, r := range results {
		s := r.scenario
		switch {
		case s.nodes == 0:
		case len(s.want) == 0:
			everyday = append(everyday, row("*nothing is wrong:* "+s.summary, "silent", silentUnless(r.theirs, "**false**: ")))
		default:
			ours := grouped(r.fired)
			if len(r.inhibits) > 0 {
				ours += "; inhibited: " + grouped(r.inhibits)
			}
			theirs := grouped(r.theirs)
			if theirs == "" {
				theirs = "**nothing**"
			}
			failures = append(failures, row(s.summary, ours, theirs))
		}
	}
	return row("what happens", "daemonset_exporter", "kube-state-metrics and kubernetes-mixin") + row("---", "---", "---") +
		strings.Join(failures, "") + strings.Join(everyday, "")
}

func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func silentUnless(alerts []firing, prefix string) string {
	if len(alerts) == 0 {
		return "silent"
	}
	return prefix + grouped(alerts)
}

// grouped returns alerts by name, in the order in which the first of each came: how
// many, and after how long. It is "" without any.
func grouped(alerts []firing) string {
	byName := map[string][]time.Duration{}
	for _, a := range alerts {
		byName[a.alert] = append(byName[a.alert], a.after)
	}
	names := slices.SortedFunc(maps.Keys(byName), func(a, b string) int {
		if c := slices.Min(byName[a]) - slices.Min(byName[b]); c != 0 {
			return int(c)
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		times := minutes(slices.Min(byName[name]))
		if last := minutes(slices.Max(byName[name])); last != times {
			times += " to " + last
		}
		if count := len(byName[name]); count > 1 {
			name = fmt.Sprintf("%d × %s", count, name)
		}
		names[i] = name + " " + times + " min"
	}
	return strings.Join(names, ", ")
}

// minutes returns how many minutes something takes in production.
func minutes(d time.Duration) string { return fmt.Sprintf("%.0f", (d * pace).Minutes()) }
