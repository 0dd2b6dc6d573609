package collector

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
	"github.com/daemonset-exporter/daemonset_exporter/collector/readiness"
	"github.com/daemonset-exporter/daemonset_exporter/collector/state"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

// TableQuery says which part of the cluster a Table shows. An empty field filters
// nothing.
type TableQuery struct {
	// All shows every node and DaemonSet, not only those in trouble.
	All bool
	// Namespace and DaemonSet filter the columns, the others the rows.
	Namespace, DaemonSet        string
	Node, Zone, Pool, Lifecycle string
	// Reason shows rows and columns that have such a gap or exclusion.
	Reason string
	// Page counts from 1, and has at most PageSize rows.
	Page, PageSize int
}

// Table is which node has a working pod of which DaemonSet.
type Table struct {
	// Time is when it was so.
	Time time.Time `json:"time"`
	// Columns are the DaemonSets, sorted by namespace and name.
	Columns []TableColumn `json:"columns"`
	// Rows are the nodes of the page, the worst first; with TableQuery.All sorted by name.
	Rows []TableRow `json:"rows"`
	// Matching is how many rows all pages have; Pages is how many pages there are, Page
	// which of them this is.
	Matching int `json:"matching"`
	Page     int `json:"page"`
	Pages    int `json:"pages"`
	// Nodes is how many nodes the cluster has, DaemonSets how many DaemonSets.
	Nodes      int `json:"nodes"`
	DaemonSets int `json:"daemonsets"`
	// Facets are the values to filter by: of namespaces how many DaemonSets have a gap or
	// an exclusion there, of reasons how many cells, of the others how many nodes in
	// trouble.
	Facets []Facet `json:"facets"`
}

// TableColumn is a DaemonSet with its nodes counted, over all nodes of the cluster.
type TableColumn struct {
	Namespace string `json:"namespace"`
	DaemonSet string `json:"daemonset"`
	Expected  int    `json:"expected"`
	Covered   int    `json:"covered"`
	Gaps      int    `json:"gaps"`
	Excluded  int    `json:"excluded"`
	Misplaced int    `json:"misplaced"`

	uid slim.UID
}

// TableRow is a node.
type TableRow struct {
	Node string `json:"node"`
	Zone string `json:"zone,omitempty"`
	Pool string `json:"pool,omitempty"`
	// Status and Lifecycle are the labels of the same names.
	Status    string `json:"status"`
	Lifecycle string `json:"lifecycle"`
	// StatusSince is since when a node has not been ready.
	StatusSince *time.Time `json:"statusSince,omitempty"`
	// LifecycleSince is since when it has been cordoned or leaving.
	LifecycleSince *time.Time `json:"lifecycleSince,omitempty"`
	Gaps           int        `json:"gaps"`
	// Cells has one cell for each column, in their order.
	Cells []TableCell `json:"cells"`
}

// TableCell is how a DaemonSet stands to a node.
type TableCell struct {
	Verdict Verdict `json:"verdict"`
	// Reason is the label reason: of the gap, or of the exclusion.
	Reason string `json:"reason,omitempty"`
	// Cause is the label cause of a gap.
	Cause string `json:"cause,omitempty"`
	// Since is when the gap opened.
	Since *time.Time `json:"since,omitempty"`
}

// Facet is the values of one filter.
type Facet struct {
	Name   string       `json:"name"`
	Values []FacetValue `json:"values"`
}

// FacetValue is a value to filter by.
type FacetValue struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// The names of facets.
const (
	FacetNamespace = "namespace"
	FacetZone      = "zone"
	FacetPool      = "pool"
	FacetReason    = "reason"
	FacetLifecycle = "lifecycle"
)

// poolLabels are the labels by which providers and autoscalers name the pool of a node.
var poolLabels = [...]string{
	"karpenter.sh/nodepool", "cloud.google.com/gke-nodepool", "eks.amazonaws.com/nodegroup", "kubernetes.azure.com/agentpool",
	"node.kubernetes.io/pool", "doks.digitalocean.com/node-pool", "machine.openshift.io/cluster-api-machineset", "kops.k8s.io/instancegroup",
}

// PoolOf returns the pool of a node with these labels; empty if none says so. A label that
// users made a label pool of metrics comes first.
func PoolOf(labels map[string]string, users ...NodeLabel) string {
	for _, label := range users {
		if pool := labels[label.Node]; label.Metric == FacetPool && pool != "" {
			return pool
		}
	}
	for _, key := range poolLabels {
		if pool := labels[key]; pool != "" {
			return pool
		}
	}
	return ""
}

