package cli

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
)

// Environment is what the commands are given by the process.
type Environment struct {
	In       io.Reader
	Out, Err io.Writer
	// OutTerminal and ErrTerminal report whether somebody looks at Out and Err.
	OutTerminal, ErrTerminal bool
	// NoColor reports whether colours are not wanted.
	NoColor bool
	Clock   clock.Clock
	// CollectorFlags adds the exporter's flags that change metrics to a command and returns
	// what they have set; nil for their defaults.
	CollectorFlags func(command *kingpin.CmdClause) func() collector.Config
	// UserAgent is how the commands introduce themselves to the API server.
	UserAgent string
}

// collectorConfig adds the flags that change metrics to a command.
func (e *Environment) collectorConfig(command *kingpin.CmdClause) func() collector.Config {
	if e.CollectorFlags != nil {
		return e.CollectorFlags(command)
	}
	return func() collector.Config {
		return collector.Config{
			MaxGapSeries: collector.DefaultMaxGapSeries, JoinGrace: collector.DefaultJoinGrace, StartupGrace: collector.DefaultStartupGrace,
		}
	}
}

// subcommand is one subcommand.
type subcommand interface {
	// register adds the command and its flags.
	register(app *kingpin.Application, env *Environment) *kingpin.CmdClause
	// run does what was asked for and reports whether it found something that is wrong.
	// A usageError is the caller's; any other error says that it could not tell.
	run(ctx context.Context, env *Environment) (found bool, err error)
}

// subcommands returns all subcommands in the order of the help text.
func subcommands() []subcommand {
	return []subcommand{
		&explainCommand{}, &waitCommand{}, &reportCommand{}, &dumpCommand{}, &whatIfCommand{}, &recordCommand{}, &replayCommand{},
	}
}

// Commands are the subcommands of one command line.
type Commands struct {
	env    *Environment
	byName map[string]subcommand
}

// Register adds the subcommands to the application.
func Register(app *kingpin.Application, env *Environment) *Commands {
	commands := &Commands{env: env, byName: map[string]subcommand{}}
	for _, command := range subcommands() {
		commands.byName[command.register(app, env).FullCommand()] = command
	}
	return commands
}

// Has reports whether there is a subcommand of that name.
func (c *Commands) Has(name string) bool { return c.byName[name] != nil }

// Run runs a subcommand and returns the exit code.
func (c *Commands) Run(ctx context.Context, name string) int {
	found, err := c.byName[name].run(ctx, c.env)
	return c.env.exitCode(found, err)
}

// pluginName is the name of the program as a plugin of kubectl, which calls it as
// "kubectl daemonset-coverage".
const pluginName = "kubectl-daemonset_coverage"

// IsPlugin reports whether the program of this path was called as a plugin of kubectl.
func IsPlugin(program string) bool {
	return strings.TrimSuffix(filepath.Base(program), ".exe") == pluginName
}
