package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/child"
)

// Config is what a cluster can be told. The zero value is a good cluster.
type Config struct {
	// Dir is the working directory. If it is empty a temporary one is made, and
	// removed by Stop; else it must not hold an earlier cluster, and it stays.
	Dir string
	// Progress is told about a build that takes minutes. Nil is silence.
	Progress io.Writer

	// How fast a node's failure is noticed: the controller manager looks every
	// NodeMonitorPeriod (1s) and gives a silent node NodeMonitorGracePeriod
	// (10s), one that never reported NodeStartupGracePeriod (20s). Kubernetes'
	// own defaults are 5s, 50s and 60s.
	NodeMonitorPeriod      time.Duration
	NodeMonitorGracePeriod time.Duration
	NodeStartupGracePeriod time.Duration
	// NodeLeaseDuration, 4s, is renewed four times in that span.
	NodeLeaseDuration time.Duration

	// Flags are further flags of the components, without dashes. They win over
	// ours.
	Flags map[Component]map[string]string
	// WaitTimeout bounds every wait whose context has no deadline; 60s.
	WaitTimeout time.Duration
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&c.NodeMonitorPeriod, time.Second)
	set(&c.NodeMonitorGracePeriod, 10*time.Second)
	set(&c.NodeStartupGracePeriod, 20*time.Second)
	set(&c.NodeLeaseDuration, 4*time.Second)
	set(&c.WaitTimeout, time.Minute)
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	return c
}

// A Cluster is a running cluster. Its methods may be called concurrently.
type Cluster struct {
	config    Config
	binaries  build.Binaries
	dir       *workdir
	launcher  *child.Launcher
	processes map[Component]*process

	rest    *rest.Config
	client  kubernetes.Interface
	dynamic dynamic.Interface

	mu      sync.Mutex
	failure error // of the first component that ended by itself
	nodes   int   // ever added, for addresses
	stopped bool
}

// Start builds the programs if need be and returns a cluster that serves and
// has no nodes. ctx bounds the start, not the cluster's life.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	config = config.withDefaults()
	binaries, err := build.All(ctx, config.Progress)
	if err != nil {
		return nil, err
	}
	dir, err := newWorkdir(config.Dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{config: config, binaries: binaries, dir: dir, launcher: child.NewLauncher()}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start cluster: %w", err), c.Stop())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	ports, err := freePorts(ctx, 3)
	if err != nil {
		return err
	}
	e := endpoints{etcd: ports[0], etcdPeer: ports[1], apiServer: ports[2]}
	if err := writeCredentials(c.dir, e.server()); err != nil {
		return err
	}
	if err := writeKwokConfig(c.dir); err != nil {
		return err
	}
	if err := c.connect(); err != nil {
		return err
	}
	c.processes = c.config.processes(c.binaries, c.dir, e)
	for _, component := range components() {
		if err := c.Restart(ctx, component); err != nil {
			return err
		}
	}
	return c.waitNamespace(ctx, "default")
}

// Stop ends every component and removes the cluster's directory. It can be
// called at any time, and again.
func (c *Cluster) Stop() error {
	c.mu.Lock()
	if c.stopped {
		c.mu.Unlock()
		return nil
	}
	c.stopped = true
	c.mu.Unlock()

	var errs []error
	// Nothing that they could still save is wanted: killing is quick and sure.
	for _, component := range slices.Backward(components()) {
		if p := c.processes[component]; p != nil {
			errs = append(errs, p.kill())
		}
	}
	c.launcher.Close()
	errs = append(errs, c.dir.remove())
	return errors.Join(errs...)
}
