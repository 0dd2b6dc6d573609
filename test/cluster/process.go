package cluster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/child"
)

// process is one component's program. It can be killed and restarted, and cannot
// outlive this process: see package child.
type process struct {
	name    Component
	path    string
	args    []string
	env     []string
	logPath string

	mu      sync.Mutex
	cmd     *exec.Cmd
	done    chan struct{} // closed when cmd has ended
	stopped bool          // by us, so that its end is not a failure
}

// start starts the program. onFailure is called if it ends without kill.
func (p *process) start(l *child.Launcher, onFailure func(error)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		return fmt.Errorf("%s runs already", p.name)
	}
	log, err := os.OpenFile(p.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open log of %s: %w", p.name, err)
	}
	defer log.Close() // the child has its own copy

	cmd := exec.Command(p.path, p.args...)
	cmd.Env = p.env
	cmd.Dir = filepath.Dir(p.logPath)
	cmd.Stdout, cmd.Stderr = log, log
	if err := l.Start(cmd); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	done := make(chan struct{})
	p.cmd, p.done, p.stopped = cmd, done, false
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		stopped := p.stopped
		p.mu.Unlock()
		close(done)
		if !stopped {
			onFailure(fmt.Errorf("%s ended by itself (%w)\n%s", p.name, errOrExit(err), p.tail()))
		}
	}()
	return nil
}

// kill kills the program and returns when it has ended.
func (p *process) kill() error {
	p.mu.Lock()
	if !p.running() {
		p.mu.Unlock()
		return nil
	}
	p.stopped = true
	err := p.cmd.Process.Kill()
	done := p.done
	p.mu.Unlock()
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	<-done
	return nil
}

// signal sends SIGSTOP or SIGCONT.
func (p *process) signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return fmt.Errorf("signal %s: it does not run", p.name)
	}
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// pid returns the id of the running program, or 0.
func (p *process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return 0
	}
	return p.cmd.Process.Pid
}

// running reports whether the program runs. mu is held.
func (p *process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// tail returns the end of the component's log, for error messages.
func (p *process) tail() string {
	const most, lines = 16 << 10, 12
	f, err := os.Open(p.logPath)
	if err != nil {
		return fmt.Sprintf("--- %s: no log: %v", p.name, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return fmt.Sprintf("--- %s: %v", p.name, err)
		}
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return fmt.Sprintf("--- %s: %v", p.name, err)
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	all = all[max(0, len(all)-lines):]
	return fmt.Sprintf("--- end of %s\n%s", p.logPath, strings.Join(all, "\n"))
}

func errOrExit(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}
