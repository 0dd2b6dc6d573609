package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// patience is how long a test waits for what must come about: far more than it
// takes, for machines are busy.
const patience = 90 * time.Second

// stage is a cluster with an exporter that watches it.
type stage struct {
	*cluster.Cluster
	t        *testing.T
	exporter *exporter.Exporter
}

// setUp starts a cluster with these nodes and an exporter, both of which end
// with the test. Nodes are active as soon as they are there, unless args say
// otherwise: the join grace is none.
func setUp(t *testing.T, nodes []cluster.NodeSpec, args ...string) *stage {
	t.Helper()
	s := &stage{Cluster: clustertest.Start(t, cluster.Config{}), t: t}
	for _, node := range nodes {
		s.must(s.AddNode(t.Context(), node))
	}
	s.startExporter(append([]string{"--node.join-grace=0s"}, args...)...)
	return s
}

func (s *stage) startExporter(args ...string) {
	s.t.Helper()
	ctx, cancel := s.deadline()
	defer cancel()
	var err error
	s.exporter, err = exporter.Start(ctx, exporter.Config{
		Kubeconfig: s.Kubeconfig(),
		Args:       args,
		Log:        &testLog{s.t},
	})
	s.must(err)
	started := s.exporter
	s.t.Cleanup(func() { _ = started.Kill() })
	s.must(started.WaitReady(ctx))
}

func (s *stage) deadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.t.Context(), patience)
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// expect waits until the metrics are as wanted. Each want is a metric with
// labels, and the sum that its samples must have:
//
//	`daemonset_expected_nodes{daemonset="agent"} 4`
func (s *stage) expect(what string, wants ...string) exporter.Samples {
	s.t.Helper()
	ctx, cancel := s.deadline()
	defer cancel()
	samples, err := s.exporter.Wait(ctx, what, func(samples exporter.Samples) error {
		for _, want := range wants {
			if err := compare(samples, want); err != nil {
				return err
			}
		}
		return nil
	})
	s.must(err)
	s.t.Log("seen: " + what)
	return samples
}

// compare tells what is wrong with one want.
func compare(samples exporter.Samples, want string) error {
	parsed, err := exporter.Parse(want + "\n")
	if err != nil || len(parsed) != 1 {
		return fmt.Errorf("%q is no metric: %w", want, err)
	}
	got := samples.Sum(parsed[0].Name, parsed[0].Labels)
	if got == parsed[0].Value {
		return nil
	}
	var found []string
	for _, sample := range samples.Select(parsed[0].Name, exporter.Labels{"daemonset": parsed[0].Labels["daemonset"]}) {
		if sample.Value != 0 {
			found = append(found, sample.String())
		}
	}
	return fmt.Errorf("want %s, got %g; what there is:\n%s", want, got, strings.Join(found, "\n"))
}

// only gives the one sample of a metric with these labels.
func (s *stage) only(samples exporter.Samples, name string, labels exporter.Labels) exporter.Sample {
	s.t.Helper()
	found := samples.Select(name, labels)
	if len(found) != 1 {
		s.t.Fatalf("%d samples of %s%v, want one: %v", len(found), name, labels, found)
	}
	return found[0]
}

// near checks a moment in Unix time against the test's own clock.
func (s *stage) near(what string, got float64, want time.Time, tolerance time.Duration) {
	s.t.Helper()
	difference := time.Duration((got - float64(want.UnixMilli())/1000) * float64(time.Second))
	if difference.Abs() > tolerance {
		s.t.Errorf("%s is off by %s, want at most %s", what, difference, tolerance)
	}
}

// testLog shows the exporter's log with the test that fails.
type testLog struct{ t *testing.T }

func (l *testLog) Write(line []byte) (int, error) {
	if l.t.Context().Err() == nil {
		l.t.Log("exporter: " + strings.TrimSpace(string(line)))
	}
	return len(line), nil
}

// atLeast wants the sum of some samples to be so much or more.
func atLeast(samples exporter.Samples, name string, labels exporter.Labels, want float64) error {
	if got := samples.Sum(name, labels); got < want {
		return fmt.Errorf("want at least %g of %s%v, got %g", want, name, labels, got)
	}
	return nil
}
