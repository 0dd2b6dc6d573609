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
	fired    []firing // expected
	missed   []string
	wrong    []string // not expected
	inhibits []firing // expected to be inhibited
	slowest  time.Duration
	theirs   []firing // of the comparison
}

// firing is an alert that fired, and how long after the cause.
type firing struct {
	alert string // its name, without the prefix of ours
	text  string // with its subject
	after time.Duration
}

func (f firing) String() string { return f.text }

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
			r.inhibits = append(r.inhibits, firing{found.shortName(), want.text(), found.First.Sub(mark)})
			continue
		}
		r.fired = append(r.fired, firing{found.shortName(), want.text(), found.First.Sub(mark)})
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
		after := a.First.Sub(mark)
		r.theirs = append(r.theirs, firing{a.shortName(), describe(a) + " " + unscaled(after), after})
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
	text := a.shortName()
	for _, label := range []string{"daemonset", "node", "pod", "trigger", "resource"} {
		if value := a.Labels[label]; value != "" {
			text += " " + value
		}
	}
	return text
}

// unscaled returns how long something takes in production.
func unscaled(d time.Duration) string { return minutes(d) + "m" }

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

func list[T any](texts []T) string {
	if len(texts) == 0 {
		return "-"
	}
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = fmt.Sprint(text)
	}
	return strings.Join(all, ", ")
}
