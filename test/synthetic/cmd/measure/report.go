//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// medians returns the median of each value.
func medians(all []measured) measured {
	return measured{
		peak:      median(all, func(m measured) int64 { return m.peak }),
		resident:  median(all, func(m measured) int64 { return m.resident }),
		synced:    median(all, func(m measured) time.Duration { return m.synced }),
		processor: median(all, func(m measured) time.Duration { return m.processor }),
		plain:     medianScrape(all, func(m measured) scrape { return m.plain }),
		zipped:    medianScrape(all, func(m measured) scrape { return m.zipped }),
		series:    median(all, func(m measured) int { return m.series }),
	}
}

func median[T cmp.Ordered](all []measured, of func(measured) T) T {
	values := make([]T, len(all))
	for i := range all {
		values[i] = of(all[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func medianScrape(all []measured, of func(measured) scrape) scrape {
	return scrape{
		took: median(all, func(m measured) time.Duration { return of(m).took }),
		size: median(all, func(m measured) int { return of(m).size }),
	}
}

// report returns the results as a table in Markdown.
func report(o *options, floor, exporter measured, serverPeak int64) string {
	var out strings.Builder
	how := "streamed lists"
	if o.noStreamedLists {
		how = "plain lists"
	}
	fmt.Fprintf(&out, "%d nodes × %d DaemonSets (%d pods) and %d other pods, %g %% of cells broken, %s, medians of %d\n\n",
		o.nodes, o.daemonSets, o.nodes*o.daemonSets, o.otherPods, o.broken, how, o.rounds)
	out.WriteString("| | peak memory | memory after | until synced | processor time until then | scrape, plain | scrape, gzip | series |\n|---|---|---|---|---|---|---|---|\n")
	fmt.Fprintf(&out, "| floor | %s | %s | %s | %s | | | |\n", mebibytes(floor.peak), mebibytes(floor.resident), seconds(floor.synced), seconds(floor.processor))
	fmt.Fprintf(&out, "| exporter | %s | %s | %s | %s | %s | %s | %d |\n",
		mebibytes(exporter.peak), mebibytes(exporter.resident), seconds(exporter.synced), seconds(exporter.processor),
		costOf(exporter.plain), costOf(exporter.zipped), exporter.series)
	fmt.Fprintf(&out, "| exporter / floor | %.2f | %.2f | %.2f | %.2f | | | |\n\n",
		ratio(exporter.peak, floor.peak), ratio(exporter.resident, floor.resident),
		ratio(exporter.synced, floor.synced), ratio(exporter.processor, floor.processor))
	fmt.Fprintf(&out, "Limits: peak memory 1.5, until synced 1.2. The peak of the synthetic API server is %s.\n", mebibytes(serverPeak))
	return out.String()
}

func mebibytes(bytes int64) string { return fmt.Sprintf("%d MiB", (bytes+1<<19)>>20) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func costOf(s scrape) string {
	return fmt.Sprintf("%.1f ms (%d KiB)", float64(s.took.Microseconds())/1000, (s.size+512)>>10)
}

func ratio[T int64 | time.Duration](a, b T) float64 { return float64(a) / float64(b) }
