package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/collector/exposition"
	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/informers/files"
)

// The formats of replay, beside JSON.
const (
	formatText        = "text"
	formatOpenMetrics = "openmetrics"
)

// atEnd is the moment of the last line.
const atEnd = "end"

// replayCommand prints the metrics of a moment of a recording, or of all of it.
type replayCommand struct {
	file      string
	at        string
	format    string
	formatSet bool
	atSet     bool
	step      time.Duration
	config    func() collector.Config
}

func (c *replayCommand) register(app *kingpin.Application, env *Environment) *kingpin.CmdClause {
	command := app.Command("replay", "Print the metrics that a scrape would have read at a moment of a recording (see record), without those about the exporter and the process. "+
		"The flags of the exporter that change metrics are the same. The clock is that of the recording.")
	command.Arg("file", "Recording, plain or gzipped; - for standard input.").Required().StringVar(&c.file)
	flag(command, "at", "The moment: a time (RFC 3339), the text of a mark, or end.").Default(atEnd).PlaceHolder("TIME|MARK|end").IsSetByUser(&c.atSet).StringVar(&c.at)
	formats := []string{formatText, formatOpenMetrics, formatJSON}
	flag(command, "output", "Output format. One of: ["+strings.Join(formats, ", ")+"]").Short('o').Default(formatText).HintOptions(formats...).IsSetByUser(&c.formatSet).EnumVar(&c.format, formats...)
	flag(command, "step", "Print the whole recording instead, a sample of each series every so often, as OpenMetrics with timestamps: for promtool tsdb create-blocks-from openmetrics.").
		PlaceHolder("15s").DurationVar(&c.step)
	c.config = env.collectorConfig(command)
	return command
}

func (c *replayCommand) run(_ context.Context, env *Environment) (found bool, err error) {
	switch {
	case c.step < 0:
		return false, usagef("--step: %s is not a valid step (examples: 15s, 1m)", c.step)
	case c.step > 0 && c.atSet:
		return false, usagef("--step prints the whole recording, --at a moment: set one of them")
	case c.step > 0 && c.formatSet && c.format != formatOpenMetrics:
		return false, usagef("--step prints OpenMetrics: --output=%s does not go with it", c.format)
	}
	if c.file == "" {
		c.file = "-" // kingpin eats it
	}
	source, err := openRecording(c.file, env.In)
	if err != nil {
		return false, err
	}
	defer source.close()
	index, err := source.index()
	if err != nil {
		return false, fmt.Errorf("%s is no recording that can be replayed: %w", c.file, err)
	}
	c.note(env, index)
	p, err := c.newReplay(source, index)
	if err != nil {
		return false, err
	}
	if c.step > 0 {
		return false, c.printAll(env, p, index)
	}
	return false, c.printMoment(env, p, index)
}

// note says what the caller may overlook of a recording.
func (c *replayCommand) note(env *Environment, index *files.RecordingIndex) {
	if index.CutOff {
		_, _ = fmt.Fprintf(env.Err, "note: %s is cut off after %s\n", c.file, index.Last.Format(time.RFC3339Nano))
	}
	if len(index.Unread) > 0 {
		kinds := make([]string, 0, len(index.Unread))
		for kind, count := range index.Unread {
			kinds = append(kinds, fmt.Sprintf("%d %s", count, kind))
		}
		slices.Sort(kinds)
		_, _ = fmt.Fprintf(env.Err, "note: left out what the exporter does not read: %s\n", strings.Join(kinds, ", "))
	}
}

// moment returns the time to print, and how many lines come before it: all of that time
// unless it is that of a mark.
func (c *replayCommand) moment(index *files.RecordingIndex) (at time.Time, lines int, err error) {
	if c.at == atEnd {
		return index.Last, index.Lines, nil
	}
	at, err = time.Parse(time.RFC3339Nano, c.at)
	if err == nil {
		if at.Before(index.First) {
			return time.Time{}, 0, usagef("--at: the recording begins at %s", index.First.Format(time.RFC3339Nano))
		}
		return at, index.Lines, nil
	}
	mark, err := index.MarkNamed(c.at)
	if err != nil {
		return time.Time{}, 0, usagef("--at: %q is no time (example: 2026-11-24T03:12:05Z), and %w", c.at, err)
	}
	return mark.Time, mark.Line, nil
}

