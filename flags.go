package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/cli"
)

// defaultAddress has a port beyond 9100-9999, where all are claimed in
// https://github.com/prometheus/prometheus/wiki/Default-port-allocations.
const defaultAddress = ":10479"

// flags holds the parsed command line.
type flags struct {
	client             informers.ClientOptions
	namespaces         []string
	excludedNamespaces []string
	namespaceSelectors string
	podsSelector       string
	maxGapSeries       int
	joinGrace          time.Duration
	startupGrace       time.Duration
	leavingTaints      []string
	startupTaints      []string
	conditionTaints    []string
	nodeLabels         []collector.NodeLabel
	web                *web.FlagConfig
	telemetryPath      string
	pages              bool
	pprof              bool
	kubernetesAuth     bool
	logLevel           string
	logFormat          string
}

// exporterCommand is the command that is run when none is given.
const exporterCommand = "exporter"

// usageExit is the exit code for a wrong command line of the exporter; its subcommands
// have cli.ExitUsage.
const usageExit = 1

// parse parses the command line and the environment. It reports whether the
// process is done, after --help, --version or an error, and with which exit code.
// Else it returns the flags of the exporter or, nil, the subcommand to run.
func parse(program string, args []string, env *cli.Environment) (parsed *flags, subcommand func(context.Context) int, code int, done bool) {
	plugin := cli.IsPlugin(program)
	app := newApplication(plugin, env)
	app.Terminate(func(status int) { code, done = status, true })

	f := &flags{client: informers.ClientOptions{UserAgent: env.UserAgent}}
	if !plugin {
		exporter := app.Command(exporterCommand, "Serve metrics. This is the default.").Default()
		f.addClientFlags(exporter)
		f.addCollectorFlags(exporter)
		f.addServerFlags(exporter)
	}
	commands := cli.Register(app, env)

	selected, err := app.Parse(args)
	switch {
	case done:
		return nil, nil, code, true
	case err != nil:
		app.Errorf("%s, try --help", err)
		if plugin || len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != exporterCommand {
			return nil, nil, cli.ExitUsage, true
		}
		return nil, nil, usageExit, true
	case commands.Has(selected):
		return nil, func(ctx context.Context) int { return commands.Run(ctx, selected) }, 0, false
	default:
		return f, nil, 0, false
	}
}

// newApplication returns the command line without its commands.
func newApplication(plugin bool, env *cli.Environment) *kingpin.Application {
	called, about := name, "Prometheus exporter that reports which node lacks a working pod of which DaemonSet, since when, and why. "+
		"Every flag of the exporter can also be set by the environment variable in parentheses; repeatable flags take one value per line there. "+
		"Other commands answer the same questions once."
	if plugin {
		called, about = "kubectl daemonset-coverage", "Tell which node lacks a working pod of which DaemonSet, since when, and why. Reads only, with your own rights."
	}
	app := kingpin.New(called, about)
	cli.SetUsage(app)
	app.UsageWriter(env.Out).ErrorWriter(env.Err)
	if !plugin {
		app.DefaultEnvars()
	}
	app.Version(version.Print(name))
	// A Service called daemonset-exporter makes Kubernetes set
	// DAEMONSET_EXPORTER_PORT and DAEMONSET_EXPORTER_SERVICE_*. No flag may be
	// called so, and no variable may print help or version.
	app.HelpFlag.Short('h').NoEnvar()
	app.VersionFlag.NoEnvar()
	return app
}

