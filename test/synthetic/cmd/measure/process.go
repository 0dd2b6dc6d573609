//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/costs"
)

// process is a running program.
type process struct {
	command *exec.Cmd
	input   io.WriteCloser
	began   time.Time
	output  *bufio.Scanner
}

// start starts a program that ends when ctx is done, on stop, or with the thread that
// starts it (see main). Its log goes to standard error.
func start(ctx context.Context, environment []string, program string, arguments ...string) (*process, error) {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Env = append(os.Environ(), environment...)
	command.Stderr = os.Stderr
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p := &process{command: command, input: input, began: time.Now(), output: bufio.NewScanner(output)}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	return p, nil
}

// line returns the next line of the output.
func (p *process) line() (string, error) {
	if !p.output.Scan() {
		return "", fmt.Errorf("%s ended: %w", p.command.Path, p.wait())
	}
	return p.output.Text(), nil
}

func (p *process) pid() int { return p.command.Process.Pid }

// stop stops the program and waits until it has ended.
func (p *process) stop() {
	_ = p.input.Close()
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	_ = p.wait()
}

func (p *process) wait() error { return p.command.Wait() }

// server is the synthetic API server.
type server struct {
	*process
	url string
}

// startServer starts an API server; on a free port if address is empty. One that takes
// the place of another has no history.
func startServer(ctx context.Context, program string, world costs.World, address string) (*server, error) {
	arguments := []string{
		"-nodes", strconv.Itoa(world.Nodes), "-daemonsets", strconv.Itoa(world.DaemonSets),
		"-other-pods", strconv.Itoa(world.OtherPods), "-broken", strconv.FormatFloat(world.BrokenPercent, 'g', -1, 64),
		"-no-streamed-lists=" + strconv.FormatBool(world.NoStreams),
	}
	if address != "" {
		arguments = append(arguments, "-no-history", "-listen-address", address)
	}
	p, err := start(ctx, nil, program, arguments...)
	if err != nil {
		return nil, err
	}
	url, err := p.line()
	if err != nil {
		return nil, err
	}
	return &server{p, url}, nil
}

// change sends changes of a resource to all watches.
func (s *server) change(resource string, count, perSecond int) error {
	if _, err := fmt.Fprintln(s.input, resource, count, perSecond); err != nil {
		return err
	}
	_, err := s.line()
	return err
}

// awaitIdle waits until the processes have used no processor time for a while, and
// returns when that began.
func awaitIdle(ctx context.Context, processes ...*process) (since time.Time, err error) {
	const while = 1500 * time.Millisecond
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	var before time.Duration
	for since = time.Now(); time.Since(since) < while; {
		var used time.Duration
		for _, p := range processes {
			one, err := processorTimeOf(p.pid())
			if err != nil {
				return since, err
			}
			used += one
		}
		if used-before > tick { // a tick may be due to the runtime
			before, since = used, time.Now()
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return since, ctx.Err()
		}
	}
	return since, nil
}

// peakOf returns the maximum of resident memory of a process, in bytes.
func peakOf(pid int) (int64, error) {
	const field = "VmHWM:"
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, field); found {
			kibibytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kibibytes << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no %s", pid, field)
}

// processorTimeOf returns the processor time of a process.
func processorTimeOf(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field, the name in parentheses, may contain any byte.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime, proc(5)
		value, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += value
	}
	return time.Duration(ticks) * tick, nil
}

// tick is the unit of processor time: USER_HZ is 100 on every architecture.
const tick = 10 * time.Millisecond
