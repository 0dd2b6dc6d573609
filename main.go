// daemonset_exporter tells Prometheus which node lacks a working pod of which
// DaemonSet, since when, and why.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"
	sloggokit "github.com/tjhop/slog-gokit"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/collector/server"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
)

const (
	name = "daemonset_exporter"
	// defaultAddress has a port beyond 9100-9999, where all are claimed in
	// https://github.com/prometheus/prometheus/wiki/Default-port-allocations.
	defaultAddress = ":10479"
)

func main() {
	ctx, _ := untilSignal()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// untilSignal is done when the process is told to end. A second signal kills.
func untilSignal() (ctx context.Context, restore func()) {
	ctx, restore = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore)
	return ctx, restore
}

// run is the exporter from the flags to its end, which is when ctx is done. It
// gives the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags, code, done := parse(args, stdout, stderr)
	if done {
		return code
	}
	logger, bridge := logging(stderr, flags.logLevel, flags.logFormat)
	if err := serve(ctx, flags, logger, bridge); err != nil {
		level.Error(logger).Log("msg", "cannot start", "err", err)
		return 1
	}
	return 0
}

// flags is the command line. The environment variables that Kubernetes makes
// for a Service called daemonset-exporter begin like those of the flags:
// DAEMONSET_EXPORTER_PORT and DAEMONSET_EXPORTER_SERVICE_… must not become
// flags.
type flags struct {
	client             informers.ClientOptions
	namespaces         string
	excludedNamespaces string
	podsSelector       string
	maxGapSeries       int
	joinGrace          time.Duration
	leavingTaints      []string
	nodeLabels         []collector.NodeLabel
	web                *web.FlagConfig
	telemetryPath      string
	pprof              bool
	logLevel           string
	logFormat          string
}

// parse reads the command line and the environment. It is done if there is
// nothing left to do but to exit.
func parse(args []string, stdout, stderr io.Writer) (parsed *flags, code int, done bool) {
	f := &flags{client: informers.ClientOptions{UserAgent: name + "/" + versionOrUnknown()}}
	app := kingpin.New(name, "Tells Prometheus which node lacks a working pod of which DaemonSet, since when, and why. "+
		"Every flag can be given as the environment variable in brackets; repeatable ones take one value per line there.")
	app.UsageWriter(stdout).ErrorWriter(stderr).DefaultEnvars()
	app.Version(version.Print(name))
	app.HelpFlag.Short('h').NoEnvar()
	app.VersionFlag.NoEnvar()
	app.Terminate(func(status int) { code, done = status, true })

	app.Flag("kubeconfig", "Path of a kubeconfig. Without it: the service account of the pod, else $KUBECONFIG, else ~/.kube/config.").
		PlaceHolder("PATH").StringVar(&f.client.Kubeconfig)
	app.Flag("kube-context", "Context of the kubeconfig; its current one if not given. With a context, a kubeconfig is used in a pod too.").
		PlaceHolder("NAME").StringVar(&f.client.Context)
	app.Flag("namespaces", "Watch DaemonSets and pods in these namespaces only, separated by commas, one by one, so that a Role in each suffices. Nodes need a ClusterRole in any case.").
		PlaceHolder("A,B").StringVar(&f.namespaces)
	app.Flag("namespaces-exclude", "Leave these namespaces out, separated by commas.").
		PlaceHolder("A,B").StringVar(&f.excludedNamespaces)
	app.Flag("pods.selector", "Label selector of the pods to watch. Empty for all pods, which costs memory.").
		Default(informers.DefaultPodsSelector).StringVar(&f.podsSelector)
	app.Flag("coverage.max-gap-series", "At most so many series that there is one of for each gap. Counts stay exact, and what is dropped is counted.").
		Default("10000").SetValue(&value{set: f.setMaxGapSeries})
	app.Flag("node.join-grace", "How long a new node counts as joining.").
		Default("5m").SetValue(&value{set: f.setJoinGrace})
	app.Flag("node.leaving-taint", "Key of a taint that announces the end of its node, beside those that are known; prefix/* for all keys with a prefix. Repeatable.").
		PlaceHolder("KEY").SetValue(&value{set: f.addLeavingTaint, repeatable: true})
	app.Flag("node.label", "Node label that becomes a metric label wherever the zone is one. Repeatable.").
		PlaceHolder("NODELABEL=METRIC_LABEL").SetValue(&value{set: f.addNodeLabel, repeatable: true})
	f.web = kingpinflag.AddFlags(app, defaultAddress)
	app.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").StringVar(&f.telemetryPath)
	app.Flag("web.enable-pprof", "Serve profiles of the Go runtime under /debug/pprof/.").BoolVar(&f.pprof)
	app.Flag("log.level", "Least level of what is logged: debug, info, warn or error.").
		Default("info").EnumVar(&f.logLevel, "debug", "info", "warn", "error")
	app.Flag("log.format", "Format of the log: logfmt or json.").
		Default("logfmt").EnumVar(&f.logFormat, "logfmt", "json")

	_, err := app.Parse(args)
	switch {
	case done:
		return nil, code, true
	case err != nil:
		app.Errorf("%s, try --help", err)
		return nil, 1, true
	default:
		return f, 0, false
	}
}

// value is a flag whose mistakes name it. kingpin's own say what is wrong with
// "5", but not where it stands.
type value struct {
	set        func(text string) error
	repeatable bool
	text       string
}

// Set implements kingpin.Value.
func (v *value) Set(text string) error { v.text = text; return v.set(text) }

// String implements kingpin.Value.
func (v *value) String() string { return v.text }

