package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// show tells the story on a terminal.
type show struct {
	out      io.Writer
	cluster  *cluster.Cluster
	exporter *exporter.Exporter
}

func (s *show) say(text string) { fmt.Fprintf(s.out, "%s\n\n", text) }

func (s *show) chapter(title string) {
	fmt.Fprintf(s.out, "%s\n%s\n\n", title, strings.Repeat("=", len(title)))
}

// compare prints what kubectl says of each DaemonSet next to what the exporter
// says.
func (s *show) compare(ctx context.Context) error {
	samples, err := s.exporter.Scrape(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tkubectl says\t\t\t|  the exporter says\t\t")
	fmt.Fprintln(table, "\tDESIRED\tREADY\tAVAILABLE\t|  EXPECTED\tCOVERED\tGAPS")
	for _, set := range daemonSets {
		object, err := s.cluster.Client().AppsV1().DaemonSets(set.namespace).Get(ctx, set.name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("read status: %w", err)
		}
		status, labels := object.Status, exporter.Labels{"namespace": set.namespace, "daemonset": set.name}
		fmt.Fprintf(table, "%s/%s\t%d\t%d\t%d\t|  %g\t%g\t%g\n", set.namespace, set.name,
			status.DesiredNumberScheduled, status.NumberReady, status.NumberAvailable,
			samples.Sum("daemonset_expected_nodes", labels),
			samples.Sum("daemonset_covered_nodes", labels),
			samples.Sum("daemonset_gap_nodes", labels))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	return nil
}

// list prints the series of one metric: some of its labels in columns, and the
// value, which for a moment is its age.
func (s *show) list(ctx context.Context, metric string, labels ...string) error {
	samples, err := s.exporter.Scrape(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	value := "NODES"
	if isMoment(metric) {
		value = "SINCE"
	}
	fmt.Fprintf(table, "  %s\t%s\n", strings.ToUpper(strings.Join(labels, "\t")), value)
	for _, sample := range samples.Select(metric, nil) {
		for i, label := range labels {
			fmt.Fprint(table, strings.Repeat("  ", 1-min(i, 1)), sample.Labels[label], "\t")
		}
		if isMoment(metric) {
			since := time.UnixMilli(int64(sample.Value * 1000))
			fmt.Fprintf(table, "%s, %.0f s ago\n", since.UTC().Format(time.TimeOnly), time.Since(since).Seconds())
		} else {
			fmt.Fprintf(table, "%g\n", sample.Value)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "  (%s)\n\n", metric)
	return err
}

func isMoment(metric string) bool { return strings.HasSuffix(metric, "_timestamp_seconds") }

// stay prints where everything is and waits for Ctrl-C.
func (s *show) stay(ctx context.Context) {
	s.chapter("Your turn")
	fmt.Fprintf(s.out, `Everything stays up until Ctrl-C.

    metrics   %s/metrics
    kubectl   %s --kubeconfig %s get nodes

`, s.exporter.URL, s.cluster.Program("kubectl"), s.cluster.Kubeconfig())
	<-ctx.Done()
}
