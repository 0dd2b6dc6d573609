package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
)

// explainCommand says why a DaemonSet has a working pod on a node, or why it has none.
type explainCommand struct {
	source    sourceFlags
	output    outputFlags
	daemonSet string
	node      string
}

func (c *explainCommand) register(app *kingpin.Application, _ *Environment) *kingpin.CmdClause {
	command := app.Command("explain", "Explain why a DaemonSet has a working pod on a node, or why it has none: every rule with its evidence, and what would change it. "+
		"Without --node: all nodes by verdict and reason. Without a DaemonSet: all DaemonSets of the node. Exit code 1 if there is a gap.")
	command.Arg("daemonset", "Name of the DaemonSet, or namespace/name.").StringVar(&c.daemonSet)
	flag(command, "node", "Name of the node.").PlaceHolder("NODE").StringVar(&c.node)
	c.source.register(command)
	c.output.register(command)
	return command
}

func (c *explainCommand) run(ctx context.Context, env *Environment) (found bool, err error) {
	if c.daemonSet == "" && c.node == "" {
		return false, usagef("explain what? Name a DaemonSet, or a node with --node")
	}
	if namespace, name, ok := strings.Cut(c.daemonSet, "/"); ok {
		c.source.namespace, c.source.allNamespaces, c.daemonSet = namespace, false, name
	}
	if c.daemonSet == "" && c.source.namespace == "" {
		c.source.allNamespaces = true // an agent of the node may be anywhere
	}
	from, err := c.source.open(ctx, env)
	if err != nil {
		return false, err
	}
	defer from.close()
	explained, err := c.explain(from, env)
	if err != nil {
		return false, usageError{err}
	}
	if from.live != nil && c.daemonSet != "" && c.node != "" {
		if err := from.live.addDetails(ctx, &explained[0]); err != nil {
			return false, err
		}
	}
	for i := range explained {
		found = found || explained[i].Verdict == collector.VerdictGap
	}
	return found, c.output.print(env, collector.NewExplanationList(explained...), func(p *printer) {
		c.write(p, explained, from)
	})
}

// explain returns the explanations that were asked for.
func (c *explainCommand) explain(from *source, env *Environment) ([]collector.Explanation, error) {
	if c.daemonSet == "" {
		return from.collector.ExplainNode(c.node)
	}
	namespaces, err := c.source.namespaces(env)
	if from.live == nil && c.source.namespace == "" {
		namespaces, err = from.collector.NamespacesOf(c.daemonSet), nil
	}
	if err != nil {
		return nil, err
	}
	if len(namespaces) != 1 {
		return nil, fmt.Errorf("in which namespace is %s? Set -n, or write NAMESPACE/%s", c.daemonSet, c.daemonSet)
	}
	if c.node == "" {
		return from.collector.ExplainDaemonSet(namespaces[0], c.daemonSet)
	}
	one, err := from.collector.Explain(namespaces[0], c.daemonSet, c.node)
	return []collector.Explanation{one}, err
}

func (c *explainCommand) write(p *printer, explained []collector.Explanation, from *source) {
	for _, remark := range from.remarks {
		p.line("%s", remark)
	}
	switch {
	case c.daemonSet != "" && c.node != "":
		p.explanation(&explained[0], from.clock.Now())
	case c.daemonSet != "":
		p.byVerdict(explained)
	default:
		p.ofNode(explained)
	}
}