func (c *replayCommand) printMoment(env *Environment, p *replay, index *files.RecordingIndex) error {
	at, lines, err := c.moment(index)
	if err != nil {
		return err
	}
	if at.After(index.Last) {
		_, _ = fmt.Fprintf(env.Err, "note: the recording ends at %s, before %s\n", index.Last.Format(time.RFC3339Nano), c.at)
	}
	if err := p.playUntil(at, lines); err != nil {
		return err
	}
	if !p.player.Settle(at) {
		return fmt.Errorf("at %s the exporter had not got everything: no SYNCED comes before", at.Format(time.RFC3339Nano))
	}
	families, err := p.playback.Gather()
	if err != nil {
		return err
	}
	switch c.format {
	case formatJSON:
		return exposition.WriteJSON(env.Out, at, families)
	case formatOpenMetrics:
		return exposition.WriteOpenMetrics(env.Out, families)
	default:
		return exposition.WriteText(env.Out, families)
	}
}

// printAll prints all moments, a step apart, and the last one. What comes before the
// exporter had got everything is left out, as it would not have been served.
func (c *replayCommand) printAll(env *Environment, p *replay, index *files.RecordingIndex) error {
	var timeline exposition.Timeline
	add := func(at time.Time) error {
		if err := p.playUntil(at, index.Lines); err != nil {
			return err
		}
		if !p.player.Settle(at) {
			return nil
		}
		families, err := p.playback.Gather()
		timeline.Add(at, families)
		return err
	}
	last := fullMillisecond(index.Last)
	for at := fullMillisecond(index.First); at.Before(last); at = at.Add(c.step) {
		if err := add(at); err != nil {
			return err
		}
	}
	if err := add(last); err != nil {
		return err
	}
	return timeline.WriteOpenMetrics(env.Out)
}

// fullMillisecond rounds a time up to what a timestamp of a sample can say.
func fullMillisecond(at time.Time) time.Time {
	if rounded := at.Truncate(time.Millisecond); rounded.Before(at) {
		return rounded.Add(time.Millisecond)
	}
	return at
}

// replay is a recording that is being played to a collector.
type replay struct {
	reader   *files.RecordingReader
	player   *files.Player
	playback *collector.Playback
	// next is the next event, nil at the end; played is how many came before.
	next   *files.Event
	played int
}

func (c *replayCommand) newReplay(source *recordingSource, index *files.RecordingIndex) (*replay, error) {
	reader, err := source.reader()
	if err != nil {
		return nil, err
	}
	p := &replay{reader: reader}
	config := c.config()
	config.Logger = log.NewNopLogger()
	config.Health = func() []informers.ResourceHealth { return nil }
	var failed error
	p.player = files.NewPlayer(func(now time.Time) files.Exporter {
		playback, err := collector.NewPlayback(config, index.SelectsNodes, now)
		if err != nil {
			failed = err
			return nil
		}
		p.playback = playback
		return playback
	}, index.Restarts)
	if p.player.Settle(index.First); failed != nil {
		return nil, failed
	}
	return p, p.read()
}

// read reads the next event.
func (p *replay) read() error {
	event, err := p.reader.Next()
	switch {
	case err == nil:
		p.next = &event
	case errors.Is(err, io.EOF), errors.Is(err, files.ErrCutOff):
		p.next = nil
	default:
		return err
	}
	return nil
}

// playUntil plays the events up to a time, and no more than so many lines in all.
func (p *replay) playUntil(at time.Time, lines int) error {
	for p.next != nil && !p.next.Time.After(at) && p.played < lines {
		p.player.Play(*p.next)
		p.played++
		if err := p.read(); err != nil {
			return err
		}
	}
	return nil
}

// recordingSource is a recording that can be read more than once.
type recordingSource struct {
	content io.ReadSeeker
	close   func()
}

// openRecording opens a file. Standard input is kept in memory: it must be read twice.
func openRecording(path string, stdin io.Reader) (*recordingSource, error) {
	if path == "-" {
		content, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		return &recordingSource{bytes.NewReader(content), func() {}}, nil
	}
	file, err := os.Open(path) //nolint:gosec // it is what the caller names
	if err != nil {
		return nil, usageError{err}
	}
	return &recordingSource{file, func() { _ = file.Close() }}, nil // it was only read
}

func (s *recordingSource) index() (*files.RecordingIndex, error) {
	return files.IndexRecording(s.content)
}

func (s *recordingSource) reader() (*files.RecordingReader, error) {
	if _, err := s.content.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading the recording again: %w", err)
	}
	return files.NewRecordingReader(s.content)
}