// Table returns what a query asks for. It holds the lock for as long as it takes to copy
// that; ok is false until all objects have come in.
func (c *Collector) Table(query TableQuery) (table Table, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.cluster.Started() {
		return Table{}, false
	}
	c.cluster.Settle(c.config.Clock.Now())
	b := tableBuilder{cluster: c.cluster, query: query, nodeLabels: c.config.NodeLabels, misplaced: map[string]bool{}, counts: map[string]map[string]int{}}
	b.addColumns()
	b.addRows()
	table = b.page()
	table.Time = c.config.Clock.Now()
	return table, true
}

// tableBuilder builds one Table.
type tableBuilder struct {
	cluster    *state.Cluster
	query      TableQuery
	nodeLabels []NodeLabel
	table      Table
	columns    []TableColumn
	rows       []state.NodeReport
	// misplaced has the nodes with a pod that should not be there.
	misplaced map[string]bool
	// counts holds the facets.
	counts map[string]map[string]int
}

// addColumns adds the DaemonSets that the query selects.
func (b *tableBuilder) addColumns() {
	for summary := range b.cluster.Summaries() {
		b.table.DaemonSets++
		column := columnOf(&summary)
		b.countExclusions(&summary)
		if column.Gaps+column.Excluded+column.Misplaced > 0 {
			b.count(FacetNamespace, column.Namespace, 1)
		}
		if b.query.Namespace != "" && column.Namespace != b.query.Namespace || b.query.DaemonSet != "" && column.DaemonSet != b.query.DaemonSet ||
			!b.query.All && column.Gaps+column.Excluded+column.Misplaced == 0 {
			continue
		}
		b.columns = append(b.columns, column)
		if column.Misplaced == 0 {
			continue
		}
		for cell := range b.cluster.Cells(column.uid) {
			if cell.Misplaced {
				b.misplaced[cell.Node.Object().Name] = true
			}
		}
	}
	slices.SortFunc(b.columns, func(a, b TableColumn) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.DaemonSet, b.DaemonSet))
	})
}

func columnOf(summary *state.Summary) TableColumn {
	column := TableColumn{Namespace: summary.DaemonSet.Namespace.Value(), DaemonSet: summary.DaemonSet.Name, uid: summary.DaemonSet.UID}
	for lifecycle := range readiness.Lifecycles {
		column.Expected += int(summary.Totals.Expected[lifecycle])
		column.Covered += int(summary.Totals.Covered[lifecycle])
		column.Gaps += countAll(summary.Totals.Gaps[lifecycle][:])
		column.Excluded += countAll(summary.Totals.Excluded[lifecycle][:])
		column.Misplaced += countAll(summary.Totals.Misplaced[lifecycle][:])
	}
	return column
}

func (b *tableBuilder) countExclusions(summary *state.Summary) {
	for lifecycle := range readiness.Lifecycles {
		for reason := coverage.NotExcluded + 1; reason < coverage.Exclusions; reason++ {
			if count := summary.Totals.Excluded[lifecycle][reason]; count > 0 {
				b.count(FacetReason, reason.String(), int(count))
			}
		}
	}
}

func countAll(counts []int32) (sum int) {
	for _, count := range counts {
		sum += int(count)
	}
	return sum
}

func (b *tableBuilder) count(facet, value string, by int) {
	if b.counts[facet] == nil {
		b.counts[facet] = map[string]int{}
	}
	b.counts[facet][value] += by
}

// addRows adds the nodes that the query selects, and counts what to filter by.
func (b *tableBuilder) addRows() {
	for _, node := range b.cluster.Nodes() {
		b.table.Nodes++
		object := node.State.Object()
		troubled := node.Gaps > 0 || node.State.Status() != readiness.StatusReady || node.State.Lifecycle().Dated() || b.misplaced[object.Name]
		if !troubled && !b.query.All && !isExclusion(b.query.Reason) {
			continue
		}
		zone, pool, lifecycle := object.Labels[zoneLabel().Node], PoolOf(object.Labels, b.nodeLabels...), node.State.Lifecycle().String()
		if troubled {
			b.count(FacetZone, zone, 1)
			b.count(FacetPool, pool, 1)
			b.count(FacetLifecycle, lifecycle, 1)
		}
		q := &b.query
		if q.Node != "" && object.Name != q.Node || q.Zone != "" && zone != q.Zone || q.Pool != "" && pool != q.Pool ||
			q.Lifecycle != "" && lifecycle != q.Lifecycle {
			continue
		}
		b.rows = append(b.rows, node)
	}
	gaps, _ := b.cluster.Gaps(maxTableGaps)
	for i := range gaps {
		b.count(FacetReason, gaps[i].Reason.String(), 1)
	}
	if b.query.Reason != "" {
		b.keepReason(gaps)
	}
	if !b.query.All {
		slices.SortStableFunc(b.rows, func(a, b state.NodeReport) int {
			return cmp.Or(cmp.Compare(rankStatus(a), rankStatus(b)), cmp.Compare(b.Gaps, a.Gaps))
		})
	}
}

