package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// A column is a label, or the value of a query, of a table.
type column struct {
	name  string // of the label; "" for the value of the next query
	title string // if it is another one
	width int    // in pixels; 0: what is left
	look  []property
}

// newTable returns a table with the columns in their order. The cluster is hidden where it
// is no column. sort is the title of the column that decides about the order, with the
// highest first.
func newTable(a about, sort string, all []column, queries ...query) *dashboard.Panel {
	p := newPanel("table", a, asTable, queries...)
	sorted := []common.TableSortByFieldState{}
	if sort != "" {
		sorted = append(sorted, common.TableSortByFieldState{DisplayName: sort, Desc: new(true)})
	}
	p.Options = &table.Options{
		ShowHeader: true, CellHeight: new(common.TableCellHeightSm), SortBy: sorted,
		Footer: &common.TableFooterOptions{Show: false, Reducer: []string{}, CountRows: new(false)},
	}
	defaults(p).Custom = &common.TableFieldOptions{Align: common.FieldTextAlignmentAuto}
	byThreshold(p, neutral)
	if len(queries) > 1 {
		p.Transformations = append(p.Transformations, dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}})
	}
	p.Transformations = append(p.Transformations, arrange(p, all, len(queries)))
	return noValue(p, "no data")
}

// ascending puts the rows with the lowest value of a column first.
func ascending(p *dashboard.Panel, title string) *dashboard.Panel {
	p.Options.(*table.Options).SortBy = []common.TableSortByFieldState{{DisplayName: title, Desc: new(false)}}
	return p
}

// arrange returns the transformation that puts the columns in their order, and gives
// them their look.
func arrange(p *dashboard.Panel, all []column, queries int) dashboard.DataTransformerConfig {
	index, titles := map[string]int{}, map[string]string{}
	hidden := map[string]bool{"Time": true, "__name__": true, "cluster": true}
	values := 0
	for i, c := range all {
		name := c.name
		if name == "" {
			name = "Value"
			if queries > 1 {
				name = fmt.Sprintf("Value #%c", 'A'+values)
			}
			values++
		}
		index[name] = i
		delete(hidden, name)
		title := name
		if c.title != "" {
			title, titles[name] = c.title, c.title
		}
		look := c.look
		if c.name != "" {
			// An empty cell would otherwise say what the whole table says.
			look = append(look, property{Id: "noValue", Value: "-"})
		}
		if c.width > 0 {
			look = append(look, property{Id: "custom.width", Value: c.width})
		}
		if len(look) > 0 {
			override(p, title, look...)
		}
	}
	return dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
		"excludeByName": hidden,
		"indexByName":   index, "renameByName": titles, "includeByName": map[string]bool{},
	}}
}

// The columns that many tables have. The label cluster is a column where there is one.
func clusterColumn() column { return column{name: "cluster", width: 90} }

func namespaceColumn() column { return column{name: "namespace", width: 120} }

func daemonSetColumn() column {
	return column{name: "daemonset", title: "DaemonSet", look: []property{links(daemonSetLink())}}
}

func nodeColumn() column {
	return column{name: "node", look: []property{links(nodeLink())}}
}

func zoneColumn() column { return column{name: "zone", width: 110} }

func lifecycleColumn() column {
	return column{name: "lifecycle", width: 90, look: inColour(lifecycles())}
}

// sinceColumn is a value in milliseconds since 1970, shown as an age.
func sinceColumn(title string) column {
	return column{title: title, width: 130, look: []property{{Id: "unit", Value: "dateTimeFromNow"}, {Id: "noValue", Value: "-"}}}
}

// countColumn is a number that is bad from one on.
func countColumn(title, colour string) column {
	return column{title: title, width: 90, look: []property{
		{Id: "custom.cellOptions", Value: common.TableColorTextCellOptions{Type: common.TableCellDisplayModeColorText}},
		{Id: "thresholds", Value: thresholds(neutral, step{1, colour})},
		{Id: "noValue", Value: "-"},
	}}
}

// plainColumn is a number without a verdict.
func plainColumn(title string) column {
	return column{title: title, width: 90, look: []property{{Id: "noValue", Value: "-"}}}
}

// inColour shows the values of a label in the colours of their meanings.
func inColour(all palette) []property {
	return []property{
		{Id: "custom.cellOptions", Value: common.TableColorTextCellOptions{Type: common.TableCellDisplayModeColorText}},
		{Id: "mappings", Value: named(all)},
	}
}

// onColour is inColour with the colour behind the text.
func onColour() property {
	return property{Id: "custom.cellOptions", Value: common.TableColoredBackgroundCellOptions{
		Type: common.TableCellDisplayModeColorBackground, Mode: new(common.TableCellBackgroundDisplayModeBasic),
	}}
}

// asBar shows a share of 1 as a bar.
func asBar(steps ...step) []property {
	return []property{
		{Id: "unit", Value: "percentunit"},
		{Id: "decimals", Value: 1},
		{Id: "min", Value: 0},
		{Id: "max", Value: 1},
		{Id: "custom.cellOptions", Value: common.TableBarGaugeCellOptions{
			Type: common.TableCellDisplayModeGauge, Mode: new(common.BarGaugeDisplayModeBasic),
			ValueDisplayMode: new(common.BarGaugeValueModeText),
		}},
		{Id: "thresholds", Value: thresholds(neutral, steps...)},
		{Id: "noValue", Value: "-"},
	}
}
