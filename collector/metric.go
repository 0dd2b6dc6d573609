package collector

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Metric is one row of the table of metrics.
type Metric struct {
	// Name is the full name, including the unit.
	Name string
	// Help is one short sentence about what is measured. It is sent with every
	// scrape.
	Help string
	// Notes holds what is left out, when a value is recorded, and what to beware
	// of. They are Markdown, and appear in docs/metrics.md only.
	Notes string
	// Type is gauge, counter or histogram.
	Type dto.MetricType
	// Labels holds the label names, in the order in which values are passed.
	Labels []string
	// Stable reports whether name, type and labels stay as they are unless the
	// changelog says so at a release. Other metrics are experimental.
	Stable bool

	desc *prometheus.Desc
	// index is the place in the table.
	index int
	// sorted holds the indexes of Labels in the order of the names.
	sorted []int
}

// Stability returns the word for Stable.
func (m *Metric) Stability() string {
	if m.Stable {
		return "stable"
	}
	return "experimental"
}

// table builds the rows.
type table struct {
	nodeLabels []string
	rows       []*Metric
}

func (t *table) gauge(row Metric) *Metric { return t.add(dto.MetricType_GAUGE, row) }

func (t *table) counter(row Metric) *Metric { return t.add(dto.MetricType_COUNTER, row) }

func (t *table) histogram(row Metric) *Metric { return t.add(dto.MetricType_HISTOGRAM, row) }

// add appends a row. Where a row has the zone, the node labels that a flag asks
// for follow it.
func (t *table) add(metricType dto.MetricType, row Metric) *Metric {
	row.Type = metricType
	if zone := slices.Index(row.Labels, labelZone); zone >= 0 {
		row.Labels = slices.Insert(slices.Clone(row.Labels), zone+1, t.nodeLabels...)
	}
	row.desc = prometheus.NewDesc(row.Name, row.Help, row.Labels, nil)
	row.sorted = make([]int, len(row.Labels))
	for i := range row.sorted {
		row.sorted[i] = i
	}
	slices.SortFunc(row.sorted, func(a, b int) int { return strings.Compare(row.Labels[a], row.Labels[b]) })
	row.index = len(t.rows)
	t.rows = append(t.rows, &row)
	return &row
}

// buckets returns the bounds of all histograms, in seconds. The timestamps that
// durations are computed from have a resolution of one second.
func buckets() []float64 {
	return []float64{0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600}
}
