package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
)

// pageSize is how many nodes a page shows.
const pageSize = 100

// The parameters of /coverage, besides the names of facets.
const (
	parameterAll       = "all"
	parameterPage      = "page"
	parameterNode      = "node"
	parameterDaemonSet = "daemonset"
)

// tableQuery returns what the parameters of a request ask for.
func tableQuery(values url.Values) (collector.TableQuery, error) {
	query := collector.TableQuery{
		All:       values.Get(parameterAll) == "1",
		Namespace: values.Get(collector.FacetNamespace), DaemonSet: values.Get(parameterDaemonSet),
		Node: values.Get(parameterNode), Zone: values.Get(collector.FacetZone), Pool: values.Get(collector.FacetPool),
		Lifecycle: values.Get(collector.FacetLifecycle), Reason: values.Get(collector.FacetReason),
		Page: 1, PageSize: pageSize,
	}
	if text := values.Get(parameterPage); text != "" {
		page, err := strconv.Atoi(text)
		if err != nil || page < 1 {
			return collector.TableQuery{}, errors.New("page must be a number from 1 on")
		}
		query.Page = page
	}
	return query, nil
}

// kept returns the parameters that are known and not empty, without the page.
func kept(values url.Values) url.Values {
	known := url.Values{}
	for _, name := range []string{
		collector.FacetNamespace, parameterDaemonSet, parameterNode, collector.FacetZone, collector.FacetPool,
		collector.FacetLifecycle, collector.FacetReason, parameterAll,
	} {
		if value := values.Get(name); value != "" {
			known.Set(name, value)
		}
	}
	return known
}

// with returns a link to path with the parameters and one more; without it if the value
// is empty.
func with(path string, values url.Values, name, value string) string {
	changed := url.Values{}
	for key := range values {
		changed.Set(key, values.Get(key))
	}
	changed.Set(name, value)
	if value == "" {
		changed.Del(name)
	}
	if len(changed) == 0 {
		return path
	}
	return path + "?" + changed.Encode()
}

// link returns a relative link to a path of the server.
func link(path string) string { return path[1:] }

// coveragePage is what the template of the page shows.
type coveragePage struct {
	Table              *collector.Table
	Stamp, Clock, JSON string
	Heading, Empty     string
	All                bool
	Selects, Links     []filter
	Inputs             []input
	Columns            []columnView
	Rows               []rowView
	Previous, Next     string
}

// filter is the values of a filter, as a form's field or as links.
type filter struct {
	Name, Label string
	Options     []option
}

type option struct {
	Value    string
	Count    int
	Selected bool
	Href     string
}

type input struct{ Name, Label, Value string }

type columnView struct {
	Namespace, DaemonSet, Href string
	Covered, Expected          int
}

type rowView struct {
	Node, Href, Status, Zone, Pool string
	Bad                            bool
	Cells                          []cellView
}

type cellView struct{ Class, Text, After, Href string }

func (p *pages) coverage(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	query, err := tableQuery(values)
	if err != nil {
		respond(w, http.StatusBadRequest, err.Error()+"\n")
		return
	}
	table, _ := p.source.Table(query)
	p.render(w, "coverage.html", newCoveragePage(&table, &query, kept(values)))
}

func (p *pages) apiCoverage(w http.ResponseWriter, r *http.Request) {
	query, err := tableQuery(r.URL.Query())
	if err != nil {
		p.sendJSON(w, http.StatusBadRequest, collector.NewProblem(err))
		return
	}
	table, _ := p.source.Table(query)
	p.sendJSON(w, http.StatusOK, struct {
		collector.Document
		*collector.Table
	}{collector.DocumentOf("Coverage"), &table})
}

func newCoveragePage(table *collector.Table, query *collector.TableQuery, values url.Values) *coveragePage {
	page := &coveragePage{
		Table: table, Stamp: table.Time.UTC().Format(time.RFC3339), Clock: clockText(table.Time),
		All: query.All, JSON: with(link(apiCoveragePath), values, parameterPage, pageNumber(table.Page)),
	}
	for i := range table.Facets {
		facet := newFilter(&table.Facets[i], values)
		page.Selects = append(page.Selects, facet)
		if len(facet.Options) > 0 {
			page.Links = append(page.Links, shortened(facet))
		}
	}
	page.Inputs = []input{{parameterDaemonSet, "DaemonSet", query.DaemonSet}, {parameterNode, "Node", query.Node}}
	for i := range table.Columns {
		column := &table.Columns[i]
		page.Columns = append(page.Columns, columnView{
			column.Namespace, column.DaemonSet, ofDaemonSet(column.Namespace, column.DaemonSet), column.Covered, column.Expected,
		})
	}
	for i := range table.Rows {
		page.Rows = append(page.Rows, newRow(table, &table.Rows[i]))
	}
	page.Heading, page.Empty = headings(table, query)
	if table.Page > 1 {
		page.Previous = with(link(CoveragePath), values, parameterPage, pageNumber(table.Page-1))
	}
	if table.Page < table.Pages {
		page.Next = with(link(CoveragePath), values, parameterPage, pageNumber(table.Page+1))
	}
	return page
}

