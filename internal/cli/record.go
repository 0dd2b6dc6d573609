package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"k8s.io/client-go/rest"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
)

// recordCommand records what the exporter would see.
type recordCommand struct {
	client   clientFlags
	file     string
	duration time.Duration
}

func (c *recordCommand) register(app *kingpin.Application, _ *Environment) *kingpin.CmdClause {
	command := app.Command("record", "Record what the exporter sees of the cluster, for replay: what changes, when, and what interrupts the watches. "+
		"It ends with an interrupt (Ctrl-C) or after --duration. A line on standard input becomes a mark. "+
		"Objects have only the fields that the exporter reads: no annotations, environment, commands or images.")
	command.Arg("file", "File to write, gzipped if its name ends in .gz; it must not exist. If unset: standard output.").StringVar(&c.file)
	flag(command, "duration", "How long to record. If unset: until an interrupt.").PlaceHolder("10m").DurationVar(&c.duration)
	c.client.register(command)
	return command
}

// tickPeriod is how often to look how the watches are doing, and to write out what was
// recorded.
const tickPeriod = time.Second

func (c *recordCommand) run(ctx context.Context, env *Environment) (found bool, err error) {
	if c.duration < 0 {
		return false, usagef("--duration: %s is not a valid duration (examples: 90s, 10m)", c.duration)
	}
	if c.client.namespace == "" {
		c.client.allNamespaces = true // an incident is seldom of one
	}
	out, err := c.create(env)
	if err != nil {
		return false, err
	}
	recording := files.NewRecordingWriter(out, strings.HasSuffix(c.file, ".gz"))
	err = c.record(ctx, env, recording)
	if failed := recording.Close(); err == nil {
		err = failed
	}
	if failed := out.Close(); err == nil && failed != nil {
		err = fmt.Errorf("writing the recording: %w", failed)
	}
	return false, err
}

// create creates the file. What is there is never overwritten: it cannot be recorded
// again.
func (c *recordCommand) create(env *Environment) (io.WriteCloser, error) {
	if c.file == "" {
		return standardOutput{env.Out}, nil
	}
	file, err := os.OpenFile(c.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // it is made to be shared
	if err != nil {
		return nil, usageError{err}
	}
	return file, nil
}

// standardOutput is not ours to close.
type standardOutput struct{ io.Writer }

func (standardOutput) Close() error { return nil }

// record records until ctx is done, the duration is over or something fails.
func (c *recordCommand) record(ctx context.Context, env *Environment, recording *files.RecordingWriter) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	l, recorder, err := c.connect(env, recording)
	if err != nil {
		return err
	}
	l.stop = stop
	defer l.close()
	l.running.Go(func() { _ = l.informers.Run(ctx, recorder) }) // it fails only if run twice
	l.running.Go(func() { l.collector.Run(ctx) })
	if err := l.awaitSync(ctx, env); err != nil {
		return err
	}
	if env.ErrTerminal {
		_, _ = fmt.Fprintln(env.Err, "recording; type a line to set a mark, Ctrl-C to end")
	}
	go readMarks(env.In, recorder) // it ends with the input, or with the process
	err = c.untilDone(ctx, env, l, recorder, recording)
	recorder.Record(files.Event{Type: files.Mark, Text: "end of the recording"})
	if err == nil {
		err = recorder.Err()
	}
	return err
}

// connect returns what reads the cluster, and what records that. A collector reads on
// demand what an exporter would have read.
func (c *recordCommand) connect(env *Environment, recording *files.RecordingWriter) (*live, *files.Recorder, error) {
	namespaces, err := c.client.namespaces(env)
	if err != nil {
		return nil, nil, err
	}
	config, err := informers.LoadConfig(c.client.options(env))
	if err != nil {
		return nil, nil, err
	}
	reading, err := newReading(config)
	if err != nil {
		return nil, nil, err
	}
	var recorder *files.Recorder
	reading = reading.Record(func(event files.Event) { recorder.Record(event) })
	l := &live{}
	l.collector, err = collector.New(collector.Config{
		Clock: env.Clock, Logger: log.NewNopLogger(), Health: func() []informers.ResourceHealth { return nil },
		LeaseRenewTime: reading.LeaseRenewTime, NewestRevisions: reading.NewestRevisions, NamespaceSelectors: reading.NodeSelectors,
		JoinGrace: collector.DefaultJoinGrace, StartupGrace: collector.DefaultStartupGrace,
	})
	if err != nil {
		return nil, nil, err
	}
	recorder = files.NewRecorder(recording, env.Clock, l.collector)
	l.informers, err = informers.New(informers.Options{
		Config: config, Namespaces: namespaces, PodsSelector: informers.DefaultPodsSelector,
		Clock: env.Clock, Logger: log.NewNopLogger(), Trimmed: recorder.Trimmed,
	})
	if err != nil {
		return nil, nil, usageError{err}
	}
	return l, recorder, nil
}

// untilDone returns when ctx is done, the duration is over or writing fails.
func (c *recordCommand) untilDone(ctx context.Context, env *Environment, l *live, recorder *files.Recorder, recording *files.RecordingWriter) error {
	begun := env.Clock.Now()
	for c.duration == 0 || env.Clock.Since(begun) < c.duration {
		timer := env.Clock.NewTimer(tickPeriod)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C():
		}
		recorder.Tick(l.informers.Health())
		if err := errors.Join(recorder.Err(), recording.Flush()); err != nil {
			return err
		}
	}
	return nil
}

// readMarks records a mark for each line of the input.
func readMarks(input io.Reader, recorder *files.Recorder) {
	if input == nil {
		return
	}
	lines := bufio.NewScanner(input)
	for lines.Scan() {
		if text := strings.TrimSpace(lines.Text()); text != "" {
			recorder.Record(files.Event{Type: files.Mark, Text: text})
		}
	}
}

// newReading returns what an exporter reads on demand.
func newReading(config *rest.Config) (files.OnDemand, error) {
	leases, err := informers.NewLeases(config)
	if err != nil {
		return files.OnDemand{}, err
	}
	revisions, err := informers.NewRevisions(config)
	if err != nil {
		return files.OnDemand{}, err
	}
	namespaces, err := informers.NewNamespaces(config, false, log.NewNopLogger())
	if err != nil {
		return files.OnDemand{}, err
	}
	return files.OnDemand{
		NodeSelectors: namespaces.NodeSelectors, LeaseRenewTime: leases.RenewTime, NewestRevisions: revisions.Newest,
	}, nil
}
