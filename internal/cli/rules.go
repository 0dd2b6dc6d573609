package cli

import (
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
)

// ruleFlags are those of the exporter that decide what it says of nodes.
type ruleFlags struct {
	joinGrace, startupGrace                       time.Duration
	leavingTaints, startupTaints, conditionTaints []string
}

func (f *ruleFlags) register(command *kingpin.CmdClause) {
	const asExporter = " As for the exporter."
	flag(command, "node.join-grace", "How long a new node has the lifecycle joining."+asExporter).Default(collector.DefaultJoinGrace.String()).DurationVar(&f.joinGrace)
	flag(command, "node.startup-grace", "How long a node that still has a startup taint has the lifecycle joining."+asExporter).Default(collector.DefaultStartupGrace.String()).DurationVar(&f.startupGrace)
	flag(command, "node.leaving-taint", "Taint key that gives a node the lifecycle leaving."+asExporter).PlaceHolder("KEY").StringsVar(&f.leavingTaints)
	flag(command, "node.startup-taint", "Taint key that says that a node is not ready for use yet."+asExporter).PlaceHolder("KEY").StringsVar(&f.startupTaints)
	flag(command, "node.condition-taint", "Taint key that says that a node is broken."+asExporter).PlaceHolder("KEY").StringsVar(&f.conditionTaints)
}

// config returns the configuration of a collector by these rules.
func (f *ruleFlags) config() collector.Config {
	return collector.Config{
		Logger:    log.NewNopLogger(),
		JoinGrace: f.joinGrace, StartupGrace: f.startupGrace,
		LeavingTaints: f.leavingTaints, StartupTaints: f.startupTaints, ConditionTaints: f.conditionTaints,
	}
}
