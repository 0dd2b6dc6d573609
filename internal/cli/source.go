package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// sourceFlags select a cluster, or files that tell of one.
type sourceFlags struct {
	clientFlags
	from, at string
	// given reports whether there is a --from: kingpin takes the - of "--from -" for
	// nothing.
	given bool
}

// pathOf returns the path that a flag names.
func pathOf(text string) string { return cmp.Or(text, "-") }

func (f *sourceFlags) register(command *kingpin.CmdClause) {
	f.clientFlags.register(command)
	flag(command, "from", "Read files instead of a cluster: the output of kubectl get nodes,ds,pods -A -o json or yaml, a folder or archive of such files (kubectl cluster-info dump, support bundle, must-gather), or - for standard input.").PlaceHolder("PATH").IsSetByUser(&f.given).StringVar(&f.from)
	flag(command, "at", "What is now, in files: RFC 3339. If unset: when the dump was made, or the newest stamp in the files.").PlaceHolder("TIME").StringVar(&f.at)
}

// source is what questions are asked of.
type source struct {
	collector *collector.Collector
	// live is the cluster; nil for files.
	live *live
	// remarks are what the reader of the answer has to know of files.
	remarks []string
	clock   clock.PassiveClock
}

func (s *source) close() {
	if s.live != nil {
		s.live.close()
	}
}

// open connects to the cluster, or reads the files.
func (f *sourceFlags) open(ctx context.Context, env *Environment) (*source, error) {
	if !f.given {
		if f.at != "" {
			return nil, usagef("--at is about files: set --from")
		}
		cluster, err := f.connect(ctx, env)
		if err != nil {
			return nil, err
		}
		return &source{collector: cluster.collector, live: cluster, clock: env.Clock}, nil
	}
	snapshot, now, err := f.load(env)
	if err != nil {
		return nil, err
	}
	return newFileSource(snapshot, f.namespace, f.rules.config(), now, f.remarks(snapshot, now))
}

// load reads the files and returns what is now in them.
func (f *sourceFlags) load(env *Environment) (*files.Snapshot, time.Time, error) {
	var now time.Time
	if f.at != "" {
		at, err := time.Parse(time.RFC3339, f.at)
		if err != nil {
			return nil, now, usagef("--at: %q is not a time in RFC 3339 (example: 2026-11-23T12:00:00Z)", f.at)
		}
		now = at
	}
	env.say("reading " + f.from)
	snapshot, err := files.Load(pathOf(f.from), env.In)
	env.clearProgress()
	if err != nil {
		return nil, now, err
	}
	if missing := snapshot.Missing(); len(missing) > 0 {
		return nil, now, fmt.Errorf("%s has no %s: nothing can be told without them (kubectl get nodes,ds,pods -A -o json has all)",
			pathOf(f.from), strings.Join(missing, ", no "))
	}
	if now.IsZero() {
		now = snapshot.Time
	}
	return snapshot, now, nil
}

func (f *sourceFlags) remarks(snapshot *files.Snapshot, now time.Time) []string {
	var remarks []string
	switch {
	case f.at != "":
		remarks = append(remarks, fmt.Sprintf("As of %s, as you set it.", now.UTC().Format(time.RFC3339)))
	case snapshot.Stated:
		remarks = append(remarks, fmt.Sprintf("As of %s, when the dump was made.", now.UTC().Format(time.RFC3339)))
	default:
		remarks = append(remarks, fmt.Sprintf("As of %s, the newest stamp in %s.", now.UTC().Format(time.RFC3339), pathOf(f.from)))
	}
	for _, skipped := range snapshot.Skipped {
		remarks = append(remarks, "Skipped "+skipped)
	}
	return remarks
}

// fixedClock shows one time. Its timers are real.
type fixedClock struct {
	clock.RealClock
	at time.Time
}

// Now implements clock.PassiveClock.
func (c fixedClock) Now() time.Time { return c.at }

// Since implements clock.PassiveClock.
func (c fixedClock) Since(at time.Time) time.Duration { return c.at.Sub(at) }

// newFileSource returns a source of a snapshot's DaemonSets in a namespace, "" for all.
func newFileSource(snapshot *files.Snapshot, namespace string, rules collector.Config, now time.Time, remarks []string) (*source, error) {
	at := fixedClock{at: now}
	rules.Clock, rules.NamespaceSelectors = at, snapshot.NodeSelectors
	rules.Health = func() []informers.ResourceHealth { return nil }
	collecting, err := collector.New(rules)
	if err != nil {
		return nil, err
	}
	snapshot.Deliver(&ofNamespace{Collector: collecting, namespace: namespace})
	collecting.SetRevisions(snapshot.NewestRevisions())
	return &source{collector: collecting, remarks: remarks, clock: at}, nil
}

// ofNamespace hands on what is of one namespace, or of all.
type ofNamespace struct {
	*collector.Collector
	namespace string
}

// DaemonSet implements informers.Handler.
func (h *ofNamespace) DaemonSet(old, new *slim.DaemonSet) {
	if h.has(new.Namespace) {
		h.Collector.DaemonSet(old, new)
	}
}

// Pod implements informers.Handler.
func (h *ofNamespace) Pod(old, new *slim.Pod) {
	if h.has(new.Namespace) {
		h.Collector.Pod(old, new)
	}
}

func (h *ofNamespace) has(namespace slim.Text) bool {
	return h.namespace == "" || h.namespace == namespace.Value()
}

var _ informers.Handler = (*ofNamespace)(nil)
