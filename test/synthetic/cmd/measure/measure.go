//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/costs"
)

// bench measures programs.
type bench struct {
	*options
	programs programs
	// work is a directory for files.
	work string
	// results are those of each round, by experiment and program.
	results map[string]map[string][]costs.Cost
}

// measure measures all programs of an experiment once.
func (b *bench) measure(ctx context.Context, e *experiment, hold bool) error {
	if e.floor {
		if err := b.run(ctx, e, costs.Floor, (*bench).measureFloor); err != nil {
			return err
		}
	}
	if e.kubeStateMetrics {
		return b.run(ctx, e, costs.KubeStateMetrics, (*bench).measureKubeStateMetrics)
	}
	return b.run(ctx, e, costs.Exporter, func(b *bench, ctx context.Context, r *running) error {
		if err := b.measureExporter(ctx, e, r); err != nil || !hold {
			return err
		}
		fmt.Printf("%s, process %d, until Ctrl-C\n", r.url, r.pid())
		<-ctx.Done()
		return nil
	})
}

// running is a program that is measured.
type running struct {
	*process
	// url is that of the program, without a path.
	url        string
	world      costs.World
	server     *server
	kubeconfig string
	cost       costs.Cost
}

// run measures a program beside an API server of its own.
func (b *bench) run(ctx context.Context, e *experiment, program string, measure func(*bench, context.Context, *running) error) error {
	server, err := startServer(ctx, b.programs.server, e.world, "")
	if err != nil {
		return err
	}
	r := &running{server: server, world: e.world}
	defer func() { r.server.stop() }()
	if r.kubeconfig, err = writeKubeconfig(b.work, server.url); err != nil {
		return err
	}
	defer func() {
		if r.process != nil {
			r.stop()
		}
	}()
	if err := measure(b, ctx, r); err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	if b.results[e.name] == nil {
		b.results[e.name] = map[string][]costs.Cost{}
	}
	b.results[e.name][program] = append(b.results[e.name][program], r.cost)
	return nil
}

func (b *bench) measureFloor(ctx context.Context, r *running) (err error) {
	if r.process, err = start(ctx, nil, b.programs.floor, "-kubeconfig", r.kubeconfig); err != nil {
		return err
	}
	if _, err = r.line(); err != nil {
		return err
	}
	if err := r.noteSync(time.Now()); err != nil {
		return err
	}
	r.cost.Peak, err = peakOf(r.pid())
	return err
}

func (b *bench) measureExporter(ctx context.Context, e *experiment, r *running) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	r.url = "http://" + address
	arguments := append([]string{"--kubeconfig=" + r.kubeconfig, "--web.listen-address=" + address, "--log.level=error"}, b.arguments...)
	if r.process, err = start(ctx, b.environment, b.programs.exporter, arguments...); err != nil {
		return err
	}
	if err := awaitBody(ctx, r.url+"/-/ready", func(string) bool { return true }); err != nil {
		return err
	}
	if err := r.noteSync(time.Now()); err != nil {
		return err
	}
	if _, err := awaitIdle(ctx, r.process); err != nil {
		return err
	}
	if err := r.scrape(ctx, scrapes); err != nil {
		return err
	}
	if r.cost.Peak, err = peakOf(r.pid()); err != nil {
		return err
	}
	if e.restarts {
		if err := b.restartServer(ctx, r); err != nil {
			return err
		}
	}
	if e.steady {
		return r.steady(ctx)
	}
	return nil
}

// restarts is how often the API server is restarted.
const restarts = 3

// restartServer restarts the API server, each time until everything has been read again.
func (b *bench) restartServer(ctx context.Context, r *running) error {
	watching := r.url + "/-/ready?verbose"
	for range restarts {
		r.server.stop()
		err := awaitBody(ctx, watching, func(text string) bool { return !strings.Contains(text, "[+]") })
		if err != nil {
			return err
		}
		started, err := startServer(ctx, b.programs.server, r.world, strings.TrimPrefix(r.server.url, "http://"))
		if err != nil {
			return err
		}
		r.server = started
		if err := awaitBody(ctx, watching, func(text string) bool { return !strings.Contains(text, "[-]") }); err != nil {
			return err
		}
		if _, err := awaitIdle(ctx, r.process); err != nil {
			return err
		}
	}
	var err error
	r.cost.Restarted, err = peakOf(r.pid())
	return err
}

// steady measures heartbeats and changes of pods.
func (r *running) steady(ctx context.Context) error {
	// Enough for several collections of garbage, not faster than events come in a rollout.
	const count, perSecond = 20_000, 2_000
	for resource, of := range map[string]*costs.Duration{"nodes": &r.cost.Heartbeats, "pods": &r.cost.PodEvents} {
		used, err := r.processorTimeWhile(ctx, func() error { return r.server.change(resource, count, perSecond) })
		if err != nil {
			return err
		}
		*of = costs.Duration(used * 1000 / count)
	}
	return nil
}

// processorTimeWhile returns the processor time that a program uses because of what do
// does.
func (r *running) processorTimeWhile(ctx context.Context, do func() error) (time.Duration, error) {
	if _, err := awaitIdle(ctx, r.process); err != nil {
		return 0, err
	}
	before, err := processorTimeOf(r.pid())
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	if _, err := awaitIdle(ctx, r.process); err != nil {
		return 0, err
	}
	after, err := processorTimeOf(r.pid())
	return after - before, err
}

// kubeStateMetricsFamilies are those that monitoring of DaemonSets needs: what the alerts
// of kubernetes-mixin about DaemonSets, their pods and nodes read, what tells the node of
// a pod, and its restarts.
const kubeStateMetricsFamilies = "kube_daemonset_.*,kube_node_info,kube_node_spec_taint,kube_node_spec_unschedulable,kube_node_status_condition," +
	"kube_pod_info,kube_pod_owner,kube_pod_status_phase,kube_pod_status_ready,kube_pod_container_status_waiting_reason,kube_pod_container_status_restarts_total"

func (b *bench) measureKubeStateMetrics(ctx context.Context, r *running) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	telemetry, err := freeAddress()
	if err != nil {
		return err
	}
	port := func(address string) string { return address[strings.LastIndex(address, ":")+1:] }
	r.url = "http://" + address
	if r.cost.Version, err = versionOf(b.programs.kubeStateMetrics); err != nil {
		return err
	}
	r.process, err = start(ctx, nil, b.programs.kubeStateMetrics,
		"--kubeconfig="+r.kubeconfig, "--host=127.0.0.1", "--port="+port(address), "--telemetry-host=127.0.0.1", "--telemetry-port="+port(telemetry),
		"--resources=nodes,pods,daemonsets", "--metric-allowlist="+kubeStateMetricsFamilies, "--enable-gzip-encoding")
	if err != nil {
		return err
	}
	// It serves what it has from the start and does not tell when that is everything.
	synced, err := awaitIdle(ctx, r.process, r.server.process)
	if err != nil {
		return err
	}
	if err := r.noteSync(synced); err != nil {
		return err
	}
	if err := r.scrape(ctx, 3); err != nil { // seconds each
		return err
	}
	r.cost.Peak, err = peakOf(r.pid())
	return err
}

// noteSync is called when a program has read everything.
func (r *running) noteSync(at time.Time) error {
	r.cost.Synced = costs.Duration(at.Sub(r.began))
	used, err := processorTimeOf(r.pid())
	r.cost.SyncProcessor = costs.Duration(used)
	return err
}
