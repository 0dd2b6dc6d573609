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

// process is a program that runs.
type process struct {
	command *exec.Cmd
	input   io.WriteCloser
	began   time.Time
	output  *bufio.Scanner
}

// start runs a program that ends when ctx is done or when it is stopped, or with
// the thread that starts it (see main). Its log goes to our standard error.
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

// line waits for the next line that the program prints.
func (p *process) line() (string, error) {
	if !p.output.Scan() {
		return "", fmt.Errorf("%s ended: %w", p.command.Path, p.wait())
	}
	return p.output.Text(), nil
}

func (p *process) pid() int { return p.command.Process.Pid }

// stop ends the program and waits until it has gone.
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

// peakOf is the most memory that a process ever had resident, in bytes.
func peakOf(pid int) (int64, error) { return statusOf(pid, "VmHWM:") }

// residentOf is the memory that a process has resident now, in bytes.
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

// processorTimeOf is how long a process has computed.
func processorTimeOf(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field, the name, is in brackets and may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime, proc(5)
		value, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += value
	}
	const ticksPerSecond = 100 // what Linux tells user space on every architecture
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}
