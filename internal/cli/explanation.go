package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
)

// explanation prints one cell: the verdict, the rules, the node, the pods, the advice.
func (p *printer) explanation(e *collector.Explanation, now time.Time) {
	p.line("%s/%s on node %s: %s%s", e.Namespace, e.DaemonSet, e.Node, p.in(colourOf(e.Verdict), verdictText(e)), since(e.GapStart, now))
	p.line("")
	p.line("Rules, in order:")
	for i := range e.Placement.Rules {
		p.rule(&e.Placement.Rules[i])
	}
	p.line("Controller: %s", e.Placement.Controller())
	p.line("Node: %s%s, %s", e.NodeStatus, since(e.NodeStatusSince, now), e.Lifecycle)
	for i := range e.Pods {
		p.pod(&e.Pods[i], now)
	}
	if len(e.Pods) == 0 {
		p.line("Pod: none")
	}
	for _, text := range e.Events {
		p.line("Event: %s", text)
	}
	for _, note := range e.Placement.Notes {
		p.line("Note: %s", note)
	}
	p.advice(e)
}

func (p *printer) advice(e *collector.Explanation) {
	if len(e.Placement.Plans)+len(e.Advice) == 0 {
		return
	}
	p.line("")
	p.line("What would change it:")
	for _, plan := range e.Placement.Plans {
		p.line("  - %s", plan.String())
	}
	for _, text := range e.Advice {
		p.line("  - %s", text)
	}
}

func verdictText(e *collector.Explanation) string {
	if e.Reason == "" {
		return string(e.Verdict)
	}
	return string(e.Verdict) + ", " + e.Reason
}

func colourOf(verdict collector.Verdict) colour {
	switch verdict {
	case collector.VerdictGap:
		return red
	case collector.VerdictMisplaced:
		return yellow
	case collector.VerdictCovered:
		return green
	case collector.VerdictExcluded, collector.VerdictDeleted:
	}
	return plain
}

// since returns since when, and how long that is.
func since(at *time.Time, now time.Time) string {
	if at == nil {
		return ""
	}
	return fmt.Sprintf(" since %s (%s)", at.UTC().Format(time.RFC3339), age(*at, now))
}

func age(at, now time.Time) string { return duration.HumanDuration(max(0, now.Sub(at))) }

// marks are how a verdict of a rule begins its line.
var marks = map[coverage.RuleVerdict]string{
	coverage.RuleUnset: "-", coverage.RulePasses: "ok", coverage.RuleExcludes: "NO", coverage.RuleWithholds: "WAIT",
}

func (p *printer) rule(rule *coverage.Rule) {
	for _, check := range rule.Checks() {
		p.check(check.Verdict, rule.Name, check.Text)
	}
}

func (p *printer) check(verdict coverage.RuleVerdict, rule, text string) {
	c := plain
	switch verdict {
	case coverage.RuleExcludes:
		c = red
	case coverage.RuleWithholds:
		c = yellow
	case coverage.RulePasses:
		c = green
	case coverage.RuleUnset:
	}
	p.line("  %s %-18s %s", p.in(c, fmt.Sprintf("%-4s", marks[verdict])), rule, text)
}

func (p *printer) pod(pod *collector.PodExplanation, now time.Time) {
	p.line("Pod: %s, %s%s", pod.Name, cmp.Or(pod.Reason, "available"), since(pod.Since, now))
	if pod.Scheduler != "" {
		p.line("  scheduler: %s", pod.Scheduler)
	}
	for i := range pod.Containers {
		container := &pod.Containers[i]
		p.line("  container %s", container)
		if container.Last != "" {
			p.line("    last run: %s", container.Last)
		}
	}
}

// byVerdict prints the nodes of one DaemonSet by verdict and reason.
func (p *printer) byVerdict(explained []collector.Explanation) {
	type group struct {
		verdict collector.Verdict
		reason  string
	}
	nodes := map[group][]string{}
	for i := range explained {
		g := group{explained[i].Verdict, explained[i].Reason}
		nodes[g] = append(nodes[g], explained[i].Node)
	}
	order := []collector.Verdict{
		collector.VerdictGap, collector.VerdictMisplaced, collector.VerdictExcluded, collector.VerdictDeleted, collector.VerdictCovered,
	}
	groups := slices.SortedFunc(maps.Keys(nodes), func(a, b group) int {
		return cmp.Or(slices.Index(order, a.verdict)-slices.Index(order, b.verdict), len(nodes[b])-len(nodes[a]), strings.Compare(a.reason, b.reason))
	})
	rows := make([][]string, 0, len(groups))
	for _, g := range groups {
		rows = append(rows, []string{string(g.verdict), cmp.Or(g.reason, "-"), fmt.Sprint(len(nodes[g])), p.names(nodes[g])})
	}
	p.table([]string{"VERDICT", "REASON", "COUNT", "NODES"}, rows)
}

// maxNames is how many names a table shows unless it is wide.
const maxNames = 5

// names returns names for a table.
func (p *printer) names(names []string) string {
	if p.wide || len(names) <= maxNames {
		return strings.Join(names, ",")
	}
	return fmt.Sprintf("%s and %d more (-o wide)", strings.Join(names[:maxNames], ","), len(names)-maxNames)
}

// ofNode prints the DaemonSets of one node.
func (p *printer) ofNode(explained []collector.Explanation) {
	rows := make([][]string, 0, len(explained))
	for i := range explained {
		e := &explained[i]
		rows = append(rows, []string{e.Namespace, e.DaemonSet, string(e.Verdict), cmp.Or(e.Reason, "-"), e.Placement.Upstream})
	}
	p.table([]string{"NAMESPACE", "DAEMONSET", "VERDICT", "REASON", "+CONTROLLER"}, rows)
}
