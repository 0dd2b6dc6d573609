package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
)

// newStat returns a panel with one number, or one for each series. It asks for the
// present only: over a range of time the last value of an exporter that has died would
// look like the present one.
func newStat(a about, expr, legend string) *dashboard.Panel {
	p := newPanel("stat", a, instant, query{expr, legend})
	p.Options = &stat.Options{
		GraphMode: common.BigValueGraphModeNone, ColorMode: common.BigValueColorModeValue,
		JustifyMode: common.BigValueJustifyModeAuto, TextMode: common.BigValueTextModeValue,
		ReduceOptions:          common.ReduceDataOptions{Calcs: []string{"lastNotNull"}, Fields: new(""), Values: new(false)},
		PercentChangeColorMode: common.PercentChangeColorModeStandard,
		Orientation:            common.VizOrientationAuto,
		WideLayout:             true,
	}
	return noValue(byThreshold(p, neutral), "no data")
}

// badFrom colours a count: green at 0, and by the steps above. No data is neither.
func badFrom(p *dashboard.Panel, steps ...step) *dashboard.Panel {
	return byThreshold(p, neutral, append([]step{{0, green}}, steps...)...)
}

// share colours a share of 1, of which all is good.
func share(p *dashboard.Panel) *dashboard.Panel {
	return byThreshold(p, neutral, shareSteps()...)
}

func shareSteps() []step { return []step{{0, red}, {0.9, orange}, {1, green}} }

// withNames shows the names of a stat's series beside their values.
func withNames(p *dashboard.Panel) *dashboard.Panel {
	p.Options.(*stat.Options).TextMode = common.BigValueTextModeAuto
	return p
}

// onlyNames shows the names of a stat's series in place of their values.
func onlyNames(p *dashboard.Panel) *dashboard.Panel {
	p.Options.(*stat.Options).TextMode = common.BigValueTextModeName
	return p
}

// filled colours the background of a stat.
func filled(p *dashboard.Panel) *dashboard.Panel {
	p.Options.(*stat.Options).ColorMode = common.BigValueColorModeBackground
	return p
}