// maxTableGaps is how many gaps are counted by reason.
const maxTableGaps = 1_000_000

// isExclusion reports whether a reason is that of an exclusion: nodes that are well have
// them too.
func isExclusion(reason string) bool {
	return slices.Contains(names(coverage.NotExcluded+1, coverage.Exclusions), reason)
}

func rankStatus(node state.NodeReport) int {
	if node.State.Status() == readiness.StatusReady {
		return 1
	}
	return 0
}

// keepReason keeps the rows and columns that have one of these gaps, or an exclusion, of
// the reason. It looks at no cell: a large cluster has more than a hundred thousand.
func (b *tableBuilder) keepReason(gaps []state.Gap) {
	inRow, inColumn := map[string]bool{}, map[slim.UID]bool{}
	shown := map[string]bool{}
	for _, node := range b.rows {
		shown[node.State.Object().Name] = true
	}
	add := func(uid slim.UID, node, reason string) {
		if reason == b.query.Reason && shown[node] {
			inRow[node], inColumn[uid] = true, true
		}
	}
	gapsOf := map[slim.UID][]state.Gap{}
	for _, gap := range gaps {
		gapsOf[gap.DaemonSet.UID] = append(gapsOf[gap.DaemonSet.UID], gap)
	}
	for i := range b.columns {
		uid := b.columns[i].uid
		for _, gap := range gapsOf[uid] {
			add(uid, gap.Node.Name, gap.Reason.String())
		}
		for node, exclusion := range b.cluster.Exclusions(uid) {
			add(uid, node, exclusion.String())
		}
	}
	b.rows = slices.DeleteFunc(b.rows, func(node state.NodeReport) bool { return !inRow[node.State.Object().Name] })
	b.columns = slices.DeleteFunc(b.columns, func(column TableColumn) bool { return !inColumn[column.uid] })
}

// page returns the page of the table that the query asks for; the last one if there are
// fewer.
func (b *tableBuilder) page() Table {
	t, size := b.table, max(1, b.query.PageSize)
	t.Columns, t.Matching = b.columns, len(b.rows)
	t.Pages = max(1, (len(b.rows)+size-1)/size)
	t.Page = min(max(1, b.query.Page), t.Pages)
	first := (t.Page - 1) * size
	for _, node := range b.rows[first:min(first+size, len(b.rows))] {
		t.Rows = append(t.Rows, b.row(node))
	}
	for _, name := range []string{FacetNamespace, FacetReason, FacetLifecycle, FacetZone, FacetPool} {
		t.Facets = append(t.Facets, b.facet(name))
	}
	return t
}

func (b *tableBuilder) row(node state.NodeReport) TableRow {
	object := node.State.Object()
	row := TableRow{
		Node: object.Name, Zone: object.Labels[zoneLabel().Node], Pool: PoolOf(object.Labels, b.nodeLabels...),
		Status: node.State.Status().String(), Lifecycle: node.State.Lifecycle().String(), Gaps: node.Gaps,
		Cells: make([]TableCell, len(b.columns)),
	}
	if node.State.Status() != readiness.StatusReady {
		row.StatusSince = timeOrNil(node.State.Since())
	}
	if node.State.Lifecycle().Dated() {
		row.LifecycleSince = timeOrNil(node.State.LifecycleSince())
	}
	for i := range b.columns {
		row.Cells[i] = b.cell(&b.columns[i], object.Name)
	}
	return row
}

func (b *tableBuilder) cell(column *TableColumn, node string) TableCell {
	cell, _ := b.cluster.CellOn(column.uid, node)
	shown := TableCell{Verdict: verdictOf(&cell)}
	switch shown.Verdict {
	case VerdictGap:
		shown.Reason, shown.Cause, shown.Since = cell.Reason.String(), cell.Reason.Cause().String(), timeOrNil(cell.Opened)
	case VerdictExcluded, VerdictMisplaced:
		shown.Reason = cell.Decision.Exclusion.String()
	case VerdictCovered, VerdictDeleted:
	}
	return shown
}

// facet returns the values of a filter, the most frequent first.
func (b *tableBuilder) facet(name string) Facet {
	facet := Facet{Name: name, Values: []FacetValue{}}
	for value, count := range b.counts[name] {
		if value != "" {
			facet.Values = append(facet.Values, FacetValue{value, count})
		}
	}
	slices.SortFunc(facet.Values, func(a, b FacetValue) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	})
	return facet
}
