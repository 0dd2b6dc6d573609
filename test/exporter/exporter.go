package exporter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/child"
)

// Config configures an exporter.
type Config struct {
	// Binary is the path of the binary; $DAEMONSET_EXPORTER if empty.
	Binary string
	// Kubeconfig is the path of its kubeconfig.
	Kubeconfig string
	// Args are further flags.
	Args []string
	// Log receives its log; nil discards it.
	Log io.Writer
}

// Exporter is a running exporter.
type Exporter struct {
	// URL is the base URL of its HTTP server.
	URL string

	command *exec.Cmd
	ended   chan struct{}
	err     error
	log     *logReader
}

// EnvBinary names the environment variable with the path of the binary.
const EnvBinary = "DAEMONSET_EXPORTER"

// stopTimeout is how long the exporter may take to end after SIGTERM.
const stopTimeout = 10 * time.Second

// Start runs the exporter on a free loopback port and returns when it listens.
// ctx bounds the start, not the exporter's life.
func Start(ctx context.Context, config Config) (*Exporter, error) {
	if config.Binary == "" {
		config.Binary = os.Getenv(EnvBinary)
	}
	if config.Binary == "" {
		return nil, fmt.Errorf("set $%s to the exporter's binary, or use make", EnvBinary)
	}
	args := append([]string{
		"--kubeconfig=" + config.Kubeconfig,
		"--web.listen-address=127.0.0.1:0",
	}, config.Args...)
	e := &Exporter{ended: make(chan struct{}), log: newLogReader(config.Log)}
	e.command = exec.Command(config.Binary, args...)
	e.command.Stderr = e.log
	launcher := child.NewLauncher()
	if err := launcher.Start(e.command); err != nil {
		launcher.Close()
		return nil, fmt.Errorf("start exporter: %w", err)
	}
	go func() {
		e.err = e.command.Wait()
		launcher.Close()
		e.log.close()
		close(e.ended)
	}()
	select {
	case address := <-e.log.address:
		e.URL = "http://" + address
		return e, nil
	case <-e.ended:
		return nil, fmt.Errorf("exporter ended during its start: %w\n%s", e.err, e.log.tail())
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), e.Kill())
	}
}

// Stop sends SIGTERM and returns when the exporter has ended.
func (e *Exporter) Stop() error {
	_ = e.command.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-e.ended:
		return e.err
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("exporter did not end within %s of SIGTERM", stopTimeout), e.Kill())
	}
}

// Kill kills the exporter and returns when it has ended.
func (e *Exporter) Kill() error {
	if err := e.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill exporter: %w", err)
	}
	<-e.ended
	return nil
}

// PID returns the id of the process.
func (e *Exporter) PID() int { return e.command.Process.Pid }

// Get requests a path and returns the status and the body of the response.
func (e *Exporter) Get(ctx context.Context, path string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL+path, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}

// Scrape reads all metrics.
func (e *Exporter) Scrape(ctx context.Context) (Samples, error) {
	status, body, err := e.Get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("scrape: HTTP %d: %s", status, body)
	}
	return Parse(body)
}

// WaitReady waits until all informers have synced.
func (e *Exporter) WaitReady(ctx context.Context) error {
	return e.wait(ctx, "the exporter to be ready", func(ctx context.Context) error {
		status, body, err := e.Get(ctx, "/-/ready")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("HTTP %d: %s", status, strings.TrimSpace(body))
		}
		return err
	})
}

// Wait scrapes until check finds nothing wrong, and returns those samples. At
// ctx's deadline it returns the last error of check.
func (e *Exporter) Wait(ctx context.Context, what string, check func(Samples) error) (Samples, error) {
	var samples Samples
	err := e.wait(ctx, what, func(ctx context.Context) (err error) {
		if samples, err = e.Scrape(ctx); err != nil {
			return err
		}
		return check(samples)
	})
	return samples, err
}

func (e *Exporter) wait(ctx context.Context, what string, try func(context.Context) error) error {
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	last := errors.New("no attempt")
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w; last: %w", what, ctx.Err(), last)
		case <-e.ended:
			return fmt.Errorf("wait for %s: the exporter has ended: %w\n%s", what, e.err, e.log.tail())
		case <-poll.C:
		}
	}
}

// logReader passes the log on and finds the address in it.
type logReader struct {
	*io.PipeWriter
	address chan string

	mu    sync.Mutex
	lines []string
}

var listening = regexp.MustCompile(`Listening on.*address=(\S+)`)

func newLogReader(to io.Writer) *logReader {
	reader, writer := io.Pipe()
	l := &logReader{PipeWriter: writer, address: make(chan string, 1)}
	go func() {
		lines := bufio.NewScanner(reader)
		for lines.Scan() {
			line := lines.Text()
			l.keep(line)
			if found := listening.FindStringSubmatch(line); found != nil {
				select {
				case l.address <- found[1]:
				default:
				}
			}
			if to != nil {
				fmt.Fprintln(to, line)
			}
		}
		_, _ = io.Copy(io.Discard, reader)
	}()
	return l
}

// keptLines is the number of log lines in an error.
const keptLines = 20

func (l *logReader) keep(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	if len(l.lines) > keptLines {
		l.lines = l.lines[1:]
	}
}

func (l *logReader) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func (l *logReader) close() { _ = l.Close() }
