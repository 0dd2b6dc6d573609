package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/clustertest"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// patience is the longest wait for a condition, with time to spare for a busy
// machine.
const patience = 90 * time.Second

// fixture is a cluster with an exporter that watches it.
type fixture struct {
	*cluster.Cluster
	t        *testing.T
	exporter *exporter.Exporter
}

// run runs a parallel subtest with a cluster of its own.
func run(t *testing.T, name string, nodes []cluster.NodeSpec, test func(*fixture)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		test(newFixture(t, nodes))
	})
}

// newFixture starts a cluster with these nodes and an exporter, both of which end
// with the test.
func newFixture(t *testing.T, nodes []cluster.NodeSpec) *fixture {
	t.Helper()
	f := newUnwatched(t, nodes)
	f.startExporter()
	return f
}

// newUnwatched starts a cluster with these nodes, and no exporter.
func newUnwatched(t *testing.T, nodes []cluster.NodeSpec) *fixture {
	t.Helper()
	f := &fixture{Cluster: clustertest.Start(t, cluster.Config{}), t: t}
	for _, node := range nodes {
		f.must(f.AddNode(f.t.Context(), node))
	}
	return f
}

// ask runs a command of the program against the cluster.
func (f *fixture) ask(stdin string, args ...string) exporter.Answer {
	f.t.Helper()
	return check.Must(exporter.Ask(f.t.Context(), f.Kubeconfig(), strings.NewReader(stdin), args...))(f.t)
}

// run runs a subtest on the cluster as earlier subtests left it.
func (f *fixture) run(name string, test func()) {
	outer := f.t
	outer.Run(name, func(t *testing.T) {
		f.t = t
		defer func() { f.t = outer }()
		test()
	})
}

func (f *fixture) apply(set daemonSet) {
	f.t.Helper()
	f.must(f.Apply(f.t.Context(), set.manifest()))
}

// startExporter starts an exporter for which nodes are active as soon as they
// exist.
func (f *fixture) startExporter(args ...string) {
	f.t.Helper()
	f.exporter = f.newExporter(args...)
}

func (f *fixture) newExporter(args ...string) *exporter.Exporter {
	f.t.Helper()
	ctx, cancel := f.deadline()
	defer cancel()
	started, err := exporter.Start(ctx, exporter.Config{
		Kubeconfig: f.Kubeconfig(),
		Args:       append([]string{"--node.join-grace=0s"}, args...),
		Log:        &testLog{f.t},
	})
	f.must(err)
	f.t.Cleanup(func() { _ = started.Kill() })
	f.must(started.WaitReady(ctx))
	return started
}

func (f *fixture) deadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(f.t.Context(), patience)
}

func (f *fixture) must(err error) {
	f.t.Helper()
	check.NoError(f.t, err)
}

// expect waits until the metrics are as wanted. Each want is a metric with
// labels, and the sum that its samples must have:
//
//	`daemonset_expected_nodes{daemonset="agent"} 4`
func (f *fixture) expect(what string, wants ...string) exporter.Samples {
	f.t.Helper()
	ctx, cancel := f.deadline()
	defer cancel()
	samples, err := f.exporter.Wait(ctx, what, func(samples exporter.Samples) error {
		for _, want := range wants {
			if err := compare(samples, want); err != nil {
				return err
			}
		}
		return nil
	})
	f.must(err)
	f.t.Log("seen: " + what)
	return samples
}

// compare returns an error if a want of expect does not hold.
func compare(samples exporter.Samples, want string) error {
	parsed, err := exporter.Parse(want + "\n")
	if err != nil || len(parsed) != 1 {
		return fmt.Errorf("%q is not a metric: %w", want, err)
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
	return fmt.Errorf("want %s, got %g, of\n%s", want, got, strings.Join(found, "\n"))
}

// only returns the one sample of a metric with these labels.
func (f *fixture) only(samples exporter.Samples, name string, labels exporter.Labels) exporter.Sample {
	f.t.Helper()
	found := samples.Select(name, labels)
	check.Require(f.t, len(found) == 1, "%d samples of %s%v, want one: %v", len(found), name, labels, found)
	return found[0]
}

// tolerance is the largest difference from the test's own clock.
const tolerance = 2 * time.Second

// took checks the number of a histogram's observations, and their mean against the
// test's own clock.
func (f *fixture) took(samples exporter.Samples, metric string, labels exporter.Labels, count int, want time.Duration) {
	f.t.Helper()
	if got := samples.Sum(metric+"_count", labels); got != float64(count) {
		f.t.Errorf("%s%v was observed %g times, want %d", metric, labels, got, count)
		return
	}
	mean := time.Duration(samples.Sum(metric+"_sum", labels) / float64(count) * float64(time.Second))
	check.That(f.t, (mean-want).Abs() <= tolerance, "%s%v is %s, want %s ± %s", metric, labels, mean, want.Round(time.Millisecond), tolerance)
}

// lasts waits until long has passed since a time.
func (f *fixture) lasts(since time.Time, long time.Duration) {
	f.t.Helper()
	ctx, cancel := f.deadline()
	defer cancel()
	f.must(f.Wait(ctx, "time to pass", func(context.Context) (bool, string, error) {
		passed := time.Since(since)
		return passed >= long, passed.String(), nil
	}))
}

// near checks a Unix time against the test's own clock.
func (f *fixture) near(what string, got float64, want time.Time, tolerance time.Duration) {
	f.t.Helper()
	difference := time.Duration((got - float64(want.UnixMilli())/1000) * float64(time.Second))
	check.That(f.t, difference.Abs() <= tolerance, "%s is off by %s, want at most %s", what, difference, tolerance)
}

// testLog writes the exporter's log to the log of the test.
type testLog struct{ t *testing.T }

func (l *testLog) Write(line []byte) (int, error) {
	if l.t.Context().Err() == nil {
		l.t.Log("exporter: " + strings.TrimSpace(string(line)))
	}
	return len(line), nil
}

// expectAtLeast waits until the sum of the samples of a metric with these labels is
// at least want.
func (f *fixture) expectAtLeast(name string, labels exporter.Labels, want float64) {
	f.t.Helper()
	ctx, cancel := f.deadline()
	defer cancel()
	_, err := f.exporter.Wait(ctx, name, func(samples exporter.Samples) error {
		if got := samples.Sum(name, labels); got < want {
			return fmt.Errorf("want at least %g of %s%v, got %g", want, name, labels, got)
		}
		return nil
	})
	f.must(err)
}
