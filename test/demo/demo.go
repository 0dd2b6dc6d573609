package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

//go:embed manifests.yaml
var manifests []byte

// failingNode is the node whose kubelet is stopped.
const failingNode = "worker-2"

// downtime is how long the node stays down after it has become Unknown.
const downtime = 10 * time.Second

// patience limits each step.
const patience = 2 * time.Minute

// daemonSets are those of manifests.yaml, with the number of nodes that each fits.
var daemonSets = []struct {
	namespace, name string
	expected        int32
}{
	{"logging", "fluentd", 3},
	{"monitoring", "node-exporter", 6},
	{"security", "agent", 4},
}

func nodes() []cluster.NodeSpec {
	worker := map[string]string{"node-type": "worker"}
	taint := func(key string) []corev1.Taint {
		return []corev1.Taint{{Key: key, Effect: corev1.TaintEffectNoSchedule}}
	}
	return []cluster.NodeSpec{
		{Name: "control-plane", Zone: "zone-a", Taints: taint("node-role.kubernetes.io/control-plane")},
		{Name: "gpu-1", Zone: "zone-b", Labels: worker, Taints: taint("nvidia.com/gpu")},
		{Name: "worker-1", Zone: "zone-a", Labels: worker},
		{Name: "worker-2", Zone: "zone-b", Labels: worker},
		{Name: "worker-3", Zone: "zone-a", Labels: worker},
		{Name: "edge-1", Zone: "zone-b", Labels: map[string]string{"node-type": "edge"}},
	}
}

// run runs all steps, calls end, and stops everything.
func (d *demo) run(ctx context.Context, binary string, progress io.Writer, end func()) (err error) {
	d.print("Starting a real Kubernetes control plane on this machine, with six simulated nodes.")
	c, err := cluster.Start(ctx, cluster.Config{Progress: progress})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	for _, node := range nodes() {
		if err := c.AddNode(ctx, node); err != nil {
			return err
		}
	}
	if err := c.Apply(ctx, manifests); err != nil {
		return err
	}
	e, err := exporter.Start(ctx, exporter.Config{
		Binary: binary, Kubeconfig: c.Kubeconfig(), Args: []string{"--node.join-grace=0s"},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Stop()) }()
	d.cluster, d.exporter = c, e

	for _, step := range []func(context.Context) error{d.steadyState, d.nodeFails, d.nodeRecovers} {
		bounded, cancel := context.WithTimeout(ctx, patience)
		err := step(bounded)
		cancel()
		if err != nil {
			return errors.Join(ctx.Err(), err)
		}
	}
	end()
	return nil
}

func (d *demo) steadyState(ctx context.Context) error {
	for _, set := range daemonSets {
		if err := d.cluster.WaitDaemonSet(ctx, set.namespace, set.name, set.expected); err != nil {
			return err
		}
	}
	if err := d.waitGaps(ctx, 0); err != nil {
		return err
	}
	d.heading("1. Every node is covered")
	d.print(`Three DaemonSets should run on every node that they fit:
fluentd on workers, node-exporter everywhere, the security agent on nodes without taints.`)
	if err := d.compare(ctx); err != nil {
		return err
	}
	d.print("The exporter also counts the excluded nodes, by the taint that alone repels the DaemonSet:")
	return d.list(ctx, "daemonset_repelled_nodes", "daemonset", "taint_key", "taint_effect")
}

func (d *demo) nodeFails(ctx context.Context) error {
	d.heading("2. " + failingNode + " fails")
	d.print("Stopping its kubelet. The grace period is ten seconds here (fifty by default) ...")
	if err := d.cluster.PullPlug(ctx, failingNode); err != nil {
		return err
	}
	if err := d.cluster.WaitNodeReady(ctx, failingNode, corev1.ConditionUnknown); err != nil {
		return err
	}
	if err := d.waitGaps(ctx, 3); err != nil {
		return err
	}
	// The controller has updated the DaemonSet that tolerates everything.
	err := d.cluster.WaitDaemonSetStatus(ctx, "monitoring", "node-exporter", "one node unavailable",
		func(status appsv1.DaemonSetStatus) bool { return status.NumberUnavailable == 1 })
	if err != nil {
		return err
	}
	if err := d.compare(ctx); err != nil {
		return err
	}
	d.print(`Where DESIRED has dropped, kubectl shows no problem: the taint of the failed node excludes it
for the DaemonSet controller. (It is a race, so some runs show it for one DaemonSet only.)
The exporter still expects the same nodes, and lists the gaps:`)
	if err := d.waitOutage(ctx, downtime); err != nil {
		return err
	}
	return d.list(ctx, "daemonset_gap_start_timestamp_seconds", "node", "zone", "namespace", "daemonset", "reason")
}

func (d *demo) nodeRecovers(ctx context.Context) error {
	d.heading("3. " + failingNode + " recovers")
	d.print("Starting its kubelet ...")
	if err := d.cluster.PlugIn(ctx, failingNode); err != nil {
		return err
	}
	if err := d.waitGaps(ctx, 0); err != nil {
		return err
	}
	for _, set := range daemonSets {
		if err := d.cluster.WaitDaemonSet(ctx, set.namespace, set.name, set.expected); err != nil {
			return err
		}
	}
	if err := d.compare(ctx); err != nil {
		return err
	}
	samples, err := d.exporter.Scrape(ctx)
	if err != nil {
		return err
	}
	seconds := func(metric string, labels exporter.Labels) float64 {
		return samples.Sum(metric+"_sum", labels)
	}
	d.print(fmt.Sprintf("The outage was detected %.1f s after the node's last heartbeat and lasted %.1f s.",
		seconds("daemonset_node_detection_duration_seconds", nil),
		seconds("daemonset_node_outage_duration_seconds", nil)))
	lines := make([]string, 0, len(daemonSets))
	for _, set := range daemonSets {
		lines = append(lines, fmt.Sprintf("  %s/%s had a gap of %.1f s; its pod was available %.1f s after the node was Ready.", set.namespace, set.name,
			seconds("daemonset_gap_duration_seconds", exporter.Labels{"daemonset": set.name, "cause": "node"}),
			seconds("daemonset_pod_rescheduling_duration_seconds", exporter.Labels{"daemonset": set.name, "trigger": "node_recovered"})))
	}
	d.print(strings.Join(lines, "\n"))
	return nil
}

// waitGaps waits until the exporter reports this number of open gaps.
func (d *demo) waitGaps(ctx context.Context, gaps int) error {
	_, err := d.exporter.Wait(ctx, fmt.Sprintf("%d gaps", gaps), func(samples exporter.Samples) error {
		expected := samples.Sum("daemonset_expected_nodes", nil)
		if got := samples.Sum("daemonset_gap_nodes", nil); got != float64(gaps) || expected != totalExpected() {
			return fmt.Errorf("%g gaps, %g expected", got, expected)
		}
		return nil
	})
	return err
}

// waitOutage waits until the node has been down for long.
func (d *demo) waitOutage(ctx context.Context, long time.Duration) error {
	_, err := d.exporter.Wait(ctx, "the end of the outage", func(samples exporter.Samples) error {
		for _, down := range samples.Select("daemonset_node_not_ready_start_timestamp_seconds", nil) {
			if time.Since(time.UnixMilli(int64(down.Value*1000))) >= long {
				return nil
			}
		}
		return errors.New("not yet")
	})
	return err
}

func totalExpected() float64 {
	total := int32(0)
	for _, set := range daemonSets {
		total += set.expected
	}
	return float64(total)
}
