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

// demo prints to a terminal what happens in a cluster.
type demo struct {
	out      io.Writer
	cluster  *cluster.Cluster
	exporter *exporter.Exporter
}

func (d *demo) print(text string) { fmt.Fprintf(d.out, "%s\n\n", text) }

func (d *demo) heading(title string) {
	fmt.Fprintf(d.out, "%s\n%s\n\n", title, strings.Repeat("=", len(title)))
}

// compare prints the counts of kubectl for each DaemonSet next to those of the
// exporter.
func (d *demo) compare(ctx context.Context) error {
	samples, err := d.exporter.Scrape(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tkubectl\t\t\t|  exporter\t\t")
	fmt.Fprintln(table, "\tDESIRED\tREADY\tAVAILABLE\t|  EXPECTED\tCOVERED\tGAPS")
	for _, set := range daemonSets {
		object, err := d.cluster.Client().AppsV1().DaemonSets(set.namespace).Get(ctx, set.name, metav1.GetOptions{})
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
	fmt.Fprintln(d.out)
	return nil
}

// list prints the series of one metric: some of its labels, and the value, for a
// timestamp with its age.
func (d *demo) list(ctx context.Context, metric string, labels ...string) error {
	samples, err := d.exporter.Scrape(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	value := "NODES"
	if isTime(metric) {
		value = "SINCE"
	}
	fmt.Fprintf(table, "  %s\t%s\n", strings.ToUpper(strings.Join(labels, "\t")), value)
	for _, sample := range samples.Select(metric, nil) {
		for i, label := range labels {
			fmt.Fprint(table, strings.Repeat("  ", 1-min(i, 1)), sample.Labels[label], "\t")
		}
		if isTime(metric) {
			since := time.UnixMilli(int64(sample.Value * 1000))
			fmt.Fprintf(table, "%s, %.0f s ago\n", since.UTC().Format(time.TimeOnly), time.Since(since).Seconds())
		} else {
			fmt.Fprintf(table, "%g\n", sample.Value)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.out, "  (%s)\n\n", metric)
	return err
}

func isTime(metric string) bool { return strings.HasSuffix(metric, "_timestamp_seconds") }

// stay prints the addresses and waits for Ctrl-C.
func (d *demo) stay(ctx context.Context) {
	d.heading("Your turn")
	fmt.Fprintf(d.out, `Everything runs until Ctrl-C.

    metrics   %s/metrics
    kubectl   %s --kubeconfig %s get nodes

`, d.exporter.URL, d.cluster.Program("kubectl"), d.cluster.Kubeconfig())
	<-ctx.Done()
}
