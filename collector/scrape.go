package collector

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// scrape is what one scrape has gathered so far. It does what prometheus.NewConstMetric
// and a Registry do at a fraction of the cost, which dominates a scrape with many gaps:
// series are unique and their labels sorted because of how they are made, and
// TestGather compares them with what a Registry makes of them.
type scrape struct {
	table *table
	// series are those of each row of the table.
	series [][]*dto.Metric
	// pairs are the label pairs by name and value, so that each is allocated once.
	pairs map[string]map[string]*dto.LabelPair
	// sizes is how many series of each row to expect.
	sizes []int
	// gauges, labels and values are memory for further series.
	gauges []series
	labels []*dto.LabelPair
	values []pair
}

// series is one series of a gauge, or of a counter that is computed at the scrape.
type series struct {
	metric dto.Metric
	gauge  dto.Gauge
	value  float64
}

// pair is a label pair with the value that it points to.
type pair struct {
	pair  dto.LabelPair
	value string
}

func newScrape(table *table) *scrape {
	return &scrape{
		table:  table,
		sizes:  make([]int, len(table.rows)),
		series: make([][]*dto.Metric, len(table.rows)),
		pairs:  map[string]map[string]*dto.LabelPair{},
	}
}

// add adds a sample. values are those of the metric's labels, in the same order.
func (s *scrape) add(metric *Metric, value float64, values ...string) {
	if len(s.gauges) == 0 {
		s.gauges = make([]series, chunk)
	}
	added := &s.gauges[0]
	s.gauges = s.gauges[1:]
	added.value = value
	if metric.Type == dto.MetricType_COUNTER {
		added.metric.Counter = &dto.Counter{Value: &added.value}
	} else {
		added.gauge.Value = &added.value
		added.metric.Gauge = &added.gauge
	}
	added.metric.Label = s.labelsOf(metric, values)
	all := &s.series[metric.index]
	if *all == nil {
		*all = make([]*dto.Metric, 0, s.sizes[metric.index]+1)
	}
	*all = append(*all, &added.metric)
}

// chunk is how many series are allocated at once.
const chunk = 256

// labelsOf returns the label pairs in the order of their names. Most values are those of
// the series before.
func (s *scrape) labelsOf(metric *Metric, values []string) []*dto.LabelPair {
	if len(s.labels) < len(values) {
		s.labels = make([]*dto.LabelPair, chunk*4)
	}
	labels := s.labels[:len(values):len(values)]
	s.labels = s.labels[len(values):]
	var before []*dto.LabelPair
	if all := s.series[metric.index]; len(all) > 0 {
		before = all[len(all)-1].Label
	}
	for place, i := range metric.sorted {
		if before != nil && *before[place].Value == values[i] {
			labels[place] = before[place]
		} else {
			labels[place] = s.pairOf(&metric.Labels[i], values[i])
		}
	}
	return labels
}

// pairOf returns a label pair. A value that is no valid UTF-8 is repaired.
func (s *scrape) pairOf(name *string, value string) *dto.LabelPair {
	pairs := s.pairs[*name]
	if pairs == nil {
		pairs = map[string]*dto.LabelPair{}
		s.pairs[*name] = pairs
	}
	if known := pairs[value]; known != nil {
		return known
	}
	if len(s.values) == 0 {
		s.values = make([]pair, chunk)
	}
	added := &s.values[0]
	s.values = s.values[1:]
	added.value = slim.ValidUTF8(value)
	added.pair.Name, added.pair.Value = name, &added.value
	pairs[value] = &added.pair
	return &added.pair
}

// lengths returns how many series each row has.
func (s *scrape) lengths() []int {
	lengths := make([]int, len(s.series))
	for i := range s.series {
		lengths[i] = len(s.series[i])
	}
	return lengths
}

// families returns the families that have series, in the order of their names.
func (s *scrape) families() []*dto.MetricFamily {
	families := make([]*dto.MetricFamily, 0, len(s.series)+1)
	for i, row := range s.table.rows {
		if len(s.series[i]) > 0 {
			families = append(families, &dto.MetricFamily{Name: &row.Name, Help: &row.Help, Type: &row.Type, Metric: s.series[i]})
		}
	}
	sortFamilies(families)
	return families
}

func sortFamilies(families []*dto.MetricFamily) {
	slices.SortFunc(families, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
}

// sample is one series as a prometheus.Metric.
type sample struct {
	desc   *prometheus.Desc
	series *dto.Metric
}

// Desc implements prometheus.Metric.
func (s sample) Desc() *prometheus.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s sample) Write(out *dto.Metric) error {
	out.Label = s.series.Label
	out.Gauge, out.Counter, out.Histogram = s.series.Gauge, s.series.Counter, s.series.Histogram
	return nil
}
