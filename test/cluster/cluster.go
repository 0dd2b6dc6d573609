package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/build"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/child"
)

// Config configures a cluster. The zero value is valid.
type Config struct {
	// Dir is the working directory. If it is empty a temporary one is created, and
	// removed by Stop; otherwise it must not hold an earlier cluster, and stays.
	Dir string
	// Kubernetes is the version of the servers, see [build.All].
	Kubernetes string
	// Progress receives messages about a build that takes minutes; nil discards them.
	Progress io.Writer

	// The controller manager checks nodes every NodeMonitorPeriod (1s). A node whose
	// kubelet is silent becomes Unknown after NodeMonitorGracePeriod (10s), one that
	// never reported after NodeStartupGracePeriod (20s). The defaults of Kubernetes
	// are 5s, 50s and 60s.
	NodeMonitorPeriod      time.Duration
	NodeMonitorGracePeriod time.Duration
	NodeStartupGracePeriod time.Duration
	// NodeLeaseDuration (4s) is four times the interval of renewals.
	NodeLeaseDuration time.Duration

	// Flags holds further flags of the components, without dashes. They override
	// ours.
	Flags map[Component]map[string]string
	// WaitTimeout limits every wait whose context has no deadline (60s).
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
	authority authority

	rest    *rest.Config
	client  kubernetes.Interface
	dynamic dynamic.Interface
	mapper  meta.ResettableRESTMapper

	mu      sync.Mutex
	failure error // of the first component that ended by itself
	nodes   int   // ever added, for addresses
	stopped bool
}

// Start compiles the programs that are not cached, and returns a running cluster
// without nodes. ctx limits the start, not the life of the cluster.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	config = config.withDefaults()
	binaries, err := build.All(ctx, config.Kubernetes, config.Progress)
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
	if c.authority, err = writeCredentials(c.dir, e.server()); err != nil {
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

// Stop kills every component and removes the cluster's directory. It can be called
// at any time, and more than once.
func (c *Cluster) Stop() error {
	c.mu.Lock()
	if c.stopped {
		c.mu.Unlock()
		return nil
	}
	c.stopped = true
	c.mu.Unlock()

	var errs []error
	// Nothing has to be saved: killing is quick and certain.
	for _, component := range slices.Backward(components()) {
		if p := c.processes[component]; p != nil {
			errs = append(errs, p.kill())
		}
	}
	c.launcher.Close()
	errs = append(errs, c.dir.remove())
	return errors.Join(errs...)
}
