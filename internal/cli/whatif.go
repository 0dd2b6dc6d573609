package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// whatIfCommand predicts what a change does to coverage.
type whatIfCommand struct {
	source       sourceFlags
	output       outputFlags
	manifests    []string
	taints       []string
	labels       []string
	removeLabels []string
	maxLost      int
}

func (c *whatIfCommand) register(app *kingpin.Application, _ *Environment) *kingpin.CmdClause {
	command := app.Command("what-if", "Predict on which nodes DaemonSets would run, and which they would lose, after a change of their manifests or of the nodes. Nothing is changed. Exit code 1 if more nodes are lost than --max-lost, a DaemonSet of a manifest is expected nowhere, or a selector matches no node.")
	flag(command, "filename", "Manifest with DaemonSets: a file, a folder, or - for standard input. Other kinds are ignored. Repeatable.").Short('f').PlaceHolder("MANIFEST").StringsVar(&c.manifests)
	flag(command, "taint", "Taint to add to the nodes that a label selector selects. Repeatable.").PlaceHolder("SELECTOR=KEY=VALUE:EFFECT").StringsVar(&c.taints)
	flag(command, "label", "Label to set on the nodes that a label selector selects. Repeatable.").PlaceHolder("SELECTOR=KEY=VALUE").StringsVar(&c.labels)
	flag(command, "remove-label", "Label to remove from the nodes that a label selector selects. Repeatable.").PlaceHolder("SELECTOR=KEY").StringsVar(&c.removeLabels)
	flag(command, "max-lost", "How many nodes all DaemonSets together may lose.").Default("0").IntVar(&c.maxLost)
	c.source.register(command)
	c.output.register(command)
	return command
}

func (c *whatIfCommand) run(ctx context.Context, env *Environment) (found bool, err error) {
	changes, err := parseNodeChanges(c.labels, c.removeLabels, c.taints)
	if err != nil {
		return false, err
	}
	if len(c.manifests)+len(changes) == 0 {
		return false, usagef("what if what? Set -f, --taint, --label or --remove-label")
	}
	if c.source.given && pathOf(c.source.from) == "-" && slices.ContainsFunc(c.manifests, func(path string) bool { return pathOf(path) == "-" }) {
		return false, usagef("standard input cannot be both --from and -f")
	}
	manifests, err := c.read(env)
	if err != nil {
		return false, usageError{err}
	}
	named := c.source.namespace != ""
	c.source.allNamespaces = !named
	from, err := c.source.open(ctx, env)
	if err != nil {
		return false, err
	}
	defer from.close()
	prediction := predict(from.collector.Objects(), manifests, changes)
	prediction.Remarks = from.remarks
	err = c.output.print(env, prediction, func(p *printer) { p.prediction(prediction) })
	return prediction.Lost > c.maxLost || len(prediction.Unmatched) > 0 || prediction.nowhere(), err
}

// read returns the DaemonSets of the manifests. One that names no namespace is in that of
// -n, else in "default".
func (c *whatIfCommand) read(env *Environment) ([]*slim.DaemonSet, error) {
	var all []*slim.DaemonSet
	for _, path := range c.manifests {
		snapshot, err := files.LoadIn(cmp.Or(c.source.namespace, "default"), pathOf(path), env.In)
		if err != nil {
			return nil, err
		}
		if len(snapshot.DaemonSets()) == 0 {
			return nil, fmt.Errorf("%s has no DaemonSet", pathOf(path))
		}
		all = append(all, snapshot.DaemonSets()...)
	}
	return all, nil
}

// prediction prints what would change.
func (p *printer) prediction(r *predictionDocument) {
	for _, remark := range r.Remarks {
		p.line("%s", remark)
	}
	for _, selector := range r.Unmatched {
		p.line("%s", p.in(yellow, fmt.Sprintf("The selector %q matches no node.", selector)))
	}
	p.table([]string{"NAMESPACE", "DAEMONSET", "BEFORE", "AFTER", "WON", "LOST", "STOPPED", "KEPT"}, rowsOf(r.DaemonSets, func(d *predictedDaemonSet) []string {
		stopped, kept := 0, 0
		for i := range d.Lost {
			switch d.Lost[i].Pod {
			case podStopped:
				stopped++
			case podKept:
				kept++
			}
		}
		return []string{d.Namespace, d.DaemonSet, fmt.Sprint(d.Before), fmt.Sprint(d.After), fmt.Sprint(len(d.Won)), fmt.Sprint(len(d.Lost)), fmt.Sprint(stopped), fmt.Sprint(kept)}
	}))
	for i := range r.DaemonSets {
		d := &r.DaemonSets[i]
		p.predictedNodes(d, "wins", d.Won)
		p.predictedNodes(d, "loses", d.Lost)
		if d.FromManifest && d.After == 0 {
			p.line("%s", p.in(red, fmt.Sprintf("%s/%s would be expected on no node.", d.Namespace, d.DaemonSet)))
		}
	}
}

// predictedNodes prints nodes by the rule that decides, the zone and the pool.
func (p *printer) predictedNodes(d *predictedDaemonSet, verb string, nodes []predictedNode) {
	if len(nodes) == 0 {
		return
	}
	type group struct{ rule, zone, pool, pod string }
	names := map[group][]string{}
	for i := range nodes {
		n := &nodes[i]
		g := group{n.Rule, cmp.Or(n.Zone, "-"), cmp.Or(n.Pool, "-"), cmp.Or(n.Pod, "-")}
		names[g] = append(names[g], n.Node)
	}
	groups := slices.SortedFunc(maps.Keys(names), func(a, b group) int {
		return cmp.Or(len(names[b])-len(names[a]), strings.Compare(a.rule, b.rule), strings.Compare(a.zone, b.zone), strings.Compare(a.pool, b.pool), strings.Compare(a.pod, b.pod))
	})
	rows := make([][]string, 0, len(groups))
	for _, g := range groups {
		rows = append(rows, []string{fmt.Sprint(len(names[g])), g.zone, g.pool, g.rule, g.pod, p.names(names[g])})
	}
	p.section(len(rows), fmt.Sprintf("%s/%s %s:", d.Namespace, d.DaemonSet, verb), []string{"COUNT", "ZONE", "POOL", "RULE", "POD", "NODES"}, rows)
}
