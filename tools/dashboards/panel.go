package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// about is what every panel says about itself.
type about struct {
	title     string
	counts    string // sentences: what it shows
	leavesOut string // the end of a sentence that begins with "Left out:"
	unit      string
	width     uint32 // of 24
}

func (a about) description() string { return a.counts + " Left out: " + a.leavesOut + "." }

// A query is an expression and the name of what it gives.
type query struct{ expr, legend string }

// How Grafana asks Prometheus.
const (
	instant = iota
	overTime
	asTable
	asHeatmap
)

// minStep is the shortest interval of graphs that count events: about that of scrapes,
// and never so short that a window holds none.
const minStep = "1m"

// newPanel returns a panel with what all panels have in common.
func newPanel(kind string, a about, how int, queries ...query) *dashboard.Panel {
	p := &dashboard.Panel{
		Type:        kind,
		Title:       &a.title,
		Description: new(a.description()),
		Datasource:  source(),
		GridPos:     &dashboard.GridPos{W: a.width},
		FieldConfig: &dashboard.FieldConfigSource{
			Defaults:  dashboard.FieldConfig{Unit: &a.unit},
			Overrides: []dashboard.DashboardFieldConfigSourceOverrides{},
		},
	}
	if counted(a.unit) {
		p.FieldConfig.Defaults.Decimals = new(0.0)
	}
	for i, q := range queries {
		p.Targets = append(p.Targets, target(string(rune('A'+i)), how, q))
	}
	return p
}

// counted reports whether values of a unit are whole numbers.
func counted(unit string) bool { return unit == "none" }

// source returns the reference to the data source that the board's variable chooses.
func source() *common.DataSourceRef {
	return &common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}
}

func target(refID string, how int, q query) variants.Dataquery {
	format := prometheus.PromQueryFormatTimeSeries
	switch how {
	case asTable:
		format = prometheus.PromQueryFormatTable
	case asHeatmap:
		format = prometheus.PromQueryFormatHeatmap
	}
	now := how == instant || how == asTable
	return prometheus.Dataquery{
		RefId: &refID, Datasource: source(), Expr: q.expr, LegendFormat: &q.legend,
		Format: &format, Instant: &now, Range: new(!now),
	}
}

// defaults returns the configuration of all fields of a panel.
func defaults(p *dashboard.Panel) *dashboard.FieldConfig { return &p.FieldConfig.Defaults }

// noValue sets what a panel says when there is nothing to show. It must not claim that
// all is well.
func noValue(p *dashboard.Panel, text string) *dashboard.Panel {
	defaults(p).NoValue = &text
	return p
}

// A step of thresholds is a value and the colour from there on.
type step struct {
	from   float64
	colour string
}

// thresholds returns steps over a base colour, which is that of no value at all, too.
func thresholds(base string, steps ...step) *dashboard.ThresholdsConfig {
	t := &dashboard.ThresholdsConfig{
		Mode:  dashboard.ThresholdsModeAbsolute,
		Steps: []dashboard.Threshold{{Color: base}},
	}
	for _, s := range steps {
		t.Steps = append(t.Steps, dashboard.Threshold{Value: new(s.from), Color: s.colour})
	}
	return t
}

// byThreshold colours values by thresholds.
func byThreshold(p *dashboard.Panel, base string, steps ...step) *dashboard.Panel {
	defaults(p).Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds}
	defaults(p).Thresholds = thresholds(base, steps...)
	return p
}

// fixed returns a colour that does not depend on the value.
func fixed(colour string) *dashboard.FieldColor {
	return &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdFixed, FixedColor: &colour}
}

// A property changes how some fields look.
type property = dashboard.DynamicConfigValue

// override changes the field of a name.
func override(p *dashboard.Panel, name string, properties ...property) {
	overrideWhere(p, dashboard.MatcherConfig{Id: "byName", Options: name}, properties...)
}

func overrideWhere(p *dashboard.Panel, matcher dashboard.MatcherConfig, properties ...property) {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides,
		dashboard.DashboardFieldConfigSourceOverrides{Matcher: matcher, Properties: properties})
}

// colours gives each series the colour of its meaning, by its legend.
func colours(p *dashboard.Panel, meanings ...palette) *dashboard.Panel {
	for _, all := range meanings {
		for _, m := range all {
			override(p, m.value, property{Id: "color", Value: fixed(m.colour)}, property{Id: "displayName", Value: m.text})
		}
	}
	return p
}

// mapped shows the numbers of coded as their meanings.
func mapped(all palette) []dashboard.ValueMapping {
	options := map[string]dashboard.ValueMappingResult{}
	for i, m := range all {
		options[all.number(m.value)] = result(m, i)
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}}}
}

// named shows values of labels as their meanings.
func named(all palette) []dashboard.ValueMapping {
	options := map[string]dashboard.ValueMappingResult{}
	for i, m := range all {
		options[m.value] = result(m, i)
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}}}
}

func result(m meaning, index int) dashboard.ValueMappingResult {
	return dashboard.ValueMappingResult{Text: &m.text, Color: &m.colour, Index: new(int32(index))}
}
