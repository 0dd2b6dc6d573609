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

// maxBy and minBy are for what is recorded, and for what the exporter says of itself. What
// it says of the cluster has replicas and earliest.
func maxBy(by, expr string) string { return fmt.Sprintf("max by (%s) (%s)", by, expr) }

func minBy(by, expr string) string { return fmt.Sprintf("min by (%s) (%s)", by, expr) }

// current leaves out the replicas that have lost the API server, where another of their
// cluster has not. The rules know which; without rules all are there. It binds closer than
// "or".
func current(expr string) string { return currentAt(expr, "") }

// currentAt is current at an offset, which expr must have as well.
func currentAt(expr, offset string) string {
	return expr + " unless on (cluster, instance) daemonset_exporter:superseded:info" + offset
}

// replicas returns what the replicas of the exporter agree on: the maximum over them,
// by the labels. What is added up must be added up within each replica before.
func replicas(by, expr string) string { return maxBy(by, current(expr)) }

// earliest is replicas for points in time.
func earliest(by, expr string) string { return minBy(by, current(expr)) }

// once counts each event once, whatever the number of replicas that counted it.
func once(expr string) string { return "max without (instance, pod) (" + current(expr) + ")" }

// nodes returns counts of nodes, added up over the labels in drop.
func nodes(by, drop, selector string) string { return nodesAt(by, drop, selector, "") }

// nodesAt is nodes at an offset.
func nodesAt(by, drop, selector, offset string) string {
	return maxBy(by, currentAt(fmt.Sprintf("sum without (%s) (%s%s)", drop, selector, offset), offset))
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
	return growth(func(offset string) string { return series(metric, matchers...) + offset }, window, windowSeconds)
}

// growth is events of a counter at an offset.
func growth(at func(offset string) string, window, windowSeconds string) string {
	return fmt.Sprintf(
		`(%[1]s - (%[2]s) >= 0 or %[1]s and on (cluster, instance, pod) (daemonset_exporter_build_info{%[4]s} offset %[3]s or process_start_time_seconds{%[4]s} > time() - %[5]s))`,
		at(""), at(" offset "+window), window, inCluster, windowSeconds)
}

// newEvents returns the events within each interval of a graph.
func newEvents(metric string, matchers ...string) string {
	return events(metric, "$__interval", "$__interval_ms / 1000", matchers...)
}

// Parts of a histogram.
const (
	sum   = "sum"
	count = "count"
)

// newPart returns how much the sum or the count of a histogram grew within each interval
// of a graph. Prometheus has it in the classic format, the native one, or both.
func newPart(part, metric string, matchers ...string) string {
	return growth(func(offset string) string {
		return fmt.Sprintf("(%s%s or histogram_%s(%s%s))", series(metric+"_"+part, matchers...), offset, part, series(metric, matchers...), offset)
	}, "$__interval", "$__interval_ms / 1000")
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

// bounds are those of the classic buckets of all histograms.
func bounds() []string {
	return []string{"0.1", "0.5", "1", "2", "5", "10", "15", "30", "60", "120", "300", "600", "1800", "3600"}
}

// buckets returns how many durations are at most each of the bounds, by the label le, at an
// offset. Where there are only native histograms they are estimated from these, and
// rounded. Prometheus writes a bound as 1 or as 1.0.
func buckets(offset, metric string, matchers ...string) string {
	classic, native := series(metric+"_bucket", matchers...)+offset, series(metric, matchers...)+offset
	estimates := atEach(func(bound string) string { return "histogram_fraction(0, " + bound + ", " + native + ")" })
	return `(label_replace(` + classic + `, "le", "$1", "le", "(.+)[.]0") or round((` + estimates + `) * ignoring (le) group_left () (histogram_count(` + native + `) > 0)) unless ignoring (le) ` + classic + `)`
}

// atEach returns a number for each bound, with the label le.
func atEach(number func(bound string) string) string {
	var all []string
	for _, bound := range append(bounds(), "+Inf") {
		all = append(all, `label_replace(`+number(bound)+`, "le", "`+bound+`", "", "")`)
	}
	return either(all...)
}

// newBuckets returns the events of a histogram by bucket, for a heatmap. Some
// histogram exists from the start and fills in zeros for all buckets: Grafana 10
// subtracts them row by row, and shows an error where there is none.
func newBuckets(metric string, matchers ...string) string {
	grown := growth(func(offset string) string { return buckets(offset, metric, matchers...) }, "$__interval", "$__interval_ms / 1000")
	always := series("daemonset_node_detection_duration_seconds_count", inCluster) + " or histogram_count(" + series("daemonset_node_detection_duration_seconds", inCluster) + ")"
	return either(
		fmt.Sprintf("sum by (le) (%s)", once(grown)),
		atEach(func(string) string { return "0 * sum(" + current("("+always+")") + ")" }))
}

// newObservations returns bars: what a histogram took in by the labels, without zeros.
func newObservations(by, metric string, matchers ...string) string {
	return fmt.Sprintf("sum by (%s) (%s) > 0", by, once(newPart(count, metric, matchers...)))
}

// newMeans returns the mean of what a histogram took in within each interval. Sums and
// counts of all replicas weigh equally, so that they need not be told apart.
func newMeans(by, metric string, matchers ...string) string {
	return fmt.Sprintf("sum by (%[1]s) (%[2]s) / (sum by (%[1]s) (%[3]s) > 0)", by,
		current(newPart(sum, metric, matchers...)), current(newPart(count, metric, matchers...)))
}

// meanShown returns the mean of what a histogram took in within the time shown.
func meanShown(by, metric string, matchers ...string) string {
	increase := func(part string) string {
		return fmt.Sprintf("sum by (%s) (%s)", by, current(fmt.Sprintf("(increase(%s[$__range]) or histogram_%s(increase(%s[$__range])))",
			series(metric+"_"+part, matchers...), part, series(metric, matchers...))))
	}
	return increase(sum) + " / (" + increase(count) + " > 0)"
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
func anHourAgo(by, drop, selector string) string { return nodesAt(by, drop, selector, " offset 1h") }
