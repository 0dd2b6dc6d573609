package scenarios

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// result holds the alerts of one scenario.
type result struct {
	scenario *scenario
	fired    []string // expected
	missed   []string
	wrong    []string // not expected
	inhibits []string // expected to be inhibited
	slowest  time.Duration
	theirs   []string // of the comparison, with their delay
}

// resultOf compares the alerts of a scenario with those that it wants.
func resultOf(s *scenario, mark time.Time, ours, theirs []*alert) result {
	r := result{scenario: s}
	left := slices.Clone(ours)
	for _, want := range s.want {
		at := slices.IndexFunc(left, func(a *alert) bool {
			return a.name() == want.alert && (want.node == "" || a.Labels["node"] == want.node) && (!want.inhibited || a.Inhibited) &&
				strings.Contains(a.Annotations["description"], want.says)
		})
		if at < 0 {
			if !want.optional {
				r.missed = append(r.missed, want.text())
			}
			continue
		}
		found := left[at]
		left = slices.Delete(left, at, at+1)
		if want.inhibited {
			r.inhibits = append(r.inhibits, want.text())
			continue
		}
		r.fired = append(r.fired, want.text())
		if !want.optional {
			r.slowest = max(r.slowest, found.First.Sub(mark))
		}
	}
	for _, a := range left {
		if len(s.want) > 0 && slices.Contains(companions(), a.name()) {
			continue
		}
		r.wrong = append(r.wrong, describe(a))
	}
	for _, a := range theirs {
		r.theirs = append(r.theirs, fmt.Sprintf("%s %s", describe(a), unscaled(a.First.Sub(mark))))
	}
	return r
}

// companions are the alerts that may accompany any failure: with two nodes, and at
// this pace, one broken pod soon burns the error budget.
func companions() []string { return []string{"DaemonSetCoverageBudgetBurn"} }

func (w want) text() string {
	text := strings.TrimPrefix(w.alert, "DaemonSet")
	if w.node != "" {
		text += " " + w.node
	}
	return text
}

// describe returns the name of an alert and of its subject.
func describe(a *alert) string {
	text := strings.TrimPrefix(a.name(), "DaemonSet")
	for _, label := range []string{"daemonset", "node", "pod", "trigger", "resource"} {
		if value := a.Labels[label]; value != "" {
			text += " " + value
		}
	}
	return text
}

// unscaled returns how long something takes in production.
func unscaled(d time.Duration) string { return fmt.Sprintf("%.0fm", (d * pace).Minutes()) }

// print writes the results as two tables.
func print(to io.Writer, results []result) {
	table := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "SCENARIO\tEXPECTED AND FIRED\tINHIBITED\tAFTER\tUNSCALED\tMISSED\tFALSE")
	for _, r := range results {
		after, production := "", ""
		if len(r.fired) > 0 {
			after, production = r.slowest.Round(time.Second).String(), unscaled(r.slowest)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.scenario.name, list(r.fired), list(r.inhibits), after, production, list(r.missed), list(r.wrong))
	}
	_ = table.Flush()
	fmt.Fprintln(to)
	table = tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "SCENARIO\tSUMMARY\tALERTS OF KUBERNETES-MIXIN")
	for _, r := range results {
		fmt.Fprintf(table, "%s\t%s\t%s\n", r.scenario.name, r.scenario.summary, list(r.theirs))
	}
	_ = table.Flush()
}

func list(texts []string) string {
	if len(texts) == 0 {
		return "-"
	}
	return strings.Join(texts, ", ")
}
