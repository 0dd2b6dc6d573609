package main

import (
	"fmt"
	"strings"
)

// What the variables of the boards select.
const (
	inCluster   = `cluster=~"$cluster"`
	ofDaemonSet = inCluster + `, namespace="$namespace", daemonset="$daemonset"`
	ofNode      = inCluster + `, node="$node"`
	ofExporter  = inCluster + `, instance=~"$instance"`
)

// settled leaves out nodes that join or leave, as the rules do: they are expected to
// lack pods for a while.
const settled = `lifecycle!~"joining|leaving"`

// workload identifies a DaemonSet.
const workload = "cluster, namespace, daemonset"

// series returns a selector.
func series(metric string, matchers ...string) string {
	return metric + "{" + strings.Join(matchers, ", ") + "}"
}

// replicas returns what the replicas of the exporter agree on: the maximum over them,
// by the labels. What is added up must be added up within each replica before.
func replicas(by, expr string) string { return fmt.Sprintf("max by (%s) (%s)", by, expr) }

// earliest is replicas for points in time.
func earliest(by, expr string) string { return fmt.Sprintf("min by (%s) (%s)", by, expr) }

// once counts each event once, whatever the number of replicas that counted it.
func once(expr string) string { return "max without (instance, pod) (" + expr + ")" }

// nodes returns counts of nodes, added up over the labels in drop.
func nodes(by, drop, selector string) string {
	return replicas(by, fmt.Sprintf("sum without (%s) (%s)", drop, selector))
}

// ever makes a count 0 where there is nothing to count, but only where the exporter
// says something: no data is no zero.
func ever(expr, known string) string { return expr + " or 0 * " + known }

// events returns how much a counter grew within a window of every evaluation. Unlike
// increase it gives whole numbers that add up over the windows of a graph, and it
// counts the first event of a series. A series that is new, or that begins again,
// counts from 0 if its exporter was scraped when the window began or has started
// since; otherwise its events may be of any age.
func events(metric, window, windowSeconds string, matchers ...string) string {
	x := series(metric, matchers...)
	return fmt.Sprintf(
		`(%[1]s - (%[1]s offset %[2]s) >= 0 or %[1]s and on (cluster, instance, pod) (daemonset_exporter_build_info{%[3]s} offset %[2]s or process_start_time_seconds{%[3]s} > time() - %[4]s))`,
		x, window, inCluster, windowSeconds)
}

// newEvents returns the events within each interval of a graph.
func newEvents(metric string, matchers ...string) string {
	return events(metric, "$__interval", "$__interval_ms / 1000", matchers...)
}

// eventsShown returns the sum of the events in the time shown: what the bars of a graph
// add up to.
func eventsShown(by, metric string, matchers ...string) string {
	return fmt.Sprintf("sum_over_time(sum by (%s) (%s)[$__range:$__interval])", by, once(newEvents(metric, matchers...)))
}

// newCounts returns bars: events by the labels, without zeros.
func newCounts(by, metric string, matchers ...string) string {
	return fmt.Sprintf("sum by (%s) (%s) > 0", by, once(newEvents(metric, matchers...)))
}

// newBuckets returns the events of a histogram by bucket, for a heatmap. Some
// histogram exists from the start and fills in zeros for all buckets: Grafana 10
// subtracts them row by row, and shows an error where there is none.
func newBuckets(metric string, matchers ...string) string {
	return ever(
		fmt.Sprintf("sum by (le) (%s)", once(newEvents(metric+"_bucket", matchers...))),
		fmt.Sprintf("sum by (le) (%s)", series("daemonset_node_detection_duration_seconds_bucket", inCluster)))
}

// newMeans returns the mean of what a histogram took in within each interval. Sums and
// counts of all replicas weigh equally, so that they need not be told apart.
func newMeans(by, metric string, matchers ...string) string {
	return fmt.Sprintf("sum by (%[1]s) (%[2]s) / (sum by (%[1]s) (%[3]s) > 0)", by,
		newEvents(metric+"_sum", matchers...), newEvents(metric+"_count", matchers...))
}

// meanShown returns the mean of what a histogram took in within the time shown.
func meanShown(by, metric string, matchers ...string) string {
	increase := func(suffix string) string {
		return fmt.Sprintf("sum by (%s) (increase(%s[$__range]))", by, series(metric+suffix, matchers...))
	}
	return increase("_sum") + " / (" + increase("_count") + " > 0)"
}

// coded returns the number in all of the meaning of each series of a metric, by one of
// its labels, for timelines and the matrix. Where series disagree the first of some wins.
func coded(all, some palette, by, metric, label string, matchers ...string) string {
	terms := make([]string, len(some))
	for i, m := range some {
		selector := series(metric, append([]string{fmt.Sprintf("%s=%q", label, m.value)}, matchers...)...)
		terms[i] = replicas(by, "0 * "+selector+" + "+all.number(m.value))
	}
	return either(terms...)
}

// either returns the first of expressions that has a value.
func either(all ...string) string { return strings.Join(all, " or ") }

// worst returns the n series of an expression that were highest within the time
// shown; all of them, at every step.
func worst(n int, by, expr string) string {
	return fmt.Sprintf("(%[3]s) and on (%[2]s) topk(%[1]d, max_over_time((%[3]s)[$__range:$__interval] @ end()))", n, by, expr)
}

// lowest is worst where low is bad.
func lowest(n int, by, expr string) string {
	return fmt.Sprintf("(%[3]s) and on (%[2]s) bottomk(%[1]d, min_over_time((%[3]s)[$__range:$__interval] @ end()))", n, by, expr)
}

// anHourAgo is nodes at an earlier time.
func anHourAgo(by, drop, selector string) string { return nodes(by, drop, selector+" offset 1h") }
