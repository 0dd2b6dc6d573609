package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/statushistory"
)

// newTimeline returns one row for each series, coloured by the meaning of its number.
func newTimeline(a about, all []dashboard.ValueMapping, queries ...query) *dashboard.Panel {
	p := newPanel("state-timeline", a, overTime, queries...)
	o := statetimeline.NewOptions()
	o.RowHeight = 0.85
	o.Legend = legend(common.LegendDisplayModeList, common.LegendPlacementBottom)
	o.Tooltip = common.VizTooltipOptions{Mode: common.TooltipDisplayModeSingle, Sort: common.SortOrderNone}
	p.Options = o
	defaults(p).Mappings = all
	defaults(p).Custom = &statetimeline.FieldConfig{FillOpacity: new(uint32(85)), LineWidth: new(uint32(0))}
	return noValue(byThreshold(p, neutral), "no data")
}

// columns is the number of columns of a history.
const columns = 60

// newHistory returns one row for each series and a cell for each interval, coloured by
// its worst value then.
func newHistory(a about, expr, name string, base string, steps ...step) *dashboard.Panel {
	p := newPanel("status-history", a, overTime, query{expr, name})
	o := statushistory.NewOptions()
	o.ColWidth = new(0.95)
	o.ShowValue = common.VisibilityModeNever
	o.Legend = legend(common.LegendDisplayModeList, common.LegendPlacementBottom)
	o.Legend.ShowLegend = false
	o.Tooltip = common.VizTooltipOptions{Mode: common.TooltipDisplayModeSingle, Sort: common.SortOrderNone}
	p.Options = o
	p.MaxDataPoints = new(float64(columns))
	p.Interval = new(minStep)
	defaults(p).Custom = &statushistory.FieldConfig{FillOpacity: new(uint32(85)), LineWidth: new(uint32(0))}
	return noValue(byThreshold(p, base, steps...), "no data")
}
