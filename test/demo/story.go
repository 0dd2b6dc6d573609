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

// victim is the node whose plug is pulled.
const victim = "worker-2"

// downtime is how long the node stays down once that has been noticed.
const downtime = 10 * time.Second

// patience bounds each wait of the story.
const patience = 2 * time.Minute

// daemonSets are those of manifests.yaml, and on how many of the six nodes each
// is expected.
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

// play runs the story, then end, and stops all that it started.
func (s *show) play(ctx context.Context, binary string, progress io.Writer, end func()) (err error) {
	s.say("Starting a real Kubernetes control plane on this machine, with six simulated nodes.")
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
	s.cluster, s.exporter = c, e

	for _, step := range []func(context.Context) error{s.allIsWell, s.nodeDies, s.nodeComesBack} {
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

func (s *show) allIsWell(ctx context.Context) error {
	for _, set := range daemonSets {
		if err := s.cluster.WaitDaemonSet(ctx, set.namespace, set.name, set.expected); err != nil {
			return err
		}
	}
	if err := s.waitGaps(ctx, 0); err != nil {
		return err
	}
	s.chapter("1. All is well")
	s.say(`Three DaemonSets promise an agent on every node that they fit:
fluentd on workers, node-exporter everywhere, the security agent wherever no taint forbids it.`)
	if err := s.compare(ctx); err != nil {
		return err
	}
	s.say("The exporter also says which nodes are left out, and which taint alone is to blame:")
	return s.list(ctx, "daemonset_repelled_nodes", "daemonset", "taint_key", "taint_effect")
}

func (s *show) nodeDies(ctx context.Context) error {
	s.chapter("2. " + victim + " dies")
	s.say("Pulling its plug. Kubernetes gives it ten seconds here (fifty by default) ...")
	if err := s.cluster.PullPlug(ctx, victim); err != nil {
		return err
	}
	if err := s.cluster.WaitNodeReady(ctx, victim, corev1.ConditionUnknown); err != nil {
		return err
	}
	if err := s.waitGaps(ctx, 3); err != nil {
		return err
	}
	// The broad DaemonSet shows that the controller has taken note.
	err := s.cluster.WaitDaemonSetStatus(ctx, "monitoring", "node-exporter", "one node unavailable",
		func(status appsv1.DaemonSetStatus) bool { return status.NumberUnavailable == 1 })
	if err != nil {
		return err
	}
	if err := s.compare(ctx); err != nil {
		return err
	}
	s.say(`Where DESIRED has dropped, kubectl says that all is well: the node's own taint made the
DaemonSet's controller expect less. (It is a race, so some runs show it for one DaemonSet only.)
The exporter goes on expecting what was expected, and names what is missing:`)
	if err := s.waitOutage(ctx, downtime); err != nil {
		return err
	}
	return s.list(ctx, "daemonset_gap_start_timestamp_seconds", "node", "zone", "namespace", "daemonset", "reason")
}

func (s *show) nodeComesBack(ctx context.Context) error {
	s.chapter("3. " + victim + " comes back")
	s.say("Putting the plug back ...")
	if err := s.cluster.PlugIn(ctx, victim); err != nil {
		return err
	}
	if err := s.waitGaps(ctx, 0); err != nil {
		return err
	}
	for _, set := range daemonSets {
		if err := s.cluster.WaitDaemonSet(ctx, set.namespace, set.name, set.expected); err != nil {
			return err
		}
	}
	if err := s.compare(ctx); err != nil {
		return err
	}
	samples, err := s.exporter.Scrape(ctx)
	if err != nil {
		return err
	}
	seconds := func(metric string, labels exporter.Labels) float64 {
		return samples.Sum(metric+"_sum", labels)
	}
	s.say(fmt.Sprintf("The outage is on record. It was noticed %.1f s after the node's last sign of life, and lasted %.1f s.",
		seconds("daemonset_node_detection_duration_seconds", nil),
		seconds("daemonset_node_outage_duration_seconds", nil)))
	lines := make([]string, 0, len(daemonSets))
	for _, set := range daemonSets {
		lines = append(lines, fmt.Sprintf("  %s/%s was missing on it for %.1f s; its pod was Ready %.1f s after the node.", set.namespace, set.name,
			seconds("daemonset_gap_duration_seconds", exporter.Labels{"daemonset": set.name, "cause": "node"}),
			seconds("daemonset_pod_rescheduling_duration_seconds", exporter.Labels{"daemonset": set.name, "trigger": "node_recovered"})))
	}
	s.say(strings.Join(lines, "\n"))
	return nil
}

// waitGaps waits until the exporter sees so many open gaps.
func (s *show) waitGaps(ctx context.Context, gaps int) error {
	_, err := s.exporter.Wait(ctx, fmt.Sprintf("%d gaps", gaps), func(samples exporter.Samples) error {
		expected := samples.Sum("daemonset_expected_nodes", nil)
		if got := samples.Sum("daemonset_gap_nodes", nil); got != float64(gaps) || expected != totalExpected() {
			return fmt.Errorf("%g gaps, %g expected", got, expected)
		}
		return nil
	})
	return err
}

// waitOutage waits until the node has been down for so long.
func (s *show) waitOutage(ctx context.Context, long time.Duration) error {
	_, err := s.exporter.Wait(ctx, "the outage to last", func(samples exporter.Samples) error {
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
