package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
)

// reportCommand tells the state of all DaemonSets and nodes.
type reportCommand struct {
	source sourceFlags
	output outputFlags
}

// reportDocument is the output of report.
type reportDocument struct {
	collector.Document
	// Remarks say what is now in files, and which of them were skipped.
	Remarks []string `json:"remarks,omitempty"`
	collector.Report
}

func (c *reportCommand) register(app *kingpin.Application, _ *Environment) *kingpin.CmdClause {
	command := app.Command("report", "Report the state of all DaemonSets and nodes: what is expected, covered, and which gaps there are. In all namespaces unless -n is set. Exit code 1 if there is a gap.")
	c.source.register(command)
	c.output.register(command)
	return command
}

func (c *reportCommand) run(ctx context.Context, env *Environment) (found bool, err error) {
	c.source.allNamespaces = c.source.namespace == ""
	from, err := c.source.open(ctx, env)
	if err != nil {
		return false, err
	}
	defer from.close()
	report := from.collector.Report()
	err = c.output.print(env, reportDocument{collector.DocumentOf("Report"), from.remarks, report}, func(p *printer) {
		p.report(&report, from.remarks)
	})
	return len(report.Gaps) > 0, err
}

func (p *printer) report(r *collector.Report, remarks []string) {
	for _, remark := range remarks {
		p.line("%s", remark)
	}
	p.table([]string{"NAMESPACE", "DAEMONSET", "EXPECTED", "COVERED", "GAPS", "EXCLUDED", "MISPLACED", "OUTDATED", "+EXCLUDED BY"}, rowsOf(r.DaemonSets, func(d *collector.DaemonSetReport) []string {
		excluded, reasons := 0, []string{}
		for _, reason := range slices.Sorted(maps.Keys(d.Excluded)) {
			excluded += d.Excluded[reason]
			reasons = append(reasons, fmt.Sprintf("%s=%d", reason, d.Excluded[reason]))
		}
		return []string{
			d.Namespace, d.DaemonSet, fmt.Sprint(d.Expected), fmt.Sprint(d.Covered), fmt.Sprint(d.Gaps),
			fmt.Sprint(excluded), fmt.Sprint(d.Misplaced), fmt.Sprint(d.Outdated), cmp.Or(strings.Join(reasons, ","), "-"),
		}
	}))
	p.section(len(r.Gaps), "Gaps:", []string{"NAMESPACE", "DAEMONSET", "NODE", "REASON", "SINCE", "+ZONE", "+LIFECYCLE", "+CAUSE"}, rowsOf(r.Gaps, func(g *collector.GapReport) []string {
		return []string{g.Namespace, g.DaemonSet, g.Node, g.Reason, dated(g.Start, r.Time), cmp.Or(g.Zone, "-"), g.Lifecycle, g.Cause}
	}))
	p.section(len(r.Misplaced), "Misplaced:", []string{"NAMESPACE", "DAEMONSET", "NODE", "EXCLUDED BY", "CONTROLLER"}, rowsOf(r.Misplaced, func(m *collector.MisplacedReport) []string {
		return []string{m.Namespace, m.DaemonSet, m.Node, m.Reason, m.Verdict}
	}))
	p.section(len(r.TroubledNodes), fmt.Sprintf("Nodes in trouble, of %d:", r.Nodes), []string{"NODE", "STATUS", "LIFECYCLE", "SINCE", "GAPS", "+ZONE"}, rowsOf(r.TroubledNodes, func(n *collector.NodeReport) []string {
		return []string{n.Node, n.Status, n.Lifecycle, dated(n.Since, r.Time), fmt.Sprint(n.Gaps), cmp.Or(n.Zone, "-")}
	}))
}

// section prints a table with a title, if it has rows.
func (p *printer) section(count int, title string, headers []string, rows [][]string) {
	if count == 0 {
		return
	}
	p.line("")
	p.line("%s", p.in(bold, title))
	p.table(headers, rows)
}

func rowsOf[T any](items []T, row func(*T) []string) [][]string {
	rows := make([][]string, 0, len(items))
	for i := range items {
		rows = append(rows, row(&items[i]))
	}
	return rows
}

// dated returns a time and how long ago that was.
func dated(at, now time.Time) string {
	return fmt.Sprintf("%s (%s)", at.UTC().Format(time.RFC3339), age(at, now))
}
