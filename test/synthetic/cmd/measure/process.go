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

func startServer(ctx context.Context, program string, o *options) (*server, error) {
	p, err := start(ctx, nil, program,
		"-nodes", strconv.Itoa(o.nodes), "-daemonsets", strconv.Itoa(o.daemonSets),
		"-other-pods", strconv.Itoa(o.otherPods), "-broken", strconv.FormatFloat(o.broken, 'g', -1, 64),
		"-no-streamed-lists="+strconv.FormatBool(o.noStreamedLists))
	if err != nil {
		return nil, err
	}
	url, err := p.line()
	if err != nil {
		return nil, err
	}
	return &server{p, url}, nil
}

// peakOf returns the maximum of resident memory of a process, in bytes.
func peakOf(pid int) (int64, error) { return statusOf(pid, "VmHWM:") }

// residentOf returns the resident memory of a process, in bytes.
func residentOf(pid int) (int64, error) { return statusOf(pid, "VmRSS:") }

func statusOf(pid int, field string) (int64, error) {
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
	const ticksPerSecond = 100 // USER_HZ is 100 on every architecture
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}
