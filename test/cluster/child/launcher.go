package child

import (
	"errors"
	"os/exec"
	"runtime"
)

// Launcher starts every child from one thread that lives until Close. The kernel
// kills a child with the thread that started it (PR_SET_PDEATHSIG), not with the
// process, and the Go runtime may end any other thread at any time.
type Launcher struct {
	starts chan func()
	closed chan struct{}
}

// NewLauncher returns a launcher. It holds a thread until Close.
func NewLauncher() *Launcher {
	l := &Launcher{starts: make(chan func()), closed: make(chan struct{})}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for {
			select {
			case start := <-l.starts:
				start()
			case <-l.closed:
				return
			}
		}
	}()
	return l
}

// Start starts a program in a process group of its own. It replaces
// cmd.SysProcAttr.
func (l *Launcher) Start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = attributes()
	result := make(chan error, 1)
	select {
	case l.starts <- func() { result <- cmd.Start() }:
		return <-result
	case <-l.closed:
		return errors.New("the launcher was closed")
	}
}

// Close ends the thread, and on Linux kills the children that still run. It must be
// called once.
func (l *Launcher) Close() { close(l.closed) }
