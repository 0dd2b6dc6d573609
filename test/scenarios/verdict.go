package scenarios

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// verdict is what became of one scenario.
type verdict struct {
	scenario *scenario
	fired    []string // ours that were wanted
	missed   []string
	wrong    []string // ours that were not wanted
	inhibits []string // wanted, and inhibited as they should be
	slowest  time.Duration
	theirs   []string // of the comparison, with the time that they took
}

// judge compares what Alertmanager was sent with what a scenario wants.
func judge(s *scenario, mark time.Time, ours, theirs []*alert) verdict {
	v := verdict{scenario: s}
	left := slices.Clone(ours)
	for _, want := range s.want {
		at := slices.IndexFunc(left, func(a *alert) bool {
			return a.name() == want.alert && (want.node == "" || a.Labels["node"] == want.node) && (!want.inhibited || a.Inhibited)
		})
		if at < 0 {
			if !want.maybe {
				v.missed = append(v.missed, want.text())
			}
			continue
		}
		found := left[at]
		left = slices.Delete(left, at, at+1)
		if want.inhibited {
			v.inhibits = append(v.inhibits, want.text())
			continue
		}
		v.fired = append(v.fired, want.text())
		if !want.maybe {
			v.slowest = max(v.slowest, found.First.Sub(mark))
		}
	}
	for _, a := range left {
		v.wrong = append(v.wrong, describe(a))
	}
	for _, a := range theirs {
		v.theirs = append(v.theirs, fmt.Sprintf("%s %s", describe(a), inStory(a.First.Sub(mark))))
	}
	return v
}

func (w want) text() string {
	text := strings.TrimPrefix(w.alert, "DaemonSet")
	if w.node != "" {
		text += " " + w.node
	}
	return text
}

// describe names an alert and what it names.
func describe(a *alert) string {
	text := strings.TrimPrefix(a.name(), "DaemonSet")
	for _, label := range []string{"daemonset", "node", "pod", "trigger", "resource"} {
		if value := a.Labels[label]; value != "" {
			text += " " + value
		}
	}
	return text
}

// inStory is how long something would have taken without Pace.
func inStory(d time.Duration) string { return fmt.Sprintf("%.0fm", (d * Pace).Minutes()) }

// print writes the table of the exporter's own alerts.
func print(to io.Writer, verdicts []verdict) {
	table := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "SCENARIO\tEXPECTED AND FIRED\tINHIBITED\tAFTER\tAS IN\tMISSED\tFALSE")
	for _, v := range verdicts {
		after, story := "", ""
		if len(v.fired) > 0 {
			after, story = v.slowest.Round(time.Second).String(), inStory(v.slowest)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.scenario.name, list(v.fired), list(v.inhibits), after, story, list(v.missed), list(v.wrong))
	}
	_ = table.Flush()
	fmt.Fprintln(to)
	table = tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "SCENARIO\tSTORY\tKUBE-STATE-METRICS AND KUBERNETES-MIXIN SAID")
	for _, v := range verdicts {
		fmt.Fprintf(table, "%s\t%s\t%s\n", v.scenario.name, v.scenario.story, list(v.theirs))
	}
	_ = table.Flush()
}

func list(texts []string) string {
	if len(texts) == 0 {
		return "-"
	}
	return strings.Join(texts, ", ")
}