func (f *flags) addClientFlags(app *kingpin.CmdClause) {
	app.Flag("kubeconfig", "Path to a kubeconfig file. If unset: in-cluster configuration, then $KUBECONFIG, then ~/.kube/config.").
		PlaceHolder("PATH").StringVar(&f.client.Kubeconfig)
	app.Flag("kube-context", "Context of the kubeconfig. If unset: its current context. If set, a kubeconfig is used even inside a pod.").
		PlaceHolder("NAME").StringVar(&f.client.Context)
	app.Flag("namespaces", "Comma-separated namespaces in which to watch DaemonSets and pods, each by a watch of its own, so that a Role in each is enough. Nodes always need a ClusterRole. If unset: all namespaces.").
		PlaceHolder("A,B").SetValue(namespaces("namespaces", &f.namespaces))
	app.Flag("namespaces-exclude", "Comma-separated namespaces to ignore.").
		PlaceHolder("A,B").SetValue(namespaces("namespaces-exclude", &f.excludedNamespaces))
	enum(app, &f.namespaceSelectors, "namespaces.node-selector",
		"Whether the node selectors of namespaces are part of placement, as for OpenShift's DaemonSet controller. auto: where the API group project.openshift.io is served.",
		"auto", "auto", "on", "off")
	app.Flag("pods.selector", "Label selector of the pods to watch. If empty, all pods are watched, which needs more memory.").
		Default(informers.DefaultPodsSelector).StringVar(&f.podsSelector)
}

func (f *flags) addCollectorFlags(app *kingpin.CmdClause) {
	app.Flag("coverage.max-gap-series", "Maximum number of series of each metric that has one per gap, node or taint. Counts stay exact; daemonset_exporter_series_dropped says how many were dropped.").
		Default(strconv.Itoa(collector.DefaultMaxGapSeries)).SetValue(&value{set: f.setMaxGapSeries})
	duration(app, &f.joinGrace, "node.join-grace", "How long after its creation or its first Ready a node has the lifecycle joining.", collector.DefaultJoinGrace)
	duration(app, &f.startupGrace, "node.startup-grace", "How long after its creation a node that still has a startup taint has the lifecycle joining.", collector.DefaultStartupGrace)
	taints(app, &f.leavingTaints, "node.leaving-taint", "Taint key that gives a node the lifecycle leaving")
	taints(app, &f.startupTaints, "node.startup-taint", "Taint key that says that a node is not ready for use yet: it excludes no node, and a new node that has it has the lifecycle joining")
	taints(app, &f.conditionTaints, "node.condition-taint", "Taint key that says that a node is broken, such as that of a health checker: it excludes no node")
	app.Flag("node.label", "Node label to add as a metric label to all metrics that have the label zone. Repeatable.").
		PlaceHolder("NODELABEL=METRIC_LABEL").SetValue(&value{set: f.addNodeLabel, repeatable: true})
}

// addCollectorFlagsTo adds the flags of the collector to a subcommand.
func addCollectorFlagsTo(command *kingpin.CmdClause) func() collector.Config {
	f := &flags{}
	f.addCollectorFlags(command)
	return f.collectorConfig
}

// collectorConfig returns what the flags of the collector have set.
func (f *flags) collectorConfig() collector.Config {
	return collector.Config{
		MaxGapSeries:    f.maxGapSeries,
		JoinGrace:       f.joinGrace,
		StartupGrace:    f.startupGrace,
		LeavingTaints:   f.leavingTaints,
		StartupTaints:   f.startupTaints,
		ConditionTaints: f.conditionTaints,
		NodeLabels:      f.nodeLabels,
	}
}

func (f *flags) addServerFlags(app *kingpin.CmdClause) {
	f.web = kingpinflag.AddFlags(app, defaultAddress)
	app.Flag("web.telemetry-path", "Path under which to expose metrics.").Default("/metrics").StringVar(&f.telemetryPath)
	app.Flag("web.pages", "Serve the pages /coverage and /explain, and the same as JSON under /api/v1/. --no-web.pages turns them off.").Default("true").BoolVar(&f.pages)
	app.Flag("web.enable-pprof", "Expose Go runtime profiles under /debug/pprof/.").BoolVar(&f.pprof)
	app.Flag("web.kubernetes-auth", "Serve everything but /-/healthy and /-/ready only to bearer tokens whose owner may get the path as a nonResourceURL. Needs create on tokenreviews and subjectaccessreviews.").BoolVar(&f.kubernetesAuth)
	enum(app, &f.logLevel, "log.level", "Only log messages with the given severity or above.", "info", "debug", "info", "warn", "error")
	enum(app, &f.logFormat, "log.format", "Output format of log messages.", "logfmt", "logfmt", "json")
}

