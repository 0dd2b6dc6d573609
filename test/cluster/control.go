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

// Kill kills a component and returns when it has ended.
func (c *Cluster) Kill(component Component) error {
	return c.processes[component].kill()
}

// Restart kills a component if it runs, and starts it with the same ports and data.
// It returns when etcd or the API server serves.
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

// StartAPIServer restarts the API server and returns when it serves. The other
// components reconnect: at once after an outage of seconds, within half a minute
// after a longer one, because clients back off. A restarted kwok takes its nodes over
// when their leases have expired.
func (c *Cluster) StartAPIServer(ctx context.Context) error { return c.Restart(ctx, APIServer) }

// Pause stops a component with SIGSTOP: its connections stay open and silent, as
// behind a broken network.
func (c *Cluster) Pause(component Component) error {
	return c.processes[component].signal(syscall.SIGSTOP)
}

// Resume continues a paused component.
func (c *Cluster) Resume(component Component) error {
	return c.processes[component].signal(syscall.SIGCONT)
}

// PIDs returns the process ids of the running components.
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

// fail is called when a component has crashed. Every wait returns the error.
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