// headings returns the heading of the table, and what stands in its place if it is
// empty.
func headings(table *collector.Table, query *collector.TableQuery) (heading, empty string) {
	filtered := *query != collector.TableQuery{All: query.All, Page: query.Page, PageSize: query.PageSize}
	what := "Nodes in trouble"
	if query.All {
		what = "Nodes"
	}
	heading = fmt.Sprintf("%s: %d of %d", what, table.Matching, table.Nodes)
	switch {
	case filtered:
		return heading, "No node matches the filters."
	case query.All:
		return heading, "The cluster has no nodes."
	default:
		return heading, "No node is in trouble: every DaemonSet has a working pod on each node where it should."
	}
}

func pageNumber(page int) string {
	if page <= 1 {
		return ""
	}
	return strconv.Itoa(page)
}

func clockText(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

// labelsOfFacets are how the filters are called.
var labelsOfFacets = map[string]string{
	collector.FacetNamespace: "Namespace", collector.FacetReason: "Reason", collector.FacetLifecycle: "Lifecycle",
	collector.FacetZone: "Zone", collector.FacetPool: "Pool",
}

func newFilter(facet *collector.Facet, values url.Values) filter {
	f := filter{Name: facet.Name, Label: labelsOfFacets[facet.Name]}
	selected := values.Get(facet.Name)
	known := selected == ""
	add := func(value string, count int) {
		o := option{Value: value, Count: count, Selected: value == selected, Href: with(link(CoveragePath), values, facet.Name, value)}
		if o.Selected {
			o.Href = with(link(CoveragePath), values, facet.Name, "")
			known = true
		}
		f.Options = append(f.Options, o)
	}
	for _, value := range facet.Values {
		add(value.Value, value.Count)
	}
	if !known {
		add(selected, 0)
	}
	return f
}

// maxLinks is how many values of a filter there are links for. The form has all.
const maxLinks = 12

func shortened(f filter) filter {
	if len(f.Options) > maxLinks {
		f.Options = f.Options[:maxLinks]
	}
	return f
}

func newRow(table *collector.Table, row *collector.TableRow) rowView {
	view := rowView{
		Node: row.Node, Href: ofNode(row.Node), Status: row.Status, Zone: row.Zone, Pool: row.Pool,
		Bad: row.StatusSince != nil, Cells: make([]cellView, len(row.Cells)),
	}
	if row.StatusSince != nil {
		view.Status += " " + age(*row.StatusSince, table.Time)
	}
	if row.Lifecycle != "active" {
		view.Status += ", " + row.Lifecycle
	}
	if row.LifecycleSince != nil {
		view.Status += " " + age(*row.LifecycleSince, table.Time)
	}
	for i := range row.Cells {
		view.Cells[i] = newCell(table, i, row.Node, &row.Cells[i])
	}
	return view
}

// newCell returns how a cell is shown. What is well has no link: a page has thousands.
func newCell(table *collector.Table, column int, node string, cell *collector.TableCell) cellView {
	view := cellView{Class: classOf(cell.Verdict), Text: string(cell.Verdict)}
	if cell.Verdict == collector.VerdictCovered || cell.Verdict == collector.VerdictDeleted {
		return view
	}
	view.Href = explainLink(table.Columns[column].Namespace, table.Columns[column].DaemonSet, node)
	switch {
	case cell.Verdict == collector.VerdictGap:
		view.Text = cell.Reason
	case cell.Reason != "":
		view.Text += ": " + cell.Reason
	}
	if cell.Since != nil {
		view.After = " " + age(*cell.Since, table.Time)
	}
	return view
}

// classOf returns the style of a verdict.
func classOf(verdict collector.Verdict) string {
	switch verdict {
	case collector.VerdictGap:
		return "g"
	case collector.VerdictMisplaced:
		return "x"
	case collector.VerdictCovered:
		return "c"
	case collector.VerdictExcluded, collector.VerdictDeleted:
	}
	return "e"
}

func age(at, now time.Time) string { return duration.HumanDuration(max(0, now.Sub(at))) }

// explainLink returns a relative link to the explanation of a cell.
func explainLink(namespace, daemonSet, node string) string {
	return link(ExplainPath) + "?daemonset=" + url.QueryEscape(namespace+"/"+daemonSet) + "&node=" + url.QueryEscape(node)
}

// ofNode and ofDaemonSet return relative links to all cells of a node or a DaemonSet.
func ofNode(node string) string {
	return link(CoveragePath) + "?all=1&node=" + url.QueryEscape(node)
}

func ofDaemonSet(namespace, daemonSet string) string {
	return link(CoveragePath) + "?all=1&namespace=" + url.QueryEscape(namespace) + "&daemonset=" + url.QueryEscape(daemonSet)
}
