package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// newGraph returns lines over time.
func newGraph(a about, queries ...query) *dashboard.Panel {
	p := newPanel("timeseries", a, overTime, queries...)
	p.Options = &timeseries.Options{
		Legend:  legend(common.LegendDisplayModeList, common.LegendPlacementBottom),
		Tooltip: common.VizTooltipOptions{Mode: common.TooltipDisplayModeMulti, Sort: common.SortOrderDescending},
	}
	field := &common.GraphFieldConfig{
		DrawStyle: new(common.GraphDrawStyleLine), LineWidth: new(1.0), FillOpacity: new(0.0),
		ShowPoints: new(common.VisibilityModeNever),
	}
	defaults(p).Min = new(0.0)
	if counted(a.unit) { // counts jump
		field.LineInterpolation = new(common.LineInterpolationStepAfter)
		field.AxisSoftMax = new(1.0)
	}
	defaults(p).Custom = field
	return noValue(p, "no data")
}

// field returns how the series of a graph are drawn.
func field(p *dashboard.Panel) *common.GraphFieldConfig {
	return defaults(p).Custom.(*common.GraphFieldConfig)
}

// stacked draws series on top of each other, as areas.
func stacked(p *dashboard.Panel) *dashboard.Panel {
	field(p).FillOpacity = new(60.0)
	field(p).Stacking = &common.StackingConfig{Mode: new(common.StackingModeNormal), Group: new("A")}
	return p
}

// bars draws series as stacked bars, one for each interval, with their sums or other
// calculations of their values beside them.
func bars(p *dashboard.Panel, calculations ...string) *dashboard.Panel {
	stacked(p)
	field(p).DrawStyle = new(common.GraphDrawStyleBars)
	field(p).FillOpacity = new(80.0)
	field(p).LineWidth = new(0.0)
	p.Interval = new(minStep)
	return besides(p, calculations...)
}

// besides puts the legend beside the graph, with calculations.
func besides(p *dashboard.Panel, calculations ...string) *dashboard.Panel {
	options := p.Options.(*timeseries.Options)
	options.Legend = legend(common.LegendDisplayModeTable, common.LegendPlacementRight)
	options.Legend.Calcs = calculations
	return p
}

func legend(mode common.LegendDisplayMode, placement common.LegendPlacement) common.VizLegendOptions {
	return common.VizLegendOptions{DisplayMode: mode, Placement: placement, ShowLegend: true, Calcs: []string{}}
}

// dashed draws a series of a graph as a limit: a dashed line that is not stacked.
func dashed(p *dashboard.Panel, name, colour string) *dashboard.Panel {
	override(p, name,
		property{Id: "color", Value: fixed(colour)},
		property{Id: "custom.lineStyle", Value: common.LineStyle{Fill: new(common.LineStyleFillDash), Dash: []float64{10, 10}}},
		property{Id: "custom.lineWidth", Value: 2},
		property{Id: "custom.fillOpacity", Value: 0},
		property{Id: "custom.stacking", Value: common.StackingConfig{Mode: new(common.StackingModeNone), Group: new("B")}},
	)
	return p
}

// line draws a series of a stacked graph as a line of its own.
func line(p *dashboard.Panel, name, colour string) *dashboard.Panel {
	override(p, name,
		property{Id: "color", Value: fixed(colour)},
		property{Id: "custom.lineWidth", Value: 2},
		property{Id: "custom.fillOpacity", Value: 0},
		property{Id: "custom.stacking", Value: common.StackingConfig{Mode: new(common.StackingModeNone), Group: new("B")}},
	)
	return p
}

// newHeatmap returns a heatmap of a histogram's buckets: one cell for each bucket and
// interval.
func newHeatmap(a about, expr string) *dashboard.Panel {
	p := newPanel("heatmap", a, asHeatmap, query{expr, "{{le}}"})
	o := heatmap.NewOptions()
	o.Color.Mode = new(heatmap.HeatmapColorModeScheme)
	o.Color.Min = new(float32(0))
	o.YAxis.Unit = new("s")
	o.CellValues = &heatmap.CellValues{Unit: new("none"), Decimals: new(float32(0))}
	// Cells are whole numbers: less than a half is none.
	o.FilterValues.Le = new(float32(0.5))
	// Without cells its ends would be infinite.
	o.Legend.Show = false
	p.Options = o
	p.Interval = new(minStep)
	return noValue(p, "no data")
}
