package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Kill ends a component as a crash would (SIGKILL), and returns when it is gone.
func (c *Cluster) Kill(component Component) error {
	return c.processes[component].kill()
}

// Restart starts a component, after killing it if it runs, with the ports and
// the data that it had. When it returns, etcd and the API server serve.
func (c *Cluster) Restart(ctx context.Context, component Component) error {
	p := c.processes[component]
	if err := p.kill(); err != nil {
		return err
	}
	if err := p.start(c.launcher, c.fail); err != nil {
		return err
	}
	if component == APIServer {
		return c.waitServing(ctx)
	}
	return nil
}

// StopAPIServer kills the API server. Clients see refused connections.
func (c *Cluster) StopAPIServer() error { return c.Kill(APIServer) }

// StartAPIServer starts it again on the same port and data, and returns when it
// serves. The other components find it by themselves: at once after an outage of
// seconds, within half a minute after a longer one, for clients back off. A kwok
// that is restarted itself takes its nodes over when their leases have expired.
func (c *Cluster) StartAPIServer(ctx context.Context) error { return c.Restart(ctx, APIServer) }

// Pause stops a component from running without ending it (SIGSTOP): its
// connections stay open and silent, as behind a broken network.
func (c *Cluster) Pause(component Component) error {
	return c.processes[component].signal(syscall.SIGSTOP)
}

// Resume ends a Pause.
func (c *Cluster) Resume(component Component) error {
	return c.processes[component].signal(syscall.SIGCONT)
}

// PIDs returns the process ids of the components that run.
func (c *Cluster) PIDs() map[Component]int {
	pids := map[Component]int{}
	for component, p := range c.processes {
		if pid := p.pid(); pid != 0 {
			pids[component] = pid
		}
	}
	return pids
}

// LogPath returns the path of a component's log.
func (c *Cluster) LogPath(component Component) string { return c.processes[component].logPath }

// CopyLogs copies the components' logs to a directory.
func (c *Cluster) CopyLogs(dir string) error {
	for component := range c.processes {
		content, err := os.ReadFile(c.LogPath(component))
		if err != nil {
			return fmt.Errorf("copy logs: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, string(component)+".log"), content, 0o644); err != nil {
			return fmt.Errorf("copy logs: %w", err)
		}
	}
	return nil
}

// Program returns the path of a program of the control plane, such as kubectl.
func (c *Cluster) Program(name string) string { return c.binaries.Path(name) }

// fail remembers that a component ended by itself. Every wait reports it.
func (c *Cluster) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = errors.Join(c.failure, err)
}

func (c *Cluster) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// tails returns the ends of the logs of some components.
func (c *Cluster) tails(of []Component) string {
	var b strings.Builder
	for _, component := range of {
		if p := c.processes[component]; p != nil {
			fmt.Fprintf(&b, "\n%s", p.tail())
		}
	}
	return b.String()
}