// namespaces returns the value of a flag that takes namespaces.
func namespaces(name string, target *[]string) *value {
	return &value{set: func(text string) error {
		names, err := informers.SplitNamespaces(text)
		if err != nil {
			return fmt.Errorf("--%s: %w", name, err)
		}
		*target = names
		return nil
	}}
}

// enum adds a flag that takes one of a few values.
func enum(app *kingpin.CmdClause, target *string, name, help, standard string, values ...string) {
	choice := "[" + strings.Join(values, ", ") + "]"
	set := func(text string) error {
		if !slices.Contains(values, text) {
			return fmt.Errorf("--%s: %q is not one of %s", name, text, choice)
		}
		*target = text
		return nil
	}
	app.Flag(name, help+" One of: "+choice).Default(standard).HintOptions(values...).SetValue(&value{set: set})
}

// duration adds a flag that takes a duration that is not negative.
func duration(app *kingpin.CmdClause, target *time.Duration, name, help string, standard time.Duration) {
	set := func(text string) error {
		parsed, err := time.ParseDuration(text)
		if err != nil || parsed < 0 {
			return fmt.Errorf("--%s: %q is not a valid duration (examples: 90s, 5m)", name, text)
		}
		*target = parsed
		return nil
	}
	app.Flag(name, help).Default(strings.TrimSuffix(standard.String(), "0s")).SetValue(&value{set: set})
}

// taints adds a repeatable flag that takes a taint key or all keys with a prefix.
func taints(app *kingpin.CmdClause, target *[]string, name, help string) {
	add := func(key string) error {
		problems := validation.IsQualifiedName(key)
		if prefix, all := strings.CutSuffix(key, "/*"); all {
			problems = validation.IsDNS1123Subdomain(prefix)
		}
		if len(problems) > 0 {
			return fmt.Errorf("--%s: %q is not a valid taint key: %s", name, key, strings.Join(problems, "; "))
		}
		*target = append(*target, key)
		return nil
	}
	app.Flag(name, help+", in addition to the built-in keys. prefix/* matches all keys with that prefix. Repeatable.").
		PlaceHolder("KEY").SetValue(&value{set: add, repeatable: true})
}

// value is a flag that names itself in its errors. Those of kingpin's own types
// say what is wrong with "5", but not of which flag or variable.
type value struct {
	set        func(text string) error
	repeatable bool
	text       string
}

// Set implements kingpin.Value.
func (v *value) Set(text string) error { v.text = text; return v.set(text) }

// String implements kingpin.Value.
func (v *value) String() string { return v.text }

// IsCumulative reports to kingpin whether the flag is repeatable.
func (v *value) IsCumulative() bool { return v.repeatable }

func (f *flags) setMaxGapSeries(text string) error {
	count, err := strconv.Atoi(text)
	if err != nil || count < 0 {
		return fmt.Errorf("--coverage.max-gap-series: %q is not a valid number of series (examples: 0, 10000)", text)
	}
	f.maxGapSeries = count
	return nil
}

func (f *flags) addNodeLabel(text string) error {
	node, metric, found := strings.Cut(text, "=")
	if !found {
		return fmt.Errorf("--node.label: %q is not a valid pair of labels (example: node.kubernetes.io/pool=pool)", text)
	}
	if problems := validation.IsQualifiedName(node); len(problems) > 0 {
		return fmt.Errorf("--node.label: %q is not a valid label key: %s", node, strings.Join(problems, "; "))
	}
	f.nodeLabels = append(f.nodeLabels, collector.NodeLabel{Node: node, Metric: metric})
	if err := collector.CheckNodeLabels(f.nodeLabels); err != nil {
		return fmt.Errorf("--node.label: %w", err)
	}
	return nil
}

// userAgent returns how the exporter introduces itself to the API server.
func userAgent() string {
	if version.Version == "" {
		return name + "/unknown"
	}
	return name + "/" + version.Version
}
