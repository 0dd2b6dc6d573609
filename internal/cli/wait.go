package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
)

// What wait waits for.
const (
	forCovered = "covered"
	forUpdated = "updated"
)

// waitCommand waits until DaemonSets work on every node that can run them.
type waitCommand struct {
	client     clientFlags
	output     outputFlags
	daemonSets []string
	timeout    time.Duration
	what       string
	minNodes   int
	failAfter  time.Duration
}

func (c *waitCommand) register(app *kingpin.Application, _ *Environment) *kingpin.CmdClause {
	command := app.Command("wait", "Wait until every expected node that is Ready, and neither leaving nor joining, has an available pod of the current revision. Nodes that are down are named and set aside: they do not hold up a rollout. Exit code 1 after the timeout, and at once when the new revision cannot start.")
	command.Arg("daemonset", "Name of a DaemonSet, or namespace/name.").Required().StringsVar(&c.daemonSets)
	flag(command, "timeout", "How long to wait.").Default("10m").DurationVar(&c.timeout)
	flag(command, "for", "What to wait for: covered is an available pod of any revision. One of: [covered, updated]").Default(forUpdated).HintOptions(forCovered, forUpdated).EnumVar(&c.what, forCovered, forUpdated)
	flag(command, "min-nodes", "Least number of nodes that must have such a pod. A DaemonSet that is expected nowhere is no success.").Default("1").IntVar(&c.minNodes)
	flag(command, "fail-after", "For how long a Ready node may show image_pull, container_config or crash_loop on the current revision before wait fails.").Default("2m").DurationVar(&c.failAfter)
	c.client.register(command)
	c.output.register(command)
	return command
}

func (c *waitCommand) run(ctx context.Context, env *Environment) (found bool, err error) {
	targets, err := c.targets(env)
	if err != nil {
		return false, err
	}
	began := env.Clock.Now()
	cluster, err := c.client.connect(ctx, env)
	if err != nil {
		return false, err
	}
	defer cluster.close()
	for i := range targets {
		if _, ok := cluster.collector.DaemonSetState(targets[i].namespace, targets[i].name); !ok {
			return false, usagef("there is no DaemonSet %s in namespace %s", targets[i].name, targets[i].namespace)
		}
	}
	result, err := c.await(ctx, cluster, targets, began, env)
	if err != nil {
		return false, err
	}
	return result.Outcome != outcomeDone, c.output.print(env, result, func(p *printer) { p.waitResult(result) })
}

// target is a DaemonSet that is waited for.
type target struct {
	namespace, name string
	// failing is since when each node shows that the revision cannot start.
	failing map[string]time.Time
}

// targets returns the DaemonSets to wait for, and widens what is read to their
// namespaces.
func (c *waitCommand) targets(env *Environment) ([]*target, error) {
	namespaces, err := c.client.namespaces(env)
	if err != nil {
		return nil, err
	}
	var targets []*target
	for _, text := range c.daemonSets {
		namespace, name, ok := strings.Cut(text, "/")
		if !ok {
			if len(namespaces) != 1 {
				return nil, usagef("in which namespace is %s? Set -n, or write NAMESPACE/%s", text, text)
			}
			namespace, name = namespaces[0], text
		}
		targets = append(targets, &target{namespace: namespace, name: name, failing: map[string]time.Time{}})
	}
	same := !slices.ContainsFunc(targets, func(t *target) bool { return t.namespace != targets[0].namespace })
	c.client.namespace, c.client.allNamespaces = targets[0].namespace, !same
	return targets, nil
}

// waitPeriod is how often to look.
const waitPeriod = 200 * time.Millisecond

// await looks until it is done, has failed, or the time is over.
func (c *waitCommand) await(ctx context.Context, cluster *live, targets []*target, began time.Time, env *Environment) (*waitResult, error) {
	defer env.clearProgress()
	said := ""
	for {
		now := env.Clock.Now()
		result := c.look(cluster, targets, now)
		if text := result.progress(); text != said {
			said = text
			env.tell(text)
		}
		over := now.Sub(began) >= c.timeout
		if result.Outcome == outcomeWaiting && over {
			result.Outcome = outcomeTimeout
			if err := cluster.unwatched(); err != nil {
				return nil, fmt.Errorf("the last known state is not done, and the cluster cannot be seen: %w", err)
			}
		}
		if result.Outcome != outcomeWaiting {
			return result, nil
		}
		if err := cluster.denied(); err != nil {
			return nil, err
		}
		timer := env.Clock.NewTimer(waitPeriod)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("interrupted: %w", context.Cause(ctx))
		case <-timer.C():
		}
	}
}

// unwatched returns why a resource cannot be watched now.
func (l *live) unwatched() error {
	for _, health := range l.informers.Health() {
		if health.Err != nil {
			return health.Err
		}
	}
	return nil
}

// denied returns the error of a permission that was taken away while waiting.
func (l *live) denied() error {
	if err := l.unwatched(); forbidden(err) {
		return err
	}
	return nil
}
