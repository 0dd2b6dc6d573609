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
	client    clientFlags
	output    outputFlags
	daemonSet string
	node      string
}

func (c *explainCommand) register(app *kingpin.Application, _ *Environment) *kingpin.CmdClause {
	command := app.Command("explain", "Explain why a DaemonSet has a working pod on a node, or why it has none: every rule with its evidence, and what would change it. "+
		"Without --node: all nodes by verdict and reason. Without a DaemonSet: all DaemonSets of the node. Exit code 1 if there is a gap.")
	command.Arg("daemonset", "Name of the DaemonSet, or namespace/name.").StringVar(&c.daemonSet)
	flag(command, "node", "Name of the node.").PlaceHolder("NODE").StringVar(&c.node)
	c.client.register(command)
	c.output.register(command)
	return command
}

func (c *explainCommand) run(ctx context.Context, env *Environment) (found bool, err error) {
	if c.daemonSet == "" && c.node == "" {
		return false, usagef("explain what? Name a DaemonSet, or a node with --node")
	}
	if namespace, name, ok := strings.Cut(c.daemonSet, "/"); ok {
		c.client.namespace, c.client.allNamespaces, c.daemonSet = namespace, false, name
	}
	if c.daemonSet == "" && c.client.namespace == "" {
		c.client.allNamespaces = true // an agent of the node may be anywhere
	}
	cluster, err := c.client.connect(ctx, env)
	if err != nil {
		return false, err
	}
	defer cluster.close()
	explained, err := c.explain(cluster.collector, env)
	if err != nil {
		return false, usageError{err}
	}
	for i := range explained {
		found = found || explained[i].Verdict == collector.VerdictGap
	}
	return found, c.output.print(env, collector.NewExplanationList(explained...), func(p *printer) {
		c.write(p, explained, env)
	})
}

// explain returns the explanations that were asked for.
func (c *explainCommand) explain(from *collector.Collector, env *Environment) ([]collector.Explanation, error) {
	if c.daemonSet == "" {
		return from.ExplainNode(c.node)
	}
	namespaces, err := c.client.namespaces(env)
	if err != nil {
		return nil, err
	}
	if len(namespaces) == 0 {
		return nil, fmt.Errorf("in which namespace is %s? Set -n, or write NAMESPACE/%s", c.daemonSet, c.daemonSet)
	}
	if c.node == "" {
		return from.ExplainDaemonSet(namespaces[0], c.daemonSet)
	}
	one, err := from.Explain(namespaces[0], c.daemonSet, c.node)
	return []collector.Explanation{one}, err
}

func (c *explainCommand) write(p *printer, explained []collector.Explanation, env *Environment) {
	switch {
	case c.daemonSet != "" && c.node != "":
		p.explanation(&explained[0], env.Clock.Now())
	case c.daemonSet != "":
		p.byVerdict(explained)
	default:
		p.ofNode(explained)
	}
}