// IsCumulative tells kingpin that the flag is repeatable.
func (v *value) IsCumulative() bool { return v.repeatable }

func (f *flags) setMaxGapSeries(text string) error {
	count, err := strconv.Atoi(text)
	if err != nil || count < 0 {
		return fmt.Errorf("--coverage.max-gap-series=%s is no number of series", text)
	}
	f.maxGapSeries = count
	return nil
}

func (f *flags) setJoinGrace(text string) error {
	grace, err := time.ParseDuration(text)
	if err != nil || grace < 0 {
		return fmt.Errorf("--node.join-grace=%s is no duration such as 90s or 5m", text)
	}
	f.joinGrace = grace
	return nil
}

func (f *flags) addLeavingTaint(key string) error {
	faults := validation.IsQualifiedName(key)
	if prefix, all := strings.CutSuffix(key, "/*"); all {
		faults = validation.IsDNS1123Subdomain(prefix)
	}
	if len(faults) > 0 {
		return fmt.Errorf("--node.leaving-taint=%s is no key of taints: %s", key, strings.Join(faults, "; "))
	}
	f.leavingTaints = append(f.leavingTaints, key)
	return nil
}

func (f *flags) addNodeLabel(text string) error {
	node, metric, found := strings.Cut(text, "=")
	if !found {
		return fmt.Errorf("--node.label=%s is not of the form nodelabel=metric_label", text)
	}
	if faults := validation.IsQualifiedName(node); len(faults) > 0 {
		return fmt.Errorf("--node.label=%s: %s is no label of nodes: %s", text, node, strings.Join(faults, "; "))
	}
	f.nodeLabels = append(f.nodeLabels, collector.NodeLabel{Node: node, Metric: metric})
	if err := collector.CheckNodeLabels(f.nodeLabels); err != nil {
		return fmt.Errorf("--node.label=%s: %w", text, err)
	}
	return nil
}

// serve wires everything together and runs it until ctx is done.
func serve(ctx context.Context, f *flags, logger log.Logger, bridge slog.Handler) error {
	if err := web.Validate(*f.web.WebConfigFile); err != nil {
		return fmt.Errorf("the web configuration %s cannot be used: %w", *f.web.WebConfigFile, err)
	}
	config, err := informers.LoadConfig(f.client)
	if err != nil {
		return err
	}
	watching, err := informers.New(informers.Options{
		Config:             config,
		Namespaces:         informers.SplitNamespaces(f.namespaces),
		ExcludedNamespaces: informers.SplitNamespaces(f.excludedNamespaces),
		PodsSelector:       f.podsSelector,
		Clock:              clock.RealClock{},
		Logger:             logger,
	})
	if err != nil {
		return err
	}
	leases, err := informers.NewLeases(config)
	if err != nil {
		return err
	}
	collecting, err := collector.New(collector.Config{
		Clock:          clock.RealClock{},
		Logger:         logger,
		Health:         watching.Health,
		LeaseRenewTime: leases.RenewTime,
		MaxGapSeries:   f.maxGapSeries,
		JoinGrace:      f.joinGrace,
		LeavingTaints:  f.leavingTaints,
		NodeLabels:     f.nodeLabels,
	})
	if err != nil {
		return err
	}
	server, err := server.NewServer(server.Config{
		Collector:     collecting,
		TelemetryPath: f.telemetryPath,
		Health:        watching.Health,
		Synced:        watching.Synced,
		Profiling:     f.pprof,
		Version:       version.Info(),
		Listen:        f.listen(slog.New(bridge)),
		Logger:        logger,
	})
	if err != nil {
		return err
	}
	level.Info(logger).Log("msg", "starting "+name, "version", version.Info(), "build", version.BuildContext(), "api_server", config.Host)
	return runAll(ctx,
		server.Run,
		func(ctx context.Context) error { return watching.Run(ctx, collecting) },
		func(ctx context.Context) error { collecting.Run(ctx); return nil },
	)
}

// listen serves HTTP as the flags say.
func (f *flags) listen(logger *slog.Logger) func(*http.Server) error {
	return func(server *http.Server) error {
		err := web.ListenAndServe(server, f.web, logger)
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("another process has the port, choose another with --web.listen-address: %w", err)
		}
		return err
	}
}

// runAll runs the parts until ctx is done or one of them fails, and returns when
// all have ended.
func runAll(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var running sync.WaitGroup
	for _, part := range parts {
		running.Go(func() {
			if err := part(ctx); err != nil {
				fail(err)
			}
		})
	}
	running.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// logging makes the one logger, and the handler by which libraries that speak
// slog write to it. What client-go has to say in passing is for debugging only;
// package informers says what matters.
func logging(out io.Writer, least, format string) (log.Logger, slog.Handler) {
	base := log.NewLogfmtLogger(log.NewSyncWriter(out))
	if format == "json" {
		base = log.NewJSONLogger(log.NewSyncWriter(out))
	}
	base = level.NewFilter(base, level.Allow(level.ParseDefault(least, level.InfoValue())))

	clientLevel := slog.LevelWarn
	if least == "debug" {
		clientLevel = slog.LevelDebug
	}
	klog.SetSlogLogger(slog.New(sloggokit.NewGoKitHandler(base, clientLevel)))
	// slog brings the time and the caller along.
	return log.With(base, "time", log.DefaultTimestampUTC, "caller", log.DefaultCaller), sloggokit.NewGoKitHandler(base, slog.LevelInfo)
}

func versionOrUnknown() string {
	if version.Version == "" {
		return "unknown"
	}
	return version.Version
}
